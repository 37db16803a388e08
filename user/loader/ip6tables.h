/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The older rules of netfilter for IPv6, those of `ip6tables-legacy`, in this network namespace. */
#ifndef ZT6_IP6TABLES_H
#define ZT6_IP6TABLES_H

#include <stddef.h>

#include "nft.h"

/**
 * ip6tables_forward_chains - the chains FORWARD that may drop a packet.
 * @list: an array of *@count that nft_forward_chains() has begun, or NULL; they are added to it
 *
 * Looks only at tables that somebody has used here: asking for another would make it. Returns 0, also
 * where the kernel has no such thing, -EPERM without CAP_NET_ADMIN, or another error.
 */
int ip6tables_forward_chains(struct nft_chain **list, size_t *count);

#endif
