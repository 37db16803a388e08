/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "instance.h"

#include <stdio.h>

#include "log.h"

int cmd_version(const struct instance *instance __attribute__((unused)), int argc, char **argv)
{
	if (argc > 1) {
		log_error("version: unexpected argument \"%s\"; it takes none", argv[1]);
		return EXIT_USAGE;
	}
	puts("zt6-bpf " ZT6_VERSION);
	return EXIT_DONE;
}
