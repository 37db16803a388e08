// SPDX-License-Identifier: GPL-2.0-or-later
/* The tunnels' devices, with what is on them. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "device.h"
#include "plan_internal.h"
#include "swallow.h"
#include "../log.h"

#define OUTER_HEADER 20 /* IPv4 without options */

static int find_local(struct planner *planner, const struct conf_tunnel *tunnel,
		      const struct iface_facts *uplink, struct in_addr *local)
{
	char text[INET_ADDRSTRLEN];
	int err;

	if (tunnel->local_auto) {
		err = facts_ipv4_address(planner->nl, uplink->ifindex, local);
		if (err == -ENOENT)
			log_error("tunnel %s: %s has no IPv4 address for \"local auto\" yet; try "
				  "again when it has one",
				  tunnel->name, tunnel->uplink);
	} else {
		*local = tunnel->local;
		err = facts_ipv4_is_own(planner->nl, tunnel->local);
		if (err == -ENOENT)
			log_error("tunnel %s: local %s is on no interface of this machine; behind "
				  "a NAT, local is the machine's own private address (or auto), "
				  "never the NAT's public one",
				  tunnel->name, inet_ntop(AF_INET, local, text, sizeof(text)));
	}
	if (err && err != -ENOENT)
		log_error("tunnel %s: cannot read this machine's addresses: %s", tunnel->name,
			  strerror(-err));
	return err == -ENOENT ? -EADDRNOTAVAIL : err;
}

/* A tunnel device of ours by that name, or NULL. */
static const struct object *journaled_device(const struct planner *planner, const char *name)
{
	const struct objects *ours = &planner->journal->objects;

	for (size_t i = 0; i < ours->count; i++)
		if (device_is(ours->list[i]) && !strcmp(object_string(ours->list[i], "name"), name))
			return ours->list[i];
	return NULL;
}

/* Sets *@bpf. 0 or -errno with a message. */
static int choose_device(struct planner *planner, const struct conf_tunnel *tunnel, bool *bpf)
{
	const struct object *ours = journaled_device(planner, tunnel->name);
	int sit;

	*bpf = tunnel->device == DEVICE_BPF;
	if (tunnel->device != DEVICE_AUTO)
		return 0;
	if (ours) {
		*bpf = ours->kind == &kind_tun;
		return 0;
	}
	if (planner->dry_run) {
		planner->plan->device_unknown |= access("/sys/module/sit", F_OK) != 0;
		return 0;
	}
	sit = sit_supported(planner->nl);
	if (sit < 0) {
		log_error("tunnel %s: cannot find out whether the kernel has sit: %s", tunnel->name,
			  strerror(-sit));
		return sit;
	}
	*bpf = !sit;
	return 0;
}

static int check_address(struct planner *planner, const struct conf_tunnel *tunnel)
{
	struct own_address *own = NULL;
	size_t count = 0;
	int err = facts_own_addresses(planner->nl, &own, &count);
	char text[INET6_ADDRSTRLEN], name[IF_NAMESIZE];

	for (size_t i = 0; i < count && !err; i++) {
		if (!IN6_ARE_ADDR_EQUAL(&own[i].prefix.addr, &tunnel->address.addr) ||
		    !if_indextoname((unsigned int)own[i].ifindex, name) ||
		    !strcmp(name, tunnel->name) || journaled_device(planner, name))
			continue;
		log_error("tunnel %s: address %s is on %s already; delete it there, or give the "
			  "tunnel another",
			  tunnel->name,
			  inet_ntop(AF_INET6, &tunnel->address.addr, text, sizeof(text)), name);
		err = -EADDRINUSE;
	}
	free(own);
	return err;
}

static int check_tunnel(struct planner *planner, const struct conf_tunnel *tunnel,
			struct in_addr *local)
{
	struct iface_facts uplink;
	int err = facts_iface(planner->nl, tunnel->uplink, &uplink);

	if (!err)
		err = find_local(planner, tunnel, &uplink, local);
	if (!err && tunnel->mtu + OUTER_HEADER > uplink.mtu) {
		log_error("tunnel %s: mtu %u is too large: %s carries %u bytes, less %d for the "
			  "outer header; set mtu to %u or less",
			  tunnel->name, tunnel->mtu, tunnel->uplink, uplink.mtu, OUTER_HEADER,
			  uplink.mtu - OUTER_HEADER);
		err = -EINVAL;
	}
	return err ? err : check_address(planner, tunnel);
}

