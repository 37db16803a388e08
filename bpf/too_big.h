/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ICMPv6 Packet Too Big (RFC 4443 §3.2), sent back out of the port that the packet came from, to
 * the neighbour that handed it over.
 */
#ifndef ZT6_TOO_BIG_H
#define ZT6_TOO_BIG_H

#define ICMPV6_TOO_BIG 2

#define TOO_BIG_HOP_LIMIT 64

#define IPPROTO_AH       51
#define IPPROTO_MOBILITY 135
#define IPPROTO_HIP      139
#define IPPROTO_SHIM6    140

/* What stands before the packet that it is about. */
struct too_big {
	struct ipv6_header ip;
	__be16 type_code;
	__sum16 checksum;
	__be32 mtu;
};

_Static_assert(sizeof(struct too_big) == IPV6_HEADER + 8, "RFC 4443 §3.2");

/* "As much of invoking packet as possible without the ICMPv6 packet exceeding the minimum IPv6
 * MTU": what is too big for any path is larger than that. */
#define TOO_BIG_QUOTED  (ZT6_IPV6_MIN_MTU - (__u32)sizeof(struct too_big))
#define TOO_BIG_PAYLOAD (ZT6_IPV6_MIN_MTU - IPV6_HEADER)

/* The most that bpf_csum_diff() sums at once. */
#define CSUM_DIFF_MAX 512

/* Whether another header follows that may hide an ICMPv6 message. */
static __always_inline bool too_big_header_extends(__u8 next_header)
{
	return next_header == IPPROTO_HOPOPTS || next_header == IPPROTO_ROUTING ||
	       next_header == IPPROTO_FRAGMENT || next_header == IPPROTO_AH ||
	       next_header == IPPROTO_DSTOPTS || next_header == IPPROTO_MOBILITY ||
	       next_header == IPPROTO_HIP || next_header == IPPROTO_SHIM6;
}

/* RFC 4443 §2.4 (e): never about an ICMPv6 error. The kernel answers where it takes more than one
 * look to know. Sources that may not be answered and multicast have not come this far. */
static __always_inline bool too_big_may_answer(frame_t *frame, const struct packet *p)
{
	__u8 next_header;

	if (p->next_header == ZT6_IPPROTO_ICMPV6)
		return p->has_icmp && p->icmp_type >= ICMPV6_FIRST_INFORMATIONAL;
	if (p->next_header != IPPROTO_FRAGMENT)
		return !too_big_header_extends(p->next_header);
	if (frame_load(frame, p->ip_offset + IPV6_HEADER, &next_header, sizeof(next_header)))
		return false;
	return next_header != ZT6_IPPROTO_ICMPV6 && !too_big_header_extends(next_header);
}

static __always_inline __u64 too_big_sum(const void *quoted)
{
	__be32 *words = (__be32 *)quoted;
	long sum;

	sum = bpf_csum_diff(NULL, 0, words, CSUM_DIFF_MAX, 0);
	words += CSUM_DIFF_MAX / sizeof(*words);
	sum = bpf_csum_diff(NULL, 0, words, CSUM_DIFF_MAX, sum);
	words += CSUM_DIFF_MAX / sizeof(*words);
	return bpf_csum_diff(NULL, 0, words, TOO_BIG_QUOTED - 2 * CSUM_DIFF_MAX, sum);
}

/* Writes what stands before the packet. @sum: of as much of that as is quoted */
static __always_inline void too_big_build(struct too_big *message, const struct zt6_port *port,
					  const struct packet *p, __u32 mtu, __u64 sum)
{
	message->ip.version_class = 6 << 4;
	message->ip.class_flow = 0;
	message->ip.flow = 0;
	message->ip.payload_length = bpf_htons(TOO_BIG_PAYLOAD);
	message->ip.next_header = ZT6_IPPROTO_ICMPV6;
	message->ip.hop_limit = TOO_BIG_HOP_LIMIT;
	message->ip.src = port->error_source;
	message->ip.dst = p->src;
	message->type_code = bpf_htons(ICMPV6_TOO_BIG << 8);
	message->mtu = bpf_htonl(mtu);
	/* RFC 8200 §8.1: addresses, upper-layer length and next header are summed as well. */
	sum += bpf_htons(TOO_BIG_PAYLOAD) + bpf_htons(ZT6_IPPROTO_ICMPV6);
	sum += message->type_code + (__u64)message->mtu;
	sum = zt6_sum_words(&port->error_source, sizeof(port->error_source) / 4, sum);
	sum = zt6_sum_words(&p->src, sizeof(p->src) / 4, sum);
	message->checksum = zt6_checksum_fold(sum);
}

/**
 * too_big - tell the sender of a packet what its path carries.
 * @port: that the packet came from
 * @mtu: of the path, bytes; at least ZT6_IPV6_MIN_MTU, less than the packet has
 *
 * What came out of a tunnel, and what is not to be answered without closer inspection, goes to the
 * kernel as it came. Returns the verdict.
 */
static __noinline int too_big(frame_t *frame, const struct zt6_port *port, const struct packet *p,
			      __u32 mtu)
{
	__u32 link = port->vlan ? VLAN_HEADER : ETH_HEADER;
	const void *quoted = frame_at(frame, p->ip_offset);
	struct too_big *message;
	__u64 sum;
	void *start;

	/* It is written in place, into what data and data_end span. */
	if (p->ip_offset != p->link_length || addr_unspecified(&port->error_source) ||
	    !too_big_may_answer(frame, p) || quoted + TOO_BIG_QUOTED > frame_end(frame))
		return ZT6_PASS_TOO_BIG;
	if (!bucket_take(port, p->in_port, ZT6_BUCKET_TOO_BIG))
		return ZT6_DROP_TOO_BIG_LIMITED;
	sum = too_big_sum(quoted);
	if (frame_grow_front(frame, (int)(link + sizeof(*message)) - p->link_length))
		return ZT6_PASS_TOO_BIG;
	if (frame_grow_tail(frame, (int)(p->link_length + TOO_BIG_QUOTED) - (int)p->frame_length))
		return ZT6_DROP_MALFORMED;
	start = frame_data(frame);
	message = frame_at(frame, link);
	if (start + VLAN_HEADER > frame_end(frame) || (void *)(message + 1) > frame_end(frame))
		return ZT6_DROP_MALFORMED;
	if (poison_headroom)
		__builtin_memset(message, 0xff, sizeof(*message));
	link_header(start, port, p->source_mac, port->mac, bpf_htons(ETH_P_IPV6));
	too_big_build(message, port, p, mtu, sum);
	return ZT6_TOO_BIG_ANSWERED;
}

#endif
