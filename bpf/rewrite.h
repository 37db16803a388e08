/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Header replacement: plain forwarding, decapsulation and encapsulation strip what stands before
 * the IPv6 header and write the route's header in its place. Only the lengths differ.
 */
#ifndef ZT6_REWRITE_H
#define ZT6_REWRITE_H

/**
 * rewrite_and_redirect - send the packet on its way. In rewrite_xdp.h and rewrite_tc.h.
 *
 * A packet whose device is missing goes up untouched. Whether the device then takes the frame, no
 * program can see. Returns GO_ON when the packet is to be redirected.
 */
static __always_inline int rewrite_and_redirect(frame_t *frame, const struct packet *p,
						const struct zt6_route *route);

/* What to do about a packet that is larger than @mtu: in too_big.h and, for TC, rewrite_tc.h. */
static int too_big(frame_t *frame, const struct zt6_port *port, const struct packet *p, __u32 mtu);

#endif
