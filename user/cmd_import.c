/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `zt6-bpf import`: prints sections of zt6.conf that say what something else says. */
#include "instance.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "broker/import_he.h"
#include "import/import.h"
#include "log.h"
#include "suggest.h"

static int run_he(const struct instance *instance, int count, char **arguments)
{
	return count == 2 ? import_he(instance, arguments + 1) : EXIT_USAGE;
}

/* Every name is followed by at least one file, which may have the name of a source. */
static int run_files(const struct instance *instance __attribute__((unused)), int count,
		     char **arguments)
{
	bool is_name = false;

	for (int i = 0; i < count; i++)
		is_name = !is_name && import_source(arguments[i]);
	return is_name ? EXIT_USAGE : import_files(import_source(arguments[0]), arguments + 1);
}

static const struct source {
	const char *name;
	const char *arguments;
	/* @arguments: @count of them, the name first, and a NULL. EXIT_USAGE when they do not fit. */
	int (*run)(const struct instance *instance, int count, char **arguments);
} sources[] = {
	{"he", "TUNNELID", run_he},
	{"ndppd", "FILE...", run_files},
	{"interfaces", "FILE...", run_files},
	{"zerotier", "FILE...", run_files},
};

#define SOURCE_COUNT (sizeof(sources) / sizeof(*sources))

static int usage(void)
{
	for (size_t i = 0; i < SOURCE_COUNT; i++)
		log_error("usage: zt6-bpf import %s %s", sources[i].name, sources[i].arguments);
	return EXIT_USAGE;
}

int cmd_import(const struct instance *instance, int argc, char **argv)
{
	struct suggestion near = {.word = argc > 1 ? argv[1] : ""};

	for (size_t i = 0; i < SOURCE_COUNT && argc > 1; i++) {
		const struct source *source = &sources[i];
		int status;

		suggestion_offer(&near, source->name);
		if (strcmp(argv[1], source->name) != 0)
			continue;
		status = source->run(instance, argc - 1, argv + 1);
		return status == EXIT_USAGE ? usage() : status;
	}
	if (near.best)
		log_error("import: there is none from \"%s\"; did you mean \"%s\"?", argv[1],
			  near.best);
	return usage();
}
