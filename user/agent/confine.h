/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ZT6_CONFINE_H
#define ZT6_CONFINE_H

#include <sys/types.h>

/**
 * confine - give up every privilege but CAP_NET_ADMIN and CAP_NET_RAW, for good.
 * @uid, @gid: of the pins' owner, to whom the loader has given the journal as well: root becomes
 *	him. Anybody else, and root where the pins are root's, stays who he is.
 *
 * 0, or -errno with a message.
 */
int confine(uid_t uid, gid_t gid);

#endif
