/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Header replacement in TC: room is made and bytes are written by the helpers that keep segmentation
 * offload and checksums right, whatever the frame is to the kernel.
 */
#ifndef ZT6_REWRITE_TC_H
#define ZT6_REWRITE_TC_H

#include "strip.h"

#define IPV6_UP_TO_HOP_LIMIT 8 /* bytes, RFC 8200 §3 */

/* Makes the frame as long as it leaves; behind Ethernet, and the outer header where there is one,
 * follows the IPv6 packet. */
static __always_inline int rewrite_room(frame_t *frame, const struct packet *p, bool encapsulate)
{
	__u32 padding = p->frame_length - p->ip_offset - p->ip_length;

	/* Bytes behind the IPv6 packet are the incoming link's, not the packet's. */
	if (padding && (frame_segment_size(frame) || frame_grow_tail(frame, -(int)padding)))
		return ZT6_PASS_OTHER;
	if (p->ip_offset != p->link_length)
		return strip_outer_header(frame);
	if (encapsulate)
		return bpf_skb_adjust_room(frame, IPV4_HEADER, BPF_ADJ_ROOM_MAC,
					   BPF_F_ADJ_ROOM_FIXED_GSO | BPF_F_ADJ_ROOM_ENCAP_L3_IPV4)
			       ? ZT6_PASS_OTHER
			       : GO_ON;
	if (!p->link_length && bpf_skb_change_head(frame, ETH_HEADER, 0))
		return ZT6_PASS_OTHER;
	return GO_ON;
}

/* The tag stays beside the frame, where the device may put it in. */
static __always_inline int rewrite_tag(frame_t *frame, const struct zt6_port *out)
{
	if (frame->vlan_present && bpf_skb_vlan_pop(frame))
		return ZT6_DROP_MALFORMED;
	if (out->vlan && bpf_skb_vlan_push(frame, bpf_htons(ETH_P_8021Q), out->vlan))
		return ZT6_DROP_MALFORMED;
	return GO_ON;
}

/* Ethernet, the outer IPv4 header, the hop limit and the ECN field. */
static __always_inline int rewrite_headers(frame_t *frame, const struct packet *p,
					   const struct zt6_route *route, bool encapsulate)
{
	__u32 ip_offset = ETH_HEADER + (encapsulate ? IPV4_HEADER : 0);
	struct {
		struct ethhdr eth;
		struct iphdr ip;
	} outer;
	union {
		__u8 bytes[IPV6_UP_TO_HOP_LIMIT];
		struct {
			__u8 version_class, class_flow, rest[5], hop_limit;
		};
	} inner;

	__builtin_memcpy(&outer.eth, route->header, 2 * ZT6_ETH_ALEN);
	outer.eth.h_proto = encapsulate ? bpf_htons(ETH_P_IP) : bpf_htons(ETH_P_IPV6);
	if (bpf_skb_store_bytes(frame, 0, &outer.eth, sizeof(outer.eth), 0))
		return ZT6_DROP_MALFORMED;
	if (encapsulate) {
		if (route->header_length == ETH_HEADER + IPV4_HEADER)
			__builtin_memcpy(&outer.ip, route->header + ETH_HEADER, IPV4_HEADER);
		else
			__builtin_memcpy(&outer.ip, route->header + VLAN_HEADER, IPV4_HEADER);
		sixinfour_finish(&outer.ip, route->tunnel_flags, p->ip_length, p->traffic_class,
				 p->hop_limit - 1);
		if (bpf_skb_store_bytes(frame, ETH_HEADER, &outer.ip, sizeof(outer.ip),
					BPF_F_RECOMPUTE_CSUM))
			return ZT6_DROP_MALFORMED;
	}
	if (bpf_skb_load_bytes(frame, ip_offset, &inner, sizeof(inner)))
		return ZT6_DROP_MALFORMED;
	inner.hop_limit = p->hop_limit - 1;
	if (p->ip_offset != p->link_length)
		inner.class_flow = (inner.class_flow & ~(ECN_MASK << 4)) |
				   ecn_decapsulate(p->traffic_class, p->outer_ecn) << 4;
	return bpf_skb_store_bytes(frame, ip_offset, &inner, sizeof(inner), BPF_F_RECOMPUTE_CSUM)
		       ? ZT6_DROP_MALFORMED
		       : GO_ON;
}

/* Segments with SYN are few, and never aggregates. */
static __always_inline void rewrite_mss(frame_t *frame, const struct packet *p,
					const struct zt6_route *route, bool encapsulate)
{
	__u32 tcp = ETH_HEADER + (encapsulate ? IPV4_HEADER : 0) + IPV6_HEADER;

	if (route->mss && p->next_header == IPPROTO_TCP && !frame_segment_size(frame))
		mss_clamp(frame, tcp, p->ip_length - IPV6_HEADER, route->mss);
}

static __always_inline int rewrite_and_redirect(frame_t *frame, const struct packet *p,
						const struct zt6_route *route)
{
	bool encapsulate = route->verdict == ZT6_ENCAPSULATED;
	__u32 slot = route->tx_port, zero = 0, *own;
	const struct zt6_port *out = bpf_map_lookup_elem(&ports, &slot);
	int verdict;

	if (!out || !out->ifindex)
		return ZT6_PASS_OTHER;
	/* An aggregate of 6in4 still has the marks of a tunnel for a device that segments by itself;
	 * only the kernel's own tunnel takes them off. A TAP segments nothing. */
	if (p->ip_offset != p->link_length && frame_segment_size(frame) &&
	    out->role != ZT6_ROLE_OVERLAY)
		return ZT6_PASS_OTHER;
	verdict = rewrite_room(frame, p, encapsulate);
	if (verdict == GO_ON)
		verdict = rewrite_tag(frame, out);
	if (verdict == GO_ON)
		verdict = rewrite_headers(frame, p, route, encapsulate);
	if (verdict != GO_ON)
		return verdict;
	rewrite_mss(frame, p, route, encapsulate);
	own = bpf_map_lookup_elem(&own_redirect, &zero);
	if (!own)
		return ZT6_DROP_MALFORMED;
	/* The kernel takes it through the other port's egress next, on this CPU. */
	*own = 1;
	return bpf_redirect(out->ifindex, 0) == TC_ACT_REDIRECT ? GO_ON : ZT6_DROP_MALFORMED;
}

/* The kernel answers: as an aggregate the packet may be in many pieces. */
static __always_inline int too_big(frame_t *frame, const struct zt6_port *port,
				   const struct packet *p, __u32 mtu)
{
	(void)frame;
	(void)port;
	(void)p;
	(void)mtu;
	return ZT6_PASS_TOO_BIG;
}

#endif
