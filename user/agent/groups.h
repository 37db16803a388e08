/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Solicited-node groups of verified targets, joined on the port outside (`mld yes`): a switch that
 * snoops on MLD sends solicitations only to where somebody has joined their group (RFC 4541). The
 * kernel reports what sockets have joined, and ends with them: nothing is left after a crash.
 */
#ifndef ZT6_GROUPS_H
#define ZT6_GROUPS_H

#include <linux/types.h>
#include <stddef.h>

#include "zt6_abi.h"

struct agent;

/* A socket may hold only so many memberships (net.core.optmem_max): there are several. */
#define GROUP_SOCKETS 64

struct groups {
	void *tree; /* of joined groups, for tsearch(3) */
	size_t count;
	int sockets[GROUP_SOCKETS]; /* -1: not open */
};

void groups_init(struct groups *groups);

/* A verified target more, or one less, on a port with ZT6_PROXY_MLD: several may share a group. */
void groups_join(struct agent *agent, const struct zt6_address_key *target);
void groups_leave(struct agent *agent, const struct zt6_address_key *target);

/* The port's interface is another one than before: memberships went with the old one. */
void groups_join_again(struct agent *agent);

void groups_clear(struct groups *groups);

#endif
