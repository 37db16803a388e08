/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a ZeroTier network must have so that its members are reachable through this gateway, compared
 * with what it has. The checks are functions of facts: reading those is another matter.
 */
#ifndef ZT6_ZEROTIER_CHECKS_H
#define ZT6_ZEROTIER_CHECKS_H

#include "../conf.h"
#include "../findings.h"
#include "controller.h"
#include "kernel.h"

/* A next hop of a peer, and by which interface the kernel sends to it. */
struct zerotier_outlet {
	uint64_t node;
	struct in6_addr addr;
	char device[IFNAMSIZ];
};

/* NULL where something is not known. */
struct zerotier_facts {
	const struct conf *conf;
	const struct conf_zerotier *section;
	uint64_t node; /* of this gateway; 0: not known */
	const struct zerotier_node *service;
	const struct zerotier_network *network;
	const struct zerotier_controller *controller;
	const struct kernel_routes *routes;
	const struct zerotier_outlet *outlets; /* of peers with IPv6 addresses */
	size_t outlet_count;
};

/* Adds at least one finding for each of the questions that the facts can answer, and one of
 * FINDING_UNKNOWN for what only a controller elsewhere knows. */
void zerotier_check(const struct zerotier_facts *facts, struct findings *out);

/* checks_paths.c: whether packets to members leave by the overlay, and those of the service itself
 * by neither the overlay nor the tunnel. */
void zerotier_check_paths(const struct zerotier_facts *facts, struct findings *out);

#endif
