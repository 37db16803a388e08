/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ZT6_XDP_FEATURES_H
#define ZT6_XDP_FEATURES_H

#include <stdint.h>

/* NETDEV_XDP_ACT_* of Linux 6.3, include/uapi/linux/netdev.h */
#define XDP_FEATURE_BASIC    (1 << 0) /* native XDP */
#define XDP_FEATURE_REDIRECT (1 << 1) /* out of its frames into other devices */
#define XDP_FEATURE_XMIT     (1 << 2) /* ndo_xdp_xmit: it takes frames from other devices */

/**
 * xdp_features - what a device's driver can do for XDP, as it is now.
 * @features: out, XDP_FEATURE_*
 *
 * Returns 0, -EOPNOTSUPP when the kernel does not tell (before Linux 6.3), or another error.
 */
int xdp_features(int ifindex, uint64_t *features);

#endif
