// SPDX-License-Identifier: GPL-2.0-or-later
#include "explain_facts.h"

#include <errno.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <string.h>

#include "loader/netlink.h"
#include "neighbour_state.h"

const char *route_type_name(uint8_t type)
{
	static const char *const names[] = {
		[RTN_UNSPEC] = "none",         [RTN_UNICAST] = "unicast",
		[RTN_LOCAL] = "local",         [RTN_BROADCAST] = "broadcast",
		[RTN_ANYCAST] = "anycast",     [RTN_MULTICAST] = "multicast",
		[RTN_BLACKHOLE] = "blackhole", [RTN_UNREACHABLE] = "unreachable",
		[RTN_PROHIBIT] = "prohibit",   [RTN_THROW] = "throw",
	};

	return type < sizeof(names) / sizeof(*names) ? names[type] : "unknown";
}

/* Of entries that refuse the kernel tells but their error (net/ipv6/route.c, fib6_prop). */
static uint8_t refusal(int error)
{
	switch (error) {
	case -EINVAL:
		return RTN_BLACKHOLE;
	case -EHOSTUNREACH:
		return RTN_UNREACHABLE;
	case -EACCES:
		return RTN_PROHIBIT;
	default:
		return RTN_UNSPEC;
	}
}

static void read_addr(const struct nlattr *attr, struct in6_addr *out)
{
	memset(out, 0, sizeof(*out));
	if (attr && nla_len(attr) <= (int)sizeof(*out))
		memcpy(out, nla_data(attr), nla_len(attr));
}

static int read_route(struct nlmsghdr *message, void *arg)
{
	const struct rtmsg *rtm = nlmsg_data(message);
	struct nlattr *tb[RTA_MAX + 1];
	struct kernel_route *out = arg;

	if (message->nlmsg_type != RTM_NEWROUTE)
		return 0;
	if (nlmsg_parse(message, sizeof(*rtm), tb, RTA_MAX, NULL))
		return -EBADMSG;
	out->type = rtm->rtm_type;
	out->protocol = rtm->rtm_protocol;
	out->prefix.len = rtm->rtm_dst_len;
	read_addr(tb[RTA_DST], &out->prefix.addr);
	out->has_gateway = tb[RTA_GATEWAY] != NULL;
	read_addr(tb[RTA_GATEWAY], &out->gateway);
	out->multipath = tb[RTA_MULTIPATH] != NULL;
	if (tb[RTA_OIF])
		out->ifindex = (int)nla_get_u32(tb[RTA_OIF]);
	if (tb[RTA_PRIORITY])
		out->metric = nla_get_u32(tb[RTA_PRIORITY]);
	return 0;
}

int kernel_route_of(struct nl_sock *nl, int ifindex, const struct in6_addr *src,
		    const struct in6_addr *dst, struct kernel_route *out)
{
	/* FIB_MATCH asks for the entry of the table instead of what is made of it for @dst. */
	const struct rtmsg rtm = {
		.rtm_family = AF_INET6,
		.rtm_dst_len = 128,
		.rtm_src_len = src ? 128 : 0,
		.rtm_flags = RTM_F_FIB_MATCH,
	};
	struct nl_msg *msg = netlink_message(RTM_GETROUTE, 0, &rtm, sizeof(rtm));
	int err;

	memset(out, 0, sizeof(*out));
	if (!msg || nla_put(msg, RTA_DST, sizeof(*dst), dst) ||
	    (src && nla_put(msg, RTA_SRC, sizeof(*src), src)) ||
	    nla_put_u32(msg, RTA_IIF, ifindex)) {
		nlmsg_free(msg);
		return -ENOMEM;
	}
	err = netlink_request(nl, msg, read_route, out);
	if (err == -ENOMEM || err == -EIO || err == -EBADMSG)
		return err;
	out->error = err;
	if (err)
		out->type = refusal(err);
	if (out->ifindex)
		if_indextoname(out->ifindex, out->device);
	return 0;
}

static int read_neighbour(struct nlmsghdr *message, void *arg)
{
	const struct ndmsg *nd = nlmsg_data(message);
	struct nlattr *tb[NDA_MAX + 1];
	struct kernel_neighbour *out = arg;

	if (message->nlmsg_type != RTM_NEWNEIGH)
		return 0;
	if (nlmsg_parse(message, sizeof(*nd), tb, NDA_MAX, NULL))
		return -EBADMSG;
	out->nud = nd->ndm_state;
	out->has_mac = tb[NDA_LLADDR] && nla_len(tb[NDA_LLADDR]) == sizeof(out->mac);
	if (out->has_mac)
		memcpy(out->mac, nla_data(tb[NDA_LLADDR]), sizeof(out->mac));
	return 0;
}

int kernel_neighbour_of(struct nl_sock *nl, struct kernel_neighbour *neighbour)
{
	const struct ndmsg nd = {
		.ndm_family = neighbour->family,
		.ndm_ifindex = neighbour->ifindex,
	};
	struct nl_msg *msg = netlink_message(RTM_GETNEIGH, 0, &nd, sizeof(nd));
	int err;

	if (!msg ||
	    nla_put(msg, NDA_DST,
		    neighbour->family == AF_INET ? sizeof(struct in_addr) : sizeof(struct in6_addr),
		    &neighbour->addr)) {
		nlmsg_free(msg);
		return -ENOMEM;
	}
	err = netlink_request(nl, msg, read_neighbour, neighbour);
	/* ENOENT: none there; EINVAL: none can be, on a device without link layer. */
	return err == -ENOENT || err == -EINVAL ? 0 : err;
}

struct neighbour_search {
	int ifindex;
	const struct prefix *within;
	const struct in6_addr *except;
	struct in6_addr *found;
	bool done;
};

static int find_neighbour(struct nlmsghdr *message, void *arg)
{
	const struct ndmsg *nd = nlmsg_data(message);
	struct neighbour_search *search = arg;
	struct nlattr *dst = nlmsg_find_attr(message, sizeof(*nd), NDA_DST);
	struct in6_addr addr;

	if (search->done || nd->ndm_ifindex != search->ifindex ||
	    !neighbour_is_usable(nd->ndm_state) || !dst || nla_len(dst) != sizeof(addr))
		return 0;
	memcpy(&addr, nla_data(dst), sizeof(addr));
	if (!prefix_contains_addr(search->within, &addr) ||
	    IN6_ARE_ADDR_EQUAL(&addr, search->except))
		return 0;
	*search->found = addr;
	search->done = true;
	return 0;
}

int kernel_any_neighbour(struct nl_sock *nl, int ifindex, const struct prefix *within,
			 const struct in6_addr *except, struct in6_addr *out)
{
	const struct ndmsg nd = {.ndm_family = AF_INET6};
	struct neighbour_search search = {
		.ifindex = ifindex,
		.within = within,
		.except = except,
		.found = out,
	};
	int err = netlink_dump(nl, RTM_GETNEIGH, &nd, sizeof(nd), find_neighbour, &search);

	if (err)
		return err;
	return search.done ? 0 : -ENOENT;
}
