/* SPDX-License-Identifier: GPL-2.0-only */
/* Token buckets per port, shared by all CPUs. */
#ifndef ZT6_BUCKET_H
#define ZT6_BUCKET_H

#define BUCKET_TRIES 4

/**
 * bucket_take - whether one more packet is within the rate.
 *
 * The generic cell rate algorithm (ITU-T I.371): the bucket is one number, the time up to which
 * earlier packets have used the rate up; a packet conforms while that lies no further ahead than
 * the burst. One compare-and-swap takes a token. A CPU that loses the race BUCKET_TRIES times
 * goes without: under that much contention the rate is exceeded anyway.
 */
static __always_inline bool bucket_take(const struct zt6_port *port, __u32 slot,
					enum zt6_bucket which)
{
	struct zt6_buckets *buckets_of_port = bpf_map_lookup_elem(&buckets, &slot);
	const struct zt6_rate *rate = &port->rates[which];
	__u64 now;

	if (!rate->interval_ns)
		return true;
	if (!buckets_of_port)
		return false;
	now = bpf_ktime_get_coarse_ns();
	for (int i = 0; i < BUCKET_TRIES; i++) {
		__u64 *bucket = &buckets_of_port->spoken_for_ns[which];
		__u64 spoken_for = *(volatile __u64 *)bucket;
		__u64 start = spoken_for > now ? spoken_for : now;

		if (start - now > rate->burst_ns)
			return false;
		if (__sync_val_compare_and_swap(bucket, spoken_for, start + rate->interval_ns) ==
		    spoken_for)
			return true;
	}
	return false;
}

#endif
