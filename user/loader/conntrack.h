/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kernel's connection tracking, as far as `policy kernel` needs it. */
#ifndef ZT6_CONNTRACK_H
#define ZT6_CONNTRACK_H

#include <stdbool.h>
#include <stdint.h>

/* Has the kernel load its modules for connection tracking, where it has them as modules. Without
 * CAP_NET_ADMIN, or where there are none, nothing happens. */
void conntrack_load_modules(void);

/* How long an idle TCP connection is kept, in this network namespace: ms, or 0 where that cannot be
 * read. */
uint32_t conntrack_established_ms(void);

/* Whether programs can ask for entries (bpf_skb_ct_lookup(), Linux 6.1). */
bool conntrack_has_kfuncs(void);

#endif
