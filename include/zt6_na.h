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

/* The IPv6 packet, without Ethernet: every field is naturally aligned. */
struct zt6_na {
	__u8 version_class_flow[4];
	__u8 payload_length[2];
	__u8 next_header;
	__u8 hop_limit;
	union zt6_addr src;
	union zt6_addr dst;
	__u8 type;
	__u8 code;
	__u16 checksum;
	__u8 flags;
	__u8 reserved[3];
	union zt6_addr target;
	__u8 option_type;
	__u8 option_length; /* in units of 8 octets */
	__u8 target_mac[ZT6_ETH_ALEN];
};

_Static_assert(sizeof(struct zt6_na) == 72, "IPv6 header, NA and one option");

#define ZT6_NA_PAYLOAD (sizeof(struct zt6_na) - 40)

static inline __u32 zt6_sum_words(const void *words, __u32 count, __u32 sum)
{
	const __u16 *word = (const __u16 *)words;

	for (__u32 i = 0; i < count; i++)
		sum += word[i];
	return sum;
}

/* Folds a sum of 16-bit words into the Internet checksum (RFC 1071), byte order of the words. */
static inline __u16 zt6_checksum_fold(__u32 sum)
{
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
 * @router: 0 or ZT6_NA_ROUTER
 *
 * The O flag is 0 (MUST for a proxy, RFC 4861 §7.2.8), the target link-layer address option is
 * always there (MUST for a multicast solicitation, SHOULD for a unicast one, §7.2.4).
 */
static inline void zt6_na_build(struct zt6_na *na, const union zt6_addr *source,
				const union zt6_addr *solicitor, const union zt6_addr *target,
				const __u8 mac[ZT6_ETH_ALEN], __u8 router)
{
	__u8 dad = !(solicitor->halves[0] | solicitor->halves[1]);
	struct zt6_na head = {
		.version_class_flow = {0x60},
		.payload_length = {0, ZT6_NA_PAYLOAD},
		.next_header = ZT6_IPPROTO_ICMPV6,
		.hop_limit = ZT6_ND_HOP_LIMIT,
		.src = *source,
		.dst = *solicitor,
		.type = ZT6_ND_ADVERT,
		.flags = router | (dad ? 0 : ZT6_NA_SOLICITED),
		.target = *target,
		.option_type = ZT6_ND_OPT_TARGET,
		.option_length = 1,
	};
	struct {
		__u8 zero_length[3], length, zero_next[3], next_header;
	} pseudo = {.length = ZT6_NA_PAYLOAD, .next_header = ZT6_IPPROTO_ICMPV6};
	__u32 sum;

	__builtin_memcpy(head.target_mac, mac, ZT6_ETH_ALEN);
	if (dad) {
		head.dst.bytes[0] = 0xff; /* ff02::1 */
		head.dst.bytes[1] = 0x02;
		head.dst.bytes[15] = 0x01;
	}
	/* RFC 8200 §8.1: addresses, length, next header, then the message. */
	sum = zt6_sum_words(&pseudo, sizeof(pseudo) / 2, 0);
	sum = zt6_sum_words(&head.src, (sizeof(head) - 8) / 2, sum);
	head.checksum = zt6_checksum_fold(sum);
	*na = head;
}

#endif
