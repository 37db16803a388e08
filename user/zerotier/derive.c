/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "derive.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NODE_MASK ((1ULL << ZEROTIER_NODE_BITS) - 1)

/* Octets of addresses. */
#define RFC4193_FIRST   0xfd
#define RFC4193_NETWORK 1 /* 8 octets */
#define RFC4193_MARK    9 /* 99 93 */
#define RFC4193_NODE    11
#define SIXPLANE_FIRST  0xfc
#define SIXPLANE_NODE   5

/* RFC 4291 appendix A: what stands between the halves of a MAC, and the bit that is inverted. */
#define EUI64_MIDDLE_1 0xff
#define EUI64_MIDDLE_2 0xfe
#define EUI64_LOCAL    0x02

#define INTERFACE_PREFIX "zt"
#define INTERFACE_BITS   40
#define BASE32_BITS      5

static const uint8_t rfc4193_mark[] = {0x99, 0x93};

static void put_bytes(uint8_t *to, uint64_t value, int count)
{
	for (int i = count - 1; i >= 0; i--, value >>= 8)
		to[i] = (uint8_t)value;
}

static uint64_t get_bytes(const uint8_t *from, int count)
{
	uint64_t value = 0;

	for (int i = 0; i < count; i++)
		value = value << 8 | from[i];
	return value;
}

/* The halves of an address as numbers. */
static uint64_t half(const struct in6_addr *addr, int index)
{
	return get_bytes(addr->s6_addr + (index ? 8 : 0), 8);
}

static uint32_t sixplane_network(uint64_t network)
{
	return (uint32_t)(network ^ network >> 32);
}

/* Octets 1 to 5 of a MAC are the node's, veiled by five octets of the network, low ones first. */
static uint64_t mac_veil(uint64_t network)
{
	uint64_t veil = 0;

	for (int shift = 8; shift <= 40; shift += 8)
		veil = veil << 8 | (network >> shift & 0xff);
	return veil;
}

/* Locally administered, unicast. 0x52 belongs to hypervisors. */
static uint8_t mac_first_octet(uint64_t network)
{
	uint8_t octet = (network & 0xfe) | 0x02;

	return octet == 0x52 ? 0x32 : octet;
}

bool zerotier_node_valid(uint64_t node)
{
	return node && node <= NODE_MASK && node >> 32 != 0xff;
}

uint64_t zerotier_controller_node(uint64_t network)
{
	return network >> 24;
}

struct in6_addr zerotier_rfc4193(uint64_t network, uint64_t node)
{
	struct in6_addr addr = {0};

	addr.s6_addr[0] = RFC4193_FIRST;
	put_bytes(addr.s6_addr + RFC4193_NETWORK, network, 8);
	memcpy(addr.s6_addr + RFC4193_MARK, rfc4193_mark, sizeof(rfc4193_mark));
	put_bytes(addr.s6_addr + RFC4193_NODE, node, 5);
	return addr;
}

bool zerotier_rfc4193_parse(const struct in6_addr *addr, uint64_t *network, uint64_t *node)
{
	uint64_t found = get_bytes(addr->s6_addr + RFC4193_NODE, 5);

	if (addr->s6_addr[0] != RFC4193_FIRST ||
	    memcmp(addr->s6_addr + RFC4193_MARK, rfc4193_mark, sizeof(rfc4193_mark)) != 0 ||
	    !zerotier_node_valid(found))
		return false;
	*network = get_bytes(addr->s6_addr + RFC4193_NETWORK, 8);
	*node = found;
	return true;
}

struct in6_addr zerotier_6plane(uint64_t network, uint64_t node)
{
	struct in6_addr addr = {0};

	addr.s6_addr[0] = SIXPLANE_FIRST;
	put_bytes(addr.s6_addr + 1, sixplane_network(network), 4);
	put_bytes(addr.s6_addr + SIXPLANE_NODE, node, 5);
	addr.s6_addr[15] = 1;
	return addr;
}

bool zerotier_6plane_node(uint64_t network, const struct in6_addr *addr, uint64_t *node)
{
	uint64_t found = get_bytes(addr->s6_addr + SIXPLANE_NODE, 5);

	if (addr->s6_addr[0] != SIXPLANE_FIRST ||
	    get_bytes(addr->s6_addr + 1, 4) != sixplane_network(network) ||
	    !zerotier_node_valid(found))
		return false;
	*node = found;
	return true;
}

