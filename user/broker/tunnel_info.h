/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The facts of a tunnel, as its broker has them. */
#ifndef ZT6_BROKER_TUNNEL_INFO_H
#define ZT6_BROKER_TUNNEL_INFO_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>

#include "../addr.h"

struct tunnel_info {
	struct in_addr server_v4;  /* remote */
	struct in_addr client_v4;  /* where the broker sends to; 0.0.0.0: it does not say */
	struct in6_addr server_v6; /* gateway */
	struct prefix client_v6;   /* address, with the length of the tunnel's own prefix */
	struct prefixes routed;
};

/**
 * tunnel_info_parse - read the broker's XML.
 * @tunnel: the id of the tunnel that was asked for
 * @why: what is wrong, when something is
 *
 * Returns 0, -ENOENT when there is no such tunnel in it, or -EPROTO. Free it with
 * tunnel_info_free().
 */
int tunnel_info_parse(const char *xml, size_t length, const char *tunnel, struct tunnel_info *out,
		      const char **why);

void tunnel_info_free(struct tunnel_info *info);

#endif
