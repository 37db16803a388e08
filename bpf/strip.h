/* SPDX-License-Identifier: GPL-2.0-only */
/* Decapsulation in TC. */
#ifndef ZT6_STRIP_H
#define ZT6_STRIP_H

/* Takes the IPv4 header off, so that the kernel sees an IPv6 packet. */
static __always_inline int strip_outer_header(frame_t *frame)
{
	if (!bpf_skb_adjust_room(frame, -IPV4_HEADER, BPF_ADJ_ROOM_MAC,
				 BPF_F_ADJ_ROOM_FIXED_GSO | BPF_F_ADJ_ROOM_DECAP_L3_IPV6))
		return GO_ON;
	/* Before Linux 6.3 only change_proto makes IPv6 of IPv4. It grows the header by what IPv6's
	 * is longer, and all of that goes. */
	if (bpf_skb_change_proto(frame, bpf_htons(ETH_P_IPV6), 0))
		return ZT6_PASS_OTHER;
	if (bpf_skb_adjust_room(frame, -IPV6_HEADER, BPF_ADJ_ROOM_MAC, BPF_F_ADJ_ROOM_FIXED_GSO))
		return ZT6_DROP_MALFORMED;
	return GO_ON;
}

#endif
