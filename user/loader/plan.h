/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What `up` has to make, in this order: from the configuration and the kernel's facts. */
#ifndef ZT6_PLAN_H
#define ZT6_PLAN_H

#include "../conf.h"
#include "journal.h"

struct model;
struct nl_sock;

struct plan {
	struct objects objects;
	bool device_unknown; /* `device auto` could not be decided without loading a module */
};

/**
 * plan_make - list the desired objects.
 * @instance: its name
 * @journal: what is ours already; its choices are kept to
 * @model: with the ports' paths
 * @dry_run: do not even have the kernel load a module
 *
 * Also looks for what would fail later, so that nothing is touched then: interfaces that are not
 * there, names and addresses that are taken. Returns 0, or -errno with a message.
 */
int plan_make(const char *instance, const struct conf *conf, const struct journal *journal,
	      struct nl_sock *nl, const struct model *model, bool dry_run, struct plan *out);

void plan_free(struct plan *plan);

#endif
