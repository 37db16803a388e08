// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Our own addresses within the members' prefixes, on other interfaces than the members': the
 * tunnel's two ends, and what the uplinks have. Members take the whole prefix to be on-link and ask
 * for them, so the kernel shall answer.
 */
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plan_internal.h"
#include "../log.h"

/* An inside port, with what of it is wanted. */
struct inside {
	const char *device;
	const struct prefixes *prefixes;
};

static bool is_inside(const struct inside *port, const struct in6_addr *address)
{
	const struct prefix host = {.addr = *address, .len = 128};

	for (size_t i = 0; i < port->prefixes->count; i++)
		if (prefix_contains(&port->prefixes->list[i], &host))
			return true;
	return false;
}

static int plan_sysctls(struct planner *planner, const char *device)
{
	char path[128];
	int err = plan_conf_sysctl(planner, "ipv6", device, "proxy_ndp", "1");

	/* No wait for other proxies (RFC 4861 §7.2.8): there is none. */
	snprintf(path, sizeof(path), "net/ipv6/neigh/%s/proxy_delay", device);
	return err ? err : plan_add(planner, sysctl_object(path, "0"));
}

static int plan_answer(struct planner *planner, const struct inside *port,
		       const struct in6_addr *address)
{
	int err;

	if (!is_inside(port, address))
		return 0;
	err = plan_sysctls(planner, port->device);
	return err ? err : plan_add(planner, proxy_object(port->device, address));
}

static int plan_port(struct planner *planner, const struct inside *port,
		     const struct own_address *own, size_t own_count)
{
	const struct conf *conf = planner->conf;
	unsigned int uplink;
	int err = 0;

	for (size_t i = 0; i < conf->tunnel_count && !err; i++) {
		err = plan_answer(planner, port, &conf->tunnels[i].address.addr);
		if (!err && conf->tunnels[i].has_gateway)
			err = plan_answer(planner, port, &conf->tunnels[i].gateway);
	}
	for (size_t i = 0; i < conf->uplink_count && !err; i++) {
		uplink = if_nametoindex(conf->uplinks[i].name);
		for (size_t k = 0; k < own_count && !err; k++)
			if ((unsigned int)own[k].ifindex == uplink)
				err = plan_answer(planner, port, &own[k].prefix.addr);
	}
	return err;
}

int plan_proxies(struct planner *planner)
{
	const struct conf *conf = planner->conf;
	struct own_address *own = NULL;
	size_t own_count = 0;
	int err = facts_own_addresses(planner->nl, &own, &own_count);

	if (err)
		log_error("cannot read this machine's addresses: %s", strerror(-err));
	for (size_t i = 0; i < conf->zerotier_count && !err; i++)
		err = plan_port(
			planner,
			&(struct inside){conf->zerotiers[i].interface, &conf->zerotiers[i].prefix},
			own, own_count);
	for (size_t i = 0; i < conf->lan_count && !err; i++)
		err = plan_port(planner,
				&(struct inside){conf->lans[i].name, &conf->lans[i].prefix}, own,
				own_count);
	free(own);
	return err;
}
