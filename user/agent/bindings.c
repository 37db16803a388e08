// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a network's controller has assigned, where it runs on this machine: its word on whose an address
 * is goes before what derives from the address. It also knows who the member before a prefix is when
 * the configuration names it by an address that nothing derives.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../log.h"
#include "../zerotier/view.h"
#include "agent.h"

/* A list of bindings being made. */
struct fresh {
	struct model_binding *list;
	size_t count;
};

static const struct model_binding *find(const struct fresh *fresh,
					const struct zt6_binding_key *key)
{
	for (size_t i = 0; i < fresh->count; i++)
		if (!memcmp(&fresh->list[i].key, key, sizeof(*key)))
			return &fresh->list[i];
	return NULL;
}

static size_t count_addresses(const struct zerotier_controller *controller)
{
	size_t count = 0;

	for (size_t i = 0; i < controller->member_count; i++)
		count += controller->members[i].addresses.count;
	return count;
}

static int list_assigned(const struct zerotier_view *view, uint8_t slot, struct fresh *out)
{
	const struct zerotier_controller *controller = &view->controller;

	out->list = calloc(count_addresses(controller) + 1, sizeof(*out->list));
	if (!out->list)
		return -ENOMEM;
	for (size_t i = 0; i < controller->member_count; i++) {
		const struct zerotier_member *member = &controller->members[i];

		for (size_t k = 0; k < member->addresses.count && member->authorized; k++) {
			struct model_binding entry = {
				.key = {.prefixlen = 32 + 128, .port = slot},
				.value = {.source = ZT6_BINDING_CONTROLLER, .known = 1},
			};
			const struct in6_addr *addr = &member->addresses.list[k].addr;

			if (IN6_IS_ADDR_V4MAPPED(addr))
				continue;
			memcpy(entry.key.addr, addr, sizeof(entry.key.addr));
			zerotier_mac(controller->network, member->node, entry.value.mac);
			/* Of two members with one address the first has it: a mistake there. */
			if (!find(out, &entry.key))
				out->list[out->count++] = entry;
		}
	}
	return 0;
}

/* The MAC of the member that a prefix is behind, where the controller knows the address. */
static bool learn_via(const struct fresh *fresh, uint8_t slot, struct zt6_binding *binding)
{
	struct zt6_binding_key key = {.prefixlen = 32 + 128, .port = slot};
	const struct model_binding *member;

	memcpy(key.addr, &binding->via, sizeof(key.addr));
	member = find(fresh, &key);
	if (!member ||
	    (binding->known && !memcmp(binding->mac, member->value.mac, sizeof(binding->mac))))
		return false;
	memcpy(binding->mac, member->value.mac, sizeof(binding->mac));
	binding->known = 1;
	return true;
}

/* Brings what is in the map to what it should be. Returns whether anything has changed. */
static bool reconcile(int fd, uint8_t slot, const struct fresh *fresh)
{
	struct zt6_binding_key key, next;
	struct zt6_binding binding;
	bool more = !bpf_map_get_next_key(fd, NULL, &key), changed = false;

	while (more) {
		more = !bpf_map_get_next_key(fd, &key, &next);
		if (key.port == slot && !bpf_map_lookup_elem(fd, &key, &binding)) {
			if (binding.source == ZT6_BINDING_VIA && learn_via(fresh, slot, &binding))
				changed |= !bpf_map_update_elem(fd, &key, &binding, BPF_EXIST);
			if (binding.source == ZT6_BINDING_CONTROLLER && !find(fresh, &key))
				changed |= !bpf_map_delete_elem(fd, &key);
		}
		key = next;
	}
	for (size_t i = 0; i < fresh->count; i++) {
		const struct model_binding *entry = &fresh->list[i];

		/* The map compares the longest match: an equal one may be a shorter prefix's. */
		if (!bpf_map_lookup_elem(fd, &entry->key, &binding) &&
		    binding.source == ZT6_BINDING_CONTROLLER &&
		    !memcmp(&binding, &entry->value, sizeof(binding)))
			continue;
		changed |= !bpf_map_update_elem(fd, &entry->key, &entry->value, BPF_ANY);
	}
	return changed;
}

void agent_bind(struct agent *agent, uint8_t slot, const struct zerotier_view *view)
{
	struct fresh fresh = {0};
	int err = 0;

	/* A service that does not answer has not taken anything back. */
	if (view->err)
		return;
	if (view->is_controller)
		err = list_assigned(view, slot, &fresh);
	/* Sources that the route cache remembers were looked at by the old ones. */
	if (!err && reconcile(agent->maps.bindings, slot, &fresh))
		agent_bump_generation(agent);
	free(fresh.list);
}
