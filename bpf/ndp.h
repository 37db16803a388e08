/* SPDX-License-Identifier: GPL-2.0-only */
/* The NDP responder: validation by RFC 4861 §7.1.1, the proxy rules, and the answer. */
#ifndef ZT6_NDP_H
#define ZT6_NDP_H

#define ND_FIRST_TYPE 133 /* Router Solicitation; the last one is Redirect, 137 */
#define ND_LAST_TYPE  137

#define ND_SOLICIT_LENGTH 24 /* RFC 4861 §4.3, without options */
#define ND_TARGET_OFFSET  8
#define ND_OPTION_UNIT    8 /* RFC 4861 §4.6: lengths of options count these */

/* Longer messages, valid ones too, are left to the kernel: four options are many. */
#define ND_MAX_LENGTH  512
#define ND_MAX_OPTIONS ((ND_MAX_LENGTH - ND_SOLICIT_LENGTH) / ND_OPTION_UNIT)

/* One solicitor's retransmissions (RFC 4861 §10: every second) reach the agent once each. */
#define DEFER_INTERVAL(settings) ((settings)->jiffies_per_sec / 2)

struct solicitation {
	union zt6_addr target;
	__u8 reply_mac[ZT6_ETH_ALEN];
	__u8 has_link_layer; /* a source link-layer address option */
};

/* The ND message, zero-padded to a multiple of four octets for the checksum, and what is in it. */
struct nd_message {
	__u8 bytes[ND_MAX_LENGTH + 4];
	struct solicitation ns;
};

/* Programs only: where each CPU keeps the message it is looking at. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct nd_message);
} nd_messages SEC(".maps");

/* ff02::1:ff00:0/104, RFC 4291 §2.7.1. */
static __always_inline bool addr_solicited_node(const union zt6_addr *a)
{
	return a->words[0] == bpf_htonl(0xff020000) && !a->words[1] &&
	       a->words[2] == bpf_htonl(1) && a->bytes[12] == 0xff;
}

static __always_inline bool nd_checksum_valid(const struct packet *p, struct nd_message *message,
					      __u32 length)
{
	/* RFC 8200 §8.1: addresses, upper-layer length, next header. */
	__u64 sum = zt6_sum_words(&p->src, 2 * sizeof(p->src) / 4, 0) + bpf_htons(length) +
		    bpf_htons(ZT6_IPPROTO_ICMPV6);
	__u32 padded = (length + 3) & ~3U;
	__s64 rest;

	if (length > ND_MAX_LENGTH || padded > ND_MAX_LENGTH)
		return false;
	__builtin_memset(message->bytes + length, 0, 4);
	rest = bpf_csum_diff(NULL, 0, (void *)message->bytes, padded, 0);
	return rest >= 0 && !zt6_checksum_fold(sum + rest);
}

/* Walks the options; false when one has no length, overruns, or has no business being there. */
static __always_inline bool nd_options_valid(const struct nd_message *message, __u32 length,
					     struct solicitation *ns)
{
	__u32 offset = ND_SOLICIT_LENGTH;

	for (int i = 0; i < ND_MAX_OPTIONS && offset < length; i++) {
		const __u8 *option;
		__u32 option_length;

		if (offset > ND_MAX_LENGTH - ND_OPTION_UNIT || offset + ND_OPTION_UNIT > length)
			return false;
		option = message->bytes + offset;
		option_length = option[1] * ND_OPTION_UNIT;
		if (!option_length || offset + option_length > length)
			return false;
		if (option[0] == ZT6_ND_OPT_SOURCE && !ns->has_link_layer) {
			/* RFC 2464 §6: 8 octets; an answer to a group would be an amplifier. */
			if (option_length != ND_OPTION_UNIT || (option[2] & 1))
				return false;
			__builtin_memcpy(ns->reply_mac, option + 2, ZT6_ETH_ALEN);
			ns->has_link_layer = 1;
		}
		offset += option_length;
	}
	return offset == length;
}

