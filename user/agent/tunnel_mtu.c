// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Path MTU: what the programs have learnt of a tunnel's path becomes the MTU of its interface where
 * that is a TUN. By it the kernel measures what takes its own way, tells senders, and cuts up what
 * the gateway itself sends. (`sit` learns by itself.)
 */
#include <linux/rtnetlink.h>
#include <netlink/attr.h>
#include <netlink/msg.h>

#include "../loader/netlink.h"
#include "../log.h"
#include "../path_mtu.h"
#include "agent.h"

static int set_mtu(struct nl_sock *nl, __u32 ifindex, __u32 mtu)
{
	const struct ifinfomsg link = {.ifi_index = (int)ifindex};
	struct nl_msg *msg = netlink_message(RTM_NEWLINK, 0, &link, sizeof(link));

	if (msg && nla_put_u32(msg, IFLA_MTU, mtu)) {
		nlmsg_free(msg);
		msg = NULL;
	}
	return netlink_request(nl, msg, NULL, NULL);
}

void tunnel_mtu_follow(struct agent *agent, uint64_t now)
{
	const struct zt6_settings *settings = &agent->model.settings;

	for (__u32 i = 0; i < settings->tunnel_count && i < ZT6_MAX_TUNNELS; i++) {
		const struct zt6_tunnel *tunnel = &settings->tunnels[i];
		const struct zt6_port *port = &agent->model.ports[tunnel->port % ZT6_MAX_PORTS];
		__u32 *set = &agent->tunnel_mtu[tunnel->port % ZT6_MAX_PORTS];
		__u32 mtu = path_mtu_fits(agent->path_mtus_map, tunnel, now);
		int err;

		if (!(tunnel->flags & ZT6_TUNNEL_BPF) || !port->ifindex || mtu == *set)
			continue;
		err = set_mtu(agent->requests, port->ifindex, mtu);
		if (err)
			log_warning("%s: cannot set MTU %u: %s", port->name, mtu,
				    netlink_reason(err));
		else if (*set || mtu < tunnel->mtu)
			log_info("%s: what fits into the tunnel is %u bytes now", port->name, mtu);
		*set = mtu;
	}
}
