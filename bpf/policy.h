/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What netfilter has to say about a packet that the fast path could forward.
 *
 * Under `policy kernel` nobody but the kernel decides: a packet of a TCP or UDP flow is forwarded
 * here when the kernel itself has forwarded one of the same direction within POLICY_BELIEVED, and
 * conntrack held the flow as established by then (witness.h). Every direction so shows itself to
 * the administrator's rules about once a second, and keeps its conntrack entry alive by that, while
 * the others of its packets take the short way. Whatever the rules, sets or tables say, whoever
 * changed them, and whether there is an agent or not: what the kernel would not forward any more
 * stops when the last word of it has grown too old.
 *
 * First packets, SYN, FIN, RST, ICMPv6, fragments and everything else go to the kernel.
 */
#ifndef ZT6_POLICY_H
#define ZT6_POLICY_H

/* How old the kernel's word may be, and from when on a packet is sent to renew it: before it is
 * missed. Less than a second, in jiffies. */
#define POLICY_BELIEVED(settings) ((settings)->jiffies_per_sec * 7 / 8)
#define POLICY_RENEWED(settings)  ((settings)->jiffies_per_sec * 5 / 8)

/* While a renewal is on its way, or was lost, further packets do not follow it. */
#define POLICY_RETRY(settings) ((settings)->jiffies_per_sec / 16 + 1)

/*
 * Reads what tells the flow of a packet from others. False for what is no flow of ours: another
 * protocol, a header that is not there or not in front.
 * @turns: out, whether it is a turning point of TCP
 */
static __always_inline bool policy_flow(frame_t *frame, const struct packet *p, __u8 out_port,
					union zt6_flow_key *key, bool *turns)
{
	const struct tcp_header *tcp = frame_at(frame, p->ip_offset) + IPV6_HEADER;
	const void *end = frame_end(frame);

	*turns = false;
	if (p->next_header == IPPROTO_TCP) {
		if (p->ip_length < IPV6_HEADER + sizeof(*tcp) || (const void *)(tcp + 1) > end)
			return false;
		*turns = tcp->control & TCP_TURNING_POINT;
	} else if (p->next_header != IPPROTO_UDP || p->ip_length < IPV6_HEADER + UDP_HEADER ||
		   (const void *)tcp + UDP_HEADER > end) {
		return false;
	}
	key->src = p->src;
	key->dst = p->dst;
	key->ports = tcp->ports;
	key->protocol = p->next_header;
	key->in_port = p->in_port;
	key->out_port = out_port;
	key->pad = 0;
	return true;
}

/* What the kernel has to judge, unless it is one too many. */
static __always_inline int policy_within(frame_t *frame, const struct zt6_settings *settings,
					 const struct zt6_port *port, const struct packet *p,
					 __u8 out_port)
{
	return newcomer_limited(frame, settings, port, p, out_port) ? ZT6_DROP_NEW_LIMITED
								    : ZT6_PASS_POLICY;
}

/* Asks what the kernel has said last, and notes it down. GO_ON, or PASS_POLICY. */
static __noinline int policy_ask(const struct zt6_settings *settings, const union zt6_flow_key *key,
				 struct zt6_flow *way)
{
	const struct zt6_witnessed *witness = bpf_map_lookup_elem(&witnessed, key);
	__u64 now = bpf_jiffies64(), said;

	if (!witness)
		return ZT6_PASS_POLICY;
	said = *(volatile const __u64 *)&witness->jiffies;
	if (!flow_keys_equal(&witness->key, key) || said + POLICY_BELIEVED(settings) <= now)
		return ZT6_PASS_POLICY;
	way->key = *key;
	if (said + POLICY_RENEWED(settings) > now) {
		way->until_jiffies = said + POLICY_RENEWED(settings);
		return GO_ON;
	}
	way->until_jiffies = now + POLICY_RETRY(settings);
	if (way->until_jiffies > said + POLICY_BELIEVED(settings))
		way->until_jiffies = said + POLICY_BELIEVED(settings);
	return ZT6_PASS_POLICY;
}

/**
 * policy_kernel - whether the kernel lets packets of this flow pass.
 * @port: that it came from
 * @out_port: slot that it is routed to
 *
 * A flood of SYNs ends before it is looked for in the cache, which is too large for that of the CPU.
 * Returns GO_ON, PASS_POLICY or DROP_NEW_LIMITED.
 */
static __noinline int policy_kernel(frame_t *frame, const struct zt6_settings *settings,
				    const struct zt6_port *port, const struct packet *p,
				    __u8 out_port)
{
	union zt6_flow_key key;
	struct zt6_flow_set *set;
	struct zt6_flow *victim;
	__u64 now = bpf_jiffies64();
	__u32 hash, index;
	bool turns;

	if (!policy_flow(frame, p, out_port, &key, &turns))
		return policy_within(frame, settings, port, p, out_port);
	if (turns && policy_within(frame, settings, port, p, out_port) != ZT6_PASS_POLICY)
		return ZT6_DROP_NEW_LIMITED;
	hash = flow_hash(settings, &key);
	index = flow_set_index(settings, hash);
	set = bpf_map_lookup_elem(&flows, &index);
	if (!set)
		return ZT6_PASS_POLICY;
	victim = &set->ways[(hash ^ now) % ZT6_WAYS];
	for (int i = 0; i < ZT6_WAYS; i++) {
		struct zt6_flow *flow = &set->ways[i];

		if (flow_keys_equal(&flow->key, &key)) {
			victim = flow;
			if (turns) /* what comes after it, the last ACK, is for the kernel */
				flow->until_jiffies = 0;
			else if (flow->until_jiffies > now)
				return GO_ON;
			break;
		}
		if (flow->until_jiffies <= now)
			victim = flow;
	}
	if (turns)
		return ZT6_PASS_POLICY;
	if (policy_ask(settings, &key, victim) == GO_ON)
		return GO_ON;
	return policy_within(frame, settings, port, p, out_port);
}

static __always_inline int policy_forward(frame_t *frame, const struct zt6_settings *settings,
					  const struct zt6_port *port, const struct packet *p,
					  __u8 out_port)
{
	if (settings->policy == ZT6_POLICY_OFF)
		return GO_ON;
	if (!(settings->flags & ZT6_SETTINGS_WITNESS))
		return ZT6_PASS_POLICY;
	return policy_kernel(frame, settings, port, p, out_port);
}

#endif
