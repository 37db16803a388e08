/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The bodies of the API's answers into structs. */
#include "api.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"

static const char *const statuses[] = {
	[ZEROTIER_OK] = "OK",
	[ZEROTIER_REQUESTING_CONFIGURATION] = "REQUESTING_CONFIGURATION",
	[ZEROTIER_ACCESS_DENIED] = "ACCESS_DENIED",
	[ZEROTIER_NOT_FOUND] = "NOT_FOUND",
	[ZEROTIER_PORT_ERROR] = "PORT_ERROR",
	[ZEROTIER_CLIENT_TOO_OLD] = "CLIENT_TOO_OLD",
	[ZEROTIER_AUTHENTICATION_REQUIRED] = "AUTHENTICATION_REQUIRED",
};

const char *zerotier_status_name(enum zerotier_network_status status)
{
	return status == ZEROTIER_STATUS_OTHER ? "OTHER" : statuses[status];
}

static int nonsense(char *why, const char *what)
{
	zerotier_explain(why,
			 "zerotier-one answers without %s: is it a version that is not known "
			 "here? (1.14 is)",
			 what);
	return -EPROTO;
}

static enum zerotier_network_status status_of(const char *text)
{
	for (size_t i = 0; i < sizeof(statuses) / sizeof(*statuses); i++)
		if (!strcmp(text, statuses[i]))
			return (enum zerotier_network_status)i;
	return ZEROTIER_STATUS_OTHER;
}

/* Digits and dots, or nothing. */
static void copy_version(char *to, size_t size, const char *text)
{
	if (strspn(text, "0123456789.") == strlen(text))
		snprintf(to, size, "%s", text);
}

static bool mac_parse(const char *text, uint8_t mac[6])
{
	int end = 0;

	return strlen(text) == MAC_STRLEN - 1 &&
	       sscanf(text, "%2hhx:%2hhx:%2hhx:%2hhx:%2hhx:%2hhx%n", &mac[0], &mac[1], &mac[2],
		      &mac[3], &mac[4], &mac[5], &end) == 6 &&
	       end == MAC_STRLEN - 1;
}

/* "ADDR/PORT" each: the ports do not matter. */
static int read_listening(const json_t *settings, struct prefixes *out)
{
	struct prefix address = {.len = 128};
	json_t *item;
	uint16_t port;
	size_t i;

	json_array_foreach (json_object_get(settings, "listeningOn"), i, item) {
		const char *text = json_string_value(item);

		if (text && zerotier_json_endpoint(text, &address.addr, &port) &&
		    prefixes_add(out, &address))
			return -ENOMEM;
	}
	return 0;
}

int zerotier_parse_node(const char *body, size_t length, struct zerotier_node *out, char *why)
{
	json_t *root = zerotier_json(body, length, JSON_OBJECT, why);
	int err = root ? 0 : -EPROTO;

	*out = (struct zerotier_node){0};
	if (!err && !zerotier_node_parse(zerotier_json_string(root, "address"), &out->id))
		err = nonsense(why, "the id of this node");
	if (!err) {
		const json_t *config = json_object_get(root, "config");

		out->online = json_is_true(json_object_get(root, "online"));
		copy_version(out->version, sizeof(out->version),
			     zerotier_json_string(root, "version"));
		err = read_listening(json_object_get(config, "settings"), &out->listening);
	}
	json_decref(root);
	if (err)
		zerotier_node_free(out);
	return err;
}

