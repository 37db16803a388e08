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

static void judge_port(struct findings *out, const struct stats_port *port)
{
	const char *name = port->port.name, *state = state_of(port);

	if (!strcmp(state, "waiting")) {
		findings_add(out, FINDING_ERROR, "waiting for %s", name);
		findings_why(out, "nothing is forwarded to or from what is behind it");
		findings_remedy(out,
				port->port.role == ZT6_ROLE_TUNNEL ? "run \"zt6-bpf reload\""
				: port->port.role == ZT6_ROLE_OVERLAY
					? "see why zerotier-one has not made the interface: "
					  "\"systemctl status zerotier-one\", "
					  "\"zerotier-cli listnetworks\""
					: "make the interface, or take its section out of the "
					  "configuration (ip link shows those that are there)");
	} else if (!strcmp(state, "recreated")) {
		findings_add(out, FINDING_ERROR, "%s: the interface has been recreated", name);
		findings_remedy(out, "run \"zt6-bpf reload\"");
	} else if (!strcmp(state, "down")) {
		findings_add(out, FINDING_ERROR, "%s: the interface is down", name);
		findings_why(out, "nothing arrives by it and nothing leaves");
		findings_remedy(out, "run \"ip link set %s up\"", name);
	} else if (!strcmp(state, "detached")) {
		findings_add(out, FINDING_ERROR, "%s: our program is not on the port", name);
		findings_remedy(out, "run \"zt6-bpf reload\"");
	}
}

static void judge(struct status *status)
{
	for (size_t i = 0; i < status->stats.port_count; i++)
		judge_port(&status->findings, &status->stats.ports[i]);
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
	.matters = "what arrives there is left to the kernel: it is neither checked nor answered "
		   "for members",
	.judge = judge,
	.json = json,
	.print = print,
};
