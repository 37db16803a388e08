/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where a packet goes: the route cache, and behind it the kernel's own table.
 *
 * The cache is a per-CPU array of sets with ZT6_WAYS ways, filled in place: programs on one CPU do
 * not run beside each other (softirq), so an entry is never read half-written. An entry is
 * believed until its time is over or the agent bumps the generation, whichever comes first: with a
 * dead agent a change of routes takes ROUTE_LIFETIME to be seen, never longer. In which way of its set
 * a key can be is told by tags in an array apart, so that a miss reads no set at all.
 */
#ifndef ZT6_ROUTE_H
#define ZT6_ROUTE_H

/* An entry's MSS before its first packet has passed the guard. As a limit it is none. */
#define ROUTE_MSS_OPEN 0xffff

/* Entries live for one second: jiffies_per_sec jiffies. */
#define ROUTE_LIFETIME(settings) ((settings)->jiffies_per_sec)

/* So long after that they still tell that the destination was there. */
#define ROUTE_OF_LATE(settings) (MEMBER_OF_LATE * (settings)->jiffies_per_sec)

static __always_inline __u32 route_hash(const struct zt6_settings *settings,
					const struct route_key *key)
{
	__u64 hash = hash_mix(settings->hash_seed, key->dst->halves[0] + key->in_port);

	hash = hash_mix(hash, key->dst->halves[1]);
	if (key->port->flags & ZT6_PORT_SOURCE_ROUTED) {
		hash = hash_mix(hash, key->src->halves[0]);
		hash = hash_mix(hash, key->src->halves[1]);
	}
	return hash_index(hash);
}

/* Which set a key belongs to, by the upper bits: products carry the last octets of an address only
 * there. */
static __always_inline __u32 route_index(const struct zt6_settings *settings, __u32 hash)
{
	return (__u64)hash * settings->cache_sets >> 32;
}

/* The tags of a set, on this CPU. */
static __always_inline struct zt6_route_tags *route_tags_of(const struct zt6_settings *settings,
							    __u32 index)
{
	index += bpf_get_smp_processor_id() * settings->cache_sets;
	return bpf_map_lookup_elem(&route_tags, &index);
}

static __always_inline bool route_is_of(const struct zt6_route *route, const struct route_key *key)
{
	return addr_equal(&route->dst, key->dst) && route->in_port == key->in_port &&
	       (!(key->port->flags & ZT6_PORT_SOURCE_ROUTED) || addr_equal(&route->src, key->src));
}

static __always_inline bool route_is_fresh(const struct zt6_route *route,
					   const struct zt6_agent *told)
{
	return route->expires_jiffies > bpf_jiffies64() && route->generation == told->generation;
}

/**
 * route_cached - look into the cache.
 * @way: out, the entry, or NULL; on a miss one that is too old
 *
 * Returns whether it was a hit.
 */
static __always_inline bool route_cached(const struct zt6_settings *settings,
					 const struct zt6_agent *told, const struct route_key *key,
					 struct zt6_route **way)
{
	__u32 hash = route_hash(settings, key), index = route_index(settings, hash);
	const struct zt6_route_tags *tags = route_tags_of(settings, index);
	struct zt6_route_set *set;

	*way = NULL;
	if (!tags)
		return false;
	for (int i = 0; i < ZT6_WAYS; i++) {
		if (tags->ways[i] != (__u16)hash)
			continue;
		set = bpf_map_lookup_elem(&routes, &index);
		if (set && route_is_of(&set->ways[i], key)) {
			*way = &set->ways[i];
			return route_is_fresh(*way, told);
		}
	}
	return false;
}

/* The way to fill: the key's own, or one that is too old, or any. */
static __always_inline __u32 route_victim(const struct zt6_route_set *set,
					  const struct route_key *key, __u32 hash,
					  const struct zt6_agent *told)
{
	__u32 victim = (hash ^ bpf_jiffies64()) % ZT6_WAYS;

	for (__u32 i = 0; i < ZT6_WAYS; i++) {
		if (route_is_of(&set->ways[i], key))
			return i;
		if (!route_is_fresh(&set->ways[i], told))
			victim = i;
	}
	return victim;
}

