// SPDX-License-Identifier: GPL-2.0-or-later
/* `status`: the ports, and what runs on them. */
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include "addr.h"
#include "loader/datapath.h"
#include "status_parts.h"

/* What a port is doing, in a word of `status --json`. */
static const char *state_of(const struct stats_port *port)
{
	unsigned int ifindex = if_nametoindex(port->port.name);

	if (!ifindex)
		return "waiting";
	if (ifindex != port->port.ifindex)
		return "recreated";
	if (!port->device_up)
		return "down";
	return strcmp(port->datapath, "none") ? "ok" : "detached";
}

static void judge_port(struct status *status, const struct stats_port *port)
{
	const char *name = port->port.name, *state = state_of(port);

	if (!strcmp(state, "waiting"))
		status_problem(status, "waiting for %s", name);
	else if (!strcmp(state, "recreated"))
		status_problem(status,
			       "%s: the interface has been recreated; run \"zt6-bpf reload\"",
			       name);
	else if (!strcmp(state, "down"))
		status_problem(status, "%s: the interface is down", name);
	else if (!strcmp(state, "detached"))
		status_problem(status, "%s: our program is not on the port; run \"zt6-bpf reload\"",
			       name);
}

static void judge(struct status *status)
{
	for (size_t i = 0; i < status->stats.port_count; i++)
		judge_port(status, &status->stats.ports[i]);
}

static json_t *json(const struct status *status)
{
	json_t *ports = json_array();

	for (size_t i = 0; i < status->stats.port_count; i++) {
		const struct stats_port *port = &status->stats.ports[i];
		char mac[MAC_STRLEN], reason[DATAPATH_REASON_MAX];

		json_array_append_new(
			ports,
			json_pack("{s:s, s:i, s:s, s:s, s:s?, s:s, s:s, s:i}", "name",
				  port->port.name, "ifindex", port->port.ifindex, "role",
				  role_name(port->port.role), "datapath", port->datapath, "reason",
				  datapath_reason(&port->port, reason), "state", state_of(port),
				  "mac", mac_format(port->port.mac, mac), "mtu", port->port.mtu));
	}
	return ports;
}

static void print(const struct status *status)
{
	for (size_t i = 0; i < status->stats.port_count; i++) {
		const struct stats_port *port = &status->stats.ports[i];

		const char *reason;
		char room[DATAPATH_REASON_MAX];

		if (!port->port.ifindex) {
			printf(STATUS_COLUMN "%-15s  %-7s  waiting for the interface\n", "port",
			       port->port.name, role_name(port->port.role));
			continue;
		}
		reason = datapath_reason(&port->port, room);
		printf(STATUS_COLUMN "%-15s  %-7s  %-11s  mtu %5u  %llu packets in%s%s\n", "port",
		       port->port.name, role_name(port->port.role), port->datapath, port->port.mtu,
		       port->count.rx.packets, reason ? "; " : "", reason ? reason : "");
	}
}

const struct status_part status_ports = {
	.key = "ports",
	.judge = judge,
	.json = json,
	.print = print,
};
