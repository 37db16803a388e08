// SPDX-License-Identifier: GPL-2.0-only
/*
 * The TC programs of a tunnel whose interface is a TUN (`device bpf`): they do what the kernel's
 * `sit` would. The fast path in XDP does not need them; they carry what XDP passed up and what the
 * gateway itself sends. Neither touches a packet that it does not take all the way: filters of others
 * come next then.
 */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_endian.h>

#include "zt6_abi.h"
#include "zt6_na.h"
#include "frame_tc.h"
#include "packet.h"
#include "maps.h"
#include "link_header.h"
#include "ipv4.h"
#include "path_mtu.h"
#include "sixinfour.h"
#include "fib.h"
#include "binding.h"
#include "guard.h"
#include "strip.h"
#include "mss.h"

/* Set by the loader before the program is loaded: the slot of the interface it is attached to. */
const volatile __u32 port_slot = 0;

/* Counts the packet on the tunnel's port, where it arrives by way of the uplink. */
static __always_inline int tunnel_count(__u8 slot_of_tunnel, __u32 bytes, int verdict)
{
	__u32 slot = slot_of_tunnel;
	struct zt6_port_counters *count = bpf_map_lookup_elem(&counters, &slot);

	if (count && verdict >= 0 && verdict < ZT6_VERDICT_COUNT) {
		count->rx.packets++;
		count->rx.bytes += bytes;
		count->verdicts[verdict].packets++;
		count->verdicts[verdict].bytes += bytes;
	}
	return verdict >= ZT6_DROP_MALFORMED ? TC_ACT_SHOT : TC_ACT_UNSPEC;
}

/**
 * zt6_uplink_ingress - 6in4 that XDP passed up on the uplink goes on as if it came from the TUN, so
 * that routing and nftables see the tunnel's name.
 *
 * The checks are those of the fast path, because XDP may be off.
 */
SEC("tc")
int zt6_uplink_ingress(struct __sk_buff *frame)
{
	struct packet p = {.frame_length = frame->len};
	__u32 zero = 0, slot = port_slot;
	const struct zt6_settings *set = bpf_map_lookup_elem(&settings, &zero);
	const struct zt6_port *uplink = bpf_map_lookup_elem(&ports, &slot);
	const __u32 headers = VLAN_HEADER + IPV4_HEADER + IPV6_HEADER + 1;
	const struct zt6_tunnel *tunnel;
	const struct zt6_port *port;
	__be16 ether_type;
	__u8 class_flow;
	bool whole;
	int verdict;

	if (!set || !uplink || frame->protocol != bpf_htons(ETH_P_IP))
		return TC_ACT_UNSPEC;
	if (frame_data(frame) + headers > frame_end(frame))
		bpf_skb_pull_data(frame, frame->len < headers ? frame->len : headers);
	p.in_port = ZT6_NO_PORT;
	if (packet_ethernet(frame, uplink, &p, &ether_type) != GO_ON ||
	    ether_type != bpf_htons(ETH_P_IP))
		return TC_ACT_UNSPEC;
	verdict = sixinfour_decapsulate(frame, set, &p);
	slot = p.in_port;
	port = bpf_map_lookup_elem(&ports, &slot);
	tunnel = sixinfour_tunnel_of(set, port);
	if (!tunnel || !(tunnel->flags & ZT6_TUNNEL_BPF))
		return TC_ACT_UNSPEC;
	if (verdict == GO_ON)
		verdict = guard_packet(frame, port, &p);
	if (verdict != GO_ON)
		return tunnel_count(p.in_port, p.frame_length, verdict);
	if (bpf_skb_load_bytes(frame, p.ip_offset + 1, &class_flow, sizeof(class_flow)))
		return tunnel_count(p.in_port, p.frame_length, ZT6_PASS_OTHER);
	verdict = strip_outer_header(frame);
	if (verdict != GO_ON)
		return tunnel_count(p.in_port, p.frame_length, verdict);
	class_flow = (class_flow & ~(ECN_MASK << 4)) | ecn_decapsulate(p.traffic_class, p.outer_ecn)
							       << 4;
	if (bpf_skb_store_bytes(frame, p.link_length + 1, &class_flow, sizeof(class_flow), 0))
		return tunnel_count(p.in_port, p.frame_length, ZT6_DROP_MALFORMED);
	if (p.next_header == IPPROTO_TCP)
		mss_clamp(frame, p.link_length + IPV6_HEADER, p.ip_length - IPV6_HEADER,
			  mss_of_mtu(path_mtu_inner(tunnel, tunnel->mtu + IPV4_HEADER, &whole)));
	tunnel_count(p.in_port, p.frame_length, ZT6_DECAPSULATED);
	return bpf_redirect(port->ifindex, BPF_F_INGRESS);
}