struct zerotier_pool zerotier_pool_of(const struct prefix *prefix)
{
	struct prefix first = prefix_network(prefix);
	struct zerotier_pool pool = {.start = first.addr, .end = first.addr};

	for (int bit = prefix->len; bit < 128; bit++)
		pool.end.s6_addr[bit / 8] |= (uint8_t)(0x80 >> bit % 8);
	return pool;
}

static bool pool_derives(const struct zerotier_pool *pool)
{
	uint64_t start = half(&pool->start, 1), end = half(&pool->end, 1);

	return end > start && end - start >= NODE_MASK;
}

bool zerotier_pool_address(const struct zerotier_pool *pool, uint64_t node, struct in6_addr *out)
{
	if (!pool_derives(pool))
		return false;
	*out = pool->start;
	put_bytes(out->s6_addr + 8, half(&pool->start, 1) + node, 8);
	return true;
}

bool zerotier_pool_node(const struct zerotier_pool *pool, const struct in6_addr *addr,
			uint64_t *node)
{
	uint64_t distance = half(addr, 1) - half(&pool->start, 1);

	if (!pool_derives(pool) || half(addr, 0) != half(&pool->start, 0) ||
	    !zerotier_node_valid(distance))
		return false;
	*node = distance;
	return true;
}

void zerotier_mac(uint64_t network, uint64_t node, uint8_t mac[6])
{
	mac[0] = mac_first_octet(network);
	put_bytes(mac + 1, node ^ mac_veil(network), 5);
}

bool zerotier_mac_node(uint64_t network, const uint8_t mac[6], uint64_t *node)
{
	uint64_t found = get_bytes(mac + 1, 5) ^ mac_veil(network);

	if (mac[0] != mac_first_octet(network) || !zerotier_node_valid(found))
		return false;
	*node = found;
	return true;
}

bool zerotier_derived_node(uint64_t network, const struct prefixes *members,
			   const struct in6_addr *addr, uint64_t *node)
{
	uint64_t of, last = half(addr, 1) & NODE_MASK;

	if (zerotier_rfc4193_parse(addr, &of, node) && of == network)
		return true;
	if (zerotier_6plane_node(network, addr, node))
		return true;
	for (size_t i = 0; i < members->count; i++) {
		if (members->list[i].len > 128 - ZEROTIER_NODE_BITS ||
		    !prefix_contains_addr(&members->list[i], addr) || !zerotier_node_valid(last))
			continue;
		*node = last;
		return true;
	}
	return false;
}

bool zerotier_derived_mac(uint64_t network, const struct prefixes *members,
			  const struct in6_addr *addr, uint8_t mac[6])
{
	const uint8_t *id = addr->s6_addr + 8;
	uint64_t node;

	if (IN6_IS_ADDR_LINKLOCAL(addr) && id[3] == EUI64_MIDDLE_1 && id[4] == EUI64_MIDDLE_2) {
		memcpy(mac, id, 3);
		memcpy(mac + 3, id + 5, 3);
		mac[0] ^= EUI64_LOCAL;
		return zerotier_mac_node(network, mac, &node);
	}
	if (!zerotier_derived_node(network, members, addr, &node))
		return false;
	zerotier_mac(network, node, mac);
	return true;
}

void zerotier_interface_name(uint64_t network, char name[IFNAMSIZ])
{
	static const char digits[] = "abcdefghijklmnopqrstuvwxyz234567"; /* RFC 4648 §6 */
	uint64_t folded = network ^ network >> 24;
	char *to = name + snprintf(name, IFNAMSIZ, INTERFACE_PREFIX);

	for (int shift = INTERFACE_BITS - BASE32_BITS; shift >= 0; shift -= BASE32_BITS)
		*to++ = digits[folded >> shift & 31];
	*to = '\0';
}

bool zerotier_interface_is(const char *name, uint64_t network)
{
	char expected[IFNAMSIZ];

	zerotier_interface_name(network, expected);
	return !strcmp(name, expected);
}

static bool id_parse(const char *text, size_t digits, uint64_t *id)
{
	if (strlen(text) != digits || strspn(text, "0123456789abcdefABCDEF") != digits)
		return false;
	*id = strtoull(text, NULL, 16);
	return true;
}

bool zerotier_network_parse(const char *text, uint64_t *network)
{
	return id_parse(text, 16, network);
}

bool zerotier_node_parse(const char *text, uint64_t *node)
{
	uint64_t found;

	if (!id_parse(text, 10, &found) || !zerotier_node_valid(found))
		return false;
	*node = found;
	return true;
}
