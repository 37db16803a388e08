// SPDX-License-Identifier: GPL-2.0-or-later
/* `zt6-bpf status`: one screen that says what works; exit status 0 only if all does. */
#include <errno.h>
#include <getopt.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "instance.h"
#include "log.h"
#include "status.h"
#include "status_parts.h"

static const char *policy_name(const struct status *status)
{
	return status->model.settings.policy == ZT6_POLICY_OFF ? "off" : "kernel";
}

static bool is_degraded(const struct status *status)
{
	return findings_count(&status->findings, FINDING_ERROR);
}

static void print_json(const struct status *status)
{
	json_t *problems = json_array(), *root;

	for (size_t i = 0; i < status->findings.count; i++) {
		const struct finding *finding = &status->findings.list[i];
		char *line = finding->severity == FINDING_ERROR ? finding_line(finding) : NULL;

		if (line)
			json_array_append_new(problems, json_string(line));
		free(line);
	}
	root = json_pack("{s:i, s:s, s:s, s:b, s:o, s:s}", "schema", 1, "instance",
			 status->instance->name, "version", ZT6_VERSION, "healthy",
			 !is_degraded(status), "problems", problems, "policy", policy_name(status));
	for (size_t i = 0; i < status_part_count; i++)
		json_object_set_new(root, status_parts[i]->key, status_parts[i]->json(status));
	json_dumpf(root, stdout, JSON_INDENT(2));
	putchar('\n');
	json_decref(root);
}

static void print_text(const struct status *status)
{
	printf(STATUS_COLUMN "%s, version %s, policy %s\n", "instance", status->instance->name,
	       ZT6_VERSION, policy_name(status));
	for (size_t i = 0; i < status_part_count; i++)
		status_parts[i]->print(status);
	printf(STATUS_COLUMN "%s\n", "health", is_degraded(status) ? "degraded" : "ok");
}

/* The one line on stderr that a degraded status owes. */
static void print_problems(const struct status *status)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	for (size_t i = 0; out && i < status->findings.count; i++) {
		const struct finding *finding = &status->findings.list[i];
		char *line = finding->severity == FINDING_ERROR ? finding_line(finding) : NULL;

		if (line)
			fprintf(out, "%s%s", ftell(out) ? "; " : "", line);
		free(line);
	}
	if (out && !fclose(out))
		log_error("degraded: %s", text);
	free(text);
}

int cmd_status(const struct instance *instance, int argc, char **argv)
{
	static const struct option options[] = {{"json", no_argument, NULL, 'j'}, {0}};
	struct status *status;
	bool json = false, unknown = false;
	int option, err, result = EXIT_DONE;

	optind = 0;
	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		json |= option == 'j';
		unknown |= option != 'j';
	}
	if (unknown || optind != argc) {
		log_error("usage: zt6-bpf status [--json]");
		return EXIT_USAGE;
	}
	status = malloc(sizeof(*status));
	err = status ? status_read(instance, status) : -ENOMEM;
	if (err) {
		free(status);
		return stats_explain_error(instance, err);
	}
	if (json)
		print_json(status);
	else
		print_text(status);
	if (is_degraded(status)) {
		print_problems(status);
		result = EXIT_FAILED;
	}
	status_free(status);
	free(status);
	return result;
}
