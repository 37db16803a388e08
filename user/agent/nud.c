// SPDX-License-Identifier: GPL-2.0-or-later
#include "nud.h"

#include <errno.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <string.h>

#include "../loader/kinds.h"
#include "../loader/netlink.h"

static int on_route(struct nlmsghdr *message, void *arg)
{
	struct nlattr *oif = nlmsg_find_attr(message, sizeof(struct rtmsg), RTA_OIF);
	struct nlattr *gateway = nlmsg_find_attr(message, sizeof(struct rtmsg), RTA_GATEWAY);
	struct next_hop *hop = arg;

	if (message->nlmsg_type != RTM_NEWROUTE || !oif)
		return 0;
	hop->ifindex = (int)nla_get_u32(oif);
	if (gateway && nla_len(gateway) == sizeof(hop->addr))
		memcpy(&hop->addr, nla_data(gateway), sizeof(hop->addr));
	return 0;
}

int nud_next_hop(struct nl_sock *nl, const union zt6_addr *target, struct next_hop *hop)
{
	struct rtmsg route = {.rtm_family = AF_INET6, .rtm_dst_len = 128};
	struct nl_msg *msg = netlink_message(RTM_GETROUTE, NLM_F_REQUEST, &route, sizeof(route));
	int err;

	memcpy(&hop->addr, target, sizeof(hop->addr));
	hop->ifindex = 0;
	if (msg && nla_put(msg, RTA_DST, sizeof(*target), target)) {
		nlmsg_free(msg);
		msg = NULL;
	}
	err = netlink_request(nl, msg, on_route, hop);
	if (err)
		return err;
	return hop->ifindex ? 0 : -ENETUNREACH;
}

/* @mac: NULL: none */
static int write_neighbour(struct nl_sock *nl, const struct next_hop *hop, int flags,
			   unsigned short state, unsigned char ndm_flags, const __u8 *mac)
{
	struct ndmsg nd = {
		.ndm_family = AF_INET6,
		.ndm_ifindex = hop->ifindex,
		.ndm_state = state,
		.ndm_flags = ndm_flags,
	};
	struct nl_msg *msg = netlink_message(RTM_NEWNEIGH, NLM_F_REQUEST | flags, &nd, sizeof(nd));

	if (msg && (nla_put(msg, NDA_DST, sizeof(hop->addr), &hop->addr) ||
		    (mac && nla_put(msg, NDA_LLADDR, ZT6_ETH_ALEN, mac)))) {
		nlmsg_free(msg);
		msg = NULL;
	}
	return netlink_request(nl, msg, NULL, NULL);
}

int nud_use(struct nl_sock *nl, const struct next_hop *hop)
{
	return write_neighbour(nl, hop, NLM_F_CREATE, NUD_NONE, NTF_USE, NULL);
}

int nud_probe(struct nl_sock *nl, const struct next_hop *hop)
{
	return write_neighbour(nl, hop, NLM_F_REPLACE, NUD_PROBE, 0, NULL);
}

int nud_renew(struct nl_sock *nl, const struct next_hop *hop)
{
	int err = write_neighbour(nl, hop, NLM_F_REPLACE, NUD_FAILED, 0, NULL);

	return err && err != -ENOENT ? err : nud_use(nl, hop);
}

int nud_suppose(struct nl_sock *nl, const struct next_hop *hop, const __u8 mac[6])
{
	/* Neither EXCL nor REPLACE: one that is being asked for takes the MAC, a valid one keeps its. */
	return write_neighbour(nl, hop, NLM_F_CREATE, NUD_STALE, 0, mac);
}

static struct nl_msg *wire_message(int type, int flags, const union zt6_addr *target,
				   const struct next_hop *hop)
{
	struct rtmsg route = {
		.rtm_family = AF_INET6,
		.rtm_dst_len = 128,
		.rtm_table = RT_TABLE_MAIN,
		.rtm_protocol = ZT6_RTPROT,
		.rtm_scope = RT_SCOPE_UNIVERSE,
		.rtm_type = RTN_UNICAST,
	};
	struct nl_msg *msg = netlink_message(type, NLM_F_REQUEST | flags, &route, sizeof(route));

	if (msg && (nla_put(msg, RTA_DST, sizeof(*target), target) ||
		    nla_put_u32(msg, RTA_OIF, (uint32_t)hop->ifindex))) {
		nlmsg_free(msg);
		return NULL;
	}
	return msg;
}

int nud_wire(struct nl_sock *nl, const union zt6_addr *target, const struct next_hop *hop,
	     const struct in6_addr *via, __u32 seconds)
{
	struct nl_msg *msg = wire_message(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE, target, hop);

	if (msg && (nla_put_u32(msg, RTA_EXPIRES, seconds) ||
		    (via && nla_put(msg, RTA_GATEWAY, sizeof(*via), via)))) {
		nlmsg_free(msg);
		msg = NULL;
	}
	return netlink_request(nl, msg, NULL, NULL);
}

int nud_unwire(struct nl_sock *nl, const union zt6_addr *target, const struct next_hop *hop)
{
	int err = netlink_request(nl, wire_message(RTM_DELROUTE, 0, target, hop), NULL, NULL);

	return err == -ESRCH ? 0 : err;
}
