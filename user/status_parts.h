/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The concerns that `status` is made of, each in a file status_NAME.c. */
#ifndef ZT6_STATUS_PARTS_H
#define ZT6_STATUS_PARTS_H

#include <jansson.h>

#include "status.h"

struct status_part {
	const char *key;     /* of its value in `status --json` */
	const char *matters; /* why what it finds does, where that is not said of one by itself */

	/* Reads what only this part needs into @status; NULL: nothing. What cannot be read is a
	 * problem of the instance, not an error of the command. */
	void (*read)(struct status *status);

	/* Lets go of what it has read; NULL: nothing. */
	void (*release)(struct status *status);

	/* Adds to the findings: an error is what the instance is degraded by. NULL: nothing can be
	 * wrong here. */
	void (*judge)(struct status *status);

	/* Its value for --json: a new reference. */
	json_t *(*json)(const struct status *status);

	/* Its lines for people, each beginning with a word in a column of STATUS_COLUMN. */
	void (*print)(const struct status *status);
};

#define STATUS_COLUMN "%-8s  "

/* In the order in which they are shown. */
extern const struct status_part status_ports, status_tunnels, status_zerotier, status_rules,
	status_policy, status_firewall, status_bindings, status_targets, status_agent, status_trial;
extern const struct status_part *const status_parts[];
extern const size_t status_part_count;

#endif
