/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the kernel says of one packet's way, for `explain` to put into words. */
#ifndef ZT6_EXPLAIN_FACTS_H
#define ZT6_EXPLAIN_FACTS_H

#include <net/if.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#include "addr.h"

struct nl_sock;

/* The entry of the routing table that a packet takes. */
struct kernel_route {
	int error;    /* -errno where the kernel forwards nothing; only the type tells more then */
	uint8_t type; /* RTN_*; RTN_UNSPEC: there is none, or it was not asked for */
	uint8_t protocol; /* RTPROT_* */
	struct prefix prefix;
	bool has_gateway;
	struct in6_addr gateway;
	int ifindex; /* 0: none, or several */
	bool multipath;
	uint32_t metric;
	char device[IF_NAMESIZE];
};

/* A neighbour, and what the kernel knows of it. */
struct kernel_neighbour {
	int family; /* AF_INET or AF_INET6; 0: the packet needs none */
	int ifindex;
	struct in6_addr addr; /* an IPv4 address in the first four bytes */
	uint16_t nud;         /* NUD_*; 0: the kernel does not know it */
	bool has_mac;
	uint8_t mac[6];
};

/**
 * kernel_route_of - ask for the route of a packet that comes in by an interface.
 * @ifindex: that it comes in by
 * @src: its source, or NULL where that does not matter
 *
 * Returns 0, also when there is no route (out->error), or an error of the socket.
 */
int kernel_route_of(struct nl_sock *nl, int ifindex, const struct in6_addr *src,
		    const struct in6_addr *dst, struct kernel_route *out);

/* Completes a neighbour with family, ifindex and addr. 0 or an error of the socket. */
int kernel_neighbour_of(struct nl_sock *nl, struct kernel_neighbour *neighbour);

/* Some neighbour on an interface that can be sent to and lies in @within, other than @except. 0, -ENOENT
 * or an error of the socket. */
int kernel_any_neighbour(struct nl_sock *nl, int ifindex, const struct prefix *within,
			 const struct in6_addr *except, struct in6_addr *out);

/* In the words of `ip route`. */
const char *route_type_name(uint8_t type);

#endif
