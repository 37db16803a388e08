/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kernel's valid neighbours on our ports, as last heard: what tells a change from a mere tick of
 * neighbour unreachability detection, which must not flush the route cache. */
#ifndef ZT6_NEIGHBOURS_H
#define ZT6_NEIGHBOURS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct neighbour {
	int ifindex;
	int family;           /* AF_INET or AF_INET6 */
	struct in6_addr addr; /* an IPv4 address in the first four bytes */
	uint8_t mac[6];
	uint16_t state;     /* NUD_* */
	uint64_t probed_ns; /* when we last had it probed, CLOCK_MONOTONIC */
};

struct neighbours {
	void *tree; /* of struct neighbour, for tsearch(3) */
	size_t count;
};

/* What an update was, as a mask. */
enum neighbour_change {
	NEIGHBOUR_LOST = 1 << 0,      /* was valid, and is so no longer */
	NEIGHBOUR_MOVED = 1 << 1,     /* has another MAC than before */
	NEIGHBOUR_CONFIRMED = 1 << 2, /* the kernel knows that it is there */
	NEIGHBOUR_FAILED = 1 << 3,    /* the kernel has asked and got no answer */
};

/**
 * neighbours_update - take note of what the kernel says of one.
 * @neighbour: state 0 when the kernel has forgotten it
 *
 * Returns a mask of enum neighbour_change.
 */
unsigned int neighbours_update(struct neighbours *neighbours, const struct neighbour *neighbour);

/* The entry of a valid IPv6 neighbour, or NULL. */
struct neighbour *neighbours_find(struct neighbours *neighbours, int ifindex,
				  const struct in6_addr *addr);

/* The link-local address of whoever has the MAC on that interface, or NULL. */
const struct in6_addr *neighbours_link_local(const struct neighbours *neighbours, int ifindex,
					     const uint8_t mac[6]);

/* Whether the kernel has had a sign of life lately, or never needs one. */
bool neighbour_is_confirmed(const struct neighbour *neighbour);

/* Calls @each for every valid IPv6 neighbour of an interface; it must change nothing. */
void neighbours_each(const struct neighbours *neighbours, int ifindex,
		     void (*each)(void *arg, const struct neighbour *neighbour), void *arg);

void neighbours_clear(struct neighbours *neighbours);

#endif
