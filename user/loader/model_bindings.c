// SPDX-License-Identifier: GPL-2.0-or-later
/* Whose the addresses of a ZeroTier network are, as far as the configuration tells, and what the agent
 * shall see to there. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../zerotier/derive.h"
#include "model.h"

static int slot_of(const struct model *model, const struct conf_zerotier *zerotier)
{
	for (int slot = 0; slot < ZT6_MAX_PORTS; slot++)
		if (model->ports[slot].role == ZT6_ROLE_OVERLAY &&
		    !strcmp(model->ports[slot].name, zerotier->interface))
			return slot;
	return -ENOENT;
}

/* Prefixes of members that are wide enough to hold node ids. A more specific one behind a member
 * stays without the mark: the programs find it first. */
static void mark_derived(struct model *model, const struct conf_zerotier *zerotier)
{
	for (size_t i = 0; i < zerotier->prefix.count; i++) {
		const struct prefix *prefix = &zerotier->prefix.list[i];

		if (prefix->len > 128 - ZEROTIER_NODE_BITS)
			continue;
		for (size_t k = 0; k < model->prefix_count; k++)
			if (model->prefixes[k].key.prefixlen == prefix->len &&
			    !model->prefixes[k].value.own &&
			    !memcmp(model->prefixes[k].key.addr, &prefix->addr,
				    sizeof(prefix->addr)))
				model->prefixes[k].value.derived = 1;
	}
}

static int add_binding(struct model *model, int slot, const struct conf_zerotier *zerotier,
		       const struct in6_addr *next_hop, const struct prefix *prefix)
{
	struct model_binding entry = {
		.key = {.prefixlen = 32 + prefix->len, .port = (__u32)slot},
		.value.source = ZT6_BINDING_VIA,
	};
	struct model_binding *grown =
		reallocarray(model->bindings, model->binding_count + 1, sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	model->bindings = grown;
	memcpy(entry.key.addr, &prefix->addr, sizeof(entry.key.addr));
	memcpy(&entry.value.via, next_hop, sizeof(entry.value.via));
	entry.value.known = zerotier_derived_mac(zerotier->network, &zerotier->prefix, next_hop,
						 entry.value.mac);
	grown[model->binding_count++] = entry;
	return 0;
}

static __u8 wish(enum conf_tristate wanted, __u8 set, __u8 yes)
{
	if (wanted == TRISTATE_UNSET)
		return 0;
	return wanted == TRISTATE_YES ? set | yes : set;
}

/* What the agent shall see to, whenever the service can be asked. */
static __u8 wishes(const struct conf_zerotier *zerotier)
{
	__u8 wishes = zerotier->join ? ZT6_WISH_JOIN : 0;

	wishes |= wish(zerotier->allow_managed, ZT6_WISH_MANAGED, ZT6_WISH_MANAGED_YES);
	wishes |= wish(zerotier->allow_global, ZT6_WISH_GLOBAL, ZT6_WISH_GLOBAL_YES);
	wishes |= wish(zerotier->allow_default, ZT6_WISH_DEFAULT, ZT6_WISH_DEFAULT_YES);
	if (wishes || zerotier->interface_auto)
		wishes |= ZT6_WISH_SERVICE;
	return wishes;
}

static int add_section(struct model *model, const struct conf_zerotier *zerotier)
{
	static const __u8 binds[] = {
		[BIND_OFF] = ZT6_BIND_OFF,
		[BIND_COUNT] = ZT6_BIND_COUNT,
		[BIND_ENFORCE] = ZT6_BIND_ENFORCE,
	};
	int slot = slot_of(model, zerotier), err = 0;

	if (slot < 0)
		return 0;
	mark_derived(model, zerotier);
	model->ports[slot].wishes = wishes(zerotier);
	model->ports[slot].bind = binds[zerotier->bind];
	for (size_t i = 0; i < zerotier->via_count && !err; i++)
		for (size_t k = 0; k < zerotier->via[i].prefixes.count && !err; k++)
			err = add_binding(model, slot, zerotier, &zerotier->via[i].next_hop,
					  &zerotier->via[i].prefixes.list[k]);
	return err;
}

int model_add_bindings(struct model *model, const struct conf *conf)
{
	int err = 0;

	for (size_t i = 0; i < conf->zerotier_count && !err; i++)
		err = add_section(model, &conf->zerotiers[i]);
	return err;
}
