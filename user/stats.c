// SPDX-License-Identifier: GPL-2.0-or-later
#include "stats.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <netlink/route/link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "loader/netlink.h"
#include "loader/tc_hook.h"
#include "log.h"
#include "pins.h"

const char *verdict_name(enum zt6_verdict verdict)
{
	static const char *const names[] = {
#define VERDICT_NAME(id, name, action, meaning) [ZT6_##id] = #name,
		ZT6_VERDICTS(VERDICT_NAME)};

	return names[verdict];
}

const char *verdict_meaning(enum zt6_verdict verdict)
{
	static const char *const meanings[] = {
#define VERDICT_MEANING(id, name, action, meaning) [ZT6_##id] = meaning,
		ZT6_VERDICTS(VERDICT_MEANING)};

	return meanings[verdict];
}

const char *role_name(enum zt6_role role)
{
	static const char *const names[] = {
		[ZT6_ROLE_NONE] = "none",       [ZT6_ROLE_UPLINK] = "uplink",
		[ZT6_ROLE_OVERLAY] = "overlay", [ZT6_ROLE_LAN] = "lan",
		[ZT6_ROLE_TUNNEL] = "tunnel",
	};

	return names[role];
}

static void add(struct zt6_counter *sum, const struct zt6_counter *more)
{
	sum->packets += more->packets;
	sum->bytes += more->bytes;
}

static void add_counters(struct zt6_port_counters *sum, const struct zt6_port_counters *more)
{
	add(&sum->rx, &more->rx);
	add(&sum->tx, &more->tx);
	add(&sum->unbound, &more->unbound);
	if (more->last_unbound.seen_ns > sum->last_unbound.seen_ns)
		sum->last_unbound = more->last_unbound;
	for (int v = 0; v < ZT6_VERDICT_COUNT; v++)
		add(&sum->verdicts[v], &more->verdicts[v]);
}

/* Over netlink: /sys/class/net is that of the network namespace it was mounted in. */
static void read_device(struct nl_sock *nl, struct stats_port *out)
{
	struct rtnl_link *link;

	if (rtnl_link_get_kernel(nl, 0, out->port.name, &link))
		return;
	out->device_up = rtnl_link_get_flags(link) & IFF_UP;
	out->device = (struct device_drops){
		.rx_dropped = rtnl_link_get_stat(link, RTNL_LINK_RX_DROPPED),
		.rx_errors = rtnl_link_get_stat(link, RTNL_LINK_RX_ERRORS),
		.tx_dropped = rtnl_link_get_stat(link, RTNL_LINK_TX_DROPPED),
		.tx_errors = rtnl_link_get_stat(link, RTNL_LINK_TX_ERRORS),
	};
	rtnl_link_put(link);
}

/* Whether our TC program is on the port. */
static bool has_tc(const char *pin_dir, unsigned int slot, const struct zt6_port *port)
{
	const struct tc_hook hook = {
		.pin_dir = pin_dir,
		.what = TC_PORT_LINK,
		.slot = slot,
		.ifindex = (int)port->ifindex,
		.priority = ZT6_TC_PRIORITY_PORT,
	};

	return (port->paths & ZT6_PATH_TC) && port->ifindex && tc_hook_is_set(&hook);
}

/* Asks the kernel what is on the XDP hook, and compares it with the program that we pinned. */
static const char *xdp_datapath(const char *pin_dir, unsigned int slot, const struct zt6_port *port)
{
	LIBBPF_OPTS(bpf_xdp_query_opts, query);
	struct bpf_prog_info info = {0};
	__u32 length = sizeof(info);
	char name[PIN_NAME_MAX];
	int fd;

	if (!port->ifindex || bpf_xdp_query(port->ifindex, 0, &query) || !query.prog_id)
		return "none";
	fd = pin_open(pin_dir, pin_slot_name(name, "xdp_program", slot));
	if (fd < 0)
		return "none";
	if (bpf_obj_get_info_by_fd(fd, &info, &length))
		info.id = 0;
	close(fd);
	if (info.id != query.prog_id)
		return "none";
	return query.attach_mode == XDP_ATTACHED_SKB ? "xdp-generic" : "xdp";
}

static const char *tunnel_datapath(const char *pin_dir, unsigned int slot,
				   const struct zt6_settings *settings, const struct zt6_port *port)
{
	const struct zt6_tunnel *tunnel = &settings->tunnels[port->tunnel % ZT6_MAX_TUNNELS];

	if (tunnel->flags & ZT6_TUNNEL_BPF)
		return "tc";
	return has_tc(pin_dir, slot, port) ? "kernel+tc" : "kernel";
}

