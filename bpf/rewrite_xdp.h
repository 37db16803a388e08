/* SPDX-License-Identifier: GPL-2.0-only */
/* Header replacement in XDP: in place, in whole words. */
#ifndef ZT6_REWRITE_XDP_H
#define ZT6_REWRITE_XDP_H

/* Tests fill bytes that the program claims with 0xff: BPF_PROG_TEST_RUN hands out zeroes, which
 * would hide a byte that nobody writes. */
const volatile bool poison_headroom = false;

/* Copies a header in the largest pieces: memcpy() would go byte by byte, because it knows of no
 * alignment in a frame. @length is a constant and even. */
static __always_inline void header_copy(void *to, const void *from, __u32 length)
{
	for (__u32 i = 0; i < length / 8; i++)
		((__u64 *)to)[i] = ((const __u64 *)from)[i];
	if (length & 4)
		*(__u32 *)(to + (length & ~7)) = *(const __u32 *)(from + (length & ~7));
	if (length & 2)
		*(__u16 *)(to + (length & ~3)) = *(const __u16 *)(from + (length & ~3));
}

/* The header, the outer IPv4 fields, the hop limit and the ECN field. @length is a constant. */
static __always_inline int rewrite_header(frame_t *frame, const struct packet *p,
					  const struct zt6_route *route, __u32 length,
					  bool encapsulate)
{
	__u8 *start = frame_data(frame);
	struct ipv6_header *ip = (void *)(start + length);

	if ((void *)(ip + 1) > frame_end(frame))
		return ZT6_DROP_MALFORMED;
	if (poison_headroom)
		__builtin_memset(start, 0xff, length);
	header_copy(start, route->header, length);
	ip->hop_limit = p->hop_limit - 1;
	if (p->ip_offset != p->link_length) {
		__u8 ecn = ecn_decapsulate(p->traffic_class, p->outer_ecn);

		ip->class_flow = (ip->class_flow & ~(ECN_MASK << 4)) | ecn << 4;
	}
	if (encapsulate)
		sixinfour_finish((void *)(start + length - IPV4_HEADER), route->tunnel_flags,
				 p->ip_length, p->traffic_class, p->hop_limit - 1);
	return GO_ON;
}

/* Segments with SYN are few: of the others no more than one byte is looked at. @frame: with its new
 * headers, so that what goes up unchanged has not been touched */
static __always_inline void rewrite_mss(frame_t *frame, const struct packet *p,
					const struct zt6_route *route)
{
	const __u8 *tcp = frame_at(frame, route->header_length) + IPV6_HEADER;

	if (!route->mss || p->next_header != IPPROTO_TCP ||
	    (const void *)(tcp + TCP_FLAGS_BYTE + 1) > frame_end(frame) ||
	    !(tcp[TCP_FLAGS_BYTE] & TCP_FLAG_SYN))
		return;
	mss_clamp(frame, route->header_length + IPV6_HEADER, p->ip_length - IPV6_HEADER,
		  route->mss);
}

/* The new header that the route has ready. */
static __always_inline int rewrite_headers(frame_t *frame, const struct packet *p,
					   const struct zt6_route *route)
{
	switch (route->header_length) {
	case ETH_HEADER:
		return rewrite_header(frame, p, route, ETH_HEADER, false);
	case VLAN_HEADER:
		return rewrite_header(frame, p, route, VLAN_HEADER, false);
	case ETH_HEADER + IPV4_HEADER:
		return rewrite_header(frame, p, route, ETH_HEADER + IPV4_HEADER, true);
	default:
		return rewrite_header(frame, p, route, VLAN_HEADER + IPV4_HEADER, true);
	}
}

/* The device is chosen first: a packet whose device is missing goes up untouched. */
static __always_inline int rewrite_and_redirect(frame_t *frame, const struct packet *p,
						const struct zt6_route *route)
{
	__u32 padding = p->frame_length - p->ip_offset - p->ip_length;

	if (bpf_redirect_map(&devices, route->tx_port, XDP_PASS) != XDP_REDIRECT)
		return ZT6_PASS_OTHER;
	if (route->header_length != p->ip_offset &&
	    frame_grow_front(frame, (int)route->header_length - p->ip_offset))
		return ZT6_PASS_OTHER;
	/* Bytes behind the IPv6 packet are the incoming link's, not the packet's. */
	if (padding && frame_grow_tail(frame, -(int)padding))
		return ZT6_DROP_MALFORMED;
	if (rewrite_headers(frame, p, route) != GO_ON)
		return ZT6_DROP_MALFORMED;
	rewrite_mss(frame, p, route);
	return GO_ON;
}

#endif
