/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "view.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FILE_NAME    "zerotier"
#define SCHEMA       1
#define VIEW_PATH    4096
#define MAPPED_BITS  96 /* of ::ffff:0:0/96 */
#define ADDRESS_ROOM (INET6_ADDRSTRLEN + 8)

void zerotier_view_clear(struct zerotier_view *view)
{
	zerotier_node_free(&view->node);
	zerotier_network_free(&view->network);
	zerotier_peers_free(&view->peers);
	zerotier_controller_free(&view->controller);
	*view = (struct zerotier_view){0};
}

/* IPv4-mapped addresses are IPv4 ones to the API. */
static const char *address_text(const struct in6_addr *addr, char text[ADDRESS_ROOM])
{
	if (IN6_IS_ADDR_V4MAPPED(addr))
		return inet_ntop(AF_INET, addr->s6_addr + 12, text, ADDRESS_ROOM);
	return inet_ntop(AF_INET6, addr, text, ADDRESS_ROOM);
}

static json_t *prefix_json(const struct prefix *prefix)
{
	unsigned int len = prefix->len - (IN6_IS_ADDR_V4MAPPED(&prefix->addr) ? MAPPED_BITS : 0);
	char text[ADDRESS_ROOM];

	return json_sprintf("%s/%u", address_text(&prefix->addr, text), len);
}

static json_t *prefixes_json(const struct prefixes *prefixes)
{
	json_t *array = json_array();

	for (size_t i = 0; i < prefixes->count; i++)
		json_array_append_new(array, prefix_json(&prefixes->list[i]));
	return array;
}

static json_t *routes_json(const struct zerotier_routes *routes)
{
	json_t *array = json_array();
	char via[ADDRESS_ROOM];

	for (size_t i = 0; i < routes->count; i++) {
		const struct zerotier_route *route = &routes->list[i];

		json_array_append_new(
			array,
			json_pack("{s:o, s:s?}", "target", prefix_json(&route->target), "via",
				  route->has_via ? address_text(&route->via, via) : NULL));
	}
	return array;
}

static json_t *node_json(const struct zerotier_node *node)
{
	json_t *listening = json_array();
	char text[ADDRESS_ROOM];

	for (size_t i = 0; i < node->listening.count; i++)
		json_array_append_new(
			listening,
			json_sprintf("%s/0", address_text(&node->listening.list[i].addr, text)));
	return json_pack("{s:o, s:b, s:s, s:{s:{s:o}}}", "address",
			 json_sprintf("%010" PRIx64, node->id), "online", node->online, "version",
			 node->version, "config", "settings", "listeningOn", listening);
}

static json_t *network_json(const struct zerotier_network *network)
{
	char mac[MAC_STRLEN];

	return json_pack(
		"{s:o, s:s, s:s, s:s, s:I, s:b, s:b, s:b, s:b, s:o, s:o}", "id",
		json_sprintf("%016" PRIx64, network->id), "status",
		zerotier_status_name(network->status), "portDeviceName", network->device, "mac",
		mac_format(network->mac, mac), "mtu", (json_int_t)network->mtu, "bridge",
		network->bridge, "allowManaged", network->allow_managed, "allowGlobal",
		network->allow_global, "allowDefault", network->allow_default, "assignedAddresses",
		prefixes_json(&network->assigned), "routes", routes_json(&network->routes));
}

static json_t *peers_json(const struct zerotier_peers *peers)
{
	static const char *const roles[] = {"LEAF", "MOON", "PLANET"};
	json_t *array = json_array();
	char text[ADDRESS_ROOM];

	for (size_t i = 0; i < peers->count; i++) {
		const struct zerotier_peer *peer = &peers->list[i];
		json_t *paths = json_array();

		if (peer->direct)
			json_array_append_new(
				paths,
				json_pack("{s:b, s:b, s:o}", "active", true, "preferred", true,
					  "address",
					  json_sprintf("%s/%u", address_text(&peer->path, text),
						       peer->path_port)));
		json_array_append_new(array, json_pack("{s:o, s:s, s:i, s:o}", "address",
						       json_sprintf("%010" PRIx64, peer->node),
						       "role", roles[peer->role], "latency",
						       peer->latency_ms, "paths", paths));
	}
	return array;
}

