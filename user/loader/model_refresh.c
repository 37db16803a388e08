// SPDX-License-Identifier: GPL-2.0-or-later
/* What changes under a running instance without its configuration changing. */
#include "model_refresh.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int refresh_port(struct zt6_port *port, struct nl_sock *nl)
{
	struct iface_facts facts;
	int err = facts_iface(nl, port->name, &facts);

	if (err == -ENODEV) {
		port->ifindex = 0;
		return 0;
	}
	if (err)
		return err;
	port->ifindex = facts.ifindex;
	memcpy(port->mac, facts.mac, sizeof(port->mac));
	if (facts.has_link_local)
		memcpy(&port->na_source, &facts.link_local, sizeof(port->na_source));
	/* A tunnel's MTU is the configuration's. */
	if (port->role != ZT6_ROLE_TUNNEL)
		port->mtu = facts.mtu;
	return 0;
}

static bool is_inside(const struct zt6_port *port)
{
	return port->role == ZT6_ROLE_OVERLAY || port->role == ZT6_ROLE_LAN;
}

static int refresh_source_routed(struct model *model, struct nl_sock *nl)
{
	struct prefixes members = {0};
	bool inside, outside;
	int err = 0;

	for (size_t i = 0; i < model->prefix_count && !err; i++) {
		const struct model_prefix *entry = &model->prefixes[i];
		struct prefix prefix = {.len = entry->key.prefixlen};

		if (entry->value.port >= ZT6_MAX_PORTS ||
		    !is_inside(&model->ports[entry->value.port]))
			continue;
		memcpy(&prefix.addr, entry->key.addr, sizeof(prefix.addr));
		err = prefixes_add(&members, &prefix);
	}
	if (!err)
		err = facts_source_routed(nl, &members, &inside, &outside);
	prefixes_free(&members);
	for (int slot = 0; slot < ZT6_MAX_PORTS && !err; slot++) {
		struct zt6_port *port = &model->ports[slot];

		port->flags &= ~ZT6_PORT_SOURCE_ROUTED;
		if (is_inside(port) ? inside : outside)
			port->flags |= ZT6_PORT_SOURCE_ROUTED;
	}
	return err;
}

static void forget_own(struct model *model)
{
	size_t kept = 0;

	for (size_t i = 0; i < model->prefix_count; i++)
		if (!model->prefixes[i].value.own)
			model->prefixes[kept++] = model->prefixes[i];
	model->prefix_count = kept;
}

static int refresh_own(struct model *model, struct nl_sock *nl)
{
	struct own_address *own = NULL;
	size_t count = 0;
	int err = facts_own_addresses(nl, &own, &count);

	if (!err)
		forget_own(model);
	for (size_t i = 0; i < count && !err; i++)
		err = model_add_prefix(model, &own[i].prefix.addr, 128, ZT6_NO_PORT, true);
	if (!err)
		model_error_sources(model, own, count);
	free(own);
	return err;
}

/* `local auto`: an uplink without an address leaves the tunnel as it was. */
static void refresh_tunnels(struct model *model, struct nl_sock *nl)
{
	for (__u32 i = 0; i < model->settings.tunnel_count && i < ZT6_MAX_TUNNELS; i++) {
		struct zt6_tunnel *tunnel = &model->settings.tunnels[i];
		struct in_addr local;

		if ((tunnel->flags & ZT6_TUNNEL_LOCAL_AUTO) && tunnel->uplink < ZT6_MAX_PORTS &&
		    !facts_ipv4_address(nl, (int)model->ports[tunnel->uplink].ifindex, &local))
			tunnel->local = local.s_addr;
	}
}

int model_refresh(struct model *model, struct nl_sock *nl)
{
	int err = 0;

	for (int slot = 0; slot < ZT6_MAX_PORTS && !err; slot++)
		if (model->ports[slot].role != ZT6_ROLE_NONE)
			err = refresh_port(&model->ports[slot], nl);
	if (err)
		return err;
	refresh_tunnels(model, nl);
	err = refresh_own(model, nl);
	return err ? err : refresh_source_routed(model, nl);
}
