/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "addr.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ADDR_BITS 128

/* "0" to "128", without leading zeros or anything else. */
static bool length_parse(const char *text, uint8_t *len)
{
	size_t digits = strspn(text, "0123456789");
	unsigned long value;

	if (!digits || digits > 3 || text[digits] || (text[0] == '0' && digits > 1))
		return false;
	value = strtoul(text, NULL, 10);
	if (value > ADDR_BITS)
		return false;
	*len = (uint8_t)value;
	return true;
}

bool prefix_parse(const char *text, struct prefix *out)
{
	const char *slash = strchr(text, '/');
	char addr[INET6_ADDRSTRLEN];
	struct prefix parsed;

	if (!slash || (size_t)(slash - text) >= sizeof(addr))
		return false;
	memcpy(addr, text, slash - text);
	addr[slash - text] = '\0';
	if (inet_pton(AF_INET6, addr, &parsed.addr) != 1 || !length_parse(slash + 1, &parsed.len))
		return false;
	*out = parsed;
	return true;
}

struct prefix prefix_network(const struct prefix *p)
{
	struct prefix network = *p;
	unsigned int byte = p->len / 8;

	if (p->len % 8) {
		network.addr.s6_addr[byte] &= (uint8_t)(0xff << (8 - p->len % 8));
		byte++;
	}
	memset(network.addr.s6_addr + byte, 0, sizeof(network.addr) - byte);
	return network;
}

bool prefix_equal(const struct prefix *a, const struct prefix *b)
{
	return a->len == b->len && !memcmp(&a->addr, &b->addr, sizeof(a->addr));
}

bool prefix_has_host_bits(const struct prefix *p)
{
	struct prefix network = prefix_network(p);

	return !prefix_equal(&network, p);
}

bool prefix_contains(const struct prefix *outer, const struct prefix *inner)
{
	return inner->len >= outer->len && prefix_contains_addr(outer, &inner->addr);
}

bool prefix_contains_addr(const struct prefix *p, const struct in6_addr *addr)
{
	struct prefix theirs = {.addr = *addr, .len = p->len};
	struct prefix ours = prefix_network(p);

	theirs = prefix_network(&theirs);
	return prefix_equal(&ours, &theirs);
}

const char *prefix_format(const struct prefix *p, char *text)
{
	char addr[INET6_ADDRSTRLEN];

	inet_ntop(AF_INET6, &p->addr, addr, sizeof(addr));
	snprintf(text, PREFIX_STRLEN, "%s/%u", addr, p->len);
	return text;
}

int prefixes_add(struct prefixes *set, const struct prefix *p)
{
	struct prefix *list = realloc(set->list, (set->count + 1) * sizeof(*list));

	if (!list)
		return -ENOMEM;
	list[set->count++] = *p;
	set->list = list;
	return 0;
}

void prefixes_free(struct prefixes *set)
{
	free(set->list);
	*set = (struct prefixes){0};
}

const char *mac_format(const uint8_t mac[6], char *text)
{
	snprintf(text, MAC_STRLEN, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3],
		 mac[4], mac[5]);
	return text;
}
