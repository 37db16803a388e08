/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "json.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define MAPPED_BITS 96 /* of ::ffff:0:0/96, RFC 4291 §2.5.5.2 */

json_t *zerotier_json(const char *body, size_t length, json_type type, char *why)
{
	json_error_t error;
	json_t *root = json_loadb(body, length, 0, &error);

	if (!root) {
		zerotier_explain(why,
				 "zerotier-one answers with what is no JSON at byte %d of %zu: "
				 "restart it if this goes on",
				 error.position, length);
		return NULL;
	}
	if (json_typeof(root) == type)
		return root;
	json_decref(root);
	zerotier_explain(why, "zerotier-one answers with JSON of another kind than its API has");
	return NULL;
}

const char *zerotier_json_string(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

static struct in6_addr mapped(struct in_addr in)
{
	struct in6_addr addr = {.s6_addr = {[10] = 0xff, [11] = 0xff}};

	memcpy(addr.s6_addr + 12, &in, sizeof(in));
	return addr;
}

/* "NUMBER" of at most @max, or false. */
static bool number_parse(const char *text, unsigned long max, unsigned long *out)
{
	size_t digits = strspn(text, "0123456789");

	if (!digits || digits > 5 || text[digits])
		return false;
	*out = strtoul(text, NULL, 10);
	return *out <= max;
}

/* The part before a slash as an address, and what is behind it, or NULL. */
static bool split_parse(const char *text, struct in6_addr *addr, bool *v4, const char **rest)
{
	const char *slash = strchr(text, '/');
	size_t length = slash ? (size_t)(slash - text) : strlen(text);
	char copy[INET6_ADDRSTRLEN];
	struct in_addr in;

	if (length >= sizeof(copy))
		return false;
	memcpy(copy, text, length);
	copy[length] = '\0';
	*rest = slash ? slash + 1 : NULL;
	*v4 = inet_pton(AF_INET, copy, &in) == 1;
	if (*v4)
		*addr = mapped(in);
	return *v4 || inet_pton(AF_INET6, copy, addr) == 1;
}

bool zerotier_json_prefix(const char *text, struct prefix *out)
{
	unsigned long bits = 128;
	struct in6_addr addr;
	const char *length;
	bool v4;

	if (!split_parse(text, &addr, &v4, &length))
		return false;
	if (length && !number_parse(length, v4 ? 32 : 128, &bits))
		return false;
	*out = (struct prefix){
		.addr = addr,
		.len = (uint8_t)(length && v4 ? bits + MAPPED_BITS : bits),
	};
	return true;
}

bool zerotier_json_endpoint(const char *text, struct in6_addr *addr, uint16_t *port)
{
	unsigned long number;
	const char *rest;
	bool v4;

	if (!split_parse(text, addr, &v4, &rest) || !rest ||
	    !number_parse(rest, UINT16_MAX, &number))
		return false;
	*port = (uint16_t)number;
	return true;
}

int zerotier_json_prefixes(const json_t *array, struct prefixes *out)
{
	struct prefix prefix;
	json_t *item;
	size_t i;

	json_array_foreach (array, i, item) {
		const char *text = json_string_value(item);

		if (text && zerotier_json_prefix(text, &prefix) && prefixes_add(out, &prefix))
			return -ENOMEM;
	}
	return 0;
}

int zerotier_json_routes(const json_t *array, struct zerotier_routes *out)
{
	json_t *item;
	size_t i;

	out->list = calloc(json_array_size(array) + 1, sizeof(*out->list));
	if (!out->list)
		return -ENOMEM;
	json_array_foreach (array, i, item) {
		struct zerotier_route *route = &out->list[out->count];
		struct prefix via;

		if (!zerotier_json_prefix(zerotier_json_string(item, "target"), &route->target))
			continue;
		/* Nothing, null or an empty string: no next hop. */
		route->has_via = zerotier_json_prefix(zerotier_json_string(item, "via"), &via);
		if (route->has_via)
			route->via = via.addr;
		out->count++;
	}
	return 0;
}
