/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where a packet goes: the route cache, and behind it the kernel's own table.
 *
 * The cache is a per-CPU array of sets with ZT6_WAYS ways, filled in place: programs on one CPU do
 * not run beside each other (softirq), so an entry is never read half-written. An entry is
 * believed until its time is over or the agent bumps the generation, whichever comes first: with a
 * dead agent a change of routes takes ROUTE_LIFETIME to be seen, never longer.
 */
#ifndef ZT6_ROUTE_H
#define ZT6_ROUTE_H

/* Entries live for one second: jiffies_per_sec jiffies. */
#define ROUTE_LIFETIME(settings) ((settings)->jiffies_per_sec)

static __always_inline __u64 hash_mix(__u64 hash, __u64 value)
{
	hash = (hash ^ value) * 0x9e3779b97f4a7c15ULL; /* 2^64 / golden ratio, odd */
	return hash ^ hash >> 32;
}

static __always_inline __u32 route_hash(const struct zt6_settings *settings,
					const struct route_key *key)
{
	__u64 hash = hash_mix(settings->hash_seed, key->dst->halves[0] + key->in_port);

	hash = hash_mix(hash, key->dst->halves[1]);
	if (key->port->flags & ZT6_PORT_SOURCE_ROUTED) {
		hash = hash_mix(hash, key->src->halves[0]);
		hash = hash_mix(hash, key->src->halves[1]);
	}
	return hash;
}

/**
 * route_cached - look into the cache.
 * @way: out, the entry; on a miss the one to be filled
 *
 * Returns whether it was a hit.
 */
static __always_inline bool route_cached(const struct zt6_settings *settings, __u32 generation,
					 const struct route_key *key, struct zt6_route **way)
{
	__u32 hash = route_hash(settings, key);
	__u32 index = hash & (settings->cache_sets - 1);
	struct zt6_route_set *set = bpf_map_lookup_elem(&routes, &index);
	__u64 now = bpf_jiffies64();
	struct zt6_route *victim;

	*way = NULL;
	if (!set)
		return false;
	victim = &set->ways[(hash >> 16 ^ now) % ZT6_WAYS];
	for (int i = 0; i < ZT6_WAYS; i++) {
		struct zt6_route *route = &set->ways[i];

		if (route->expires_jiffies <= now || route->generation != generation) {
			victim = route;
			continue;
		}
		if (!addr_equal(&route->dst, key->dst) || route->in_port != key->in_port)
			continue;
		if ((key->port->flags & ZT6_PORT_SOURCE_ROUTED) &&
		    !addr_equal(&route->src, key->src))
			continue;
		*way = route;
		return true;
	}
	*way = victim;
	return false;
}

/* The route leads into a tunnel: the frame leaves by its uplink, behind the outer header. */
static __always_inline long route_fill_tunnel(frame_t *frame, const struct zt6_settings *settings,
					      const struct zt6_port *out,
					      struct bpf_fib_lookup *fib, struct zt6_route *route)
{
	const struct zt6_tunnel *tunnel = sixinfour_tunnel_of(settings, out);
	const struct zt6_port *uplink;
	__u32 path_mtu, slot;
	long result;

	if (!tunnel)
		return BPF_FIB_LKUP_RET_NOT_FWDED;
	slot = tunnel->uplink;
	uplink = bpf_map_lookup_elem(&ports, &slot);
	if (!uplink)
		return BPF_FIB_LKUP_RET_NOT_FWDED;
	result = sixinfour_header(frame, tunnel, uplink, fib, route);
	if (result != BPF_FIB_LKUP_RET_SUCCESS)
		return result;
	path_mtu = fib->mtu_result - IPV4_HEADER;
	route->kind = ZT6_ROUTE_TUNNEL;
	route->tx_port = slot;
	route->mtu = path_mtu < tunnel->mtu ? path_mtu : tunnel->mtu;
	return BPF_FIB_LKUP_RET_SUCCESS;
}

/**
 * route_fill - ask the kernel and, where it forwards, write the answer into the cache.
 * @route: the way to fill; out_port is set also where there is no neighbour yet
 *
 * Returns BPF_FIB_LKUP_RET_*: SUCCESS for a route that packets can take (and for our own
 * addresses), UNSUPP_LWT also for one that leaves by no port of ours.
 */
static __noinline long route_fill(frame_t *frame, const struct zt6_settings *settings,
				  __u32 generation, const struct route_key *key,
				  struct zt6_route *route)
{
	const struct zt6_prefix *owner = prefix_of(key->dst);
	const struct zt6_port *out;
	struct bpf_fib_lookup fib;
	__u32 slot;
	long result;

	route->expires_jiffies = 0;
	route->out_port = ZT6_NO_PORT;
	route->tx_port = ZT6_NO_PORT;
	route->source_checked = 0;
	if (owner && owner->own) {
		route->kind = ZT6_ROUTE_LOCAL;
		goto filled;
	}
	result = route_fib(frame, key, &fib);
	if (result != BPF_FIB_LKUP_RET_SUCCESS && result != BPF_FIB_LKUP_RET_NO_NEIGH)
		return result;
	slot = port_of_ifindex(fib.ifindex);
	out = bpf_map_lookup_elem(&ports, &slot);
	if (!out)
		return BPF_FIB_LKUP_RET_UNSUPP_LWT;
	route->out_port = slot;
	if (out->role == ZT6_ROLE_TUNNEL) {
		/* A device without link layer: NO_NEIGH only means that the kernel itself has
		 * not sent through it yet. */
		result = route_fill_tunnel(frame, settings, out, &fib, route);
		if (result != BPF_FIB_LKUP_RET_SUCCESS)
			return result;
		goto filled;
	}
	if (result != BPF_FIB_LKUP_RET_SUCCESS)
		return result;
	route->kind = ZT6_ROUTE_ETHERNET;
	route->tx_port = slot;
	route->mtu = fib.mtu_result;
	route->header_length =
		link_header(route->header, out, fib.dmac, fib.smac, bpf_htons(ETH_P_IPV6));
filled:
	route->dst = *key->dst;
	route->src = *key->src;
	route->in_port = key->in_port;
	route->generation = generation;
	route->expires_jiffies = bpf_jiffies64() + ROUTE_LIFETIME(settings);
	return BPF_FIB_LKUP_RET_SUCCESS;
}

#endif
