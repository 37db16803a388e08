/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The Neighbour Advertisement of a proxy, RFC 4861 §4.4 and §7.2.8: built by this one function,
 * in XDP for targets that are known and in the agent for targets that it has just verified.
 */
#ifndef ZT6_NA_H
#define ZT6_NA_H

#include "zt6_abi.h"

#define ZT6_ND_HOP_LIMIT   255 /* RFC 4861 §4.3, §4.4 */
#define ZT6_ND_SOLICIT     135
#define ZT6_ND_ADVERT      136
#define ZT6_ND_OPT_SOURCE  1 /* RFC 4861 §4.6.1: source link-layer address */
#define ZT6_ND_OPT_TARGET  2
#define ZT6_IPPROTO_ICMPV6 58

/* First octet of the advertisement's flags (RFC 4861 §4.4), network byte order. */
#define ZT6_NA_ROUTER    0x80
#define ZT6_NA_SOLICITED 0x40
#define ZT6_NA_OVERRIDE  0x20

/* Constants in network byte order. */
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define zt6_be16(x) ((__u16)__builtin_bswap16(x))
#define zt6_be32(x) ((__u32)__builtin_bswap32(x))
#else
#define zt6_be16(x) ((__u16)(x))
#define zt6_be32(x) ((__u32)(x))
#endif

/* The IPv6 packet, without Ethernet: every field is naturally aligned, and as wide as it is written. */
struct zt6_na {
	__u32 version_class_flow;
	__u16 payload_length;
	__u8 next_header;
	__u8 hop_limit;
	union zt6_addr src;
	union zt6_addr dst;
	__u16 type_code;
	__u16 checksum;
	__u16 flags; /* and the first octet of what is reserved */
	__u16 reserved;
	union zt6_addr target;
	__u16 option; /* type and length */
	__u16 target_mac[ZT6_ETH_ALEN / 2];
};

_Static_assert(sizeof(struct zt6_na) == 72, "IPv6 header, NA and one option");

#define ZT6_NA_PAYLOAD (sizeof(struct zt6_na) - 40)

/* What is summed was written through types of its own: without this the compiler may do so later. */
typedef __u32 __attribute__((__may_alias__)) zt6_sum_word;

/* Sums 32-bit words, whose carries the fold brings back: faster than 16 bits at a time. */
static inline __u64 zt6_sum_words(const void *words, __u32 count, __u64 sum)
{
	const zt6_sum_word *word = (const zt6_sum_word *)words;

	for (__u32 i = 0; i < count; i++)
		sum += word[i];
	return sum;
}

/* Folds a sum into the Internet checksum (RFC 1071), in the byte order of the words. */
static inline __u16 zt6_checksum_fold(__u64 sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (__u16)~sum;
}

/**
 * zt6_na_build - write the advertisement that answers a solicitation.
 * @na: where to, all of it is written
 * @source: its IPv6 source, an address of the port
 * @solicitor: source of the solicitation; `::` makes it an answer to Duplicate Address Detection:
 *	to all nodes and without the S flag (RFC 4861 §7.2.4)
 * @target: the address asked for
 * @mac: link-layer address of the port
 * @flags: of ZT6_NA_ROUTER and, for unsolicited announcements only, ZT6_NA_OVERRIDE
 *
 * The O flag is 0 in answers (MUST for a proxy, RFC 4861 §7.2.8), the target link-layer address option is
 * always there (MUST for a multicast solicitation, SHOULD for a unicast one, §7.2.4).
 */
static inline void zt6_na_build(struct zt6_na *na, const union zt6_addr *source,
				const union zt6_addr *solicitor, const union zt6_addr *target,
				const __u16 mac[ZT6_ETH_ALEN / 2], __u8 flags)
{
	const union zt6_addr all_nodes = {.bytes = {[0] = 0xff, [1] = 0x02, [15] = 0x01}};
	__u8 dad = !(solicitor->halves[0] | solicitor->halves[1]);
	__u64 sum;

	na->version_class_flow = zt6_be32(6 << 28);
	na->payload_length = zt6_be16(ZT6_NA_PAYLOAD);
	na->next_header = ZT6_IPPROTO_ICMPV6;
	na->hop_limit = ZT6_ND_HOP_LIMIT;
	na->src = *source;
	na->dst = dad ? all_nodes : *solicitor;
	na->type_code = zt6_be16(ZT6_ND_ADVERT << 8);
	na->flags = zt6_be16((flags | (dad ? 0 : ZT6_NA_SOLICITED)) << 8);
	na->reserved = 0;
	na->target = *target;
	na->option = zt6_be16(ZT6_ND_OPT_TARGET << 8 | 1 /* unit of 8 octets */);
	for (int i = 0; i < ZT6_ETH_ALEN / 2; i++)
		na->target_mac[i] = mac[i];
	/* RFC 8200 §8.1: addresses, upper-layer length and next header are summed as well. From
	 * where they came: reading back in other pieces than were just written stalls a CPU. */
	sum = zt6_be16(ZT6_NA_PAYLOAD) + zt6_be16(ZT6_IPPROTO_ICMPV6);
	sum += na->type_code + na->flags + na->option;
	sum += mac[0] + mac[1] + mac[2];
	sum = zt6_sum_words(source, sizeof(*source) / 4, sum);
	sum = zt6_sum_words(dad ? &all_nodes : solicitor, sizeof(*solicitor) / 4, sum);
	sum = zt6_sum_words(target, sizeof(*target) / 4, sum);
	na->checksum = zt6_checksum_fold(sum);
}

#endif