/* Reads and validates a Neighbour Solicitation: every rule of RFC 4861 §7.1.1. */
static __noinline int nd_solicitation(frame_t *frame, const struct zt6_port *port,
				      const struct packet *p, struct nd_message *message)
{
	__u32 length = p->ip_length - IPV6_HEADER;
	struct solicitation *ns = &message->ns;

	if (p->hop_limit != ZT6_ND_HOP_LIMIT || length < ND_SOLICIT_LENGTH ||
	    addr_multicast(&p->src) || mac_equal(p->source_mac, port->mac))
		return ZT6_DROP_NDP_INVALID;
	if (length > ND_MAX_LENGTH)
		return ZT6_PASS_NDP;
	if (frame_load(frame, p->ip_offset + IPV6_HEADER, message->bytes, length))
		return ZT6_PASS_NDP;
	if (message->bytes[1] /* code */ || !nd_checksum_valid(p, message, length))
		return ZT6_DROP_NDP_INVALID;
	__builtin_memcpy(&ns->target, message->bytes + ND_TARGET_OFFSET, sizeof(ns->target));
	__builtin_memcpy(ns->reply_mac, p->source_mac, ZT6_ETH_ALEN);
	ns->has_link_layer = 0;
	if (addr_multicast(&ns->target) || addr_embeds_no_host(&ns->target) ||
	    !nd_options_valid(message, length, ns))
		return ZT6_DROP_NDP_INVALID;
	if (addr_unspecified(&p->src) && (ns->has_link_layer || !addr_solicited_node(&p->dst)))
		return ZT6_DROP_NDP_INVALID;
	return GO_ON;
}

static __always_inline const struct zt6_rule *nd_rule(__u8 slot, const union zt6_addr *target)
{
	struct zt6_rule_key key = {.prefixlen = 32 + 128, .port = slot};

	__builtin_memcpy(key.addr, target, sizeof(key.addr));
	return bpf_map_lookup_elem(&rules, &key);
}

/* Whether the kernel knows the target inside: GO_ON, or the verdict where it does not. */
static __always_inline int nd_kernel_knows(frame_t *frame, const struct zt6_settings *settings,
					   const struct zt6_agent *told,
					   const struct zt6_rule *rule, struct route_key *key)
{
	long result = BPF_FIB_LKUP_RET_SUCCESS;
	const struct zt6_port *inside;
	struct zt6_route *route;

	if (route_cached(settings, told, key, &route))
		key->out_port = route->out_port;
	else if (route)
		result = route_fill(frame, settings, told, key, route);
	else
		return ZT6_PASS_NDP;
	if (rule->method == ZT6_METHOD_IFACE)
		return result == BPF_FIB_LKUP_RET_SUCCESS && key->out_port == rule->iface
			       ? GO_ON
			       : ZT6_NDP_DEFERRED;
	switch (result) {
	case BPF_FIB_LKUP_RET_SUCCESS:
	case BPF_FIB_LKUP_RET_NO_NEIGH:
		break;
	case BPF_FIB_LKUP_RET_BLACKHOLE:
	case BPF_FIB_LKUP_RET_UNREACHABLE:
	case BPF_FIB_LKUP_RET_PROHIBIT:
		return ZT6_DROP_NDP_UNVERIFIED;
	default:
		return ZT6_PASS_NDP;
	}
	inside = bpf_map_lookup_elem(&ports, &key->out_port);
	if (!inside || !role_is_inside(inside->role) || key->out_port == key->in_port)
		return ZT6_PASS_NDP;
	return result == BPF_FIB_LKUP_RET_SUCCESS ? GO_ON : ZT6_NDP_DEFERRED;
}

/*
 * Whether the target is known to be in use: GO_ON, or the verdict where it is not.
 *
 * What the agent has verified decides, and expires by itself. The kernel alone holds a neighbour
 * valid long after it has gone (STALE), so its word counts only while there is no agent.
 */