/**
 * route_may_ask - whether the kernel's table may be asked about what the cache does not hold.
 * @old: the cache's entry that is too old, or NULL
 * @owner: of the destination's prefix, or NULL
 *
 * To look there costs more than all the rest, and who sends to members that do not exist, each time to
 * another one, would buy a look per packet. So strangers share a budget. Whoever has lately been
 * there owes nothing: an old entry tells so, or that traffic has been seen.
 */
static __noinline bool route_may_ask(const struct zt6_settings *settings,
				     const struct route_key *key, const struct zt6_route *old,
				     const struct zt6_prefix *owner)
{
	if (!owner || owner->own)
		return true;
	if (old && old->expires_jiffies + ROUTE_OF_LATE(settings) > bpf_jiffies64())
		return true;
	if (owner->port != ZT6_NO_PORT && !slot_is_inside(owner->port))
		return true;
	return bucket_take(key->port, key->in_port, ZT6_BUCKET_ASKED) ||
	       member_is_known(key, owner->port);
}

/* What the fast path does with packets from one port to the other. */
static __always_inline __u8 route_verdict(const struct zt6_port *in, __u32 in_slot,
					  const struct zt6_port *out, __u32 out_slot)
{
	/* RFC 6324: what came out of a tunnel never goes into one. */
	if (in->role == ZT6_ROLE_TUNNEL && out->role == ZT6_ROLE_TUNNEL)
		return ZT6_DROP_SPOOFED;
	/* Redirects (RFC 4861 §8.2) and transit between strangers are the kernel's. */
	if (in_slot == out_slot || (!role_is_inside(in->role) && !role_is_inside(out->role)))
		return ZT6_PASS_OTHER;
	if (in->role == ZT6_ROLE_TUNNEL)
		return ZT6_DECAPSULATED;
	return out->role == ZT6_ROLE_TUNNEL ? ZT6_ENCAPSULATED : ZT6_FORWARDED;
}

/* The route leads into a tunnel: the frame leaves by its uplink, behind the outer header. */
static __always_inline long route_fill_tunnel(frame_t *frame, const struct zt6_settings *settings,
					      const struct zt6_port *out,
					      struct bpf_fib_lookup *fib, struct zt6_route *route)
{
	const struct zt6_tunnel *tunnel = sixinfour_tunnel_of(settings, out);
	const struct zt6_port *uplink;
	__u32 slot;

	if (!tunnel)
		return BPF_FIB_LKUP_RET_NOT_FWDED;
	slot = tunnel->uplink;
	uplink = bpf_map_lookup_elem(&ports, &slot);
	if (!uplink)
		return BPF_FIB_LKUP_RET_NOT_FWDED;
	route->tx_port = slot;
	route->by_tc = !(uplink->paths & ZT6_PATH_XDP_XMIT);
	return sixinfour_header(frame, tunnel, uplink, 0, fib, route);
}

/* The kernel's answer becomes the entry's header. */
static __always_inline long route_fill_header(frame_t *frame, const struct zt6_settings *settings,
					      const struct zt6_port *out, __u8 slot,
					      struct scratch *scratch, struct zt6_route *route)
{
	struct bpf_fib_lookup *fib = &scratch->fib;

	if (out->role == ZT6_ROLE_TUNNEL)
		return route_fill_tunnel(frame, settings, out, fib, route);
	route->tx_port = slot;
	route->by_tc = !(out->paths & ZT6_PATH_XDP_XMIT);
	route->mtu = fib->mtu_result;
	route->header_length =
		link_header(route->header, out, fib->dmac, fib->smac, bpf_htons(ETH_P_IPV6));
	if (role_is_inside(out->role))
		member_used(scratch, slot);
	return BPF_FIB_LKUP_RET_SUCCESS;
}

/* Asks for the key, and fills a way of its set. */
static __always_inline long route_ask_for(frame_t *frame, const struct zt6_settings *settings,
					  const struct zt6_agent *told, struct route_key *key,
					  struct scratch *on_this_cpu)
{
	const struct zt6_prefix *owner = prefix_of(key->dst);
	/* Read before the kernel is asked: what changes meanwhile makes the entry a miss. */
	__u32 generation = *(volatile const __u32 *)&told->generation;
	struct bpf_fib_lookup *fib = &on_this_cpu->fib;
	bool local = owner && owner->own;
	const struct zt6_port *out = NULL;
	struct zt6_route_tags *tags;
	struct zt6_route_set *set;
	struct zt6_route *route;
	__u32 hash, index, victim;
	long result;

