// SPDX-License-Identifier: GPL-2.0-or-later
#include "path_mtu.h"

#include <bpf/bpf.h>

#define IPV4_HEADER 20

__u32 path_mtu_fits(int path_mtus, const struct zt6_tunnel *tunnel, uint64_t now_ns)
{
	__u32 slot = tunnel->port, inner;
	struct zt6_path_mtu known;

	if (bpf_map_lookup_elem(path_mtus, &slot, &known) || known.expires_ns <= now_ns ||
	    known.local != tunnel->local || known.remote != tunnel->remote)
		return tunnel->mtu;
	inner = known.mtu - IPV4_HEADER;
	if (inner < ZT6_IPV6_MIN_MTU)
		return ZT6_IPV6_MIN_MTU;
	return inner < tunnel->mtu ? inner : tunnel->mtu;
}