static json_t *pools_json(const struct zerotier_controller *controller)
{
	json_t *array = json_array();
	char start[INET6_ADDRSTRLEN], end[INET6_ADDRSTRLEN];

	for (size_t i = 0; i < controller->pool_count; i++) {
		const struct zerotier_pool *pool = &controller->pools[i];

		inet_ntop(AF_INET6, &pool->start, start, sizeof(start));
		inet_ntop(AF_INET6, &pool->end, end, sizeof(end));
		json_array_append_new(
			array, json_pack("{s:s, s:s}", "ipRangeStart", start, "ipRangeEnd", end));
	}
	return array;
}

static json_t *members_json(const struct zerotier_controller *controller)
{
	json_t *object = json_object();
	char id[11];

	for (size_t i = 0; i < controller->member_count; i++) {
		const struct zerotier_member *member = &controller->members[i];

		snprintf(id, sizeof(id), "%010" PRIx64, member->node);
		json_object_set_new(object, id,
				    json_pack("{s:b, s:b, s:o}", "authorized", member->authorized,
					      "activeBridge", member->bridge, "ipAssignments",
					      prefixes_json(&member->addresses)));
	}
	return object;
}

static json_t *controller_json(const struct zerotier_controller *controller)
{
	return json_pack("{s:o, s:{s:b, s:b}, s:o, s:o, s:o, s:b}", "id",
			 json_sprintf("%016" PRIx64, controller->network), "v6AssignMode",
			 "rfc4193", controller->rfc4193, "zt", controller->pool_assignment,
			 "routes", routes_json(&controller->routes), "ipAssignmentPools",
			 pools_json(controller), "members", members_json(controller), "truncated",
			 controller->truncated);
}

json_t *zerotier_view_json(uint64_t network, const struct zerotier_view *view)
{
	json_t *element =
		json_pack("{s:o, s:i, s:s}", "network", json_sprintf("%016" PRIx64, network), "err",
			  view->err, "why", view->why);

	if (!element || !view->known)
		return element;
	json_object_set_new(element, "read_ns", json_integer((json_int_t)view->read_ns));
	json_object_set_new(element, "status", node_json(&view->node));
	if (view->joined)
		json_object_set_new(element, "joined", network_json(&view->network));
	json_object_set_new(element, "peer", peers_json(&view->peers));
	if (view->is_controller)
		json_object_set_new(element, "controller", controller_json(&view->controller));
	return element;
}

static void view_path(const char *run_dir, const char *suffix, char path[VIEW_PATH])
{
	snprintf(path, VIEW_PATH, "%s/" FILE_NAME "%s", run_dir, suffix);
}

int zerotier_views_save(const char *run_dir, json_t *views)
{
	json_t *root = json_pack("{s:i, s:o}", "schema", SCHEMA, "networks", views);
	char path[VIEW_PATH], fresh[VIEW_PATH];
	int fd, err = root ? 0 : -ENOMEM;

	view_path(run_dir, "", path);
	view_path(run_dir, ".new", fresh);
	fd = err ? -1 : open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (!err && fd < 0)
		err = -errno;
	if (!err && json_dumpfd(root, fd, JSON_COMPACT))
		err = -EIO;
	if (fd >= 0)
		close(fd);
	if (!err && rename(fresh, path))
		err = -errno;
	if (err)
		unlink(fresh);
	json_decref(root);
	return err;
}

void zerotier_views_remove(const char *run_dir)
{
	char path[VIEW_PATH];

	view_path(run_dir, "", path);
	unlink(path);
	view_path(run_dir, ".new", path);
	unlink(path);
}

/* One part of an element into a struct, by the parser for the API's answers. 0, or a negative error;
 * what is not there is none. */
