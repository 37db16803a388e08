/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The state of a network in words: what is missing, and who must do what. */
#ifndef ZT6_ZEROTIER_ADVICE_H
#define ZT6_ZEROTIER_ADVICE_H

#include "../findings.h"
#include "api.h"

/* A network that this machine is in.  @node: id of this machine's node; 0: not known. */
void zerotier_advise(const struct zerotier_network *network, uint64_t node, struct findings *out);

/* A network that it has not joined. */
void zerotier_advise_join(uint64_t network, struct findings *out);

#endif
