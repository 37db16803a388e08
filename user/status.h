/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What works and what does not, of a running instance. */
#ifndef ZT6_STATUS_H
#define ZT6_STATUS_H

#include <stdbool.h>
#include <stdint.h>

#include "findings.h"
#include "firewall.h"
#include "loader/model.h"
#include "stats.h"

/* An agent that has not been heard of for this long is not running (design §5.1). */
#define AGENT_STALE_NS 10000000000ULL

/* What status_targets.c reads. */
struct status_targets {
	long long verified, negative; /* entries that have not expired */
	long long kernel_entries,
		kernel_most; /* neighbours in all namespaces; -1: not to be seen */
};

struct status {
	const struct instance *instance;
	struct stats stats;
	struct model model; /* settings, ports, prefixes and rules as the programs see them */
	struct firewall firewall;
	struct zt6_agent agent; /* what the agent last said */
	struct status_targets targets;
	uint64_t now_ns; /* CLOCK_MONOTONIC when this was read */
	bool agent_running;
	uint64_t heartbeat_age_ns; /* UINT64_MAX: there was never an agent */
	struct findings findings;  /* errors are what it is degraded by; areas: the parts' keys */
	struct status_overlays *overlays; /* of status_zerotier.c; NULL: not read */
};

/* Reads and judges. Errors like stats_read(). Free with status_free(). */
int status_read(const struct instance *instance, struct status *out);
void status_free(struct status *status);

#endif