static const char *port_datapath(const char *pin_dir, unsigned int slot,
				 const struct zt6_port *port)
{
	const char *xdp = xdp_datapath(pin_dir, slot, port);

	if (!has_tc(pin_dir, slot, port))
		return port->paths & ZT6_PATH_TC ? "none" : xdp;
	if (!(port->paths & ZT6_PATH_XDP))
		return "tc";
	if (!strcmp(xdp, "xdp"))
		return "xdp+tc";
	return strcmp(xdp, "none") != 0 ? "xdp-generic+tc" : "none";
}

static int read_port(const struct instance *instance, int counters,
		     const struct zt6_settings *settings, unsigned int slot, struct stats_port *out,
		     struct zt6_port_counters *per_cpu, int cpus)
{
	if (bpf_map_lookup_elem(counters, &slot, per_cpu))
		return -errno;
	for (int cpu = 0; cpu < cpus; cpu++)
		add_counters(&out->count, &per_cpu[cpu]);
	out->datapath = out->port.role == ZT6_ROLE_TUNNEL
				? tunnel_datapath(instance->pin_dir, slot, settings, &out->port)
				: port_datapath(instance->pin_dir, slot, &out->port);
	return 0;
}

static int read_agent(const struct instance *instance, struct stats *out)
{
	int fd = pin_open_map(instance->pin_dir, "agent", sizeof(struct zt6_agent)), err = 0;
	struct timespec now;
	__u32 zero = 0;

	if (fd < 0)
		return fd;
	if (bpf_map_lookup_elem(fd, &zero, &out->agent))
		err = -errno;
	close(fd);
	clock_gettime(CLOCK_MONOTONIC, &now);
	out->now_ns = now.tv_sec * 1000000000ULL + now.tv_nsec;
	return err;
}

const struct zt6_health *stats_health(const struct stats *stats, const struct stats_port *port)
{
	const struct zt6_agent *agent = &stats->agent;

	if (port->port.role != ZT6_ROLE_TUNNEL || !agent->heartbeat_ns ||
	    stats->now_ns - agent->heartbeat_ns >= ZT6_AGENT_STALE_NS)
		return NULL;
	return &agent->tunnels[port->port.tunnel % ZT6_MAX_TUNNELS];
}

int stats_read(const struct instance *instance, struct stats *out)
{
	int settings_fd = pin_open_map(instance->pin_dir, "settings", sizeof(struct zt6_settings));
	int ports = pin_open_map(instance->pin_dir, "ports", sizeof(struct zt6_port));
	int counters =
		pin_open_map(instance->pin_dir, "counters", sizeof(struct zt6_port_counters));
	int cpus = libbpf_num_possible_cpus(), err = 0;
	struct zt6_port_counters *per_cpu = NULL;
	struct zt6_settings settings;
	struct nl_sock *nl = NULL;
	__u32 zero = 0;

	memset(out, 0, sizeof(*out));
	if (settings_fd < 0 || ports < 0 || counters < 0) {
		err = settings_fd < 0 ? settings_fd : ports < 0 ? ports : counters;
		goto out;
	}
	if (bpf_map_lookup_elem(settings_fd, &zero, &settings)) {
		err = -errno;
		goto out;
	}
	if (settings.schema != ZT6_SCHEMA) {
		err = -EPROTO;
		goto out;
	}
	err = read_agent(instance, out);
	if (err)
		goto out;
	err = netlink_open(&nl);
	if (err)
		goto out;
	per_cpu = cpus > 0 ? calloc(cpus, sizeof(*per_cpu)) : NULL;
	if (!per_cpu) {
		err = -ENOMEM;
		goto out;
	}
	for (unsigned int slot = 0; slot < ZT6_MAX_PORTS && !err; slot++) {
		struct stats_port *port = &out->ports[out->port_count];

		if (bpf_map_lookup_elem(ports, &slot, &port->port)) {
			err = -errno;
		} else if (port->port.role != ZT6_ROLE_NONE) {
			err = read_port(instance, counters, &settings, slot, port, per_cpu, cpus);
			read_device(nl, port);
			add_counters(&out->total, &port->count);
			out->port_count++;
		}
	}
out:
	nl_socket_free(nl);
	free(per_cpu);
	if (settings_fd >= 0)
		close(settings_fd);
	if (ports >= 0)
		close(ports);
	if (counters >= 0)
		close(counters);
	return err;
}

int stats_explain_error(const struct instance *instance, int err)
{
	switch (err) {
	case -ENOENT:
		log_error("instance \"%s\" is not up", instance->name);
		return EXIT_NOT_UP;
	case -EPROTO:
		log_error("%s: pinned by another version of zt6-bpf; run \"zt6-bpf down\" first",
			  instance->pin_dir);
		return EXIT_FAILED;
	case -EACCES:
	case -EPERM:
		log_error("%s: %s; the pins belong to root", instance->pin_dir, strerror(-err));
		return EXIT_FAILED;
	default:
		log_error("%s: cannot read the maps: %s", instance->pin_dir, strerror(-err));
		return EXIT_FAILED;
	}
}