	key->out_port = ZT6_NO_PORT;
	if (!local) {
		result = route_fib(frame, key, fib);
		if (result != BPF_FIB_LKUP_RET_SUCCESS && result != BPF_FIB_LKUP_RET_NO_NEIGH)
			return result;
		key->out_port = port_of_ifindex(fib->ifindex);
		out = bpf_map_lookup_elem(&ports, &key->out_port);
		if (!out)
			return BPF_FIB_LKUP_RET_UNSUPP_LWT;
		/* A tunnel has no link layer: NO_NEIGH only means that the kernel itself has not
		 * sent through it yet. */
		if (result == BPF_FIB_LKUP_RET_NO_NEIGH && out->role != ZT6_ROLE_TUNNEL)
			return result;
	}
	hash = route_hash(settings, key);
	index = route_index(settings, hash);
	set = bpf_map_lookup_elem(&routes, &index);
	tags = route_tags_of(settings, index);
	if (!set || !tags)
		return BPF_FIB_LKUP_RET_NOT_FWDED;
	victim = route_victim(set, key, hash, told);
	tags->ways[victim] = hash;
	route = &set->ways[victim];
	route->expires_jiffies = 0;
	if (route->packets)
		traffic_flush(route);
	if (!out) {
		route->verdict = ZT6_PASS_LOCAL;
		route->tx_port = ZT6_NO_PORT;
	} else {
		result = route_fill_header(frame, settings, out, key->out_port, on_this_cpu, route);
		if (result != BPF_FIB_LKUP_RET_SUCCESS)
			return result;
		route->verdict = route_verdict(key->port, key->in_port, out, key->out_port);
		route->one_buffer = out->role == ZT6_ROLE_OVERLAY;
	}
	route->dst = *key->dst;
	route->src = *key->src;
	route->source_checked = 0;
	route->mss = ROUTE_MSS_OPEN;
	route->in_port = key->in_port;
	route->out_port = key->out_port;
	route->generation = generation;
	route->expires_jiffies = bpf_jiffies64() + ROUTE_LIFETIME(settings);
	return BPF_FIB_LKUP_RET_SUCCESS;
}

/* The question in `scratch`, as a global function: the verifier walks through it once, not once for
 * every way that leads here, but for that takes no pointer in an argument for granted. */
__noinline long route_ask(frame_t *frame, const struct zt6_settings *settings,
			  const struct zt6_agent *told)
{
	__u32 zero = 0;
	struct scratch *on_this_cpu = bpf_map_lookup_elem(&scratch, &zero);
	struct route_question *question;
	struct route_key key;
	long result;

	if (!settings || !told || !on_this_cpu)
		return BPF_FIB_LKUP_RET_NOT_FWDED;
	question = &on_this_cpu->question;
	key.port = bpf_map_lookup_elem(&ports, &question->in_port);
	if (!key.port)
		return BPF_FIB_LKUP_RET_NOT_FWDED;
	key.dst = &question->dst;
	key.src = &question->src;
	key.in_port = question->in_port;
	result = route_ask_for(frame, settings, told, &key, on_this_cpu);
	question->out_port = key.out_port;
	return result;
}

/**
 * route_fill - ask the kernel and, where it forwards, write the answer into the cache.
 * @key: out_port is set also where there is no neighbour yet
 *
 * What the cache held stays unless there is something to replace it with, so that a scan of addresses
 * that nobody has leaves it alone.
 *
 * Returns BPF_FIB_LKUP_RET_*: SUCCESS for a route that packets can take (and for our own
 * addresses): route_cached() then finds it, though not as a hit when a route has changed meanwhile;
 * UNSUPP_LWT also for one that leaves by no port of ours.
 */
static __always_inline long route_fill(frame_t *frame, const struct zt6_settings *settings,
				       const struct zt6_agent *told, struct route_key *key)
{
	__u32 zero = 0;
	struct scratch *on_this_cpu = bpf_map_lookup_elem(&scratch, &zero);
	struct route_question *question;
	long result;

	key->out_port = ZT6_NO_PORT;
	if (!on_this_cpu)
		return BPF_FIB_LKUP_RET_NOT_FWDED;
	question = &on_this_cpu->question;
	question->dst = *key->dst;
	question->src = *key->src;
	question->in_port = key->in_port;
	question->out_port = ZT6_NO_PORT;
	result = route_ask(frame, settings, told);
	key->out_port = question->out_port;
	return result;
}

#endif
