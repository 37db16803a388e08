// SPDX-License-Identifier: GPL-2.0-or-later
/* From a deferred solicitation to a question inside: the kernel asks, by its own rules and with its
 * own retransmissions; we only make it use the neighbour. */
#include <errno.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <string.h>

#include "../loader/netlink.h"
#include "../log.h"
#include "agent.h"

/* Where the kernel would send packets for the target. */
struct next_hop {
	int ifindex;
	struct in6_addr addr;
};

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

static int find_next_hop(struct nl_sock *nl, const union zt6_addr *target, struct next_hop *hop)
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

/* NTF_USE: as if a packet for the neighbour had been sent. */
static int use_neighbour(struct nl_sock *nl, const struct next_hop *hop)
{
	struct ndmsg nd = {
		.ndm_family = AF_INET6,
		.ndm_ifindex = hop->ifindex,
		.ndm_flags = NTF_USE,
		.ndm_state = NUD_NONE,
	};
	struct nl_msg *msg =
		netlink_message(RTM_NEWNEIGH, NLM_F_REQUEST | NLM_F_CREATE, &nd, sizeof(nd));

	if (msg && nla_put(msg, NDA_DST, sizeof(hop->addr), &hop->addr)) {
		nlmsg_free(msg);
		msg = NULL;
	}
	return netlink_request(nl, msg, NULL, NULL);
}

int resolve_event(void *arg, void *data, size_t size)
{
	const struct zt6_event *event = data;
	struct agent *agent = arg;
	struct next_hop hop;
	int err;

	if (size < sizeof(*event) || event->kind != ZT6_EVENT_SOLICITED)
		return 0;
	err = find_next_hop(agent->requests, &event->addr, &hop);
	if (!err)
		err = use_neighbour(agent->requests, &hop);
	if (err)
		log_info("a target could not be looked for: %s", strerror(-err));
	return 0;
}
