// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * An IPv6 route with our protocol number. A route of somebody else's for the same prefix, by the
 * same way, serves as well; one in the same place by another way is never replaced.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <stdio.h>
#include <string.h>

#include "kinds.h"
#include "netlink.h"
#include "../log.h"

/* A route as rtnetlink has it. */
struct wire_route {
	uint8_t protocol, type;
	struct prefix destination;
	uint32_t table, metric, ifindex;
	bool has_via;
	struct in6_addr via;
};

static void describe(const struct object *object, char text[OBJECT_TEXT_MAX])
{
	const char *via = object_string(object, "via"), *device = object_string(object, "device");
	uint32_t table = object_number(object, "table");
	char place[32] = "";

	if (table != RT_TABLE_MAIN)
		snprintf(place, sizeof(place), " table %u", table);
	snprintf(text, OBJECT_TEXT_MAX, "route %s%s%s%s%s%s%s metric %u",
		 *device ? "" : "unreachable ", object_string(object, "destination"),
		 *via ? " via " : "", via, *device ? " dev " : "", device, place,
		 object_number(object, "metric"));
}

/* -ENODEV when the device is not there. */
static int to_wire(const struct object *object, struct wire_route *out)
{
	const char *via = object_string(object, "via"), *device = object_string(object, "device");

	*out = (struct wire_route){
		.protocol = ZT6_RTPROT,
		.type = *device ? RTN_UNICAST : RTN_UNREACHABLE,
		.table = object_number(object, "table"),
		.metric = object_number(object, "metric"),
		.has_via = *via,
	};
	if (!prefix_parse(object_string(object, "destination"), &out->destination) ||
	    (*via && inet_pton(AF_INET6, via, &out->via) != 1))
		return -EBADMSG;
	out->ifindex = *device ? if_nametoindex(device) : 0;
	return *device && !out->ifindex ? -ENODEV : 0;
}

static bool from_wire(struct nlmsghdr *message, struct wire_route *out)
{
	const struct rtmsg *rtm = nlmsg_data(message);
	struct nlattr *tb[RTA_MAX + 1];

	if (rtm->rtm_family != AF_INET6 || rtm->rtm_src_len || rtm->rtm_flags & RTM_F_CLONED ||
	    nlmsg_parse(message, sizeof(*rtm), tb, RTA_MAX, NULL))
		return false;
	*out = (struct wire_route){
		.protocol = rtm->rtm_protocol,
		.type = rtm->rtm_type,
		.destination.len = rtm->rtm_dst_len,
		.table = tb[RTA_TABLE] ? nla_get_u32(tb[RTA_TABLE]) : rtm->rtm_table,
		.metric = tb[RTA_PRIORITY] ? nla_get_u32(tb[RTA_PRIORITY]) : 0,
		.has_via = tb[RTA_GATEWAY],
	};
	if (tb[RTA_DST])
		nla_memcpy(&out->destination.addr, tb[RTA_DST], sizeof(out->destination.addr));
	if (tb[RTA_GATEWAY])
		nla_memcpy(&out->via, tb[RTA_GATEWAY], sizeof(out->via));
	/* The kernel hangs unreachable routes on lo. */
	if (tb[RTA_OIF] && rtm->rtm_type == RTN_UNICAST)
		out->ifindex = nla_get_u32(tb[RTA_OIF]);
	return true;
}

struct search {
	const struct wire_route *wanted;
	bool ours;   /* one of ours is in the place */
	bool placed; /* and goes the right way */
	bool theirs; /* somebody else's goes the right way, with whatever metric */
};

static int compare(struct nlmsghdr *message, void *arg)
{
	struct search *search = arg;
	const struct wire_route *wanted = search->wanted;
	struct wire_route is;
	bool same_way, same_place;

	if (!from_wire(message, &is) || is.table != wanted->table ||
	    !prefix_equal(&is.destination, &wanted->destination))
		return 0;
	same_way = is.type == wanted->type && is.ifindex == wanted->ifindex &&
		   is.has_via == wanted->has_via && !memcmp(&is.via, &wanted->via, sizeof(is.via));
	same_place = is.metric == wanted->metric && is.protocol == ZT6_RTPROT;
	search->ours |= same_place;
	search->placed |= same_place && same_way;
	search->theirs |= same_way && is.protocol != ZT6_RTPROT;
	return 0;
}

