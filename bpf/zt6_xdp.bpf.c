// SPDX-License-Identifier: GPL-2.0-only
/* The XDP program of an Ethernet port. Each port has its own copy, with its own slot. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_endian.h>

#include "zt6_abi.h"
#include "zt6_na.h"
#include "frame_xdp.h"
#include "pipeline.h"

/* Set by the loader before the program is loaded: a constant to the verifier. */
const volatile __u32 port_slot = 0;

static const int actions[ZT6_VERDICT_COUNT] = {
#define ACTION_REDIRECT                       XDP_REDIRECT
#define ACTION_REPLY                          XDP_TX
#define ACTION_PASS                           XDP_PASS
#define ACTION_DROP                           XDP_DROP
#define VERDICT_ACTION(id, name, action, why) [ZT6_##id] = ACTION_##action,
	ZT6_VERDICTS(VERDICT_ACTION)};

/* Programs only: what each CPU knows of its packet. Not on the stack, whose 512 bytes are for the
 * calls, and whose every value the verifier would follow on every path. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct packet);
} packets SEC(".maps");

SEC("xdp.frags")
int zt6_xdp(struct xdp_md *frame)
{
	__u32 zero = 0, slot = port_slot;
	struct packet *p = bpf_map_lookup_elem(&packets, &zero);
	const struct zt6_settings *set = bpf_map_lookup_elem(&settings, &zero);
	struct zt6_agent *told = bpf_map_lookup_elem(&agent, &zero);
	const struct zt6_port *port = bpf_map_lookup_elem(&ports, &slot);
	struct zt6_port_counters *count = bpf_map_lookup_elem(&counters, &slot);
	__u32 verdict;

	if (!p || !set || !told || !port || !count)
		return XDP_PASS;
	p->in_port = port_slot;
	p->frame_length = frame_length(frame);
	count->rx.packets++;
	count->rx.bytes += p->frame_length;
	verdict = pipeline(frame, port, set, told, p);
	if (verdict >= ZT6_VERDICT_COUNT)
		return XDP_ABORTED;
	count->verdicts[verdict].packets++;
	count->verdicts[verdict].bytes += p->frame_length;
	return actions[verdict];
}

char _license[] SEC("license") = "GPL";
