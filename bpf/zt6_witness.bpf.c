// SPDX-License-Identifier: GPL-2.0-only
/* The witness on the egress of every port, one program for all of them. It never touches a packet. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_endian.h>

#include "zt6_abi.h"
#include "zt6_na.h"
#include "frame_tc.h"
#include "packet.h"
#include "maps.h"
#include "fib.h"
#include "hash.h"
#include "flow.h"
#include "flow_end.h"
#include "witness.h"

SEC("tc")
int zt6_witness(struct __sk_buff *frame)
{
	__u32 zero = 0;
	const struct zt6_settings *set = bpf_map_lookup_elem(&settings, &zero);
	__u32 *own = bpf_map_lookup_elem(&own_redirect, &zero);

	if (own && *own)
		*own = 0;
	else if (set)
		witness_forwarded(frame, set);
	return TC_ACT_UNSPEC; /* the next filter's turn */
}

char _license[] SEC("license") = "GPL";
