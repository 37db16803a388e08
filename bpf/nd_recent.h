/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Targets for which a solicitation has just been answered, or refused because they are known not to
 * answer.
 *
 * The proxy rules, our own addresses and what the agent has found out are four lookups; a router
 * that asks again, or a flood, needs none of them: a per-CPU array, filled in place as the route
 * cache is and believed as long (route.h), so that nothing outlives its reasons by more than that. (The
 * agent bumps the generation when who was absent answers.) Targets of which nothing is known are
 * never in it.
 */
#ifndef ZT6_ND_RECENT_H
#define ZT6_ND_RECENT_H

#define ND_RECENT_ENTRIES 1024 /* a power of two */

struct nd_recent {
	union zt6_addr target;
	__u64 expires_jiffies; /* 0: empty */
	__u32 generation;      /* of zt6_agent when the verdict was found right */
	__u16 port;            /* slot that the solicitation came in on */
	__u16 verdict;         /* enum zt6_verdict: NDP_ANSWERED or DROP_NDP_UNVERIFIED */
};

/* Programs only. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, ND_RECENT_ENTRIES);
	__type(key, __u32);
	__type(value, struct nd_recent);
} nd_recent SEC(".maps");

/* Where the target would be, or NULL. */
static __always_inline struct nd_recent *nd_recent_of(const struct zt6_settings *settings,
						      __u32 slot, const union zt6_addr *target)
{
	__u64 hash = hash_mix(settings->hash_seed, target->halves[0] + slot);
	__u32 index;

	hash = hash_mix(hash, target->halves[1]);
	index = hash_index(hash) & (ND_RECENT_ENTRIES - 1);
	return bpf_map_lookup_elem(&nd_recent, &index);
}

/* What was done about the target of late, or GO_ON. */
static __always_inline int nd_recent_verdict(const struct nd_recent *recent,
					     const struct zt6_agent *told, __u32 slot,
					     const union zt6_addr *target)
{
	return recent && recent->expires_jiffies > bpf_jiffies64() &&
			       recent->generation == told->generation && recent->port == slot &&
			       addr_equal(&recent->target, target)
		       ? recent->verdict
		       : GO_ON;
}

/* @generation: as it was before the verdict was found right */
static __always_inline void nd_recent_fill(struct nd_recent *recent,
					   const struct zt6_settings *settings, __u32 generation,
					   __u32 slot, const union zt6_addr *target, int verdict)
{
	if (!recent)
		return;
	recent->target = *target;
	recent->generation = generation;
	recent->port = slot;
	recent->verdict = verdict;
	recent->expires_jiffies = bpf_jiffies64() + ROUTE_LIFETIME(settings);
}

#endif
