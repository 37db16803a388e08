/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The witness: sees what the kernel forwards, on its way out.
 *
 * What comes here has passed netfilter, up to the egress hook, and has conntrack's entry as it is
 * after this packet. A direction of a flow that conntrack holds as established is written down for
 * the fast path (policy.h), and what a member sends lets in what answers it. Packets that the fast
 * path itself has redirected are no proof: from XDP
 * they do not come here, and TC says so beforehand (own_redirect).
 */
#ifndef ZT6_WITNESS_H
#define ZT6_WITNESS_H

/* Entries younger than this are not written again. */
#define WITNESS_INTERVAL(settings) ((settings)->jiffies_per_sec / 4)

/* A direction that was seen so lately has answered what the other one sends. */
#define WITNESS_ANSWERED(settings) ((settings)->jiffies_per_sec * 2)

#define MSEC_PER_SEC 1000

/* include/uapi/linux/netfilter/nf_conntrack_common.h */
#define IPS_SEEN_REPLY (1 << 1)
#define IPS_CONFIRMED  (1 << 3)
#define IPS_SRC_NAT    (1 << 4)
#define IPS_DST_NAT    (1 << 5)
#define IPS_DYING      (1 << 9)

#define TCP_CONNTRACK_ESTABLISHED 3 /* enum tcp_conntrack, nf_conntrack_tcp.h */

#define BPF_F_CURRENT_NETNS (-1)

/* As Linux 6.1 has it; later ones added zones behind it, and take both sizes. */
struct bpf_ct_opts___first {
	__s32 netns_id;
	__s32 error;
	__u8 l4proto;
	__u8 dir;
	__u8 reserved[2];
};

/* Linux 6.1; of the module nf_conntrack where that is one. */
extern struct nf_conn *bpf_skb_ct_lookup(struct __sk_buff *frame, struct bpf_sock_tuple *tuple,
					 __u32 tuple_length, struct bpf_ct_opts___first *options,
					 __u32 options_length) __ksym;
extern int bpf_ct_change_timeout(struct nf_conn *ct, __u32 timeout_ms) __ksym;
extern void bpf_ct_release(struct nf_conn *ct) __ksym;

/* Whether the flow's other direction has been seen of late. */
static __always_inline bool witness_answered(const struct zt6_settings *settings,
					     const union zt6_flow_key *key)
{
	union zt6_flow_key back = flow_back(key);
	const struct zt6_witnessed *seen = bpf_map_lookup_elem(&witnessed, &back);

	return seen && seen->jiffies + WITNESS_ANSWERED(settings) > bpf_jiffies64();
}

/*
 * Conntrack has seen data of which it has not seen the acknowledgment, because that took the short
 * way, and would forget the connection after five minutes of silence
 * (nf_conntrack_tcp_timeout_unacknowledged) instead of days. The timeout is never made shorter.
 */
static __always_inline void witness_prolong(const struct zt6_settings *settings,
					    const union zt6_flow_key *key, struct nf_conn *ct)
{
	__u64 wanted = (__u64)settings->established_ms * settings->jiffies_per_sec / MSEC_PER_SEC;
	__s32 left = ct->timeout - (__u32)bpf_jiffies64();

	if (key->protocol == IPPROTO_TCP && left < (__s64)(wanted - settings->jiffies_per_sec) &&
	    settings->established_ms && witness_answered(settings, key))
		bpf_ct_change_timeout(ct, settings->established_ms);
}

/* Whether conntrack holds the flow of the packet as established, both ways and without NAT, behind
 * which the fast path would have to rewrite what it does not. */
static __always_inline bool witness_established(struct __sk_buff *frame,
						const struct zt6_settings *settings,
						const union zt6_flow_key *key)
{
	struct bpf_ct_opts___first options = {
		.netns_id = BPF_F_CURRENT_NETNS,
		.l4proto = key->protocol,
	};
	struct bpf_sock_tuple tuple;
	unsigned long status;
	struct nf_conn *ct;
	bool established;

	__builtin_memcpy(tuple.ipv6.saddr, &key->src, sizeof(tuple.ipv6.saddr));
	__builtin_memcpy(tuple.ipv6.daddr, &key->dst, sizeof(tuple.ipv6.daddr));
	tuple.ipv6.sport = key->ports;
	tuple.ipv6.dport = key->ports >> 16;
	ct = bpf_skb_ct_lookup(frame, &tuple, sizeof(tuple.ipv6), &options, sizeof(options));
	if (!ct)
		return false;
	status = ct->status;
	established =
		(status & (IPS_SEEN_REPLY | IPS_CONFIRMED | IPS_SRC_NAT | IPS_DST_NAT |
			   IPS_DYING)) == (IPS_SEEN_REPLY | IPS_CONFIRMED) &&
		(key->protocol != IPPROTO_TCP || ct->proto.tcp.state == TCP_CONNTRACK_ESTABLISHED);
	if (established)
		witness_prolong(settings, key, ct);
	bpf_ct_release(ct);
	return established;
}

