/* SPDX-License-Identifier: GPL-2.0-only */
/* What netfilter has to say about a packet that the fast path could forward. */
#ifndef ZT6_POLICY_H
#define ZT6_POLICY_H

/* Under `policy kernel` every packet takes the kernel's path, and so its nftables rules. */
static __always_inline int policy_forward(const struct zt6_settings *settings)
{
	return settings->policy == ZT6_POLICY_OFF ? GO_ON : ZT6_PASS_POLICY;
}

#endif
