/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The BPF side of `up` and `down`: maps, programs, links and their pins. */
#ifndef ZT6_PROGRAMS_H
#define ZT6_PROGRAMS_H

#include "../instance.h"
#include "model.h"

struct programs;

struct programs_options {
	bool poison_headroom; /* tests: fill bytes that a program claims with 0xff first */
};

/**
 * programs_load - create or reuse the maps and load the programs; nothing is attached yet.
 * @pin_dir: with maps of an instance that is up, these are used on; NULL: nothing is ever pinned
 * @model: decides which programs are needed and how large the maps are
 *
 * Returns 0, -EPERM (which capability is missing is in the message), -EPROTO when the pinned maps
 * are of another schema, -EOPNOTSUPP when the kernel lacks something (named), or another error.
 */
int programs_load(const char *pin_dir, const struct model *model,
		  const struct programs_options *options, struct programs **out);

/* Writes the model into the maps, and takes out what it does not have. */
int programs_fill(struct programs *programs, const struct model *model);

/**
 * programs_attach - attach to every port of the model that is present, and pin everything.
 *
 * A program of ours that is attached already is replaced atomically, one of somebody else never:
 * -EBUSY with a message that names it. Ports that are gone from the model are detached. On
 * failure what this call changed has been undone.
 */
int programs_attach(struct programs *programs, const struct model *model);

/* Undoes programs_attach() where a later step of `up` fails. */
void programs_rollback(struct programs *programs);

/**
 * programs_follow - bring the pinned programs of a slot to the interface that the port has now.
 * @before: the interface that the port had, or 0: programs leave it if it is there under another name
 * @port: with the present ifindex; 0 takes the link away
 *
 * For the agent: it needs the pins and CAP_NET_ADMIN, no CAP_BPF. What is in its place already is
 * left there. 0, or -errno: -EINVAL, or -ENOENT, while a TC program waits for its qdisc.
 */
int programs_follow(const char *pin_dir, unsigned int slot, __u32 before,
		    const struct zt6_port *port);

/* Slot's XDP and TC programs, for tests and `explain`; or -1. */
int programs_xdp_fd(const struct programs *programs, unsigned int slot);
int programs_tc_port_fd(const struct programs *programs, unsigned int slot);

/* File descriptor of a map by its name in bpf/maps.h; or -1. */
int programs_map_fd(const struct programs *programs, const char *name);

void programs_free(struct programs *programs);

/* Removes every pin of the instance, which detaches its programs. 0, or the first error. */
int programs_unpin(const char *pin_dir);

/* Reads the slots that are in use from a pinned instance into model->ports; -ENOENT: not up. */
int programs_read_ports(const char *pin_dir, struct model *model);

#endif
