// SPDX-License-Identifier: GPL-2.0-or-later
/* `doctor`: the interfaces: what keeps them off native XDP, and what keeps IPv6 off them. */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../loader/datapath.h"
#include "../loader/facts.h"
#include "../loader/kinds.h"
#include "doctor.h"

#define IPV6_MIN_MTU 1280 /* RFC 8200 §5 */

/* Frames that a device lost of those it was given: so many at least, and one in so many. */
#define LOST_LEAST 100
#define LOST_SHARE 100

/* The program on the XDP hook, as bpftool would call it; false: there is none. */
static bool find_program(const char *name, char text[BPF_OBJ_NAME_LEN + 24])
{
	LIBBPF_OPTS(bpf_xdp_query_opts, query);
	struct bpf_prog_info info = {0};
	__u32 length = sizeof(info);
	int fd;

	if (bpf_xdp_query((int)if_nametoindex(name), 0, &query) || !query.prog_id)
		return false;
	fd = bpf_prog_get_fd_by_id(query.prog_id);
	if (fd >= 0) {
		bpf_obj_get_info_by_fd(fd, &info, &length);
		close(fd);
	}
	snprintf(text, BPF_OBJ_NAME_LEN + 24, "%s (id %u)", *info.name ? info.name : "a program",
		 query.prog_id);
	return true;
}

static void remedy_occupied(struct findings *out, const char *name)
{
	char program[BPF_OBJ_NAME_LEN + 24];

	if (find_program(name, program))
		findings_remedy(
			out,
			"it is %s: stop who loads it, or run \"ip link set dev %s xdp off\", "
			"then \"zt6-bpf reload\"",
			program, name);
	else
		findings_remedy(out, "it has gone by now: run \"zt6-bpf reload\"");
}

/* A port that runs in TC because others than the configuration want it so. */
static void judge_path(struct findings *out, const struct zt6_port *port)
{
	char room[DATAPATH_REASON_MAX];
	const char *reason = datapath_reason(port, room);

	if (!reason || port->why == ZT6_WHY_LONELY)
		return;
	findings_add(out, FINDING_WARNING, "%s: its packets go by TC and not by XDP: %s",
		     port->name, reason);
	findings_why(out, "each costs several times as much");
	if (port->why == ZT6_WHY_OCCUPIED)
		remedy_occupied(out, port->name);
	else if (port->why == ZT6_WHY_TAGS)
		findings_remedy(
			out,
			"run \"ethtool -K %s rxvlan off\", then \"zt6-bpf reload\"; or write "
			"\"datapath tc\" in its section",
			port->name);
	else
		findings_remedy(out,
				"use an interface whose driver has native XDP; or write "
				"\"datapath tc\" in its section, which says that it is meant so");
}

/* The uplink of a tunnel alone needs IPv4 only. */
static bool needs_ipv6(const struct doctor *doctor, const struct zt6_port *port)
{
	if (port->role != ZT6_ROLE_UPLINK)
		return true;
	for (size_t i = 0; i < doctor->conf->proxy_count; i++)
		if (!strcmp(doctor->conf->proxies[i].name, port->name))
			return true;
	return false;
}

static void judge_ipv6(struct doctor *doctor, const struct zt6_port *port)
{
	struct findings *out = &doctor->findings;
	struct iface_facts facts;
	char path[64], value[16];

	if (!needs_ipv6(doctor, port) || facts_iface(doctor->nl, port->name, &facts))
		return;
	if (facts.mtu < IPV6_MIN_MTU) {
		findings_add(out, FINDING_ERROR, "%s: its MTU is %u, and IPv6 needs %d", port->name,
			     facts.mtu, IPV6_MIN_MTU);
		findings_why(out, "the kernel has taken IPv6 off the interface");
		findings_remedy(out,
				"run \"ip link set dev %s mtu %d\" or larger, then \"zt6-bpf "
				"reload\"",
				port->name, IPV6_MIN_MTU);
		return;
	}
	snprintf(path, sizeof(path), "net/ipv6/conf/%s/disable_ipv6", port->name);
	if (sysctl_read(path, value, sizeof(value)) || strcmp(value, "1") != 0)
		return;
	findings_add(out, FINDING_ERROR, "%s: IPv6 is switched off on it (disable_ipv6 is 1)",
		     port->name);
	findings_why(out, "the kernel takes no IPv6 packet from it and sends none");
	findings_remedy(out,
			"run \"sysctl -w net/ipv6/conf/%s/disable_ipv6=0\", and see what sets it "
			"(grep -r disable_ipv6 /etc/sysctl.d /etc/sysctl.conf)",
			port->name);
}

static unsigned long long sent(const char *name)
{
	unsigned long long packets = 0;
	char path[96];
	FILE *file;

	snprintf(path, sizeof(path), "/sys/class/net/%s/statistics/tx_packets", name);
	file = fopen(path, "re");
	if (file && fscanf(file, "%llu", &packets) != 1)
		packets = 0;
	if (file)
		fclose(file);
	return packets;
}

/* Whoever holds a TAP reads too slowly, or not at all. */
static void judge_losses(struct findings *out, const struct stats_port *port)
{
	unsigned long long lost = port->device.tx_dropped;

	if (port->port.role != ZT6_ROLE_OVERLAY || lost < LOST_LEAST ||
	    lost < (sent(port->port.name) + lost) / LOST_SHARE)
		return;
	findings_add(
		out, FINDING_WARNING,
		"%s: %llu packets for members were lost in the queue to zerotier-one, since the "
		"interface has come",
		port->port.name, lost);
	findings_why(out,
		     "it takes them more slowly than they arrive, or hangs: a full queue loses "
		     "them after our verdict");
	findings_remedy(out, "see whether it uses up a CPU (top) or hangs (systemctl restart "
			     "zerotier-one), and bound what one member gets with \"limit\" in its "
			     "section");
}

static void examine(struct doctor *doctor)
{
	const struct zt6_port *ports = doctor_ports_of(doctor);

	for (unsigned int slot = 0; slot < ZT6_MAX_PORTS; slot++) {
		if (ports[slot].role == ZT6_ROLE_NONE)
			continue;
		judge_path(&doctor->findings, &ports[slot]);
		judge_ipv6(doctor, &ports[slot]);
	}
	for (size_t i = 0; doctor->status && i < doctor->status->stats.port_count; i++)
		judge_losses(&doctor->findings, &doctor->status->stats.ports[i]);
}

const struct doctor_area doctor_ports = {
	.name = "ports",
	.examine = examine,
};