/* Bytes of the largest IPv6 packet that comes of this one, which may be an aggregate. */
static __always_inline __u32 egress_largest(struct __sk_buff *frame, const struct ipv6_header *ip)
{
	__u8 offset = 0;

	if (!frame->gso_size)
		return frame->len;
	if (ip->next_header == IPPROTO_TCP)
		bpf_skb_load_bytes(frame, IPV6_HEADER + TCP_OFFSET_BYTE, &offset, sizeof(offset));
	return frame->gso_size + IPV6_HEADER + (offset >> 4) * 4;
}

/**
 * zt6_tunnel_egress - IPv6 that the kernel sends into the TUN leaves by the uplink as 6in4.
 *
 * The kernel has compared it with the interface's MTU. Where the path carries less than that (and no
 * agent runs, who would set it), it goes without Don't Fragment: late is better than never.
 * Room for the IPv4 header comes from adjust_room, which keeps segmentation offload right, and room
 * for Ethernet from change_head.
 */
SEC("tc")
int zt6_tunnel_egress(struct __sk_buff *frame)
{
	__u32 zero = 0, slot = port_slot, length = frame->len;
	const struct zt6_settings *set = bpf_map_lookup_elem(&settings, &zero);
	const struct zt6_port *port = bpf_map_lookup_elem(&ports, &slot);
	struct zt6_port_counters *count = bpf_map_lookup_elem(&counters, &slot);
	const struct zt6_tunnel *tunnel;
	const struct zt6_port *uplink;
	struct zt6_route route = {};
	struct bpf_fib_lookup fib;
	struct ipv6_header ip;

	if (!set || !count || frame->protocol != bpf_htons(ETH_P_IPV6) ||
	    bpf_skb_load_bytes(frame, 0, &ip, sizeof(ip)))
		return TC_ACT_UNSPEC;
	tunnel = sixinfour_tunnel_of(set, port);
	if (!tunnel)
		return TC_ACT_UNSPEC;
	slot = tunnel->uplink;
	uplink = bpf_map_lookup_elem(&ports, &slot);
	if (!uplink ||
	    sixinfour_header(frame, tunnel, uplink, egress_largest(frame, &ip), &fib, &route))
		return TC_ACT_SHOT;
	if (ip.next_header == IPPROTO_TCP)
		mss_clamp(frame, IPV6_HEADER, length - IPV6_HEADER, mss_of_mtu(route.mtu));
	if (bpf_skb_adjust_room(frame, IPV4_HEADER, BPF_ADJ_ROOM_MAC,
				BPF_F_ADJ_ROOM_ENCAP_L3_IPV4 | BPF_F_ADJ_ROOM_FIXED_GSO))
		return TC_ACT_SHOT;
	if (route.header_length == ETH_HEADER + IPV4_HEADER) {
		sixinfour_finish((void *)(route.header + ETH_HEADER), route.tunnel_flags, length,
				 ip.version_class << 4 | ip.class_flow >> 4, ip.hop_limit);
		if (bpf_skb_change_head(frame, ETH_HEADER, 0) ||
		    bpf_skb_store_bytes(frame, 0, route.header, ETH_HEADER + IPV4_HEADER, 0))
			return TC_ACT_SHOT;
	} else {
		sixinfour_finish((void *)(route.header + VLAN_HEADER), route.tunnel_flags, length,
				 ip.version_class << 4 | ip.class_flow >> 4, ip.hop_limit);
		if (bpf_skb_change_head(frame, VLAN_HEADER, 0) ||
		    bpf_skb_store_bytes(frame, 0, route.header, VLAN_HEADER + IPV4_HEADER, 0))
			return TC_ACT_SHOT;
	}
	count->tx.packets++;
	count->tx.bytes += length;
	return bpf_redirect(uplink->ifindex, 0);
}

char _license[] SEC("license") = "GPL";
