/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the kernel says of its interfaces, routes and addresses: read over netlink, never guessed. */
#ifndef ZT6_FACTS_H
#define ZT6_FACTS_H

#include <net/if.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../addr.h"

struct nl_sock;

struct iface_facts {
	char name[IFNAMSIZ];
	int ifindex;
	unsigned int mtu;   /* bytes */
	unsigned int flags; /* IFF_* */
	uint16_t type;      /* ARPHRD_* */
	uint8_t mac[6];     /* zero without a link layer */
	char kind[16];      /* "veth", "tun", "sit", ...; empty for hardware */
	bool has_link_local;
	struct in6_addr link_local; /* a tentative one only while there is no other */
};

/* 0, -ENODEV when there is no such interface, or another error of the netlink socket. */
int facts_iface(struct nl_sock *nl, const char *name, struct iface_facts *out);

/* IFF_* of an interface. 0, -ENODEV or another error. */
int facts_flags(struct nl_sock *nl, const char *name, unsigned int *flags);

struct own_address {
	int ifindex;
	struct prefix prefix; /* the address, with the length of its link's prefix */
	bool usable;          /* as a source: not of this machine only, tentative or deprecated */
	bool connected;       /* the kernel has made a route to that prefix */
};

/**
 * facts_own_addresses - all IPv6 addresses of this network namespace, link-local ones left out.
 * @out: an array of *@count elements to be freed by the caller
 */
int facts_own_addresses(struct nl_sock *nl, struct own_address **out, size_t *count);

/**
 * facts_ipv4_address - the primary IPv4 address of an interface (global scope, first in the
 * kernel's order). -ENOENT when it has none yet.
 */
int facts_ipv4_address(struct nl_sock *nl, int ifindex, struct in_addr *out);

/* 0 when some interface of this network namespace has the address, -ENOENT when none has. */
int facts_ipv4_is_own(struct nl_sock *nl, struct in_addr address);

/**
 * facts_ipv4_next_hop - the neighbour through which the kernel reaches @dst from @src.
 * @ifindex: out, the interface towards it
 * @next_hop: out, the gateway, or @dst itself where it is on-link
 *
 * Returns 0 or -ENETUNREACH.
 */
int facts_ipv4_next_hop(struct nl_sock *nl, struct in_addr dst, struct in_addr src, int *ifindex,
			struct in_addr *next_hop);

/**
 * facts_source_routed - whether IPv6 routes depend on the source.
 * @member: prefixes whose addresses only members use
 * @inside: out, for packets from members: an `ip -6 rule from` that takes some of @member and not
 *	all of it, or a multipath route, exists
 * @outside: out, for packets from elsewhere: an `ip -6 rule from`, or a multipath route, exists;
 *	rules within @member are left out, because the guard lets no such source in, and those for
 *	the machine's own addresses, from which nothing arrives
 */
int facts_source_routed(struct nl_sock *nl, const struct prefixes *member, bool *inside,
			bool *outside);

#endif
