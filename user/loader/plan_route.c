// SPDX-License-Identifier: GPL-2.0-or-later
/* Routes to members and lans, and the ways out through tunnels. */
#include <errno.h>
#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <string.h>

#include "netlink.h"
#include "plan_internal.h"
#include "../log.h"

/* Before main (32766), and before the numbers that tools take by themselves, counting down from
 * there. First the way inside by main, then the tunnels' tables, the longest prefix first. */
#define RULE_PRIORITY_MAIN   30000
#define RULE_PRIORITY_TUNNEL 30001 /* of a /128; a /N has 128 - N more */

/* The first table to try for a tunnel's default route; main, default and local are below 256. */
#define FIRST_TABLE 6400
#define TABLES      64

struct hidden_search {
	const struct prefix *prefix;
	const char *device;
	unsigned int ifindex;
};

/* Warns when the kernel sends the whole prefix another way: as with an uplink's own address that
 * was given with the length of the prefix that is proxied on it. */
static int warn_if_hidden(struct nlmsghdr *message, void *arg)
{
	const struct rtmsg *rtm = nlmsg_data(message);
	struct nlattr *tb[RTA_MAX + 1];
	struct hidden_search *search = arg;
	struct prefix destination = {.len = rtm->rtm_dst_len};
	char name[IF_NAMESIZE], text[PREFIX_STRLEN];

	if (rtm->rtm_family != AF_INET6 || rtm->rtm_type != RTN_UNICAST ||
	    rtm->rtm_table != RT_TABLE_MAIN || rtm->rtm_flags & RTM_F_CLONED || !search->prefix ||
	    nlmsg_parse(message, sizeof(*rtm), tb, RTA_MAX, NULL) || !tb[RTA_OIF] ||
	    !tb[RTA_PRIORITY] || nla_get_u32(tb[RTA_PRIORITY]) >= ROUTE_METRIC ||
	    nla_get_u32(tb[RTA_OIF]) == search->ifindex)
		return 0;
	if (tb[RTA_DST])
		nla_memcpy(&destination.addr, tb[RTA_DST], sizeof(destination.addr));
	if (!prefix_equal(&destination, search->prefix) ||
	    !if_indextoname(nla_get_u32(tb[RTA_OIF]), name))
		return 0;
	prefix_format(&destination, text);
	log_warning("the kernel's route for %s goes to %s, not to %s: nothing reaches it there; "
		    "if it comes from an address of %s, give that one the length 128 or a longer "
		    "prefix",
		    text, name, search->device, name);
	search->prefix = NULL; /* once */
	return 0;
}

/* A route to where members are. @via: through one of them, or NULL */
static int plan_inside(struct planner *planner, const char *device, const struct prefix *prefix,
		       const struct in6_addr *via)
{
	const struct rtmsg rtm = {.rtm_family = AF_INET6};
	const struct route route = {
		.destination = *prefix,
		.device = device,
		.has_via = via,
		.via = via ? *via : in6addr_any,
		.table = RT_TABLE_MAIN,
		.metric = ROUTE_METRIC,
	};
	struct hidden_search search = {
		.prefix = &route.destination,
		.device = device,
		.ifindex = if_nametoindex(device),
	};
	int err;

	err = netlink_dump(planner->nl, RTM_GETROUTE, &rtm, sizeof(rtm), warn_if_hidden, &search);
	return err ? err : plan_add(planner, route_object(&route));
}

static bool is_among(const struct prefixes *prefixes, const struct prefix *prefix)
{
	for (size_t i = 0; i < prefixes->count; i++)
		if (prefix_equal(&prefixes->list[i], prefix))
			return true;
	return false;
}

/* Behind members first: a prefix that is wholly behind one has one route, and the first word on it
 * stands. */
