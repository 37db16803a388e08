/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Every map, with who writes it and who reads it. Values and keys: include/zt6_abi.h.
 *
 * Each port has its own copy of the XDP program, all share these maps: the loader creates them
 * with the first program, pins them under their names and hands them to the others.
 */
#ifndef ZT6_MAPS_H
#define ZT6_MAPS_H

/* Loader writes, programs read. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct zt6_settings);
} settings SEC(".maps");

/* Agent writes (shared memory), programs read; the generation both add to. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct zt6_agent);
} agent SEC(".maps");

/* Loader and agent write, programs read. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, ZT6_MAX_PORTS);
	__type(key, __u32);
	__type(value, struct zt6_port);
} ports SEC(".maps");

/* Programs write, `stats` and `status` read. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, ZT6_MAX_PORTS);
	__type(key, __u32);
	__type(value, struct zt6_port_counters);
} counters SEC(".maps");

/* Programs only: the route cache. `up` sets the number of sets (limits cache-entries). */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct zt6_route_set);
} routes SEC(".maps");

/* Programs only: apart from the sets, so small that they stay in the CPU's own cache when a flood of
 * ever new destinations is looked for; therefore also one array, and no pointer to each CPU's. `up`
 * makes it as many as there are sets, for each CPU after the other. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct zt6_route_tags);
} route_tags SEC(".maps");

/* Programs only: flows that netfilter lets pass. `up` sets the number of sets (limits flows). */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct zt6_flow_set);
} flows SEC(".maps");

/* The witness on the ports' egress writes, the pipeline reads (witness.h). `up` sets its size: two
 * directions for each of limits flows. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 2 * ZT6_FLOWS_DEFAULT);
	__type(key, union zt6_flow_key);
	__type(value, struct zt6_witnessed);
} witnessed SEC(".maps");

/* Programs only: not 0 while a packet that TC redirects is on its way to the witness, who shall take
 * no notice of it. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} own_redirect SEC(".maps");

/* Loader and agent write, programs redirect through it: device by slot. The kernel itself
 * takes out a device that goes away. */
struct {
	__uint(type, BPF_MAP_TYPE_DEVMAP);
	__uint(max_entries, ZT6_MAX_PORTS);
	__type(key, __u32);
	__type(value, __u32);
} devices SEC(".maps");

/* Loader and agent write, programs read. */
struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, ZT6_MAX_PREFIXES);
	__type(key, struct zt6_prefix_key);
	__type(value, struct zt6_prefix);
} prefixes SEC(".maps");

/* Loader writes, programs read. */
struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, ZT6_MAX_RULES);
	__type(key, struct zt6_rule_key);
	__type(value, struct zt6_rule);
} rules SEC(".maps");

/* Loader and agent write, programs read. */
struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, ZT6_MAX_BINDINGS);
	__type(key, struct zt6_binding_key);
	__type(value, struct zt6_binding);
} bindings SEC(".maps");

/* Programs only. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, ZT6_MAX_PORTS);
	__type(key, __u32);
	__type(value, struct zt6_buckets);
} buckets SEC(".maps");

/* Programs write and read, the agent and `status` read. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, ZT6_MAX_PORTS);
	__type(key, __u32);
	__type(value, struct zt6_path_mtu);
} path_mtus SEC(".maps");

/* Programs only: token buckets of solicitors' prefixes (__u64 nanoseconds), by prefix and port. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, ZT6_MAX_SOLICITORS);
	__type(key, struct zt6_address_key);
	__type(value, __u64);
} solicitors SEC(".maps");

/* Programs only: token buckets of members that strangers send to, by a hash (__u64 nanoseconds). */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, ZT6_NEWCOMERS);
	__type(key, __u32);
	__type(value, __u64);
} newcomers SEC(".maps");

/* Programs only: packets in fragments that answer a member, by zt6_flow_key with the identification
 * in place of ports. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, ZT6_MAX_FRAGMENTED);
	__type(key, union zt6_flow_key);
	__type(value, __u8);
} fragmented SEC(".maps");

/* Programs only: token buckets of members, with `limit`. `up` sets its size (limits members). */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, ZT6_MEMBERS_DEFAULT);
	__type(key, struct zt6_address_key);
	__type(value, struct zt6_member_buckets);
} member_limits SEC(".maps");

/* Programs only: what keeps one solicitor from being handed over at each retransmission. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, ZT6_MAX_DEFERRED);
	__type(key, struct zt6_deferred_key);
	__type(value, __u64);
} deferred SEC(".maps");

/* Agent writes, programs read (and note when they answered). */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, ZT6_MEMBERS_DEFAULT);
	__type(key, struct zt6_address_key);
	__type(value, struct zt6_verified);
} verified SEC(".maps");

/* Agent writes, programs read. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, ZT6_MEMBERS_DEFAULT);
	__type(key, struct zt6_address_key);
	__type(value, __u64);
} negative SEC(".maps");

/* Programs write, agent and `members` read. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, ZT6_MEMBERS_DEFAULT);
	__type(key, struct zt6_address_key);
	__type(value, struct zt6_member);
} members SEC(".maps");

/* Programs write, `members` reads. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_PERCPU_HASH);
	__uint(max_entries, ZT6_MEMBERS_DEFAULT);
	__type(key, struct zt6_address_key);
	__type(value, struct zt6_traffic);
} traffic SEC(".maps");

/* Programs only: what would fill half of the 512 bytes of stack. */
struct route_question {
	union zt6_addr dst;
	union zt6_addr src;
	__u32 in_port;  /* slot */
	__u32 out_port; /* out: see struct route_key */
};
struct scratch {
	struct route_question question;
	struct bpf_fib_lookup fib;
	struct zt6_na advertisement; /* in TC; XDP writes it where it goes */
	struct zt6_address_key member_key;
	struct zt6_member member;
	__u8 message[560]; /* an ICMPv4 error, of at most 556 */
};
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct scratch);
} scratch SEC(".maps");

/* Programs write, the agent reads. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, ZT6_EVENTS_SIZE);
} events SEC(".maps");

#endif
