// SPDX-License-Identifier: GPL-2.0-only
/* The XDP program of an Ethernet port. Each port has its own copy, with its own slot. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_endian.h>

#include "zt6_abi.h"
#include "zt6_na.h"
#include "frame_xdp.h"
#include "pipeline.h"
#include "rewrite_xdp.h"
#include "too_big.h"

/* Set by the loader before the program is loaded: a constant to the verifier. */
const volatile __u32 port_slot = 0;

static const int actions[ZT6_VERDICT_COUNT] = {
#define ACTION_REDIRECT                       XDP_REDIRECT
#define ACTION_REPLY                          XDP_TX
#define ACTION_PASS                           XDP_PASS
#define ACTION_DROP                           XDP_DROP
#define VERDICT_ACTION(id, name, action, why) [ZT6_##id] = ACTION_##action,
	ZT6_VERDICTS(VERDICT_ACTION)};

SEC("xdp.frags")
int zt6_xdp(struct xdp_md *frame)
{
	__u32 verdict = arrive(frame, port_slot);

	if (verdict < ZT6_VERDICT_COUNT)
		return actions[verdict];
	return verdict == (__u32)LEFT ? XDP_PASS : XDP_ABORTED;
}

char _license[] SEC("license") = "GPL";
