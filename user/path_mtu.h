/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the programs have learnt of the paths between tunnels' ends (map `path_mtus`). */
#ifndef ZT6_USER_PATH_MTU_H
#define ZT6_USER_PATH_MTU_H

#include <linux/types.h>
#include <stdint.h>

#include "zt6_abi.h"

/**
 * path_mtu_fits - the largest IPv6 packet that goes into a tunnel now, bytes.
 * @path_mtus: the map, a file descriptor
 * @now_ns: CLOCK_MONOTONIC
 *
 * The tunnel's own MTU where nothing less is known; never less than IPv6 needs (RFC 4213 §3.2.2).
 */
__u32 path_mtu_fits(int path_mtus, const struct zt6_tunnel *tunnel, uint64_t now_ns);

#endif
