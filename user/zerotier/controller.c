/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"

#define CONTROLLER_PATH "/controller/network/%016" PRIx64

static int read_pools(const json_t *array, struct zerotier_controller *out)
{
	const json_t *item;
	size_t i;

	out->pools = calloc(json_array_size(array) + 1, sizeof(*out->pools));
	if (!out->pools)
		return -ENOMEM;
	json_array_foreach (array, i, item) {
		struct prefix start, end;

		if (!zerotier_json_prefix(zerotier_json_string(item, "ipRangeStart"), &start) ||
		    !zerotier_json_prefix(zerotier_json_string(item, "ipRangeEnd"), &end) ||
		    IN6_IS_ADDR_V4MAPPED(&start.addr))
			continue;
		out->pools[out->pool_count++] =
			(struct zerotier_pool){.start = start.addr, .end = end.addr};
	}
	return 0;
}

int zerotier_parse_controller(const char *body, size_t length, struct zerotier_controller *out,
			      char *why)
{
	json_t *root = zerotier_json(body, length, JSON_OBJECT, why);
	const json_t *mode = json_object_get(root, "v6AssignMode");
	uint64_t network;
	int err = root ? 0 : -EPROTO;

	if (!err && (!zerotier_network_parse(zerotier_json_string(root, "id"), &network) ||
		     network != out->network)) {
		zerotier_explain(why, "the controller answers for another network than %016" PRIx64,
				 out->network);
		err = -EPROTO;
	}
	if (!err) {
		out->rfc4193 = json_is_true(json_object_get(mode, "rfc4193"));
		out->pool_assignment = json_is_true(json_object_get(mode, "zt"));
		err = zerotier_json_routes(json_object_get(root, "routes"), &out->routes);
	}
	if (!err)
		err = read_pools(json_object_get(root, "ipAssignmentPools"), out);
	json_decref(root);
	return err;
}

static int add_member(struct zerotier_controller *out, const char *id)
{
	struct zerotier_member *members;
	uint64_t node;

	if (!zerotier_node_parse(id, &node))
		return 0;
	if (out->member_count == ZEROTIER_MEMBERS_MAX) {
		out->truncated = true;
		return 0;
	}
	members = realloc(out->members, (out->member_count + 1) * sizeof(*members));
	if (!members)
		return -ENOMEM;
	out->members = members;
	members[out->member_count++] = (struct zerotier_member){.node = node};
	return 0;
}

/* {"ID": REVISION, ...}, or the same as an array of objects with one field each. */
int zerotier_parse_member_list(const char *body, size_t length, struct zerotier_controller *out,
			       char *why)
{
	json_t *root = json_loadb(body, length, 0, NULL), *part, *revision;
	const char *id;
	size_t i;
	int err = 0;

	if (!root) {
		zerotier_explain(why, "the controller answers with what is no JSON");
		return -EPROTO;
	}
	json_object_foreach (root, id, revision)
		err = err ? err : add_member(out, id);
	json_array_foreach (root, i, part) {
		json_object_foreach (part, id, revision)
			err = err ? err : add_member(out, id);
	}
	json_decref(root);
	return err;
}

int zerotier_parse_member(const char *body, size_t length, struct zerotier_member *out, char *why)
{
	json_t *root = zerotier_json(body, length, JSON_OBJECT, why);
	int err;

	if (!root)
		return -EPROTO;
	out->authorized = json_is_true(json_object_get(root, "authorized"));
	out->bridge = json_is_true(json_object_get(root, "activeBridge"));
	err = zerotier_json_prefixes(json_object_get(root, "ipAssignments"), &out->addresses);
	for (size_t i = 0; i < out->addresses.count; i++)
		out->addresses.list[i].len = 128;
	json_decref(root);
	return err;
}

void zerotier_controller_path(uint64_t network, char *path)
{
	snprintf(path, ZEROTIER_CONTROLLER_PATH_MAX, CONTROLLER_PATH, network);
}

void zerotier_member_list_path(uint64_t network, char *path)
{
	snprintf(path, ZEROTIER_CONTROLLER_PATH_MAX, CONTROLLER_PATH "/member", network);
}

void zerotier_member_path(uint64_t network, uint64_t node, char *path)
{
	snprintf(path, ZEROTIER_CONTROLLER_PATH_MAX, CONTROLLER_PATH "/member/%010" PRIx64, network,
		 node);
}

static int parse_settings(const char *body, size_t length, void *out, char *why)
{
	return zerotier_parse_controller(body, length, out, why);
}

static int parse_list(const char *body, size_t length, void *out, char *why)
{
	return zerotier_parse_member_list(body, length, out, why);
}

static int parse_member(const char *body, size_t length, void *out, char *why)
{
	return zerotier_parse_member(body, length, out, why);
}

int zerotier_get_controller(const struct zerotier_service *service, uint64_t network,
			    struct zerotier_controller *out, char *why)
{
	char path[ZEROTIER_CONTROLLER_PATH_MAX];
	int err;

	*out = (struct zerotier_controller){.network = network};
	zerotier_controller_path(network, path);
	err = zerotier_ask(service, path, NULL, parse_settings, out, why);
	if (!err) {
		zerotier_member_list_path(network, path);
		err = zerotier_ask(service, path, NULL, parse_list, out, why);
	}
	for (size_t i = 0; i < out->member_count && !err; i++) {
		struct zerotier_member *member = &out->members[i];

		zerotier_member_path(network, member->node, path);
		err = zerotier_ask(service, path, NULL, parse_member, member, why);
		if (err == -ENOENT) /* deleted in the meantime */
			err = 0;
	}
	if (err)
		zerotier_controller_free(out);
	return err;
}

void zerotier_controller_free(struct zerotier_controller *controller)
{
	for (size_t i = 0; i < controller->member_count; i++)
		prefixes_free(&controller->members[i].addresses);
	free(controller->members);
	free(controller->pools);
	free(controller->routes.list);
	*controller = (struct zerotier_controller){.network = controller->network};
}
