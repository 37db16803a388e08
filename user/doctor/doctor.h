/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `zt6-bpf doctor`: what is wrong and what to do about it. Of an instance that is up it takes what
 * `status` has found, and looks at the machine around it; where none is up it judges the machine
 * against the configuration. Each area is a file of its own.
 */
#ifndef ZT6_DOCTOR_H
#define ZT6_DOCTOR_H

#include "../conf.h"
#include "../findings.h"
#include "../instance.h"
#include "../loader/journal.h"
#include "../loader/model.h"
#include "../status.h"

struct nl_sock;

struct doctor {
	const struct instance *instance;
	struct conf *conf; /* the file, with the interfaces' names resolved */
	struct nl_sock *nl;
	struct journal *journal; /* NULL: it cannot be read */
	struct status *status;   /* of an instance that is up in this network namespace; or NULL */
	int status_err;          /* why it is NULL: -ENOENT when nothing is up */
	struct model planned;    /* where nothing is up, the ports as `up` would make them */
	struct findings findings;
};

struct doctor_area {
	const char *name;    /* in `doctor --json` */
	const char *matters; /* why what it finds does, where that is not said of one by itself */

	/* Adds to the findings what is wrong, and nothing where all is well. */
	void (*examine)(struct doctor *doctor);
};

/* In the order in which they are examined: causes before what follows from them. */
extern const struct doctor_area doctor_instance, doctor_kernel, doctor_drift, doctor_ports,
	doctor_tunnels, doctor_routes, doctor_firewall, doctor_managers, doctor_programs,
	doctor_zerotier;

/**
 * doctor_examine - look at everything.
 * @conf: is taken
 *
 * What cannot be looked at is left out. Returns 0, or -errno with a message. Free with doctor_free().
 */
int doctor_examine(const struct instance *instance, struct conf *conf, struct doctor *out);
void doctor_free(struct doctor *doctor);

/* Of the instance that is up, or would be: ZT6_MAX_PORTS of them. */
const struct zt6_port *doctor_ports_of(const struct doctor *doctor);

/* The policy that is in force, or would be. */
bool doctor_policy_off(const struct doctor *doctor);

#endif
