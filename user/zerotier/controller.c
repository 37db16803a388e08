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

static int parse_settings(const char *body, size_t length, void *arg, char *why)
{
	struct zerotier_controller *out = arg;
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
static int parse_member_list(const char *body, size_t length, void *arg, char *why)
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
		err = err ? err : add_member(arg, id);
	json_array_foreach (root, i, part) {
		json_object_foreach (part, id, revision)
			err = err ? err : add_member(arg, id);
	}
	json_decref(root);
	return err;
}

static int parse_member(const char *body, size_t length, void *arg, char *why)
{
	struct zerotier_member *member = arg;
	json_t *root = zerotier_json(body, length, JSON_OBJECT, why);
	int err;

	if (!root)
		return -EPROTO;
	member->authorized = json_is_true(json_object_get(root, "authorized"));
	member->bridge = json_is_true(json_object_get(root, "activeBridge"));
	err = zerotier_json_prefixes(json_object_get(root, "ipAssignments"), &member->addresses);
	for (size_t i = 0; i < member->addresses.count; i++)
		member->addresses.list[i].len = 128;
	json_decref(root);
	return err;
}

int zerotier_get_controller(const struct zerotier_service *service, uint64_t network,
			    struct zerotier_controller *out, char *why)
{
	char path[80];
	int err;

	*out = (struct zerotier_controller){.network = network};
	snprintf(path, sizeof(path), CONTROLLER_PATH, network);
	err = zerotier_ask(service, path, NULL, parse_settings, out, why);
	if (!err) {
		snprintf(path, sizeof(path), CONTROLLER_PATH "/member", network);
		err = zerotier_ask(service, path, NULL, parse_member_list, out, why);
	}
	for (size_t i = 0; i < out->member_count && !err; i++) {
		struct zerotier_member *member = &out->members[i];

		snprintf(path, sizeof(path), CONTROLLER_PATH "/member/%010" PRIx64, network,
			 member->node);
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
