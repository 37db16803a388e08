/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Orders to the kernel's neighbour unreachability detection. The agent sends no ND of its own
 * inside: the kernel asks, by its own rules and with its own retransmissions. */
#ifndef ZT6_NUD_H
#define ZT6_NUD_H

#include <linux/types.h>
#include <netinet/in.h>

#include "zt6_abi.h"

struct nl_sock;

/* Where the kernel sends packets for an address: itself, or the gateway before it. */
struct next_hop {
	int ifindex;
	struct in6_addr addr;
};

/* Asks the kernel for the way to @target. 0, -ENETUNREACH or another error. */
int nud_next_hop(struct nl_sock *nl, const union zt6_addr *target, struct next_hop *hop);

/* As if a packet had been sent: an unknown neighbour is asked for (NTF_USE). 0 or -errno. */
int nud_use(struct nl_sock *nl, const struct next_hop *hop);

/* A known neighbour is asked at once whether it is still there (NUD_PROBE). 0 or -errno. */
int nud_probe(struct nl_sock *nl, const struct next_hop *hop);

/* A neighbour's MAC is believed no longer, and asked for anew (NUD_FAILED, then use). */
int nud_renew(struct nl_sock *nl, const struct next_hop *hop);

/* A neighbour that is not valid is supposed to have that MAC (NUD_STALE): it is sent to, and asked when it
 * is. One that is valid keeps its own. 0 or -errno. */
int nud_suppose(struct nl_sock *nl, const struct next_hop *hop, const __u8 mac[6]);

/**
 * nud_wire - a /128 route to @target out of the hop's interface (`autowire`).
 * @via: a link-local address of the neighbour, or NULL (`autovia`)
 * @seconds: after which the kernel itself takes it away, so that none is left after a crash
 */
int nud_wire(struct nl_sock *nl, const union zt6_addr *target, const struct next_hop *hop,
	     const struct in6_addr *via, __u32 seconds);

/* Takes such a route away; 0 also when there is none. */
int nud_unwire(struct nl_sock *nl, const union zt6_addr *target, const struct next_hop *hop);

#endif