static __noinline int nd_target_known(frame_t *frame, const struct zt6_settings *settings,
				      const struct zt6_agent *told, const struct zt6_rule *rule,
				      struct route_key *key)
{
	struct zt6_address_key address = {.addr = *key->dst, .port = key->in_port};
	struct zt6_verified *known = bpf_map_lookup_elem(&verified, &address);
	__u64 now = bpf_ktime_get_coarse_ns();
	const __u64 *absent_until;
	int verdict;

	if (known && known->expires_ns > now) {
		known->asked_ns = now;
		return GO_ON;
	}
	absent_until = bpf_map_lookup_elem(&negative, &address);
	if (absent_until && *absent_until > now)
		return ZT6_DROP_NDP_UNVERIFIED;
	verdict = nd_kernel_knows(frame, settings, told, rule, key);
	if (verdict == GO_ON && told->heartbeat_ns && told->heartbeat_ns + ZT6_AGENT_STALE_NS > now)
		return ZT6_NDP_DEFERRED;
	return verdict;
}

/* Hands the target to the agent, unless it has just been told or is told too much. */
static __noinline int nd_defer(const struct zt6_settings *settings, const struct zt6_port *port,
			       const struct packet *p, const struct solicitation *ns)
{
	struct zt6_deferred_key deferred_key = {
		.target = ns->target,
		.source = p->src,
		.port = p->in_port,
	};
	__u64 *handed = bpf_map_lookup_elem(&deferred, &deferred_key);
	__u64 now = bpf_jiffies64();
	struct zt6_event *event;

	if (handed && now - *handed < DEFER_INTERVAL(settings))
		return ZT6_NDP_DEFERRED;
	if (!bucket_take(port, p->in_port, ZT6_BUCKET_DEFERRED))
		return ZT6_DROP_UNRESOLVED_LIMITED;
	event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);
	if (!event)
		return ZT6_DROP_NDP_LIMITED;
	event->addr = ns->target;
	event->source = p->src;
	__builtin_memcpy(event->mac, ns->reply_mac, ZT6_ETH_ALEN);
	event->port = p->in_port;
	event->kind = ZT6_EVENT_SOLICITED;
	bpf_ringbuf_submit(event, 0);
	bpf_map_update_elem(&deferred, &deferred_key, &now, BPF_ANY);
	return ZT6_NDP_DEFERRED;
}

/* Turns the frame into the advertisement; the link header stays as long as it is. */
static __noinline int nd_answer(frame_t *frame, const struct zt6_port *port, const struct packet *p,
				const struct solicitation *ns)
{
	__u32 length = p->link_length + sizeof(struct zt6_na);
	bool dad = addr_unspecified(&p->src);
	/* RFC 2464 §7: the Ethernet address of ff02::1. */
	const __u8 all_nodes[ZT6_ETH_ALEN] = {0x33, 0x33, 0, 0, 0, 1};
	struct ethhdr *eth;
	struct zt6_na *na;

	/* It is written in place, into what data and data_end span. */
	if (frame_is_multi_buffer(frame, p->frame_length))
		return ZT6_PASS_NDP;
	if (length != p->frame_length && frame_grow_tail(frame, (int)length - (int)p->frame_length))
		return ZT6_PASS_NDP;
	eth = frame_data(frame);
	na = frame_at(frame, p->link_length);
	if ((void *)(eth + 1) > frame_end(frame) || (void *)(na + 1) > frame_end(frame))
		return ZT6_DROP_MALFORMED;
	__builtin_memcpy(eth->h_dest, dad ? all_nodes : ns->reply_mac, ZT6_ETH_ALEN);
	__builtin_memcpy(eth->h_source, port->mac, ZT6_ETH_ALEN);
	zt6_na_build(na, port->flags & ZT6_PORT_SOURCE_TARGET ? &ns->target : &port->na_source,
		     &p->src, &ns->target, port->mac,
		     port->flags & ZT6_PORT_ROUTER ? ZT6_NA_ROUTER : 0);
	return ZT6_NDP_ANSWERED;
}

