// SPDX-License-Identifier: GPL-2.0-or-later
/* `status`: whether members keep to their addresses, where `bind` looks at that. */
#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>

#include "addr.h"
#include "status_parts.h"
#include "zerotier/derive.h"

#define NODE_STRLEN 11

static const char *const words[] = {
	[ZT6_BIND_OFF] = "off",
	[ZT6_BIND_COUNT] = "count",
	[ZT6_BIND_ENFORCE] = "enforce",
};

/* The node whose MAC it was, or NULL. */
static const char *culprit(const struct stats_port *port, char text[NODE_STRLEN])
{
	uint64_t node;

	if (!zerotier_mac_node(port->port.network, port->count.last_unbound.mac, &node))
		return NULL;
	snprintf(text, NODE_STRLEN, "%010" PRIx64, node);
	return text;
}

static bool is_bound(const struct stats_port *port)
{
	return port->port.role == ZT6_ROLE_OVERLAY && port->port.bind != ZT6_BIND_OFF;
}

static json_t *last_json(const struct status *status, const struct stats_port *port)
{
	const struct zt6_unbound *last = &port->count.last_unbound;
	char address[INET6_ADDRSTRLEN], mac[MAC_STRLEN], node[NODE_STRLEN];

	if (!last->seen_ns)
		return json_null();
	return json_pack("{s:s, s:s, s:s?, s:I}", "address",
			 inet_ntop(AF_INET6, &last->src, address, sizeof(address)), "mac",
			 mac_format(last->mac, mac), "node", culprit(port, node), "age_ms",
			 (json_int_t)((status->now_ns - last->seen_ns) / 1000000));
}

static json_t *json(const struct status *status)
{
	json_t *bindings = json_array();

	for (size_t i = 0; i < status->stats.port_count; i++) {
		const struct stats_port *port = &status->stats.ports[i];

		if (is_bound(port))
			json_array_append_new(bindings,
					      json_pack("{s:s, s:s, s:I, s:o}", "port",
							port->port.name, "bind",
							words[port->port.bind], "unbound_packets",
							(json_int_t)port->count.unbound.packets,
							"last", last_json(status, port)));
	}
	return bindings;
}

static void print(const struct status *status)
{
	for (size_t i = 0; i < status->stats.port_count; i++) {
		const struct stats_port *port = &status->stats.ports[i];
		const struct zt6_unbound *last = &port->count.last_unbound;
		char address[INET6_ADDRSTRLEN], mac[MAC_STRLEN], node[NODE_STRLEN];
		const char *who = culprit(port, node);

		if (!is_bound(port))
			continue;
		printf(STATUS_COLUMN "%-15s  bind %s, %llu packets from addresses of others\n",
		       "bindings", port->port.name, words[port->port.bind],
		       port->count.unbound.packets);
		if (last->seen_ns)
			printf(STATUS_COLUMN
			       "%-15s  the last one from %s by MAC %s%s%s, %.0f s ago\n",
			       "", "", inet_ntop(AF_INET6, &last->src, address, sizeof(address)),
			       mac_format(last->mac, mac), who ? ", node " : "", who ? who : "",
			       (double)(status->now_ns - last->seen_ns) / 1e9);
	}
}

const struct status_part status_bindings = {
	.key = "bindings",
	.json = json,
	.print = print,
};
