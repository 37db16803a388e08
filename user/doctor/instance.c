// SPDX-License-Identifier: GPL-2.0-or-later
/* `doctor`: the instance itself: what `status` says of it, or what would stop `up`. */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../loader/rundir.h"
#include "../loader/up.h"
#include "../log.h"
#include "doctor.h"

#define STOPS_UP "\"zt6-bpf up\" refuses, and nothing is forwarded"

/* Whether the file holds what was read as the configuration. */
static bool holds(FILE *file, const struct conf *conf)
{
	char *text = malloc(conf->length + 1);
	bool same = text && fread(text, 1, conf->length + 1, file) == conf->length &&
		    !memcmp(text, conf->text, conf->length);

	free(text);
	return same;
}

static void judge_file(struct doctor *doctor)
{
	char path[PATH_MAX];
	FILE *applied;

	snprintf(path, sizeof(path), "%s/" APPLIED_NAME, doctor->instance->run_dir);
	applied = fopen(path, "re");
	if (!applied)
		return;
	if (!holds(applied, doctor->conf)) {
		findings_add(&doctor->findings, FINDING_WARNING,
			     "%s is not what is up: it has been changed since",
			     doctor->instance->conf_path);
		findings_why(&doctor->findings, "what is written there is not in force");
		findings_remedy(&doctor->findings,
				"run \"zt6-bpf reload\" (\"zt6-bpf up --dry-run\" shows what that "
				"changes)");
	}
	fclose(applied);
}

/* A line of the loader's: "WHAT; WHAT TO DO", or all in one. */
static void add_line(struct findings *out, char *line)
{
	bool is_warning = !strncmp(line, LOG_WARNING_MARK, strlen(LOG_WARNING_MARK));
	char *remedy = strstr(line, "; ");

	if (remedy) {
		*remedy = '\0';
		remedy += strlen("; ");
	}
	findings_add(out, is_warning ? FINDING_WARNING : FINDING_ERROR, "%s",
		     is_warning ? line + strlen(LOG_WARNING_MARK) : line);
	findings_why(out, is_warning ? "\"zt6-bpf up\" would say so, and go on" : STOPS_UP);
	findings_remedy(out, "%s", remedy ? remedy : "change that, then run \"zt6-bpf up\"");
}

/* What belongs to a message in further lines is set in. */
static void add_lines(struct findings *out, char *text)
{
	char *next;

	for (char *line = text; line && *line; line = next) {
		next = strchr(line, '\n');
		while (next && next[1] == ' ') {
			*next = ' ';
			next = strchr(next, '\n');
		}
		if (next)
			*next++ = '\0';
		add_line(out, line);
	}
}

static void foresee(struct doctor *doctor)
{
	char *text = NULL;
	size_t size;
	FILE *messages = open_memstream(&text, &size);

	if (!messages) {
		doctor->findings.err = -ENOMEM;
		return;
	}
	log_divert(messages);
	loader_foresee(doctor->instance, doctor->conf, &doctor->planned);
	log_divert(NULL);
	if (fclose(messages))
		doctor->findings.err = -ENOMEM;
	else
		add_lines(&doctor->findings, text);
	free(text);
}

/* What an `up` has left without the maps that it works on. */
static void judge_remains(struct doctor *doctor)
{
	struct findings *out = &doctor->findings;

	if (doctor->status_err == -EPROTO) {
		findings_add(out, FINDING_ERROR,
			     "what is up was brought up by another version of zt6-bpf");
		findings_why(out, "this one can neither read its counters nor follow it");
		findings_remedy(out, "run \"zt6-bpf up\"; if it refuses, with \"zt6-bpf down\" "
				     "before");
	} else if (doctor->status_err == -ENOENT && doctor->journal && doctor->journal->found &&
		   doctor->journal->relation == NETNS_SAME && doctor->journal->objects.count) {
		findings_add(out, FINDING_ERROR,
			     "the instance was up, and its programs and maps are gone from %s",
			     doctor->instance->pin_dir);
		findings_why(out, "only the kernel forwards, and nobody answers for members");
		findings_remedy(out, "run \"zt6-bpf up\", and see who unmounts /sys/fs/bpf or "
				     "deletes in it");
	} else if (doctor->status_err != -ENOENT) {
		findings_add(out, FINDING_ERROR, "the instance cannot be read: %s",
			     strerror(-doctor->status_err));
		findings_why(out, "what is up is not judged here");
		findings_remedy(out, "run it as root");
	}
}

static void examine(struct doctor *doctor)
{
	const struct journal *journal = doctor->journal;

	if (doctor->status) {
		judge_file(doctor);
		findings_append(&doctor->findings, &doctor->status->findings, FINDING_WARNING);
	} else if (journal && journal->found && journal->relation == NETNS_OTHER) {
		findings_add(&doctor->findings, FINDING_ERROR,
			     "the instance is up in another network namespace, net:[%" PRIu64 "]",
			     journal->netns.inode);
		findings_why(&doctor->findings, "the interfaces and routes here are not its own");
		findings_remedy(&doctor->findings,
				"enter that one: \"lsns -t net\" finds a process in it, \"nsenter "
				"--net=/proc/PID/ns/net zt6-bpf doctor\"");
	} else {
		judge_remains(doctor);
		foresee(doctor);
	}
}

const struct doctor_area doctor_instance = {
	.name = "instance",
	.examine = examine,
};
