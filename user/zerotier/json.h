/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reading the service's JSON: fields into checked values. */
#ifndef ZT6_ZEROTIER_JSON_H
#define ZT6_ZEROTIER_JSON_H

#include <jansson.h>

#include "api.h"

/**
 * zerotier_json - parse a body that must be of one type.
 *
 * Returns a new reference, or NULL with words in @why, which do not repeat the body.
 */
json_t *zerotier_json(const char *body, size_t length, json_type type, char *why);

/* A string field, or "" when there is none. */
const char *zerotier_json_string(const json_t *object, const char *key);

/* "ADDR", "ADDR/LEN" into a prefix with host bits, IPv4 as IPv4-mapped. False when it is none. */
bool zerotier_json_prefix(const char *text, struct prefix *out);

/* "ADDR/PORT", as the service writes the ends of paths. */
bool zerotier_json_endpoint(const char *text, struct in6_addr *addr, uint16_t *port);

/* An array of addresses; what is no address is left out. 0 or -ENOMEM. */
int zerotier_json_prefixes(const json_t *array, struct prefixes *out);

/* An array of routes; what is no route is left out. 0 or -ENOMEM. */
int zerotier_json_routes(const json_t *array, struct zerotier_routes *out);

/* All of a network but its id, from an object of GET /network. 0, -ENOMEM, or -EPROTO with words in
 * @why. What it allocates goes with zerotier_network_free(). */
int zerotier_read_network(const json_t *root, struct zerotier_network *out, char *why);

#endif