static int look(struct nl_sock *nl, const struct wire_route *wanted, struct search *search)
{
	const struct rtmsg rtm = {.rtm_family = AF_INET6};

	*search = (struct search){.wanted = wanted};
	return netlink_dump(nl, RTM_GETROUTE, &rtm, sizeof(rtm), compare, search);
}

static int probe(struct nl_sock *nl, const struct object *object, json_t **before)
{
	struct wire_route wanted;
	struct search search;
	int err = to_wire(object, &wanted);

	(void)before;
	if (err)
		return err == -ENODEV ? OBJECT_ABSENT : err;
	err = look(nl, &wanted, &search);
	if (err)
		return err;
	if (search.placed || search.theirs)
		return OBJECT_PRESENT;
	return search.ours ? OBJECT_OTHER : OBJECT_ABSENT;
}

static int change(struct nl_sock *nl, int type, int flags, const struct wire_route *route)
{
	const struct rtmsg rtm = {
		.rtm_family = AF_INET6,
		.rtm_dst_len = route->destination.len,
		.rtm_table = RT_TABLE_UNSPEC, /* the attribute has it in full width */
		.rtm_protocol = route->protocol,
		.rtm_scope = RT_SCOPE_UNIVERSE,
		.rtm_type = route->type,
		.rtm_flags = route->has_via ? RTNH_F_ONLINK : 0,
	};
	struct nl_msg *msg = netlink_message(type, flags, &rtm, sizeof(rtm));

	if (!msg ||
	    nla_put(msg, RTA_DST, sizeof(route->destination.addr), &route->destination.addr) ||
	    nla_put_u32(msg, RTA_TABLE, route->table) ||
	    nla_put_u32(msg, RTA_PRIORITY, route->metric) ||
	    (route->ifindex && nla_put_u32(msg, RTA_OIF, route->ifindex)) ||
	    (route->has_via && nla_put(msg, RTA_GATEWAY, sizeof(route->via), &route->via))) {
		nlmsg_free(msg);
		return -ENOMEM;
	}
	return netlink_request(nl, msg, NULL, NULL);
}

static int make(struct nl_sock *nl, struct object *object)
{
	struct wire_route wanted;
	char text[OBJECT_TEXT_MAX];
	struct search search = {0};
	int err = to_wire(object, &wanted);

	if (!err)
		err = look(nl, &wanted, &search);
	if (!err)
		err = change(nl, RTM_NEWROUTE,
			     NLM_F_CREATE | (search.ours ? NLM_F_REPLACE : NLM_F_EXCL), &wanted);
	if (err) {
		describe(object, text);
		log_error(
			"cannot add %s: %s%s", text, netlink_reason(err),
			err != -EEXIST ? ""
			: wanted.destination.len
				? "; somebody else's route is in its place (ip -6 route lists it)"
				: "; another default route has this metric: set \"metric\" in the "
				  "tunnel's section (a smaller one wins)");
	}
	return err;
}

static int unmake(struct nl_sock *nl, const struct object *object)
{
	struct wire_route route;
	char text[OBJECT_TEXT_MAX];
	int err = to_wire(object, &route);

	/* With its device the route has gone as well. */
	if (err)
		return err == -ENODEV ? 0 : err;
	err = change(nl, RTM_DELROUTE, 0, &route);
	if (!err || err == -ESRCH || err == -ENODEV || err == -ENOENT)
		return 0;
	describe(object, text);
	log_error("cannot delete %s: %s", text, netlink_reason(err));
	return err;
}

const struct object_kind kind_route = {
	.name = "route",
	.identity = (const char *const[]){"table", "destination", "metric", NULL},
	.in_netns = true,
	.needs_up = true,
	.describe = describe,
	.probe = probe,
	.make = make,
	.unmake = unmake,
};

struct object *route_object(const struct route *route)
{
	char destination[PREFIX_STRLEN], via[INET6_ADDRSTRLEN] = "";

	if (route->has_via)
		inet_ntop(AF_INET6, &route->via, via, sizeof(via));
	return object_new(&kind_route,
			  json_pack("{s:s, s:s, s:s, s:I, s:I}", "destination",
				    prefix_format(&route->destination, destination), "device",
				    route->device ? route->device : "", "via", via, "table",
				    (json_int_t)route->table, "metric", (json_int_t)route->metric));
}
