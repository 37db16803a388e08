/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Neighbours that went with their interface, for when it comes back. zerotier-one destroys its TAP when
 * it restarts and makes it anew; the members behind it are the same, but the kernel may not ask for them
 * as long as its own addresses are tentative (RFC 4862 §5.4), for a second or two. What it knew is
 * written back as STALE: packets flow at once, and the kernel asks when it can.
 */
#ifndef ZT6_RECALL_H
#define ZT6_RECALL_H

#include <stdint.h>
#include <sys/queue.h>

#include "neighbours.h"

struct nl_sock;
struct recalled;

TAILQ_HEAD(recall_list, recalled);

struct recall {
	struct recall_list list; /* the latest last */
	size_t count;
};

void recall_init(struct recall *recall);

/* A valid neighbour on the port of that slot is gone from the kernel's table. */
void recall_note(struct recall *recall, uint8_t slot, const struct neighbour *neighbour,
		 uint64_t now_ns);

/* The port's interface is up, with this index: what went lately comes back. */
void recall_restore(struct recall *recall, uint8_t slot, int ifindex, struct nl_sock *nl,
		    uint64_t now_ns);

void recall_clear(struct recall *recall);

#endif
