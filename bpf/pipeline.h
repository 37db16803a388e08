/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The pipeline, from the frame to its verdict:
 *
 *   Ethernet -> (6in4 decapsulation) -> ND -> guard -> route -> MTU -> policy -> rewrite, redirect
 *
 * The stages are in the headers named after them. Whatever a stage does not fully understand goes
 * to the kernel unmodified.
 */
#ifndef ZT6_PIPELINE_H
#define ZT6_PIPELINE_H

#include "zt6_na.h"
#include "packet.h"
#include "maps.h"
#include "bucket.h"
#include "link_header.h"
#include "ipv4.h"
#include "path_mtu.h"
#include "sixinfour.h"
#include "frag_needed.h"
#include "fib.h"
#include "hash.h"
#include "members.h"
#include "mss.h"
#include "route.h"
#include "binding.h"
#include "guard.h"
#include "flow.h"
#include "newcomer.h"
#include "policy.h"
#include "rewrite.h"
#include "nd_recent.h"
#include "nd_kernel.h"
#include "ndp.h"
#include "forward.h"

/* Whether IPv4 from inside claims to be of a tunnel's far end: the kernel's `sit` takes 6in4 from
 * whatever interface it comes by, and so any inner source for the Internet's. */
static __noinline bool sixinfour_from_inside(frame_t *frame, const struct zt6_settings *settings,
					     const struct packet *p)
{
	const struct iphdr *ip = frame_at(frame, p->link_length);

	return (const void *)(ip + 1) <= frame_end(frame) && ip->protocol == IPPROTO_IPV6 &&
	       sixinfour_tunnel(settings, ip->saddr, ip->daddr);
}

static __always_inline int pipeline(frame_t *frame, const struct zt6_port *port,
				    const struct zt6_settings *settings, struct zt6_agent *told,
				    struct packet *p)
{
	__be16 ether_type;
	int verdict;

	verdict = packet_link(frame, port, p, &ether_type);
	if (verdict != GO_ON)
		return verdict;
	if (ether_type == bpf_htons(ETH_P_IPV6)) {
		p->ip_offset = p->link_length;
		verdict = packet_ipv6(frame, p, p->frame_length - p->link_length);
	} else if (ether_type == bpf_htons(ETH_P_IP) && port->role == ZT6_ROLE_UPLINK) {
		verdict = sixinfour_decapsulate(frame, settings, p);
		if (verdict == NOT_SIXINFOUR) {
			path_mtu_learn(frame, settings, told, p);
			verdict = ZT6_PASS_OTHER;
		}
	} else if (ether_type == bpf_htons(ETH_P_IP) && role_is_inside(port->role) &&
		   sixinfour_from_inside(frame, settings, p)) {
		verdict = ZT6_DROP_SPOOFED;
	} else {
		verdict = ZT6_PASS_OTHER;
	}
	if (verdict != GO_ON)
		return verdict;
	if (FRAME_MAY_LACK_LINK && port->role == ZT6_ROLE_TUNNEL &&
	    sixinfour_source_martian(&p->src))
		return ZT6_DROP_INNER_SOURCE;
	verdict = ndp_respond(frame, settings, told, port, p);
	if (verdict != GO_ON)
		return verdict;
	return forward(frame, settings, told, p);
}

/* Programs only: what each CPU knows of its packet. Not on the stack, whose 512 bytes are for the
 * calls, and whose every value the verifier would follow on every path. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct packet);
} packets SEC(".maps");

/**
 * arrive - one frame on a port, and every count of it.
 * @slot: of the port
 *
 * Returns the verdict, or LEFT. A value beyond the verdicts is an error of the program.
 */
static __always_inline __u32 arrive(frame_t *frame, __u32 slot)
{
	__u32 zero = 0, frames, verdict;
	struct packet *p = bpf_map_lookup_elem(&packets, &zero);
	const struct zt6_settings *set = bpf_map_lookup_elem(&settings, &zero);
	struct zt6_agent *told = bpf_map_lookup_elem(&agent, &zero);
	const struct zt6_port *port = bpf_map_lookup_elem(&ports, &slot);
	struct zt6_port_counters *count = bpf_map_lookup_elem(&counters, &slot);

	if (!p || !set || !told || !port || !count)
		return LEFT;
	frame_prepare(frame);
	frames = frame_packets(frame);
	p->in_port = slot;
	p->frame_length = frame_length(frame);
	p->behind = !FRAME_IN_XDP && (port->paths & ZT6_PATH_XDP);
	p->ours = !p->behind;
	count->rx.packets += frames;
	count->rx.bytes += p->frame_length;
	verdict = pipeline(frame, port, set, told, p);
	if (!p->ours) {
		/* It arrives where the other program sees it. */
		count->rx.packets -= frames;
		count->rx.bytes -= p->frame_length;
		return LEFT;
	}
	if (verdict < ZT6_VERDICT_COUNT) {
		count->verdicts[verdict].packets += frames;
		count->verdicts[verdict].bytes += p->frame_length;
	}
	return verdict;
}

#endif
