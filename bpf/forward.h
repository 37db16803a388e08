/* SPDX-License-Identifier: GPL-2.0-only */
/* Forwarding: guard, route, hop limit, MTU, policy and rewrite, in this order. */
#ifndef ZT6_FORWARD_H
#define ZT6_FORWARD_H

/* What the kernel shall do with a packet that it says it would not forward (yet). */
static __noinline int forward_refused(const struct zt6_port *port, const struct packet *p,
				      long fib_result)
{
	/* What comes out of the tunnel's interface has taken a token as 6in4 already, unless it was in
	 * fragments. */
	enum zt6_bucket bucket =
		FRAME_MAY_LACK_LINK && !p->link_length ? ZT6_BUCKET_TUNNEL : ZT6_BUCKET_UNRESOLVED;

	if (p->behind)
		return LEFT;
	switch (fib_result) {
	case BPF_FIB_LKUP_RET_NO_NEIGH:
		return bucket_take(port, p->in_port, bucket) ? ZT6_PASS_UNRESOLVED
							     : ZT6_DROP_UNRESOLVED_LIMITED;
	case BPF_FIB_LKUP_RET_UNREACHABLE:
	case BPF_FIB_LKUP_RET_PROHIBIT:
		return bucket_take(port, p->in_port, bucket) ? ZT6_PASS_NO_ROUTE
							     : ZT6_DROP_UNRESOLVED_LIMITED;
	case BPF_FIB_LKUP_RET_BLACKHOLE:
		return ZT6_DROP_BLACKHOLE;
	case BPF_FIB_LKUP_RET_NOT_FWDED:
	case BPF_FIB_LKUP_RET_FWD_DISABLED:
		/* Ambiguous: no route, or an own address that `prefixes` does not know yet. The
		 * gateway must stay reachable, so there is no limit. */
		return ZT6_PASS_NO_ROUTE;
	default:
		return ZT6_PASS_OTHER;
	}
}

/* The largest packets that come from a port, and go back to it: of a tunnel's far end no more is
 * known than of the way there. */
static __always_inline __u32 forward_mtu_of(const struct zt6_settings *settings,
					    const struct zt6_port *port)
{
	const struct zt6_tunnel *tunnel = sixinfour_tunnel_of(settings, port);
	bool whole;

	return tunnel ? path_mtu_inner(tunnel, tunnel->mtu + IPV4_HEADER, &whole) : port->mtu;
}

/* What TCP may announce on a route, either way; 0 where both ends see for themselves what fits. */
static __noinline __u16 forward_mss(const struct zt6_settings *settings, const struct zt6_port *in,
				    const struct zt6_route *route)
{
	__u32 slot = route->out_port, in_mtu = forward_mtu_of(settings, in);
	const struct zt6_port *out = bpf_map_lookup_elem(&ports, &slot);

	if (in->role != ZT6_ROLE_TUNNEL && in_mtu == route->mtu &&
	    (!out || out->role != ZT6_ROLE_TUNNEL))
		return 0;
	return mss_of_mtu(in_mtu < route->mtu ? in_mtu : route->mtu);
}

/* The entry remembers a source that has passed the guard. One that is not bound to its MAC shall be
 * counted with every packet: it will be looked at again. */
static __always_inline void forward_remember(const struct zt6_settings *settings,
					     const struct route_key *key, const struct packet *p,
					     struct zt6_route *route, bool bound)
{
	if (role_is_inside(key->port->role) && !p->behind && route->verdict != ZT6_PASS_LOCAL) {
		if (route->packets)
			traffic_flush(route);
		member_seen(key->port, p->in_port, &p->src, p->source_mac, bound);
	}
	route->src = p->src;
	__builtin_memcpy(route->src_mac, p->source_mac, ZT6_ETH_ALEN);
	route->source_checked = bound;
	if (route->mss == ROUTE_MSS_OPEN)
		route->mss = forward_mss(settings, key->port, route);
}

/*
 * Whether the kernel shall send this one: of a neighbour that XDP alone sends to, it would never learn
 * that it has gone or has another MAC. The agent sees to that; where it has died, the packet with which
 * an entry is filled does, once a second.
 */