static int plan_members(struct planner *planner, const struct conf_zerotier *zerotier)
{
	const char *device = zerotier->interface;
	int err = 0;

	for (size_t i = 0; i < zerotier->via_count && !err; i++)
		for (size_t k = 0; k < zerotier->via[i].prefixes.count && !err; k++)
			err = plan_inside(planner, device, &zerotier->via[i].prefixes.list[k],
					  &zerotier->via[i].next_hop);
	for (size_t i = 0; i < zerotier->prefix.count && !err; i++)
		err = plan_inside(planner, device, &zerotier->prefix.list[i], NULL);
	return err;
}

static bool is_inside(const struct conf *conf, const struct prefix *prefix)
{
	for (size_t i = 0; i < conf->zerotier_count; i++)
		if (is_among(&conf->zerotiers[i].prefix, prefix))
			return true;
	for (size_t i = 0; i < conf->lan_count; i++)
		if (is_among(&conf->lans[i].prefix, prefix))
			return true;
	return false;
}

static int plan_unreachable(struct planner *planner, const struct prefix *prefix)
{
	const struct route route = {
		.destination = *prefix,
		.table = RT_TABLE_MAIN,
		.metric = ROUTE_METRIC_MAX,
	};

	return plan_add(planner, route_object(&route));
}

int plan_routes(struct planner *planner)
{
	const struct conf *conf = planner->conf;
	int err = 0;

	for (size_t i = 0; i < conf->zerotier_count && !err; i++)
		err = plan_members(planner, &conf->zerotiers[i]);
	for (size_t i = 0; i < conf->lan_count && !err; i++)
		for (size_t k = 0; k < conf->lans[i].prefix.count && !err; k++)
			err = plan_inside(planner, conf->lans[i].name,
					  &conf->lans[i].prefix.list[k], NULL);
	/* What nobody inside has must not bounce between us and the one who sends it here. */
	for (size_t i = 0; i < conf->tunnel_count && !err; i++)
		for (size_t k = 0; k < conf->tunnels[i].routed.count && !err; k++)
			err = plan_unreachable(planner, &conf->tunnels[i].routed.list[k]);
	/* A rule may cover more than what is inside, even everything: then the rest is not ours. */
	for (size_t i = 0; i < conf->proxy_count && !err; i++)
		for (size_t k = 0; k < conf->proxies[i].rule_count && !err; k++)
			if (is_inside(conf, &conf->proxies[i].rules[k].prefix))
				err = plan_unreachable(planner, &conf->proxies[i].rules[k].prefix);
	return err;
}

struct table_search {
	bool used[TABLES]; /* FIRST_TABLE + i */
};

static void note_table(struct table_search *search, uint32_t table)
{
	if (table >= FIRST_TABLE && table < FIRST_TABLE + TABLES)
		search->used[table - FIRST_TABLE] = true;
}

static int note_route(struct nlmsghdr *message, void *arg)
{
	struct nlattr *tb[RTA_MAX + 1];

	if (!nlmsg_parse(message, sizeof(struct rtmsg), tb, RTA_MAX, NULL) && tb[RTA_TABLE])
		note_table(arg, nla_get_u32(tb[RTA_TABLE]));
	return 0;
}

static int note_rule(struct nlmsghdr *message, void *arg)
{
	struct nlattr *tb[FRA_MAX + 1];

	if (!nlmsg_parse(message, sizeof(struct fib_rule_hdr), tb, FRA_MAX, NULL) && tb[FRA_TABLE])
		note_table(arg, nla_get_u32(tb[FRA_TABLE]));
	return 0;
}

/* The table that an earlier `up` gave to the tunnel, or 0. */
static uint32_t journaled_table(const struct planner *planner, const char *device)
{
	const struct objects *ours = &planner->journal->objects;

	for (size_t i = 0; i < ours->count; i++)
		if (ours->list[i]->kind == &kind_route &&
		    object_number(ours->list[i], "table") >= FIRST_TABLE &&
		    !strcmp(object_string(ours->list[i], "device"), device))
			return object_number(ours->list[i], "table");
	return 0;
}

