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
#include "members.h"
#include "mss.h"
#include "route.h"
#include "binding.h"
#include "guard.h"
#include "policy.h"
#include "rewrite.h"
#include "too_big.h"
#include "nd_recent.h"
#include "ndp.h"
#include "forward.h"

static __always_inline int pipeline(frame_t *frame, const struct zt6_port *port,
				    const struct zt6_settings *settings, struct zt6_agent *told,
				    struct packet *p)
{
	__be16 ether_type;
	int verdict;

	verdict = packet_ethernet(frame, port, p, &ether_type);
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
	} else {
		verdict = ZT6_PASS_OTHER;
	}
	if (verdict != GO_ON)
		return verdict;
	if (p->next_header == IPPROTO_HOPOPTS)
		return ZT6_PASS_EXTENSION_HEADER;
	verdict = ndp_respond(frame, settings, told, port, p);
	if (verdict != GO_ON)
		return verdict;
	return forward(frame, settings, told, p);
}

#endif
