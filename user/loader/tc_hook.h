/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Programs on a device's TC hooks: by tcx where the kernel has it (Linux 6.6), whose links are pinned
 * like XDP's; else as filters of the qdisc clsact, known by their priority and handle. Either way a
 * program is replaced in one step, and those of others stay where they are.
 */
#ifndef ZT6_TC_HOOK_H
#define ZT6_TC_HOOK_H

#include <stdbool.h>
#include <stdint.h>

/* Our filters on clsact have this handle and one of these priorities, in the order they run in. */
#define ZT6_TC_HANDLE          1
#define ZT6_TC_PRIORITY_PORT   5 /* the pipeline of a port */
#define ZT6_TC_PRIORITY_TUNNEL 6 /* `device bpf`: what does sit's work */

/* What the link of a port's pipeline is pinned as. */
#define TC_PORT_LINK "tc_link"

struct tc_hook {
	const char *pin_dir;
	const char *what; /* of the link's pin: what and slot */
	unsigned int slot;
	int ifindex;
	bool egress;
	uint32_t priority;
	/* A filter also where there is tcx, whose programs run first: what comes after the witness,
	 * which is a filter, is one as well. */
	bool is_filter;
};

/* Whether the running kernel has tcx. */
bool tc_hook_has_tcx(void);

/**
 * tc_hook_set - put @program on the hook, in place of ours that is there, if any.
 *
 * A filter needs the qdisc clsact on the device. 0 or -errno.
 */
int tc_hook_set(const struct tc_hook *hook, int program);

/* Whether a program of ours is there. */
bool tc_hook_is_set(const struct tc_hook *hook);

/* Takes ours away, wherever its link may be; none is no error. 0 or -errno. */
int tc_hook_clear(const struct tc_hook *hook);

#endif
