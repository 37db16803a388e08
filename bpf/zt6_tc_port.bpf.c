// SPDX-License-Identifier: GPL-2.0-only
/*
 * The pipeline in TC, at ingress: of Ethernet ports where XDP cannot go or cannot send, and of the
 * kernel's `sit`, for what that has taken out of 6in4. Each port has its own copy, with its own slot.
 */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_endian.h>

#include "zt6_abi.h"
#include "zt6_na.h"
#include "frame_tc.h"
#include "pipeline.h"
#include "rewrite_tc.h"

/* Set by the loader before the program is loaded: a constant to the verifier. */
const volatile __u32 port_slot = 0;

enum { REDIRECT, REPLY, PASS, DROP };

static const int actions[ZT6_VERDICT_COUNT] = {
#define VERDICT_ACTION(id, name, action, why) [ZT6_##id] = action,
	ZT6_VERDICTS(VERDICT_ACTION)};

SEC("tc")
int zt6_tc(struct __sk_buff *frame)
{
	__u32 verdict = arrive(frame, port_slot);

	if (verdict >= ZT6_VERDICT_COUNT)
		return verdict == (__u32)LEFT ? TC_ACT_UNSPEC : TC_ACT_SHOT;
	switch (actions[verdict]) {
	case REDIRECT:
		return TC_ACT_REDIRECT; /* to the device that the last stage has chosen */
	case REPLY:
		return bpf_redirect(frame->ifindex, 0);
	case DROP:
		return TC_ACT_SHOT;
	default:
		return TC_ACT_UNSPEC; /* programs of others come next */
	}
}

char _license[] SEC("license") = "GPL";