static __always_inline bool forward_is_unwatched(const struct zt6_agent *told,
						 const struct zt6_port *port, __u32 in_port,
						 const struct zt6_route *route)
{
	return told->heartbeat_ns &&
	       told->heartbeat_ns + ZT6_AGENT_STALE_NS < bpf_ktime_get_coarse_ns() &&
	       slot_is_inside(route->out_port) && bucket_take(port, in_port, ZT6_BUCKET_UNRESOLVED);
}

/* The route of a packet whose source has passed the guard, from the cache or the kernel. */
static __always_inline int forward_route(frame_t *frame, const struct zt6_settings *settings,
					 const struct zt6_agent *told, const struct packet *p,
					 struct route_key *key, struct zt6_route **route)
{
	bool hit = route_cached(settings, told, key, route);
	const struct zt6_prefix *owner = NULL;
	bool for_us;
	int verdict;
	long result;

	if (hit && (*route)->source_checked && addr_equal(&(*route)->src, &p->src) &&
	    mac_equal((*route)->src_mac, p->source_mac))
		return GO_ON;
	/* Before the kernel is asked: what goes to nobody, or is spoofed, shall cost no more than a
	 * lookup or two. */
	if (!hit) {
		owner = prefix_of(&p->dst);
		if (!route_may_ask(settings, key, *route, owner))
			return p->behind ? LEFT : ZT6_DROP_UNRESOLVED_LIMITED;
	}
	for_us = hit ? (*route)->verdict == ZT6_PASS_LOCAL : owner && owner->own;
	verdict = guard_source(frame, key->port, p, for_us);
	if (verdict >= 0)
		return verdict;
	if (!hit) {
		result = route_fill(frame, settings, told, key);
		if (result != BPF_FIB_LKUP_RET_SUCCESS)
			return forward_refused(key->port, p, result);
		route_cached(settings, told, key, route);
		if (!*route)
			return ZT6_PASS_OTHER;
		if (forward_is_unwatched(told, key->port, p->in_port, *route))
			return ZT6_PASS_UNWATCHED;
	}
	forward_remember(settings, key, p, *route, verdict == GO_ON);
	return GO_ON;
}

/* Where a port has both hooks, each packet is the business of one program: XDP's, unless it cannot
 * send out of the port that the route leads to. */
static __always_inline bool forward_is_ours(const struct zt6_route *route, struct packet *p)
{
	p->ours = FRAME_IN_XDP ? !route->by_tc : !p->behind || route->by_tc;
	return p->ours;
}

/* Bytes of the longest IPv6 packet that the frame will be on the wire. */
static __always_inline __u32 forward_longest(frame_t *frame, const struct packet *p)
{
	__u32 payload = frame_segment_size(frame);
	__u8 tcp_offset;

	if (!payload)
		return p->ip_length;
	if (p->next_header == IPPROTO_UDP)
		return IPV6_HEADER + UDP_HEADER + payload;
	if (p->next_header != IPPROTO_TCP ||
	    frame_load(frame, p->ip_offset + IPV6_HEADER + TCP_OFFSET_BYTE, &tcp_offset, 1))
		return ~0U; /* the kernel knows */
	return IPV6_HEADER + (tcp_offset >> 4) * 4 + payload;
}

/* The rates of the members at both ends, where they have any: on top of what their bytes are then. */
static __noinline bool forward_limited(const struct zt6_port *in, const struct packet *p,
				       __u8 out_port)
{
	__u32 slot = out_port;
	const struct zt6_port *out = bpf_map_lookup_elem(&ports, &slot);

	if (in->limit.ns_per_kib && !bucket_of_member(in, p->in_port, &p->src, false, p->ip_length))
		return true;
	return out && out->limit.ns_per_kib &&
	       !bucket_of_member(out, slot, &p->dst, true, p->ip_length);
}

/* The verdict on a packet that does not get through here, unless it is one too many for the kernel. */
static __always_inline int forward_up(frame_t *frame, const struct zt6_settings *settings,
				      const struct zt6_port *port, const struct packet *p,
				      __u8 out_port, int verdict)
{
	if (verdict < ZT6_PASS_OTHER || verdict >= ZT6_DROP_MALFORMED)
		return verdict;
	return newcomer_limited(frame, settings, port, p, out_port) ? ZT6_DROP_NEW_LIMITED
								    : verdict;
}

