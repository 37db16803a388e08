/* SPDX-License-Identifier: GPL-2.0-only */
/* Transport headers, as far as they tell flows apart. */
#ifndef ZT6_FLOW_H
#define ZT6_FLOW_H

#define IPPROTO_UDP 17

#define UDP_HEADER 8 /* RFC 768 */

/* RFC 9293 §3.1: of the control bits. */
#define TCP_FIN 0x01
#define TCP_SYN 0x02
#define TCP_RST 0x04

/* What begins and what ends a connection: conntrack must see it. */
#define TCP_TURNING_POINT (TCP_FIN | TCP_SYN | TCP_RST)

/* RFC 9293 §3.1, without options. */
struct tcp_header {
	__be32 ports;
	__be32 sequence;
	__be32 acknowledgment;
	__u8 data_offset;
	__u8 control;
	__be16 window;
	__be16 checksum;
	__be16 urgent;
};

_Static_assert(sizeof(struct tcp_header) == 20, "RFC 9293 section 3.1");

static __always_inline bool flow_keys_equal(const union zt6_flow_key *a,
					    const union zt6_flow_key *b)
{
	/* Ports first: they differ soonest. */
	return a->words[4] == b->words[4] && a->words[3] == b->words[3] &&
	       a->words[1] == b->words[1] && a->words[2] == b->words[2] &&
	       a->words[0] == b->words[0];
}

#endif