int zerotier_read_network(const json_t *root, struct zerotier_network *out, char *why)
{
	const char *device = zerotier_json_string(root, "portDeviceName");
	json_int_t mtu = json_integer_value(json_object_get(root, "mtu"));
	int err;

	if (!*zerotier_json_string(root, "status"))
		return nonsense(why, "the status of the network");
	if (*device && !zerotier_interface_valid(device))
		return nonsense(why, "a usable name for the network's interface");
	out->status = status_of(zerotier_json_string(root, "status"));
	snprintf(out->device, sizeof(out->device), "%s", device);
	if (!mac_parse(zerotier_json_string(root, "mac"), out->mac))
		memset(out->mac, 0, sizeof(out->mac));
	out->mtu = mtu > 0 && mtu <= UINT16_MAX ? (uint32_t)mtu : 0;
	out->bridge = json_is_true(json_object_get(root, "bridge"));
	out->allow_managed = json_is_true(json_object_get(root, "allowManaged"));
	out->allow_global = json_is_true(json_object_get(root, "allowGlobal"));
	out->allow_default = json_is_true(json_object_get(root, "allowDefault"));
	err = zerotier_json_prefixes(json_object_get(root, "assignedAddresses"), &out->assigned);
	return err ? err : zerotier_json_routes(json_object_get(root, "routes"), &out->routes);
}

int zerotier_parse_network(const char *body, size_t length, uint64_t network,
			   struct zerotier_network *out, char *why)
{
	json_t *root = zerotier_json(body, length, JSON_OBJECT, why);
	int err = root ? 0 : -EPROTO;

	*out = (struct zerotier_network){0};
	if (!err && !zerotier_network_parse(zerotier_json_string(root, "id"), &out->id))
		err = nonsense(why, "the id of the network");
	if (!err && out->id != network) {
		zerotier_explain(why,
				 "zerotier-one answers for network %016" PRIx64
				 " when asked for %016" PRIx64,
				 out->id, network);
		err = -EPROTO;
	}
	if (!err)
		err = zerotier_read_network(root, out, why);
	json_decref(root);
	if (err)
		zerotier_network_free(out);
	return err;
}

/* The path that packets take: the preferred one, or else any that is active. */
static void read_paths(const json_t *paths, struct zerotier_peer *peer)
{
	const json_t *path;
	bool preferred = false;
	size_t i;

	json_array_foreach (paths, i, path) {
		struct in6_addr addr;
		uint16_t port;

		if (preferred || !json_is_true(json_object_get(path, "active")) ||
		    json_is_true(json_object_get(path, "expired")) ||
		    !zerotier_json_endpoint(zerotier_json_string(path, "address"), &addr, &port))
			continue;
		peer->direct = true;
		peer->path = addr;
		peer->path_port = port;
		preferred = json_is_true(json_object_get(path, "preferred"));
	}
}

static enum zerotier_role role_of(const char *text)
{
	if (!strcmp(text, "PLANET"))
		return ZEROTIER_PLANET;
	return strcmp(text, "MOON") ? ZEROTIER_LEAF : ZEROTIER_MOON;
}

int zerotier_parse_peers(const char *body, size_t length, struct zerotier_peers *out, char *why)
{
	json_t *root = zerotier_json(body, length, JSON_ARRAY, why);
	const json_t *item;
	size_t i;

	*out = (struct zerotier_peers){0};
	if (!root)
		return -EPROTO;
	out->list = calloc(json_array_size(root) + 1, sizeof(*out->list));
	json_array_foreach (root, i, item) {
		const json_t *latency = json_object_get(item, "latency");
		struct zerotier_peer *peer;

		if (!out->list)
			break;
		peer = &out->list[out->count];
		if (!zerotier_node_parse(zerotier_json_string(item, "address"), &peer->node))
			continue;
		peer->role = role_of(zerotier_json_string(item, "role"));
		peer->latency_ms = json_is_integer(latency) && json_integer_value(latency) >= 0 &&
						   json_integer_value(latency) <= INT32_MAX
					   ? (int)json_integer_value(latency)
					   : -1;
		read_paths(json_object_get(item, "paths"), peer);
		out->count++;
	}
	json_decref(root);
	return out->list ? 0 : -ENOMEM;
}

void zerotier_node_free(struct zerotier_node *node)
{
	prefixes_free(&node->listening);
}

void zerotier_network_free(struct zerotier_network *network)
{
	prefixes_free(&network->assigned);
	free(network->routes.list);
	network->routes = (struct zerotier_routes){0};
}

void zerotier_peers_free(struct zerotier_peers *peers)
{
	free(peers->list);
	*peers = (struct zerotier_peers){0};
}
