/* SPDX-License-Identifier: GPL-2.0-only */
/* The Ethernet header of what leaves by a port, with the port's VLAN tag where it has one. */
#ifndef ZT6_LINK_HEADER_H
#define ZT6_LINK_HEADER_H

#define ETH_HEADER  14
#define VLAN_HEADER 18

#define ETH_P_IP    0x0800
#define ETH_P_IPV6  0x86dd
#define ETH_P_8021Q 0x8100

#define VLAN_VID_MASK 0x0fff

/**
 * link_header - write it, and return its length.
 * @to: room for VLAN_HEADER bytes
 * @ether_type: network byte order
 */
static __always_inline __u8 link_header(__u8 *to, const struct zt6_port *port, const __u8 *dst_mac,
					const __u8 *src_mac, __be16 ether_type)
{
	struct ethhdr *eth = (void *)to;
	struct vlan_hdr *tag = (void *)(to + ETH_HEADER);

	__builtin_memcpy(eth->h_dest, dst_mac, ZT6_ETH_ALEN);
	__builtin_memcpy(eth->h_source, src_mac, ZT6_ETH_ALEN);
	if (!port->vlan) {
		eth->h_proto = ether_type;
		return ETH_HEADER;
	}
	eth->h_proto = bpf_htons(ETH_P_8021Q);
	tag->h_vlan_TCI = bpf_htons(port->vlan);
	tag->h_vlan_encapsulated_proto = ether_type;
	return VLAN_HEADER;
}

#endif
