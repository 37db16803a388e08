// SPDX-License-Identifier: GPL-2.0-or-later
/* By what members' addresses are bound to nodes: the answer that the programs would give. */
#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "members_internal.h"
#include "pins.h"
#include "zerotier/derive.h"

static const char *const names[] = {
	[MEMBER_UNBOUND] = NULL,
	[MEMBER_DERIVED] = "derived",
	[MEMBER_CONTROLLER] = "controller",
	[MEMBER_VIA] = "via",
};

/* What the map says, or false. */
static bool look_up(int bindings, const struct zt6_port *port, struct member *member)
{
	struct zt6_binding_key key = {.prefixlen = 32 + 128, .port = member->port};
	struct zt6_binding binding;

	memcpy(key.addr, &member->addr, sizeof(key.addr));
	if (bpf_map_lookup_elem(bindings, &key, &binding))
		return false;
	member->binding = binding.source == ZT6_BINDING_VIA ? MEMBER_VIA : MEMBER_CONTROLLER;
	if (!binding.known || !zerotier_mac_node(port->network, binding.mac, &member->bound_node))
		member->bound_node = 0;
	return true;
}

/* Whether the prefix that the address is in is one of node ids. */
static bool is_derived(int prefixes, const struct member *member)
{
	struct zt6_prefix_key key = {.prefixlen = 128};
	struct zt6_prefix owner;

	memcpy(key.addr, &member->addr, sizeof(key.addr));
	return !bpf_map_lookup_elem(prefixes, &key, &owner) && owner.derived &&
	       owner.port == member->port;
}

static void derive(int prefixes, const struct zt6_port *port, struct member *member)
{
	struct prefix around = {.len = 128 - ZEROTIER_NODE_BITS};
	const struct prefixes members = {.list = &around,
					 .count = is_derived(prefixes, member) ? 1 : 0};
	struct in6_addr addr;

	memcpy(&addr, &member->addr, sizeof(addr));
	around.addr = addr;
	if (zerotier_derived_node(port->network, &members, &addr, &member->bound_node))
		member->binding = MEMBER_DERIVED;
}

int members_bind(struct members *members, const struct model *model, const char *pin_dir)
{
	int bindings = pin_open_map(pin_dir, "bindings", sizeof(struct zt6_binding));
	int prefixes = pin_open_map(pin_dir, "prefixes", sizeof(struct zt6_prefix));
	int err = bindings < 0 ? bindings : prefixes < 0 ? prefixes : 0;

	for (size_t i = 0; i < members->count && !err; i++) {
		struct member *member = &members->list[i];
		const struct zt6_port *port;

		if (member->port >= ZT6_MAX_PORTS)
			continue;
		port = &model->ports[member->port];
		if (!port->network)
			continue;
		if (!look_up(bindings, port, member))
			derive(prefixes, port, member);
		if (member->bound_node)
			zerotier_mac(port->network, member->bound_node, member->bound_mac);
	}
	if (bindings >= 0)
		close(bindings);
	if (prefixes >= 0)
		close(prefixes);
	return err;
}

const char *member_binding_name(const struct member *member)
{
	return names[member->binding];
}

bool member_violates(const struct member *member)
{
	return member->binding && member->has_mac &&
	       (!member->bound_node ||
		memcmp(member->mac, member->bound_mac, sizeof(member->mac)) != 0);
}