/* What the witness reads of a packet, as flow_read() does. */
struct witness_head {
	struct flow_head flow;
	__u32 transport; /* offset of that, from where IPv6 begins */
	__u32 in_port;   /* slots */
	__u32 out_port;
};

/* Whatever link layer the device has. */
static __always_inline long witness_load(frame_t *frame, __u32 offset, void *to, __u32 length)
{
	return bpf_skb_load_bytes_relative(frame, offset, to, length, BPF_HDR_START_NET);
}

/* Reads a packet that the kernel has forwarded from one port of ours to another. False for what is
 * none, or too short for any transport. */
static __always_inline bool witness_read(struct __sk_buff *frame, struct witness_head *head)
{
	__be32 fragments;

	head->transport = 0;
	if (!frame->ingress_ifindex || frame->protocol != bpf_htons(ETH_P_IPV6) ||
	    !flow_read(frame, witness_load, &head->transport, &head->flow, &fragments))
		return false;
	head->in_port = port_of_ifindex(frame->ingress_ifindex);
	head->out_port = port_of_ifindex(frame->ifindex);
	return head->in_port != ZT6_NO_PORT && head->out_port != ZT6_NO_PORT;
}

/* The TCP or UDP flow of the packet. False for what is none: nor is one that has extension headers, of
 * which the kernel may think otherwise than of the flow's other packets.
 * @turns: out, whether it is a turning point of TCP */
static __always_inline bool witness_flow(struct __sk_buff *frame, const struct witness_head *head,
					 union zt6_flow_key *key, bool *turns)
{
	struct tcp_header tcp;

	*turns = false;
	if (head->transport != IPV6_HEADER)
		return false;
	if (head->flow.ip.next_header == IPPROTO_TCP) {
		if (witness_load(frame, IPV6_HEADER, &tcp, sizeof(tcp)))
			return false;
		*turns = tcp.control & TCP_TURNING_POINT;
	} else if (head->flow.ip.next_header != IPPROTO_UDP) {
		return false;
	}
	key->src = head->flow.ip.src;
	key->dst = head->flow.ip.dst;
	key->ports = head->flow.words[0];
	key->protocol = head->flow.ip.next_header;
	key->in_port = head->in_port;
	key->out_port = head->out_port;
	key->pad = 0;
	return true;
}

/* A member has sent: what answers it is no newcomer (newcomer.h), whatever its protocol. */
static __always_inline void witness_sent(const struct witness_head *head)
{
	struct zt6_witnessed answer = {};

	if (!slot_is_inside(head->in_port) || slot_is_inside(head->out_port) ||
	    !flow_answer(&head->flow, &answer.key))
		return;
	answer.key.in_port = head->out_port;
	answer.key.out_port = head->in_port;
	if (!bpf_map_lookup_elem(&witnessed, &answer.key))
		bpf_map_update_elem(&witnessed, &answer.key, &answer, BPF_ANY);
}

/**
 * witness_forwarded - take note of a packet that leaves a port by the kernel's path.
 *
 * What begins or ends a connection is the opposite of a proof: the next packets shall be the
 * kernel's again.
 */
static __noinline int witness_forwarded(struct __sk_buff *frame,
					const struct zt6_settings *settings)
{
	struct zt6_witnessed fresh = {}, *before;
	struct witness_head head;
	bool turns;

	if (settings->policy != ZT6_POLICY_KERNEL || !witness_read(frame, &head))
		return 0;
	witness_sent(&head);
	if (!witness_flow(frame, &head, &fresh.key, &turns))
		return 0;
	if (turns)
		return flow_end(settings, &fresh.key);
	before = bpf_map_lookup_elem(&witnessed, &fresh.key);
	if (!witness_established(frame, settings, &fresh.key))
		return 0;
	fresh.jiffies = bpf_jiffies64();
	if (!before || before->jiffies + WITNESS_INTERVAL(settings) <= fresh.jiffies)
		bpf_map_update_elem(&witnessed, &fresh.key, &fresh, BPF_ANY);
	return 0;
}

#endif