static int plan_address(struct planner *planner, const struct conf_tunnel *tunnel, bool bpf)
{
	const struct route gateway = {
		.destination = {.addr = tunnel->gateway, .len = 128},
		.device = tunnel->name,
		.table = RT_TABLE_MAIN,
		.metric = ROUTE_METRIC,
	};
	/* Duplicate Address Detection waits for a carrier that a TUN without holder never has. */
	int err = plan_add(planner, address_object(tunnel->name, &tunnel->address, bpf));

	if (!err && tunnel->has_gateway)
		err = plan_add(planner, route_object(&gateway));
	return err;
}

/* They are not ours to change. */
static void warn_swallowed(void *arg, const char *tunnel, const struct prefix *address)
{
	char text[PREFIX_STRLEN];

	(void)arg;
	prefix_format(address, text);
	log_warning("tunnel %s: %s, which is on the interface already, has the kernel send packets "
		    "for all members in that prefix into the tunnel; take the route away from the "
		    "address: ip -6 address change %s dev %s noprefixroute",
		    tunnel, text, text, tunnel);
}

static int plan_device(struct planner *planner, size_t index)
{
	const struct conf_tunnel *tunnel = &planner->conf->tunnels[index];
	struct in_addr *local = &planner->tunnel_local[index];
	bool *bpf = &planner->tunnel_bpf[index];
	const char *name = tunnel->name;
	struct object *device;
	int err = check_tunnel(planner, tunnel, local);

	if (!err)
		err = choose_device(planner, tunnel, bpf);
	if (err)
		return err;
	device = *bpf ? tun_object(name, tunnel->mtu)
		      : sit_object(tunnel, *local, planner->conf->uplink_count > 1);
	if (device && if_nametoindex(name) && !journaled_device(planner, name)) {
		err = device->kind->taken(planner->nl, device);
		if (err) {
			object_free(device);
			return err;
		}
	}
	err = plan_add(planner, device);
	if (!err)
		err = swallow_each(planner->nl, planner->conf, name, warn_swallowed, NULL);
	if (!err)
		err = plan_device_sysctl(planner, name, "disable_ipv6", "0");
	if (!err)
		err = plan_device_sysctl(planner, name, "forwarding", "1");
	/* A TUN without holder has no carrier: with this on, its routes would not count. */
	if (!err && *bpf)
		err = plan_device_sysctl(planner, name, "ignore_routes_with_linkdown", "0");
	return err ? err : plan_address(planner, tunnel, *bpf);
}

int plan_devices(struct planner *planner)
{
	int err = 0;

	for (size_t i = 0; i < planner->conf->tunnel_count && !err; i++)
		err = plan_device(planner, i);
	return err;
}

static int plan_next_hop(struct planner *planner, const struct conf_tunnel *tunnel,
			 struct in_addr local)
{
	char device[IF_NAMESIZE], text[INET_ADDRSTRLEN];
	struct in_addr next_hop;
	int ifindex;
	int err = facts_ipv4_next_hop(planner->nl, tunnel->remote, local, &ifindex, &next_hop);

	if (err == -ENETUNREACH || (!err && !if_indextoname((unsigned int)ifindex, device))) {
		log_warning("tunnel %s: no IPv4 route to remote %s from here: it carries nothing "
			    "before there is one and `up` has run again",
			    tunnel->name, inet_ntop(AF_INET, &tunnel->remote, text, sizeof(text)));
		return 0;
	}
	return err ? err : plan_add(planner, neighbour_object(device, next_hop));
}

int plan_bpf_devices(struct planner *planner)
{
	int err = 0;

	for (size_t i = 0; i < planner->conf->tunnel_count && !err; i++) {
		const struct conf_tunnel *tunnel = &planner->conf->tunnels[i];

		if (!planner->tunnel_bpf[i])
			continue;
		err = plan_next_hop(planner, tunnel, planner->tunnel_local[i]);
	}
	return err;
}
