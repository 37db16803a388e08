/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The frames that the benchmark sends. Addresses are those of topology.sh and zt6.conf; every frame
 * is at least BENCH_HEAD bytes long, the rest of it is zeroes. */
#ifndef BENCH_FRAMES_H
#define BENCH_FRAMES_H

#include <linux/types.h>
#include <netinet/in.h>
#include <stdint.h>

#include "shared.h"

#define BENCH_MEMBERS 16 /* that topology.sh makes: ...::1 to ...::10 */

/* A set of frames that are sent in turn. */
struct frames {
	struct bench_frame list[BENCH_MEMBERS];
	uint32_t count;  /* a power of two */
	uint32_t length; /* of each, bytes */
	uint32_t vary;   /* offset of 8 bytes to be different in every frame, 0: none */
};

/* The Ethernet source of all frames. */
extern const uint8_t frames_source_mac[6];

/* The prefixes of addresses by what there is to do for them. */
#define NET_STATIC "2001:db8:48::"    /* proxied by a static rule */
#define NET_AUTO   "2001:db8:49::"    /* proxied by an auto rule, verified as by the agent */
#define NET_KERNEL "2001:db8:4a::"    /* proxied by an auto rule, known to the kernel only */
#define NET_MEMBER "2001:470:811d::"  /* members, reached through the tunnel */
#define NET_LAN    "2001:db8:50::"    /* hosts of the lan */
#define NET_BEHIND "2001:db8:50:bb::" /* behind a host of the lan */
#define NET_WORLD  "2001:db8:77::"    /* anybody in the Internet */
#define NET_NARROW "2001:db8:78::"    /* the same, behind a path of 1400 bytes */

/* Host @number of @net. */
struct in6_addr frames_address(const char *net, uint32_t number);

/* Solicitations of the upstream router for members ::1, ::2... of a prefix. */
void frames_solicitations(struct frames *out, const char *net);

/**
 * frames_ipv6 - IPv6 packets that have to be forwarded.
 * @mac: of the port that they arrive on
 * @src, @dst: prefixes; the hosts are ::1, ::2... of each where @sources, @destinations is more
 *	than 1
 */
void frames_ipv6(struct frames *out, const uint8_t mac[6], const char *src, uint32_t sources,
		 const char *dst, uint32_t destinations);

/* Makes UDP of what frames_ipv6() or frames_6in4() has made, all ports 0. @offset: of IPv6 */
void frames_udp(struct frames *frames, uint32_t offset);

/* The same in 6in4, from the tunnel's far end. */
void frames_6in4(struct frames *out, const uint8_t mac[6], const char *src, uint32_t sources,
		 const char *dst, uint32_t destinations);

/* Gives each frame of frames_ipv6() a destination of its own within a /64. */
void frames_vary_destination(struct frames *frames);

/* Makes frames of frames_ipv6() packets of @bytes. */
void frames_enlarge(struct frames *frames, uint16_t bytes);

/* Makes frames of frames_ipv6() hold another protocol, of whose header all is 0. */
void frames_protocol(struct frames *frames, uint8_t protocol);

/* ARP, which is nobody's business here. */
void frames_arp(struct frames *out);

/* Where to look at a frame to see that it is what it should be. */
#define AT_ND_TYPE     54 /* of ICMPv6, as of its errors */
#define AT_NEXT_HEADER 20 /* of IPv6 */
#define AT_HOP_LIMIT   21
#define AT_PROTOCOL    23 /* of IPv4 */

#define HOP_LIMIT 64 /* that the frames are sent with */

#endif
