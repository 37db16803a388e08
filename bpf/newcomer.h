/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Newcomers: packets from outside that answer nobody inside.
 *
 * Under `policy kernel` they take the whole of the kernel's path, conntrack and nftables, most of them
 * to be dropped at its end: at the rate of a flood that is all that the machine does. So there is a
 * rate for them (limits new-flow-rate), and within it one for each member, by a hash of his address:
 * a flood of one member leaves to the others what they need to be reached.
 *
 * What answers a member passes whatever the rate: the witness has noted down what he has sent by the
 * kernel's path, which is at least the first packet of everything, and then one about every second
 * (witness.h). That decides about nothing else: whether an answer is let in is the kernel's to say.
 * A note outlives its flow until others need its place.
 *
 * The transport is looked for behind extension headers, too (flow.h). Of a packet in fragments only the first
 * has it, and lets in the others, which come behind it, by their identification.
 */
#ifndef ZT6_NEWCOMER_H
#define ZT6_NEWCOMER_H

#define ICMPV6_HEADER 8 /* RFC 4443 §3: of an error, before the packet that it is about */

/* Whether it opens a TCP connection: no answer does. Behind extension headers nobody looks. */
static __always_inline bool newcomer_is_syn(frame_t *frame, const struct packet *p)
{
	const struct tcp_header *tcp = frame_at(frame, p->ip_offset) + IPV6_HEADER;

	return p->next_header == IPPROTO_TCP && (const void *)(tcp + 1) <= frame_end(frame) &&
	       (tcp->control & (TCP_SYN | TCP_ACK)) == TCP_SYN;
}

/* The flow that a packet belongs to as an answer, but for the ports of the gateway; of an ICMPv6 error
 * that of the packet it is about. False for what answers nothing.
 * @fragments: out, the identification of a packet in fragments, or 0 */
static __always_inline bool newcomer_flow(frame_t *frame, const struct packet *p,
					  struct flow_head *head, union zt6_flow_key *key,
					  __be32 *fragments)
{
	bool error = p->has_icmp && p->icmp_type < ICMPV6_FIRST_INFORMATIONAL;
	__u32 offset = p->ip_offset;
	__be32 quoted;

	if (error) /* a storm of them: what is before the quoted packet has been read */
		offset += IPV6_HEADER;
	else if (newcomer_is_syn(frame, p) ||
		 !flow_read(frame, frame_load, &offset, head, fragments))
		return false;
	if (error || (head->ip.next_header == ZT6_IPPROTO_ICMPV6 &&
		      flow_icmp_type(head) < ICMPV6_FIRST_INFORMATIONAL)) {
		offset += ICMPV6_HEADER;
		*fragments = 0;
		return flow_read(frame, frame_load, &offset, head, &quoted) &&
		       flow_answer(head, key);
	}
	key->src = p->src;
	key->dst = p->dst;
	key->protocol = head->ip.next_header;
	key->pad = 0;
	key->ports = 0;
	if (key->protocol == IPPROTO_TCP || key->protocol == IPPROTO_UDP)
		key->ports = head->words[0];
	if (key->protocol != ZT6_IPPROTO_ICMPV6)
		return true;
	key->ports = flow_echo_identifier(head->words[1]);
	return flow_icmp_type(head) == ICMPV6_ECHO_REPLY;
}

static __always_inline bool newcomer_answers(frame_t *frame, const struct packet *p, __u8 out_port)
{
	const struct zt6_witnessed *witness;
	const __u8 let_in = 1;
	struct flow_head head;
	union zt6_flow_key key;
	bool answers, later;
	__be32 fragments;

	if (!newcomer_flow(frame, p, &head, &key, &fragments))
		return false;
	key.in_port = p->in_port;
	key.out_port = out_port;
	witness = bpf_map_lookup_elem(&witnessed, &key);
	answers = witness && flow_keys_equal(&witness->key, &key);
	if (!fragments)
		return answers;
	later = key.protocol == IPPROTO_FRAGMENT;
	key.protocol = IPPROTO_FRAGMENT;
	key.ports = fragments;
	if (answers && !later)
		bpf_map_update_elem(&fragmented, &key, &let_in, BPF_ANY);
	return answers || (later && bpf_map_lookup_elem(&fragmented, &key));
}

/* Whether one more packet is within the rate of the member and of the port. */
static __always_inline bool newcomer_take(const struct zt6_port *port, const struct packet *p)
{
	/* What comes out of the tunnel's interface has been counted as 6in4 already. */
	bool again = FRAME_MAY_LACK_LINK && !p->link_length;
	const struct zt6_rate *rate = &port->rates[ZT6_BUCKET_NEW_TO_ONE];
	/* No secret in it: who would hit a member's bucket by another address can as well by his. */
	__u64 hash = hash_mix(p->in_port << 1 | again, p->dst.halves[0]);
	__u32 index = hash_index(hash_mix(hash, p->dst.halves[1])) % ZT6_NEWCOMERS;
	__u64 *bucket = bpf_map_lookup_elem(&newcomers, &index);

	return bucket && bucket_spend(bucket, rate->interval_ns, rate->burst_ns) &&
	       bucket_take(port, p->in_port, again ? ZT6_BUCKET_NEW_TUNNEL : ZT6_BUCKET_NEW);
}

/**
 * newcomer_limited - whether a packet may not take the kernel's path.
 * @port: that it came from
 * @out_port: slot that it is routed to
 *
 * Where conntrack cannot be asked all forwarding is the kernel's, and nobody notes down who has sent.
 * Global, as route_ask() is.
 */
__noinline int newcomer_limited(frame_t *frame, const struct zt6_settings *settings,
				const struct zt6_port *port, const struct packet *p, __u32 out_port)
{
	return settings && port && p && (settings->flags & ZT6_SETTINGS_WITNESS) &&
	       !role_is_inside(port->role) && slot_is_inside(out_port) &&
	       !newcomer_answers(frame, p, out_port) && !newcomer_take(port, p);
}

#endif
