/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kernel's valid neighbours, as last heard: what tells a change from a mere tick of neighbour
 * unreachability detection, which must not flush the route cache. */
#ifndef ZT6_NEIGHBOURS_H
#define ZT6_NEIGHBOURS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct neighbour {
	int ifindex;
	int family;	      /* AF_INET or AF_INET6 */
	struct in6_addr addr; /* an IPv4 address in the first four bytes */
	uint8_t mac[6];
};

struct neighbours {
	void *tree; /* of struct neighbour, for tsearch(3) */
	size_t count;
};

/**
 * neighbours_update - take note of what the kernel says of one.
 * @valid: whether packets can be sent to it
 *
 * Returns whether that makes a difference to what is cached: one that was valid is so no longer, or
 * has another MAC. (One that becomes valid was not cached before.)
 */
bool neighbours_update(struct neighbours *neighbours, const struct neighbour *neighbour,
		       bool valid);

void neighbours_clear(struct neighbours *neighbours);

#endif
