/* SPDX-License-Identifier: GPL-2.0-only */
/* Token buckets, shared by all CPUs: per port, per solicitor, per member. */
#ifndef ZT6_BUCKET_H
#define ZT6_BUCKET_H

#define BUCKET_TRIES 4

/**
 * bucket_spend - whether one more packet is within the rate.
 * @cost_ns: of the packet: the time that the rate needs to earn it
 * @burst_ns: how far a burst may run ahead
 *
 * The generic cell rate algorithm (ITU-T I.371): the bucket is one number, the time up to which
 * earlier packets have used the rate up; a packet conforms while that lies no further ahead than
 * the burst. One compare-and-swap takes a token. A CPU that loses the race BUCKET_TRIES times
 * goes without: under that much contention the rate is exceeded anyway.
 */
static __always_inline bool bucket_spend(__u64 *bucket, __u64 cost_ns, __u64 burst_ns)
{
	__u64 now = bpf_ktime_get_coarse_ns();

	for (int i = 0; i < BUCKET_TRIES; i++) {
		__u64 spoken_for = *(volatile __u64 *)bucket;
		__u64 start = spoken_for > now ? spoken_for : now;

		if (start - now > burst_ns)
			return false;
		if (__sync_val_compare_and_swap(bucket, spoken_for, start + cost_ns) == spoken_for)
			return true;
	}
	return false;
}

/* Whether one more packet is within a rate of the port's. */
static __always_inline bool bucket_take(const struct zt6_port *port, __u32 slot,
					enum zt6_bucket which)
{
	struct zt6_buckets *buckets_of_port = bpf_map_lookup_elem(&buckets, &slot);
	const struct zt6_rate *rate = &port->rates[which];

	if (!rate->interval_ns)
		return true;
	if (!buckets_of_port)
		return false;
	return bucket_spend(&buckets_of_port->spoken_for_ns[which], rate->interval_ns,
			    rate->burst_ns);
}

/* Whether bucket_take() would have a token. @now_ns: CLOCK_MONOTONIC_COARSE */
static __always_inline bool bucket_has(const struct zt6_port *port, __u32 slot,
				       enum zt6_bucket which, __u64 now_ns)
{
	const struct zt6_buckets *buckets_of_port = bpf_map_lookup_elem(&buckets, &slot);
	const struct zt6_rate *rate = &port->rates[which];

	return !rate->interval_ns || (buckets_of_port && buckets_of_port->spoken_for_ns[which] <=
								 now_ns + rate->burst_ns);
}

/**
 * bucket_of_solicitor - whether one more Neighbour Solicitation of its sender's prefix is within the
 * rate.
 *
 * RFC 6583 §6.4: who floods shall not use up what is everybody's. A source stands for its /64, out of
 * which a host takes as many as it likes; a link-local one for itself. Of more prefixes than the map
 * holds the idle ones begin anew, with a full bucket: the port's own rate bounds them all.
 */
static __always_inline bool bucket_of_solicitor(const struct zt6_port *port, __u32 slot,
						const union zt6_addr *source)
{
	const struct zt6_rate *rate = &port->rates[ZT6_BUCKET_SOLICITOR];
	struct zt6_address_key key = {.addr = *source, .port = slot};
	__u64 first, *bucket;

	if (!rate->interval_ns)
		return true;
	if (!addr_link_local(source))
		key.addr.halves[1] = 0;
	bucket = bpf_map_lookup_elem(&solicitors, &key);
	if (bucket)
		return bucket_spend(bucket, rate->interval_ns, rate->burst_ns);
	first = bpf_ktime_get_coarse_ns() + rate->interval_ns;
	bpf_map_update_elem(&solicitors, &key, &first, BPF_ANY);
	return true;
}

/**
 * bucket_of_member - whether a packet is within the rate of a member, in its direction.
 * @port: that the member lives on
 * @towards: to the member; else from it
 * @bytes: of the IPv6 packet
 *
 * With `limit` only: it costs a look-up per packet.
 */
static __noinline bool bucket_of_member(const struct zt6_port *port, __u32 slot,
					const union zt6_addr *member, bool towards, __u32 bytes)
{
	struct zt6_address_key key = {.addr = *member, .port = slot};
	__u64 cost_ns = (__u64)bytes * port->limit.ns_per_kib >> 10;
	struct zt6_member_buckets fresh = {}, *both;

	both = bpf_map_lookup_elem(&member_limits, &key);
	if (!both) {
		bpf_map_update_elem(&member_limits, &key, &fresh, BPF_ANY);
		both = bpf_map_lookup_elem(&member_limits, &key);
	}
	return both && bucket_spend(&both->spoken_for_ns[towards], cost_ns, port->limit.burst_ns);
}

#endif
