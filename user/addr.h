/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Addresses and prefixes: reading, writing, comparing. Addresses are in network byte order. */
#ifndef ZT6_ADDR_H
#define ZT6_ADDR_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PREFIX_STRLEN (INET6_ADDRSTRLEN + 4)
#define MAC_STRLEN    18

struct prefix {
	struct in6_addr addr;
	uint8_t len; /* 0..128 */
};

struct prefixes {
	struct prefix *list;
	size_t count;
};

/* "ADDR/LEN" into an address that may have host bits. False when the text is not exactly that. */
bool prefix_parse(const char *text, struct prefix *out);

/* The same prefix with its host bits cleared (RFC 4291 §2.3). */
struct prefix prefix_network(const struct prefix *p);

/* Whether anything is set behind the first @p->len bits. */
bool prefix_has_host_bits(const struct prefix *p);

/* Address and length alike: host bits count. */
bool prefix_equal(const struct prefix *a, const struct prefix *b);

/* Whether every address of @inner is one of @outer's; a prefix contains itself. */
bool prefix_contains(const struct prefix *outer, const struct prefix *inner);

/* Whether the first @p->len bits of @addr are the prefix's. */
bool prefix_contains_addr(const struct prefix *p, const struct in6_addr *addr);

/* Writes "ADDR/LEN" into @text (PREFIX_STRLEN bytes) and returns it. */
const char *prefix_format(const struct prefix *p, char *text);

/* Appends a copy of @p. 0 or -ENOMEM. */
int prefixes_add(struct prefixes *set, const struct prefix *p);
void prefixes_free(struct prefixes *set);

/* Writes "aa:bb:cc:dd:ee:ff" into @text (MAC_STRLEN bytes) and returns it. */
const char *mac_format(const uint8_t mac[6], char *text);

#endif
