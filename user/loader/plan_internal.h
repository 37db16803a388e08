/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The parts of plan.c that have files of their own. Each returns 0, or -errno with a message. */
#ifndef ZT6_PLAN_INTERNAL_H
#define ZT6_PLAN_INTERNAL_H

#include <linux/types.h>

#include "facts.h"
#include "kinds.h"
#include "model.h"
#include "plan.h"
#include "zt6_abi.h"

struct planner {
	const char *instance;
	const struct conf *conf;
	const struct journal *journal;
	struct nl_sock *nl;
	bool dry_run;
	struct plan *plan;
	const struct model *model; /* which ports have programs in TC */
	/* Of each tunnel, decided by plan_devices(). */
	bool tunnel_bpf[ZT6_MAX_TUNNELS];
	struct in_addr tunnel_local[ZT6_MAX_TUNNELS];
};

/* Adds to the plan; NULL is out of memory. */
int plan_add(struct planner *planner, struct object *object);

/* "net/FAMILY/conf/NAME/KEY" = @value. */
int plan_conf_sysctl(struct planner *planner, const char *family, const char *name, const char *key,
		     const char *value);

/* plan_firewall.c: the rules of nftables. */
int plan_firewall(struct planner *planner);

/* plan_sysctl.c: forwarding, and what has to come before it; and one value of an interface that
 * we make, where it would not inherit it. */
int plan_forwarding(struct planner *planner);
int plan_device_sysctl(struct planner *planner, const char *name, const char *key,
		       const char *value);

/* plan_gc.c: how many neighbours the kernel keeps. */
int plan_gc_thresholds(struct planner *planner);

/* plan_tunnel.c: devices with addresses and the host route to the gateway; and at the end what
 * a TUN needs besides. */
int plan_devices(struct planner *planner);
int plan_bpf_devices(struct planner *planner);

/* plan_route.c: members, lans, unreachable; default routes and the rules for them. */
int plan_routes(struct planner *planner);
int plan_defaults(struct planner *planner);

/* plan_proxy.c: answers to members that ask for our own addresses in their prefixes. */
int plan_proxies(struct planner *planner);

/* plan_conntrack.c: what lets the fast path follow conntrack, under `policy kernel`. */
int plan_conntrack(struct planner *planner);

#endif
