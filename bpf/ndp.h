/* SPDX-License-Identifier: GPL-2.0-only */
/* The NDP responder: validation by RFC 4861 §7.1.1, the proxy rules, and the answer. */
#ifndef ZT6_NDP_H
#define ZT6_NDP_H

#define ND_FIRST_TYPE 133 /* Router Solicitation; the last one is Redirect, 137 */
#define ND_LAST_TYPE  137

#define ND_SOLICIT_LENGTH 24 /* RFC 4861 §4.3, without options */

/* Longer messages, valid ones too, are left to the kernel: four options are many. */
#define ND_MAX_LENGTH 512
#define ND_MAX_UNITS  (ND_MAX_LENGTH / sizeof(union nd_unit))

/* One solicitor's retransmissions (RFC 4861 §10: every second) reach the agent once each. */
#define DEFER_INTERVAL(settings) ((settings)->jiffies_per_sec / 2)

struct solicitation {
	union zt6_addr target;
	__u8 reply_mac[ZT6_ETH_ALEN];
	__u8 has_link_layer; /* a source link-layer address option */
};

/* Eight octets of an ND message: it is made of nothing else (RFC 4861 §4.3, §4.6). */
union nd_unit {
	__u64 whole;
	struct {
		__u8 type;
		__u8 code;
	} head; /* the first one */
	struct {
		__u8 type;
		__u8 length; /* of the option, in units */
		__u8 mac[ZT6_ETH_ALEN];
	} option; /* the first one of an option */
};

/* How many units there are before the options; the target fills the last two. */
#define ND_HEAD_UNITS (ND_SOLICIT_LENGTH / sizeof(union nd_unit))

/* ff02::1:ff00:0/104, RFC 4291 §2.7.1. */
static __always_inline bool addr_solicited_node(const union zt6_addr *a)
{
	return a->words[0] == bpf_htonl(0xff020000) && !a->words[1] &&
	       a->words[2] == bpf_htonl(1) && a->bytes[12] == 0xff;
}

/* Takes note of an option's first unit; false when it may not be there. */
static __always_inline bool nd_option_valid(const union nd_unit *unit, struct solicitation *ns)
{
	if (!unit->option.length)
		return false;
	if (unit->option.type != ZT6_ND_OPT_SOURCE || ns->has_link_layer)
		return true;
	/* RFC 2464 §6: 8 octets; an answer to a group would be an amplifier. */
	if (unit->option.length != 1 || (unit->option.mac[0] & 1))
		return false;
	__builtin_memcpy(ns->reply_mac, unit->option.mac, ZT6_ETH_ALEN);
	ns->has_link_layer = 1;
	return true;
}

static __always_inline __u64 nd_unit_sum(const union nd_unit *unit)
{
	return (unit->whole & 0xffffffff) + (unit->whole >> 32);
}

/* Reads and validates a Neighbour Solicitation: every rule of RFC 4861 §7.1.1. */
static __always_inline int nd_solicitation_read(frame_t *frame, const struct zt6_port *port,
						const struct packet *p, struct solicitation *ns)
{
	const union nd_unit *unit = frame_at(frame, p->ip_offset) + IPV6_HEADER;
	const void *end = frame_end(frame);
	__u32 length = p->ip_length - IPV6_HEADER, units = length / sizeof(*unit);
	__u32 of_option = 0; /* units left of the option that is being passed */
	/* RFC 8200 §8.1: addresses, upper-layer length, next header. */
	__u64 sum = zt6_sum_words(&p->src, 2 * sizeof(p->src) / 4, 0) + bpf_htons(length) +
		    bpf_htons(ZT6_IPPROTO_ICMPV6);

	if (p->hop_limit != ZT6_ND_HOP_LIMIT || units < ND_HEAD_UNITS || length % sizeof(*unit) ||
	    addr_multicast(&p->src) || mac_equal(p->source_mac, port->mac))
		return ZT6_DROP_NDP_INVALID;
	if (length > ND_MAX_LENGTH || (const void *)(unit + ND_HEAD_UNITS) > end)
		return ZT6_PASS_NDP;
	if (unit->head.code)
		return ZT6_DROP_NDP_INVALID;
	ns->target.halves[0] = unit[1].whole;
	ns->target.halves[1] = unit[2].whole;
	__builtin_memcpy(ns->reply_mac, p->source_mac, ZT6_ETH_ALEN);
	ns->has_link_layer = 0;
	sum += nd_unit_sum(&unit[0]) + nd_unit_sum(&unit[1]) + nd_unit_sum(&unit[2]);
	for (__u32 i = ND_HEAD_UNITS; i < ND_MAX_UNITS && i < units; i++) {
		if ((const void *)(unit + i + 1) > end)
			return ZT6_PASS_NDP;
		sum += nd_unit_sum(&unit[i]);
		if (!of_option) {
			if (!nd_option_valid(&unit[i], ns))
				return ZT6_DROP_NDP_INVALID;
			of_option = unit[i].option.length;
		}
		of_option--;
	}
	if (of_option || zt6_checksum_fold(sum) || addr_multicast(&ns->target) ||
	    addr_embeds_no_host(&ns->target))
		return ZT6_DROP_NDP_INVALID;
	if (addr_unspecified(&p->src) && (ns->has_link_layer || !addr_solicited_node(&p->dst)))
		return ZT6_DROP_NDP_INVALID;
	return GO_ON;
}

