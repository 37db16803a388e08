/* SPDX-License-Identifier: GPL-2.0-only */
/* The IPv4 header, RFC 791 §3.1. */
#ifndef ZT6_IPV4_H
#define ZT6_IPV4_H

#define IPV4_VERSION_IHL 0x45 /* version 4, five words: no options */
#define IPV4_DF          0x4000
#define IPV4_FRAGMENT    0x3fff /* More Fragments, and the offset */
#define IPV4_HEADER      20

static __always_inline __u16 ipv4_checksum(const struct iphdr *ip)
{
	return zt6_checksum_fold(zt6_sum_words(ip, sizeof(*ip) / 4, 0));
}

#endif
