/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the checks need to know of the kernel's IPv6 routes. */
#ifndef ZT6_ZEROTIER_KERNEL_H
#define ZT6_ZEROTIER_KERNEL_H

#include <net/if.h>

#include "../addr.h"

struct nl_sock;

struct kernel_route {
	struct prefix destination;
	char device[IFNAMSIZ]; /* empty: several, or none */
	uint8_t type;          /* RTN_* */
	uint8_t protocol;      /* RTPROT_* */
	uint32_t metric;
};

struct kernel_routes {
	struct kernel_route *list;
	size_t count;
};

/* All of the main table. 0 or -errno; free it with free(routes->list). */
int kernel_routes_read(struct nl_sock *nl, struct kernel_routes *out);

/* The interface by which packets to @dst leave. 0, or -ENETUNREACH or another error. */
int kernel_route_to(struct nl_sock *nl, const struct in6_addr *dst, char device[IFNAMSIZ]);

#endif
