/* SPDX-License-Identifier: GPL-2.0-only */
/* Transport headers, as far as they tell flows apart, and what may stand before them. */
#ifndef ZT6_FLOW_H
#define ZT6_FLOW_H

#define IPPROTO_UDP 17

#define UDP_HEADER 8 /* RFC 768 */

/* RFC 9293 §3.1: of the control bits. */
#define TCP_FIN 0x01
#define TCP_SYN 0x02
#define TCP_RST 0x04
#define TCP_ACK 0x10

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

/* The other direction of a TCP or UDP flow. */
static __always_inline union zt6_flow_key flow_back(const union zt6_flow_key *key)
{
	return (union zt6_flow_key){
		.src = key->dst,
		.dst = key->src,
		.ports = key->ports >> 16 | key->ports << 16,
		.protocol = key->protocol,
		.in_port = key->out_port,
		.out_port = key->in_port,
	};
}

/* RFC 4443 §4. */
#define ICMPV6_FIRST_INFORMATIONAL 128 /* smaller types are errors, §2.1 */
#define ICMPV6_ECHO_REQUEST        128
#define ICMPV6_ECHO_REPLY          129

/* An IPv6 header and the first eight octets behind it, which tell flows apart. */
struct flow_head {
	struct ipv6_header ip;
	__be32 words[2];
};

_Static_assert(sizeof(struct flow_head) == IPV6_HEADER + 8, "no padding");

/* What is passed over on the way to the transport: who sends longer chains shall not buy work by it. */
#define FLOW_EXTENSIONS 4

/* RFC 8200 §4.5, host byte order. */
#define FRAGMENT_OFFSET 0xfff8
#define FRAGMENT_MORE   0x0001

/* The first eight octets of an extension header: RFC 8200 §4.3 to §4.6. */
struct extension_header {
	__u8 next_header;
	__u8 length;     /* in eight octets beyond the first; a fragment header has none */
	__be16 fragment; /* this and the next in a fragment header only */
	__be32 identification;
};

/* frame_load(), or one whose offsets count from elsewhere. */
typedef long (*flow_load)(frame_t *frame, __u32 offset, void *to, __u32 length);

static __always_inline bool flow_extends(__u8 next_header)
{
	return next_header == IPPROTO_HOPOPTS || next_header == IPPROTO_ROUTING ||
	       next_header == IPPROTO_FRAGMENT || next_header == IPPROTO_DSTOPTS;
}

/**
 * flow_read - read a packet as if it had no extension headers.
 * @offset: in, of the packet; out, of what the two words are read from
 * @head: out; where there is no transport, in all fragments but the first and behind a chain of more
 *	than FLOW_EXTENSIONS, its next header is that of an extension header
 * @fragments: out, the identification of a packet that is one of several fragments, or 0
 *
 * False where it is too short.
 */
static __always_inline bool flow_read(frame_t *frame, flow_load load, __u32 *offset,
				      struct flow_head *head, __be32 *fragments)
{
	struct extension_header extension;
	bool first = true;

	*fragments = 0;
	if (load(frame, *offset, head, sizeof(*head)))
		return false;
	*offset += IPV6_HEADER;
	if (!flow_extends(head->ip.next_header))
		return true;
	for (int i = 0; i < FLOW_EXTENSIONS && first && flow_extends(head->ip.next_header); i++) {
		if (load(frame, *offset, &extension, sizeof(extension)))
			return false;
		*offset += sizeof(extension);
		if (head->ip.next_header != IPPROTO_FRAGMENT) {
			*offset += extension.length * (__u32)sizeof(extension);
		} else if (extension.fragment & bpf_htons(FRAGMENT_OFFSET | FRAGMENT_MORE)) {
			*fragments = extension.identification;
			first = !(extension.fragment & bpf_htons(FRAGMENT_OFFSET));
		}
		if (first)
			head->ip.next_header = extension.next_header;
	}
	return !first || !load(frame, *offset, head->words, sizeof(head->words));
}

/* The identifier of an ICMPv6 echo, from the word that it stands in. */
static __always_inline __be32 flow_echo_identifier(__be32 word)
{
	return word & bpf_htonl(0xffff0000);
}

static __always_inline __u8 flow_icmp_type(const struct flow_head *head)
{
	return bpf_ntohl(head->words[0]) >> 24;
}

/**
 * flow_answer - what the answer to a packet would look like.
 * @key: out, but for the ports of the gateway. In place of ports ICMPv6 has the identifier of its
 *	echoes; other protocols, and fragments without a transport, have 0
 *
 * False for what no answer is expected to: ICMPv6 but echo requests.
 */
static __always_inline bool flow_answer(const struct flow_head *head, union zt6_flow_key *key)
{
	__u8 protocol = head->ip.next_header;

	key->src = head->ip.dst;
	key->dst = head->ip.src;
	key->protocol = protocol;
	key->ports = 0;
	key->pad = 0;
	if (protocol == IPPROTO_TCP || protocol == IPPROTO_UDP)
		key->ports = head->words[0] >> 16 | head->words[0] << 16;
	if (protocol != ZT6_IPPROTO_ICMPV6)
		return true;
	key->ports = flow_echo_identifier(head->words[1]);
	return flow_icmp_type(head) == ICMPV6_ECHO_REQUEST;
}

#endif