/* The same, global (see route_ask()). */
__noinline int nd_solicitation(frame_t *frame, const struct zt6_port *port, const struct packet *p,
			       struct solicitation *ns)
{
	if (!port || !p || !ns)
		return ZT6_PASS_NDP;
	return nd_solicitation_read(frame, port, p, ns);
}

static __always_inline const struct zt6_rule *nd_rule(__u8 slot, const union zt6_addr *target)
{
	struct zt6_rule_key key = {.prefixlen = 32 + 128, .port = slot};

	__builtin_memcpy(key.addr, target, sizeof(key.addr));
	return bpf_map_lookup_elem(&rules, &key);
}

/* By which port the cache says that a target is reached; ZT6_NO_PORT where the kernel is to be asked, and
 * a negative number where it may not be. A function of its own, for the stack's sake. */
static __noinline int nd_cached(const struct zt6_settings *settings, const struct zt6_agent *told,
				const struct route_key *key)
{
	struct zt6_route *route;

	if (route_cached(settings, told, key, &route))
		return route->out_port;
	return route_may_ask(settings, key, route, prefix_of(key->dst)) ? ZT6_NO_PORT : -1;
}

/* Whether the kernel knows the target inside: GO_ON, or the verdict where it does not. */
static __always_inline int nd_kernel_knows(frame_t *frame, const struct zt6_settings *settings,
					   const struct zt6_agent *told,
					   const struct zt6_rule *rule, struct route_key *key)
{
	int cached = nd_cached(settings, told, key);
	long result = BPF_FIB_LKUP_RET_SUCCESS;
	const struct zt6_port *inside;

	if (cached < 0)
		return ZT6_DROP_UNRESOLVED_LIMITED;
	key->out_port = cached;
	if (cached == ZT6_NO_PORT)
		result = route_fill(frame, settings, told, key);
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

/* Whether there is an agent to hand targets to. */
static __always_inline bool nd_agent_listens(const struct zt6_agent *told, __u64 now)
{
	return told->heartbeat_ns && told->heartbeat_ns + ZT6_AGENT_STALE_NS > now;
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
	/* A scan: what may not be handed over need not be looked up any further. */
	if (nd_agent_listens(told, now) &&
	    !bucket_has(key->port, key->in_port, ZT6_BUCKET_DEFERRED, now))
		return ZT6_DROP_UNRESOLVED_LIMITED;
	absent_until = bpf_map_lookup_elem(&negative, &address);
	if (absent_until && *absent_until > now)
		return ZT6_DROP_NDP_UNVERIFIED;
	verdict = nd_kernel_knows(frame, settings, told, rule, key);
	if (verdict == GO_ON && nd_agent_listens(told, bpf_ktime_get_coarse_ns()))
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
static __always_inline int nd_answer(frame_t *frame, const struct zt6_port *port,
				     const struct packet *p, const struct solicitation *ns)
{
	__u32 length = p->link_length + sizeof(struct zt6_na);
	/* RFC 2464 §7: the Ethernet address of ff02::1. */
	const __u8 all_nodes[ZT6_ETH_ALEN] = {0x33, 0x33, 0, 0, 0, 1};
	struct ethhdr *eth;
	struct zt6_na *na;

	/* In XDP it is written in place, into what data and data_end span. */
	if (frame_is_multi_buffer(frame, p->frame_length))
		return ZT6_PASS_NDP;
	if (length != p->frame_length && frame_grow_tail(frame, (int)length - (int)p->frame_length))
		return ZT6_PASS_NDP;
	eth = frame_data(frame);
	na = frame_reply(frame, p->link_length);
	if ((void *)(eth + 1) > frame_end(frame) || !na)
		return ZT6_DROP_MALFORMED;
	if (addr_unspecified(&p->src))
		__builtin_memcpy(eth->h_dest, all_nodes, ZT6_ETH_ALEN);
	else
		__builtin_memcpy(eth->h_dest, ns->reply_mac, ZT6_ETH_ALEN);
	__builtin_memcpy(eth->h_source, port->mac, ZT6_ETH_ALEN);
	zt6_na_build(na, port->flags & ZT6_PORT_SOURCE_TARGET ? &ns->target : &port->na_source,
		     &p->src, &ns->target, (const __u16 *)port->mac,
		     port->flags & ZT6_PORT_ROUTER ? ZT6_NA_ROUTER : 0);
	return frame_reply_written(frame, p->link_length, na) ? ZT6_DROP_MALFORMED
							      : ZT6_NDP_ANSWERED;
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
	/* Read first: what changes meanwhile makes the answer one that is not remembered. */
	__u32 generation = *(volatile const __u32 *)&told->generation;
	bool dad = addr_unspecified(&p->src);
	const struct zt6_rule *rule = NULL;
	const struct zt6_prefix *owner;
	struct nd_recent *recent;
	struct solicitation ns;
	int verdict;

	verdict = nd_solicitation(frame, port, p, &ns);
	if (verdict != GO_ON)
		return verdict;
	recent = nd_recent_of(settings, p->in_port, &ns.target);
	verdict = dad ? GO_ON : nd_recent_verdict(recent, told, p->in_port, &ns.target);
	if (verdict == ZT6_DROP_NDP_UNVERIFIED)
		return verdict;
	if (verdict == GO_ON) {
		rule = nd_rule(p->in_port, &ns.target);
		owner = prefix_of(&ns.target);
		if (!rule || addr_link_local(&ns.target) || (owner && owner->own))
			return ZT6_PASS_NDP;
		if (dad && !(rule->flags & ZT6_RULE_DAD))
			return ZT6_PASS_NDP;
	}
	/* An unasked-for defence against DAD would keep every new host off the link: whatever the
	 * method, the target must be known to be in use. */
	if (rule && (rule->method != ZT6_METHOD_STATIC || dad)) {
		key.dst = &ns.target;
		verdict = nd_target_known(frame, settings, told, rule, &key);
		if (verdict == ZT6_DROP_NDP_UNVERIFIED && !dad)
			nd_recent_fill(recent, settings, generation, p->in_port, &ns.target,
				       verdict);
		if (verdict != GO_ON && verdict != ZT6_NDP_DEFERRED)
			return verdict;
	}
	/* Only for what would be done: whoever asks for nobody, from ever new sources, shall not have
	 * each of them written down. */
	if (!bucket_of_solicitor(port, p->in_port, &p->src) ||
	    !bucket_take(port, p->in_port, ZT6_BUCKET_NDP))
		return ZT6_DROP_NDP_LIMITED;
	if (verdict == ZT6_NDP_DEFERRED)
		return nd_defer(settings, port, p, &ns);
	if (rule && !dad)
		nd_recent_fill(recent, settings, generation, p->in_port, &ns.target,
			       ZT6_NDP_ANSWERED);
	return nd_answer(frame, port, p, &ns);
}

/**
 * ndp_respond - the responder, for packets that came natively on a port.
 *
 * Returns GO_ON for what is not ND. All other ND than solicitations for targets under a rule is the
 * kernel's business, our own addresses and link-local targets included, as far as it stays on its
 * link (nd_for_kernel()).
 */
static __always_inline int ndp_respond(frame_t *frame, const struct zt6_settings *settings,
				       const struct zt6_agent *told, const struct zt6_port *port,
				       const struct packet *p)
{
	bool proxied =
		(port->flags & ZT6_PORT_PROXY) && p->ip_offset == p->link_length && !p->behind;
	int verdict = ZT6_PASS_NDP;

	if (proxied && nd_is_fragmented(frame, p))
		return ZT6_DROP_NDP_INVALID;
	if (!p->has_icmp || p->icmp_type < ND_FIRST_TYPE || p->icmp_type > ND_LAST_TYPE)
		return GO_ON;
	if (proxied && p->icmp_type == ZT6_ND_SOLICIT)
		verdict = nd_solicited(frame, settings, told, port, p);
	return verdict == ZT6_PASS_NDP ? nd_for_kernel(frame, p) : verdict;
}

#endif
