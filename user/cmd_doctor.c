// SPDX-License-Identifier: GPL-2.0-or-later
/* `zt6-bpf doctor`: what is wrong, why that matters, and what to do; exit status 0 only if nothing is
 * worse than a warning, as with `status`. */
#include <errno.h>
#include <getopt.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "doctor/doctor.h"
#include "log.h"

#define BOLD_RED    "\033[1;31m"
#define BOLD_YELLOW "\033[1;33m"
#define PLAIN       "\033[0m"

/* A terminal that shows colours, and nobody who does not want them (no-color.org). */
static bool wants_colour(void)
{
	const char *none = getenv("NO_COLOR"), *terminal = getenv("TERM");

	return isatty(STDOUT_FILENO) && !(none && *none) &&
	       !(terminal && !strcmp(terminal, "dumb"));
}

static int print_json(const struct doctor *doctor)
{
	const struct findings *findings = &doctor->findings;
	json_t *list = json_array(), *root;
	int err = 0;

	for (size_t i = 0; i < findings->count; i++) {
		const struct finding *finding = &findings->list[i];

		json_array_append_new(list,
				      json_pack("{s:s, s:s, s:s, s:s?, s:s?}", "severity",
						finding_severity_name(finding->severity), "area",
						finding->area, "what", finding->what, "why",
						finding->why, "remedy", finding->remedy));
	}
	root = json_pack("{s:i, s:s, s:s, s:b, s:b, s:o}", "schema", 1, "instance",
			 doctor->instance->name, "version", ZT6_VERSION, "up",
			 doctor->status != NULL, "healthy",
			 !findings_count(findings, FINDING_ERROR), "findings", list);
	if (!root || json_dumpf(root, stdout, JSON_INDENT(2)))
		err = -ENOMEM;
	putchar('\n');
	json_decref(root);
	return err;
}

static void print_finding(const struct finding *finding, bool colour)
{
	bool is_error = finding->severity == FINDING_ERROR;

	printf("%s%-7s%s  %-9s  %s\n",
	       !colour    ? ""
	       : is_error ? BOLD_RED
			  : BOLD_YELLOW,
	       finding_severity_name(finding->severity), colour ? PLAIN : "", finding->area,
	       finding->what);
	if (finding->why)
		printf("%-7s  %9s  %s\n", "", "why", finding->why);
	if (finding->remedy)
		printf("%-7s  %9s  %s\n", "", "do", finding->remedy);
}

static void print_text(const struct doctor *doctor)
{
	const struct findings *findings = &doctor->findings;
	size_t errors = findings_count(findings, FINDING_ERROR);
	size_t warnings = findings_count(findings, FINDING_WARNING);
	bool colour = wants_colour();

	for (size_t i = 0; i < findings->count; i++)
		print_finding(&findings->list[i], colour);
	if (!errors && !warnings)
		printf("nothing is wrong");
	else
		printf("%zu error%s, %zu warning%s", errors, errors == 1 ? "" : "s", warnings,
		       warnings == 1 ? "" : "s");
	printf("; instance \"%s\" is %s\n", doctor->instance->name,
	       doctor->status ? "up" : "not up here");
}

int cmd_doctor(const struct instance *instance, int argc, char **argv)
{
	static const struct option options[] = {{"json", no_argument, NULL, 'j'}, {0}};
	struct conf *conf = NULL;
	struct doctor doctor;
	bool json = false, unknown = false;
	int option, err;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		json |= option == 'j';
		unknown |= option != 'j';
	}
	if (unknown || optind != argc) {
		log_error("usage: zt6-bpf doctor [--json]");
		return EXIT_USAGE;
	}
	err = conf_load(instance->conf_path, stderr, &conf);
	if (err)
		return err == -ENOMEM ? EXIT_FAILED : EXIT_CONFIG;
	if (doctor_examine(instance, conf, &doctor))
		return EXIT_FAILED;
	if (json)
		err = print_json(&doctor);
	else
		print_text(&doctor);
	if (findings_count(&doctor.findings, FINDING_ERROR))
		err = -EINVAL;
	doctor_free(&doctor);
	return err ? EXIT_FAILED : EXIT_DONE;
}