/* One that nobody uses, and that this plan has not given away: it notes its choice in @search. */
static int choose_table(struct planner *planner, const char *device, struct table_search *search,
			uint32_t *table)
{
	*table = journaled_table(planner, device);
	for (uint32_t i = 0; i < TABLES && !*table; i++)
		if (!search->used[i])
			*table = FIRST_TABLE + i;
	if (!*table) {
		log_error("tunnel %s: routing tables %d to %d are all in use", device, FIRST_TABLE,
			  FIRST_TABLE + TABLES - 1);
		return -ENOSPC;
	}
	note_table(search, *table);
	return 0;
}

static int plan_to_inside(struct planner *planner, const struct prefix *from,
			  const struct prefixes *inside)
{
	int err = 0;

	for (size_t i = 0; i < inside->count && !err; i++)
		err = plan_add(planner, rule_object(RULE_PRIORITY_MAIN, from, &inside->list[i],
						    RT_TABLE_MAIN));
	return err;
}

/* Prefixes behind members may lie outside of the members' own. */
static int plan_to_members(struct planner *planner, const struct prefix *from,
			   const struct conf_zerotier *zerotier)
{
	int err = plan_to_inside(planner, from, &zerotier->prefix);

	for (size_t i = 0; i < zerotier->via_count && !err; i++)
		err = plan_to_inside(planner, from, &zerotier->via[i].prefixes);
	return err;
}

/*
 * Packets from @from: to members and lans by the main table, anywhere else through the tunnel. (A
 * rule `lookup main suppress_prefixlength 0` would do for the kernel's own path, but
 * bpf_fib_lookup() does not suppress: it would take main's default route.)
 */
static int plan_source(struct planner *planner, const struct prefix *from, uint32_t table)
{
	const struct conf *conf = planner->conf;
	int err = 0;

	for (size_t i = 0; i < conf->zerotier_count && !err; i++)
		err = plan_to_members(planner, from, &conf->zerotiers[i]);
	for (size_t i = 0; i < conf->lan_count && !err; i++)
		err = plan_to_inside(planner, from, &conf->lans[i].prefix);
	if (err)
		return err;
	return plan_add(planner,
			rule_object(RULE_PRIORITY_TUNNEL + 128 - from->len, from, NULL, table));
}

static int plan_default(struct planner *planner, const struct conf_tunnel *tunnel,
			struct table_search *search)
{
	const struct prefix own = {.addr = tunnel->address.addr, .len = 128};
	struct route route = {
		.device = tunnel->name,
		.has_via = tunnel->has_gateway,
		.via = tunnel->gateway,
		.table = RT_TABLE_MAIN,
		.metric = tunnel->metric,
	};
	bool covered = false;
	int err;

	if (tunnel->default_route == DEFAULT_NO)
		return 0;
	if (tunnel->default_route == DEFAULT_YES)
		return plan_add(planner, route_object(&route));
	err = choose_table(planner, tunnel->name, search, &route.table);
	if (!err)
		err = plan_add(planner, route_object(&route));
	for (size_t i = 0; i < tunnel->routed.count && !err; i++) {
		covered |= prefix_contains(&tunnel->routed.list[i], &own);
		err = plan_source(planner, &tunnel->routed.list[i], route.table);
	}
	if (!err && !covered)
		err = plan_source(planner, &own, route.table);
	return err;
}

int plan_defaults(struct planner *planner)
{
	const struct rtmsg rtm = {.rtm_family = AF_INET6};
	const struct fib_rule_hdr frh = {.family = AF_INET6};
	struct table_search search = {0};
	int err;

	err = netlink_dump(planner->nl, RTM_GETROUTE, &rtm, sizeof(rtm), note_route, &search);
	if (!err)
		err = netlink_dump(planner->nl, RTM_GETRULE, &frh, sizeof(frh), note_rule, &search);
	if (err)
		log_error("cannot read the routing tables: %s", strerror(-err));
	for (size_t i = 0; i < planner->conf->tunnel_count && !err; i++)
		err = plan_default(planner, &planner->conf->tunnels[i], &search);
	return err;
}
