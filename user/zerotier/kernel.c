/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <stdlib.h>
#include <string.h>

#include "../loader/netlink.h"

static void device_of(struct nlattr *oif, char device[IFNAMSIZ])
{
	device[0] = '\0';
	if (oif && !if_indextoname(nla_get_u32(oif), device))
		device[0] = '\0';
}

static int collect_route(struct nlmsghdr *message, void *arg)
{
	const struct rtmsg *rtm = nlmsg_data(message);
	struct kernel_routes *set = arg;
	struct kernel_route route = {0}, *grown;
	struct nlattr *tb[RTA_MAX + 1];

	if (rtm->rtm_family != AF_INET6 || rtm->rtm_flags & RTM_F_CLONED)
		return 0;
	if (nlmsg_parse(message, sizeof(*rtm), tb, RTA_MAX, NULL))
		return -EBADMSG;
	if ((tb[RTA_TABLE] ? nla_get_u32(tb[RTA_TABLE]) : rtm->rtm_table) != RT_TABLE_MAIN)
		return 0;
	route.destination.len = rtm->rtm_dst_len;
	if (tb[RTA_DST] && nla_len(tb[RTA_DST]) == sizeof(struct in6_addr))
		memcpy(&route.destination.addr, nla_data(tb[RTA_DST]), sizeof(struct in6_addr));
	route.type = rtm->rtm_type;
	route.protocol = rtm->rtm_protocol;
	route.metric = tb[RTA_PRIORITY] ? nla_get_u32(tb[RTA_PRIORITY]) : 0;
	device_of(tb[RTA_OIF], route.device);
	grown = realloc(set->list, (set->count + 1) * sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	grown[set->count++] = route;
	set->list = grown;
	return 0;
}

int kernel_routes_read(struct nl_sock *nl, struct kernel_routes *out)
{
	const struct rtmsg rtm = {.rtm_family = AF_INET6};
	int err;

	*out = (struct kernel_routes){0};
	err = netlink_dump(nl, RTM_GETROUTE, &rtm, sizeof(rtm), collect_route, out);
	if (err) {
		free(out->list);
		*out = (struct kernel_routes){0};
	}
	return err;
}

static int read_answer(struct nlmsghdr *message, void *device)
{
	const struct rtmsg *rtm = nlmsg_data(message);
	struct nlattr *tb[RTA_MAX + 1];

	if (message->nlmsg_type != RTM_NEWROUTE || rtm->rtm_type != RTN_UNICAST)
		return 0;
	if (nlmsg_parse(message, sizeof(*rtm), tb, RTA_MAX, NULL))
		return -EBADMSG;
	device_of(tb[RTA_OIF], device);
	return 0;
}

int kernel_route_to(struct nl_sock *nl, const struct in6_addr *dst, char device[IFNAMSIZ])
{
	const struct rtmsg rtm = {.rtm_family = AF_INET6, .rtm_dst_len = 128};
	struct nl_msg *msg = netlink_message(RTM_GETROUTE, 0, &rtm, sizeof(rtm));
	int err;

	device[0] = '\0';
	if (!msg || nla_put(msg, RTA_DST, sizeof(*dst), dst)) {
		nlmsg_free(msg);
		return -ENOMEM;
	}
	err = netlink_request(nl, msg, read_answer, device);
	return err || *device ? err : -ENETUNREACH;
}
