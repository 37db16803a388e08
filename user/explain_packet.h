/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The packets that `explain` asks about, as they would arrive. */
#ifndef ZT6_EXPLAIN_PACKET_H
#define ZT6_EXPLAIN_PACKET_H

#include <linux/types.h>
#include <stddef.h>

#include "zt6_abi.h"

#define EXPLAIN_FRAME_MAX 256 /* room for any of them, and for what becomes of it */
#define EXPLAIN_HOP_LIMIT 64
#define EXPLAIN_UDP_PORT  33434 /* traceroute's first */

/* How the packet comes in. */
struct explain_link {
	const struct zt6_port *device;   /* the Ethernet port whose program sees it */
	const struct zt6_tunnel *tunnel; /* that it came through, or NULL */
	__u8 src_mac[ZT6_ETH_ALEN];
};

/* Both write a frame into @frame (EXPLAIN_FRAME_MAX bytes) and return its length. */
size_t explain_packet_udp(__u8 *frame, const struct explain_link *link, const union zt6_addr *src,
			  const union zt6_addr *dst);
/* RFC 4861 §4.3, multicast, with the option for the source's link-layer address. */
size_t explain_packet_solicit(__u8 *frame, const struct explain_link *link,
			      const union zt6_addr *src, const union zt6_addr *target);

#endif
