/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What ZeroTier computes from the ids of a network (64 bits) and a node (40 bits), and back.
 *
 * Addresses that a controller's administrator has typed follow none of these rules.
 */
#ifndef ZT6_DERIVE_H
#define ZT6_DERIVE_H

#include <net/if.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#include "../addr.h"

#define ZEROTIER_NODE_BITS    40
#define ZEROTIER_RFC4193_BITS 88 /* of a network's prefix */
#define ZEROTIER_6PLANE_BITS  40 /* of a network's prefix */

/* Whether an id can be a node's: addresses that begin with 0xff are reserved, 0 is none. */
bool zerotier_node_valid(uint64_t node);

/* The node that controls a network. */
uint64_t zerotier_controller_node(uint64_t network);

/* fdNN:NNNN:NNNN:NNNN:NN99:93xx:xxxx:xxxx: N is the network, x the node. */
struct in6_addr zerotier_rfc4193(uint64_t network, uint64_t node);

/* False when the address is not of this form. */
bool zerotier_rfc4193_parse(const struct in6_addr *addr, uint64_t *network, uint64_t *node);

/* The first address of a node's own /80 inside the network's /40. */
struct in6_addr zerotier_6plane(uint64_t network, uint64_t node);

/* The node in whose /80 an address is; false when it is outside of the network's /40. */
bool zerotier_6plane_node(uint64_t network, const struct in6_addr *addr, uint64_t *node);

/* A range of addresses from which a controller assigns. */
struct zerotier_pool {
	struct in6_addr start, end; /* both within the range */
};

/* All of a prefix. */
struct zerotier_pool zerotier_pool_of(const struct prefix *prefix);

/**
 * zerotier_pool_address - the address that a controller gives a node, unless it is taken.
 *
 * Returns false when the pool is too small for a derivation: it must span 2^40 addresses, counted in
 * the lower 64 bits, for that is what the controller looks at. Addresses are random then.
 */
bool zerotier_pool_address(const struct zerotier_pool *pool, uint64_t node, struct in6_addr *out);

/* The node whose address in the pool this is; false when it is nobody's derived one. */
bool zerotier_pool_node(const struct zerotier_pool *pool, const struct in6_addr *addr,
			uint64_t *node);

/* The MAC address of a node in a network: octets in the order of the wire. */
void zerotier_mac(uint64_t network, uint64_t node, uint8_t mac[6]);

/* False when it is not the MAC of a node of this network: a bridge's, for instance. */
bool zerotier_mac_node(uint64_t network, const uint8_t mac[6], uint64_t *node);

/**
 * zerotier_derived_node - the node that an address belongs to by one of the rules above.
 * @members: prefixes from which the network's addresses are assigned. Where their pools begin is not
 *	known here, so it is looked at the last 40 bits, which no node has of another.
 *
 * False when no rule says one: the address was typed by somebody, or the prefix is too narrow.
 */
bool zerotier_derived_node(uint64_t network, const struct prefixes *members,
			   const struct in6_addr *addr, uint64_t *node);

/* The same for the MAC; and a link-local address as the kernel makes it holds the MAC itself (RFC 4291,
 * appendix A). */
bool zerotier_derived_mac(uint64_t network, const struct prefixes *members,
			  const struct in6_addr *addr, uint8_t mac[6]);

/*
 * The name of a network's interface on Linux. The service may use another one: a file `devicemap` in
 * its home folder overrides it, and a name that is taken is counted up. Ask the service first.
 */
void zerotier_interface_name(uint64_t network, char name[IFNAMSIZ]);

/* Whether an interface's name is the one of the network. */
bool zerotier_interface_is(const char *name, uint64_t network);

/* "0123456789abcdef" and "0123456789", exactly, into an id; false when the text is not that. */
bool zerotier_network_parse(const char *text, uint64_t *network);
bool zerotier_node_parse(const char *text, uint64_t *node);

#endif
