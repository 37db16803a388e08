// SPDX-License-Identifier: GPL-2.0-or-later
#include "advertise.h"

#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>

#include "zt6_na.h"

#define ETH_HEADER  14
#define VLAN_HEADER 18

int advertise_open(void)
{
	/* Protocol 0: it receives nothing. */
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	return fd < 0 ? -errno : fd;
}

/* Ethernet, with the port's tag where it has one. Returns the length. */
static size_t link_header(__u8 *to, const struct zt6_port *port, const __u8 *dst_mac)
{
	const __u8 tag[] = {ETH_P_8021Q >> 8, ETH_P_8021Q & 0xff, port->vlan >> 8,
			    port->vlan & 0xff};
	struct ethhdr *eth = (struct ethhdr *)to;
	size_t length = ETH_HEADER;

	memcpy(eth->h_dest, dst_mac, ZT6_ETH_ALEN);
	memcpy(eth->h_source, port->mac, ZT6_ETH_ALEN);
	if (port->vlan) {
		memcpy(&eth->h_proto, tag, sizeof(tag));
		length = VLAN_HEADER;
	}
	to[length - 2] = ETH_P_IPV6 >> 8;
	to[length - 1] = ETH_P_IPV6 & 0xff;
	return length;
}

int advertise_send(int socket, const struct zt6_port *port, const union zt6_addr *target,
		   const union zt6_addr *solicitor, const __u8 *mac, __u8 flags)
{
	/* RFC 2464 §7: the Ethernet address of ff02::1. */
	static const __u8 all_nodes[ZT6_ETH_ALEN] = {0x33, 0x33, 0, 0, 0, 1};
	bool to_all = !(solicitor->halves[0] | solicitor->halves[1]);
	struct sockaddr_ll address = {
		.sll_family = AF_PACKET,
		.sll_ifindex = (int)port->ifindex,
		.sll_halen = ZT6_ETH_ALEN,
	};
	__u8 frame[VLAN_HEADER + sizeof(struct zt6_na)];
	struct zt6_na na;
	size_t length;

	zt6_na_build(&na, port->flags & ZT6_PORT_SOURCE_TARGET ? target : &port->na_source,
		     solicitor, target, (const __u16 *)port->mac,
		     flags | (port->flags & ZT6_PORT_ROUTER ? ZT6_NA_ROUTER : 0));
	length = link_header(frame, port, to_all ? all_nodes : mac);
	memcpy(frame + length, &na, sizeof(na));
	length += sizeof(na);
	if (sendto(socket, frame, length, 0, (struct sockaddr *)&address, sizeof(address)) < 0)
		return -errno;
	return 0;
}