static int part(const json_t *element, const char *key, zerotier_parse_fn *parse, void *out)
{
	const json_t *value = json_object_get(element, key);
	char why[ZEROTIER_WHY_MAX], *text = value ? json_dumps(value, JSON_COMPACT) : NULL;
	int err;

	if (!value)
		return 0;
	err = text ? parse(text, strlen(text), out, why) : -ENOMEM;
	free(text);
	return err;
}

static int read_node(const char *body, size_t length, void *out, char *why)
{
	return zerotier_parse_node(body, length, out, why);
}

static int read_network(const char *body, size_t length, void *out, char *why)
{
	const struct zerotier_network *asked = out;

	return zerotier_parse_network(body, length, asked->id, out, why);
}

static int read_peers(const char *body, size_t length, void *out, char *why)
{
	return zerotier_parse_peers(body, length, out, why);
}

static int read_controller(const char *body, size_t length, void *out, char *why)
{
	return zerotier_parse_controller(body, length, out, why);
}

static int read_member_list(const char *body, size_t length, void *out, char *why)
{
	return zerotier_parse_member_list(body, length, out, why);
}

static int read_member(const char *body, size_t length, void *out, char *why)
{
	return zerotier_parse_member(body, length, out, why);
}

static int read_whole_controller(const json_t *element, struct zerotier_controller *out)
{
	const json_t *json = json_object_get(element, "controller");
	const json_t *members = json_object_get(json, "members");
	int err = part(element, "controller", read_controller, out);
	char id[11];

	if (!err)
		err = part(json, "members", read_member_list, out);
	for (size_t i = 0; i < out->member_count && !err; i++) {
		snprintf(id, sizeof(id), "%010" PRIx64, out->members[i].node);
		err = part(members, id, read_member, &out->members[i]);
	}
	out->truncated = json_is_true(json_object_get(json, "truncated"));
	return err;
}

static int read_view(const json_t *element, uint64_t *network, struct zerotier_view *out)
{
	const char *id, *why;
	json_int_t read_ns = 0;
	int err;

	if (json_unpack((json_t *)element, "{s:s, s:i, s:s, s?I}", "network", &id, "err", &out->err,
			"why", &why, "read_ns", &read_ns) ||
	    !zerotier_network_parse(id, network))
		return -EPROTO;
	snprintf(out->why, sizeof(out->why), "%s", why);
	out->read_ns = (uint64_t)read_ns;
	out->known = read_ns;
	out->joined = json_object_get(element, "joined");
	out->is_controller = json_object_get(element, "controller");
	out->network.id = out->controller.network = *network;
	err = part(element, "status", read_node, &out->node);
	if (!err)
		err = part(element, "joined", read_network, &out->network);
	if (!err)
		err = part(element, "peer", read_peers, &out->peers);
	return err ? err : read_whole_controller(element, &out->controller);
}

int zerotier_views_load(const char *run_dir, struct zerotier_views *out)
{
	const json_t *networks;
	char path[VIEW_PATH];
	json_t *root;
	int err = 0;

	*out = (struct zerotier_views){0};
	view_path(run_dir, "", path);
	if (access(path, F_OK))
		return -ENOENT;
	root = json_load_file(path, 0, NULL);
	networks = json_object_get(root, "networks");
	if (json_integer_value(json_object_get(root, "schema")) != SCHEMA)
		err = -EPROTO;
	out->list = calloc(json_array_size(networks) + 1, sizeof(*out->list));
	if (!out->list)
		err = -ENOMEM;
	for (size_t i = 0; i < json_array_size(networks) && !err; i++) {
		out->count++;
		err = read_view(json_array_get(networks, i), &out->list[i].network,
				&out->list[i].view);
	}
	json_decref(root);
	if (err)
		zerotier_views_free(out);
	return err;
}

struct zerotier_view *zerotier_views_find(const struct zerotier_views *views, uint64_t network)
{
	for (size_t i = 0; i < views->count; i++)
		if (views->list[i].network == network)
			return &views->list[i].view;
	return NULL;
}

void zerotier_views_free(struct zerotier_views *views)
{
	for (size_t i = 0; i < views->count; i++)
		zerotier_view_clear(&views->list[i].view);
	free(views->list);
	*views = (struct zerotier_views){0};
}
