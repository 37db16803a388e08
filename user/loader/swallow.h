/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Addresses that others have given a tunnel's interface, with the routes that the kernel makes of them
 * (design, "The tunnel's own address must not swallow members").
 */
#ifndef ZT6_SWALLOW_H
#define ZT6_SWALLOW_H

#include "../conf.h"

struct nl_sock;

/**
 * swallow_each - call @each for each address on a tunnel that takes packets for members.
 * @tunnel: name of its interface; one that is not there has none
 *
 * That is one whose connected prefix is within a prefix of a zerotier or lan section, for which it is
 * the longer match. Returns 0 or -errno.
 */
int swallow_each(struct nl_sock *nl, const struct conf *conf, const char *tunnel,
		 void (*each)(void *arg, const char *tunnel, const struct prefix *address),
		 void *arg);

#endif
