/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether the broker's end of a tunnel answers. */
#ifndef ZT6_BROKER_ECHO_H
#define ZT6_BROKER_ECHO_H

#include <netinet/in.h>

/**
 * broker_echo - send a few ICMPv6 echo requests to the far end of a tunnel, until one is answered.
 * @device: by which they leave
 * @source: the tunnel's own address
 *
 * Takes seconds at most. Returns 0 when there was an answer, -ETIMEDOUT when there was none, or
 * another error when it cannot be found out: -EACCES where net.ipv4.ping_group_range leaves this
 * user out, -ENODEV, -EADDRNOTAVAIL.
 */
int broker_echo(const char *device, const struct in6_addr *source, const struct in6_addr *target);

#endif
