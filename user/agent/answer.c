// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../log.h"
#include "agent.h"
#include "zt6_na.h"

#define ETH_HEADER  14
#define VLAN_HEADER 18

int answer_open(struct agent *agent)
{
	/* Protocol 0: it only sends. */
	agent->packets = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	return agent->packets < 0 ? -errno : 0;
}

/* Ethernet, with the port's tag where it has one. Returns the length. */
static size_t link_header(__u8 *to, const struct zt6_port *port, const __u8 *dst_mac)
{
	const __u8 tag[4] = {ETH_P_8021Q >> 8, ETH_P_8021Q & 0xff, port->vlan >> 8,
			     port->vlan & 0xff};
	size_t length = ETH_HEADER;

	memcpy(to, dst_mac, ZT6_ETH_ALEN);
	memcpy(to + ZT6_ETH_ALEN, port->mac, ZT6_ETH_ALEN);
	if (port->vlan) {
		memcpy(to + 2 * ZT6_ETH_ALEN, tag, sizeof(tag));
		length = VLAN_HEADER;
	}
	to[length - 2] = ETH_P_IPV6 >> 8;
	to[length - 1] = ETH_P_IPV6 & 0xff;
	return length;
}

void answer_send(struct agent *agent, __u8 slot, const union zt6_addr *target,
		 const struct waiter *to)
{
	const struct zt6_port *port = &agent->model.ports[slot];
	bool dad = !(to->source.halves[0] | to->source.halves[1]);
	const __u8 all_nodes[ZT6_ETH_ALEN] = {0x33, 0x33, 0, 0, 0, 1};
	struct sockaddr_ll address = {
		.sll_family = AF_PACKET,
		.sll_ifindex = (int)port->ifindex,
		.sll_halen = ZT6_ETH_ALEN,
	};
	__u8 frame[VLAN_HEADER + sizeof(struct zt6_na)];
	struct zt6_na na;
	size_t length;

	zt6_na_build(&na, port->flags & ZT6_PORT_SOURCE_TARGET ? target : &port->na_source,
		     &to->source, target, port->mac,
		     port->flags & ZT6_PORT_ROUTER ? ZT6_NA_ROUTER : 0);
	length = link_header(frame, port, dad ? all_nodes : to->mac);
	memcpy(frame + length, &na, sizeof(na));
	length += sizeof(na);
	if (sendto(agent->packets, frame, length, 0, (struct sockaddr *)&address,
		   sizeof(address)) != (ssize_t)length)
		log_info("%s: an advertisement could not be sent: %s", port->name, strerror(errno));
}