/* A solicitation hidden behind a fragment header, which RFC 6980 §5 wants ignored. */
static __always_inline bool nd_is_fragmented(frame_t *frame, const struct packet *p)
{
	struct {
		__u8 next_header, reserved;
		__be16 offset;
		__be32 id;
		__u8 icmp_type;
	} __attribute__((packed)) head;

	if (p->next_header != IPPROTO_FRAGMENT || !addr_multicast(&p->dst) ||
	    p->ip_length < IPV6_HEADER + sizeof(head) ||
	    frame_load(frame, p->ip_offset + IPV6_HEADER, &head, sizeof(head)))
		return false;
	return head.next_header == ZT6_IPPROTO_ICMPV6 && !(head.offset & bpf_htons(0xfff8)) &&
	       head.icmp_type == ZT6_ND_SOLICIT;
}

/* A solicitation on a proxied port: validated, matched, answered. */
static __noinline int nd_solicited(frame_t *frame, const struct zt6_settings *settings,
				   const struct zt6_agent *told, const struct zt6_port *port,
				   const struct packet *p)
{
	/* Where a target lives does not depend on who asks; and for a link-local source, which most
	 * solicitors have, bpf_fib_lookup() finds no route. */
	static const union zt6_addr anybody = {};
	struct route_key key = {.port = port, .src = &anybody, .in_port = p->in_port};
	__u32 zero = 0;
	struct nd_message *message = bpf_map_lookup_elem(&nd_messages, &zero);
	const struct zt6_prefix *owner;
	const struct solicitation *ns;
	const struct zt6_rule *rule;
	int verdict;

	if (!message)
		return ZT6_PASS_NDP;
	verdict = nd_solicitation(frame, port, p, message);
	if (verdict != GO_ON)
		return verdict;
	ns = &message->ns;
	rule = nd_rule(p->in_port, &ns->target);
	owner = prefix_of(&ns->target);
	if (!rule || addr_link_local(&ns->target) || (owner && owner->own))
		return ZT6_PASS_NDP;
	if (addr_unspecified(&p->src) && !(rule->flags & ZT6_RULE_DAD))
		return ZT6_PASS_NDP;
	if (!bucket_take(port, p->in_port, ZT6_BUCKET_NDP))
		return ZT6_DROP_NDP_LIMITED;
	/* An unasked-for defence against DAD would keep every new host off the link: whatever the
	 * method, the target must be known to be in use. */
	if (rule->method != ZT6_METHOD_STATIC || addr_unspecified(&p->src)) {
		key.dst = &ns->target;
		verdict = nd_target_known(frame, settings, told, rule, &key);
		if (verdict == ZT6_NDP_DEFERRED)
			return nd_defer(settings, port, p, ns);
		if (verdict != GO_ON)
			return verdict;
	}
	return nd_answer(frame, port, p, ns);
}

/**
 * ndp_respond - the responder, for packets that came natively on a port.
 *
 * Returns GO_ON for what is not ND. All other ND than solicitations for targets under a rule is the
 * kernel's business, our own addresses and link-local targets included.
 */
static __always_inline int ndp_respond(frame_t *frame, const struct zt6_settings *settings,
				       const struct zt6_agent *told, const struct zt6_port *port,
				       const struct packet *p)
{
	bool proxied = (port->flags & ZT6_PORT_PROXY) && p->ip_offset == p->link_length;

	if (proxied && nd_is_fragmented(frame, p))
		return ZT6_DROP_NDP_INVALID;
	if (!p->has_icmp || p->icmp_type < ND_FIRST_TYPE || p->icmp_type > ND_LAST_TYPE)
		return GO_ON;
	if (!proxied || p->icmp_type != ZT6_ND_SOLICIT)
		return ZT6_PASS_NDP;
	return nd_solicited(frame, settings, told, port, p);
}

#endif