/* What goes no further than this link: what no router forwards, and what comes from a link-local address,
 * which the kernel answers where it is not for us (beyond scope of source address, RFC 4443 §3.1). */
static __always_inline int forward_no_further(frame_t *frame, const struct zt6_settings *settings,
					      const struct zt6_port *port, const struct packet *p)
{
	const struct zt6_prefix *owner = prefix_of(&p->dst);
	int verdict = guard_packet(frame, port, p);

	if (verdict >= 0)
		return verdict;
	if (addr_never_forwarded(&p->dst) || (owner && owner->own))
		return p->next_header == IPPROTO_HOPOPTS ? ZT6_PASS_EXTENSION_HEADER
							 : ZT6_PASS_LOCAL;
	if (p->to_group && !addr_link_local(&p->src)) /* the kernel forwards no such frame */
		return ZT6_PASS_OTHER;
	return forward_up(frame, settings, port, p, owner ? owner->port : ZT6_NO_PORT,
			  ZT6_PASS_NO_ROUTE);
}

/* What keeps a packet from being forwarded here, whatever netfilter says of it; or GO_ON. */
static __always_inline int forward_obstacle(frame_t *frame, const struct zt6_port *port,
					    const struct packet *p, const struct zt6_route *route)
{
	if (p->next_header == IPPROTO_HOPOPTS) /* every router reads them, RFC 8200 §4 */
		return ZT6_PASS_EXTENSION_HEADER;
	if (p->hop_limit <= 1)
		return ZT6_PASS_HOP_LIMIT;
	if (forward_longest(frame, p) > route->mtu)
		return too_big(frame, port, p, route->mtu);
	/* A TAP loses frames in several buffers silently: the kernel linearises them. */
	if (route->one_buffer && frame_is_multi_buffer(frame, p->frame_length))
		return ZT6_PASS_TOO_BIG;
	return GO_ON;
}

/**
 * forward - everything from the destination to the redirect.
 *
 * Returns the verdict; FORWARDED, DECAPSULATED and ENCAPSULATED packets are rewritten and their
 * device is chosen, all others are as they came.
 */
static __noinline int forward(frame_t *frame, const struct zt6_settings *settings,
			      const struct zt6_agent *told, struct packet *p)
{
	struct route_key key = {.dst = &p->dst, .src = &p->src, .in_port = p->in_port};
	struct zt6_route *route;
	__u32 slot = p->in_port;
	int verdict;

	key.port = bpf_map_lookup_elem(&ports, &slot);
	if (!key.port)
		return ZT6_PASS_OTHER;
	if (addr_never_forwarded(&p->dst) || addr_link_local(&p->src) ||
	    (p->to_group && p->next_header != IPPROTO_HOPOPTS))
		return forward_no_further(frame, settings, key.port, p);
	verdict = forward_route(frame, settings, told, p, &key, &route);
	if (verdict != GO_ON)
		return verdict;
	if (route->verdict > ZT6_ENCAPSULATED)
		return p->next_header == IPPROTO_HOPOPTS ? ZT6_PASS_EXTENSION_HEADER
							 : route->verdict;
	if (!forward_is_ours(route, p))
		return LEFT;
	verdict = forward_obstacle(frame, key.port, p, route);
	if (verdict != GO_ON)
		return forward_up(frame, settings, key.port, p, route->out_port, verdict);
	if (settings->flags & ZT6_SETTINGS_TRAFFIC) {
		route->packets += frame_packets(frame);
		route->bytes += p->frame_length;
	}
	if ((settings->flags & ZT6_SETTINGS_MEMBER_LIMITS) &&
	    forward_limited(key.port, p, route->out_port))
		return ZT6_DROP_RATE_LIMITED;
	verdict = policy_forward(frame, settings, key.port, p, route->out_port);
	if (verdict != GO_ON)
		return verdict;
	verdict = rewrite_and_redirect(frame, p, route);
	return verdict == GO_ON ? route->verdict : verdict;
}

#endif
