// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Forwarding. Turning it on makes the kernel a router, which accepts no Router Advertisements any
 * more and deletes the default routes that it has from them, unless accept_ra is 2 by then.
 */
#include <errno.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <stdio.h>
#include <string.h>

#include "netlink.h"
#include "others.h"
#include "plan_internal.h"
#include "../log.h"

/* Where there is no proxy to say so: the defaults of its keys (design §5.2). */
#define INSIDE_TIMEOUT_MS 500
#define INSIDE_RETRIES    3

static bool conf_is(const char *name, const char *key, const char *value)
{
	char path[128], found[32];

	snprintf(path, sizeof(path), "net/ipv6/conf/%s/%s", name, key);
	return !sysctl_read(path, found, sizeof(found)) && !strcmp(found, value);
}

static int keep_ra(struct planner *planner, const char *name)
{
	if (!conf_is(name, "accept_ra", "1") || !conf_is(name, "forwarding", "0"))
		return 0;
	return plan_conf_sysctl(planner, "ipv6", name, "accept_ra", "2");
}

/* A default route from an advertisement, on whatever interface: also the machine's other ones. */
static int keep_ra_of_route(struct nlmsghdr *message, void *arg)
{
	const struct rtmsg *rtm = nlmsg_data(message);
	struct nlattr *tb[RTA_MAX + 1];
	char name[IF_NAMESIZE];

	if (rtm->rtm_family != AF_INET6 || rtm->rtm_dst_len || rtm->rtm_protocol != RTPROT_RA)
		return 0;
	if (nlmsg_parse(message, sizeof(*rtm), tb, RTA_MAX, NULL) || !tb[RTA_OIF] ||
	    !if_indextoname(nla_get_u32(tb[RTA_OIF]), name))
		return 0;
	return keep_ra(arg, name);
}

static int keep_ra_of(struct planner *planner, const struct objects *journaled)
{
	int err = 0;

	for (size_t i = 0; i < journaled->count && !err; i++) {
		const char *path = object_string(journaled->list[i], "path");
		const char *key = strrchr(path, '/');
		char value[32];

		if (journaled->list[i]->kind == &kind_sysctl && key && !strcmp(key, "/accept_ra") &&
		    !sysctl_read(path, value, sizeof(value)))
			err = plan_add(
				planner,
				sysctl_object(path, object_string(journaled->list[i], "value")));
	}
	return err;
}

/* Those of an earlier `up`, and of other instances that may go before us: as long as we forward they
 * have to stay, whatever became of the port. */
static int keep_journaled_ra(struct planner *planner)
{
	struct objects theirs = {0};
	int err = keep_ra_of(planner, &planner->journal->objects);

	if (!err)
		err = others_load(planner->journal, &theirs);
	if (!err)
		err = keep_ra_of(planner, &theirs);
	objects_free(&theirs);
	return err;
}

/* Where `all` is on already, an interface may be off all the same. */
static int forward_ports(struct planner *planner)
{
	const struct conf *conf = planner->conf;
	int err = 0;

	if (conf_is("all", "forwarding", "0"))
		return 0;
	for (size_t i = 0; i < conf->uplink_count && !err; i++)
		err = plan_conf_sysctl(planner, "ipv6", conf->uplinks[i].name, "forwarding", "1");
	for (size_t i = 0; i < conf->zerotier_count && !err; i++)
		err = plan_conf_sysctl(planner, "ipv6", conf->zerotiers[i].interface, "forwarding",
				       "1");
	for (size_t i = 0; i < conf->lan_count && !err; i++)
		err = plan_conf_sysctl(planner, "ipv6", conf->lans[i].name, "forwarding", "1");
	return err;
}

int plan_device_sysctl(struct planner *planner, const char *name, const char *key,
		       const char *value)
{
	/* Our write of `all` turns `default` on as well. */
	bool follows = !strcmp(key, "forwarding") && conf_is("all", key, "0");

	if (!if_nametoindex(name) && (follows || conf_is("default", key, value)))
		return 0;
	return plan_conf_sysctl(planner, "ipv6", name, key, value);
}

/* How the kernel asks for members: as often and as patiently as the proxies say, the most patient
 * one where they differ; and a known one that does not answer by unicast at once by multicast, for
 * it may have another MAC. */
static int plan_inside_neighbours(struct planner *planner, const char *name)
{
	const struct conf *conf = planner->conf;
	uint32_t timeout_ms = conf->proxy_count ? 0 : INSIDE_TIMEOUT_MS;
	uint32_t retries = conf->proxy_count ? 0 : INSIDE_RETRIES;
	const char *const keys[] = {"retrans_time_ms", "mcast_solicit", "ucast_solicit",
				    "mcast_resolicit"};
	uint32_t values[4];
	char path[128], value[16];
	int err = 0;

	for (size_t i = 0; i < conf->proxy_count; i++) {
		if (conf->proxies[i].timeout_ms > timeout_ms)
			timeout_ms = conf->proxies[i].timeout_ms;
		if (conf->proxies[i].retries > retries)
			retries = conf->proxies[i].retries;
	}
	values[0] = timeout_ms;
	values[1] = retries + 1;
	values[2] = 1;
	values[3] = retries + 1;
	for (size_t i = 0; i < 4 && !err; i++) {
		snprintf(path, sizeof(path), "net/ipv6/neigh/%s/%s", name, keys[i]);
		snprintf(value, sizeof(value), "%u", values[i]);
		err = plan_add(planner, sysctl_object(path, value));
	}
	return err;
}

static int plan_all_inside_neighbours(struct planner *planner)
{
	const struct conf *conf = planner->conf;
	int err = 0;

	for (size_t i = 0; i < conf->zerotier_count && !err; i++)
		err = plan_inside_neighbours(planner, conf->zerotiers[i].interface);
	for (size_t i = 0; i < conf->lan_count && !err; i++)
		err = plan_inside_neighbours(planner, conf->lans[i].name);
	return err;
}

int plan_forwarding(struct planner *planner)
{
	const struct rtmsg rtm = {.rtm_family = AF_INET6};
	int err = 0;

	for (size_t i = 0; i < planner->conf->uplink_count && !err; i++)
		err = keep_ra(planner, planner->conf->uplinks[i].name);
	if (!err)
		err = netlink_dump(planner->nl, RTM_GETROUTE, &rtm, sizeof(rtm), keep_ra_of_route,
				   planner);
	if (!err)
		err = keep_journaled_ra(planner);
	if (!err)
		err = plan_add(planner, forwarding_object());
	/* bpf_fib_lookup() also asks the interface that a packet came in by. */
	if (!err)
		err = forward_ports(planner);
	if (!err)
		err = plan_all_inside_neighbours(planner);
	/* The programs look the outer next hop up as if from lo, which needs this and not
	 * ip_forward. */
	if (!err && planner->conf->tunnel_count)
		err = plan_conf_sysctl(planner, "ipv4", "lo", "forwarding", "1");
	return err;
}
