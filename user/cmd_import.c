/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `zt6-bpf import`: prints sections of zt6.conf that say what something else says. */
#include "instance.h"

#include <stdio.h>
#include <string.h>

#include "broker/import_he.h"
#include "log.h"
#include "suggest.h"

static const struct source {
	const char *name;
	const char *arguments;
	int (*run)(const struct instance *instance, char **arguments);
	int min_arguments, max_arguments;
} sources[] = {
	{"he", "TUNNELID", import_he, 1, 1},
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

		suggestion_offer(&near, source->name);
		if (strcmp(argv[1], source->name) != 0)
			continue;
		if (argc - 2 < source->min_arguments || argc - 2 > source->max_arguments)
			return usage();
		return source->run(instance, argv + 2);
	}
	if (near.best)
		log_error("import: there is none from \"%s\"; did you mean \"%s\"?", argv[1],
			  near.best);
	return usage();
}
