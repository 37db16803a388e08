/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The end of a flow: what the fast path still believes of it is taken back, in both directions and on
 * every CPU.
 *
 * After a FIN the acknowledgments are what conntrack waits for. One that took the short way would leave
 * the entry in LAST_ACK for its 30 seconds instead of TIME_WAIT, or as if it were half open.
 */
#ifndef ZT6_FLOW_END_H
#define ZT6_FLOW_END_H

/* More than any machine has (CONFIG_NR_CPUS of distributions): the loop ends where the CPUs do. */
#define FLOW_END_CPUS 8192

struct flow_end {
	union zt6_flow_key key;
	__u32 index; /* of its set in `flows` */
};

/* One CPU's; 1 behind the last one. */
static long flow_end_on_cpu(__u32 cpu, void *context)
{
	struct flow_end *end = context;
	struct zt6_flow_set *set = bpf_map_lookup_percpu_elem(&flows, &end->index, cpu);

	if (!set)
		return 1;
	for (int i = 0; i < ZT6_WAYS; i++)
		if (flow_keys_equal(&set->ways[i].key, &end->key))
			*(volatile __u64 *)&set->ways[i].until_jiffies = 0;
	return 0;
}

static __always_inline void flow_end_one(const struct zt6_settings *settings, struct flow_end *end)
{
	struct zt6_witnessed *witness = bpf_map_lookup_elem(&witnessed, &end->key);

	if (witness)
		*(volatile __u64 *)&witness->jiffies = 0;
	end->index = flow_set_index(settings, flow_hash(settings, &end->key));
	bpf_loop(FLOW_END_CPUS, flow_end_on_cpu, end, 0);
}

/**
 * flow_end - a FIN or RST (or a SYN) of the flow has been forwarded by the kernel.
 * @key: of the direction that it went in
 */
static __noinline int flow_end(const struct zt6_settings *settings, const union zt6_flow_key *key)
{
	struct flow_end end = {.key = *key};

	flow_end_one(settings, &end);
	end.key = flow_back(key);
	flow_end_one(settings, &end);
	return 0;
}

#endif
