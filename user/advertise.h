/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Neighbour Advertisements from userspace: the bytes that XDP would send, over a packet socket. */
#ifndef ZT6_ADVERTISE_H
#define ZT6_ADVERTISE_H

#include <linux/types.h>

#include "zt6_abi.h"

/* A socket for advertise_send(), which only sends. A file descriptor, or -errno. */
int advertise_open(void);

/**
 * advertise_send - send one Neighbour Advertisement out of a port.
 * @port: of its MAC, tag, source address and R flag
 * @solicitor: who asked; `::` for Duplicate Address Detection and for announcements: it goes to all
 *	nodes then
 * @mac: of the solicitor; unused when that is `::`
 * @flags: ZT6_NA_OVERRIDE for an announcement, or 0
 *
 * Returns 0 or -errno: -ENOBUFS when the device's queue is full.
 */
int advertise_send(int socket, const struct zt6_port *port, const union zt6_addr *target,
		   const union zt6_addr *solicitor, const __u8 *mac, __u8 flags);

#endif
