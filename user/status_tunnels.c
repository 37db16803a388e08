// SPDX-License-Identifier: GPL-2.0-or-later
/* `status`: the tunnels. */
#include <arpa/inet.h>
#include <stdio.h>

#include "status_parts.h"

static const char *ipv4(__be32 address, char text[INET_ADDRSTRLEN])
{
	return inet_ntop(AF_INET, &address, text, INET_ADDRSTRLEN);
}

static const char *device_name(const struct zt6_tunnel *tunnel)
{
	return tunnel->flags & ZT6_TUNNEL_BPF ? "bpf" : "sit";
}

static json_t *json(const struct status *status)
{
	json_t *tunnels = json_array();

	for (size_t i = 0; i < status->model.settings.tunnel_count; i++) {
		const struct zt6_tunnel *tunnel = &status->model.settings.tunnels[i];
		const struct zt6_port *ports = status->model.ports;
		char local[INET_ADDRSTRLEN], remote[INET_ADDRSTRLEN];

		json_array_append_new(tunnels,
				      json_pack("{s:s, s:s, s:s, s:s, s:i, s:i, s:s}", "name",
						ports[tunnel->port].name, "uplink",
						ports[tunnel->uplink].name, "local",
						ipv4(tunnel->local, local), "remote",
						ipv4(tunnel->remote, remote), "mtu", tunnel->mtu,
						"ttl", tunnel->ttl, "device", device_name(tunnel)));
	}
	return tunnels;
}

static void print(const struct status *status)
{
	const struct model *model = &status->model;
	char local[INET_ADDRSTRLEN], remote[INET_ADDRSTRLEN];

	for (size_t i = 0; i < model->settings.tunnel_count; i++) {
		const struct zt6_tunnel *tunnel = &model->settings.tunnels[i];

		printf(STATUS_COLUMN "%-15s  %s -> %s over %s, mtu %u, device %s\n", "tunnel",
		       model->ports[tunnel->port].name, ipv4(tunnel->local, local),
		       ipv4(tunnel->remote, remote), model->ports[tunnel->uplink].name, tunnel->mtu,
		       device_name(tunnel));
	}
}

const struct status_part status_tunnels = {
	.key = "tunnels",
	.json = json,
	.print = print,
};
