/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A reading of the counters of a running instance. */
#ifndef ZT6_STATS_H
#define ZT6_STATS_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "instance.h"
#include "zt6_abi.h"

/* What the interface itself counts, beside what our programs see: a redirect that fails after
 * the verdict shows up only here. */
struct device_drops {
	__u64 rx_dropped, rx_errors, tx_dropped, tx_errors;
};

struct stats_port {
	struct zt6_port port;
	struct zt6_port_counters count; /* summed over the CPUs */
	struct device_drops device;
	bool device_up;       /* IFF_UP */
	const char *datapath; /* what really runs: xdp, xdp-generic, tc, kernel or none */
};

struct stats {
	struct stats_port ports[ZT6_MAX_PORTS];
	size_t port_count;
	struct zt6_port_counters total;
	struct zt6_agent agent; /* what the agent last said */
	uint64_t now_ns;        /* CLOCK_MONOTONIC when it was read */
};

/* What the agent knows of the tunnel of such a port; NULL for other ports, and without an agent. */
const struct zt6_health *stats_health(const struct stats *stats, const struct stats_port *port);

/* Reads everything. 0, -ENOENT when the instance is not up, -EPROTO when another version is. */
int stats_read(const struct instance *instance, struct stats *out);

/* Name of a verdict in `stats`, and what it means. */
const char *verdict_name(enum zt6_verdict verdict);
const char *verdict_meaning(enum zt6_verdict verdict);

/* "uplink", "overlay", "lan", "tunnel", as in the configuration's words. */
const char *role_name(enum zt6_role role);

/* Says on stderr why an instance cannot be read. Returns the exit status: 3 when it is not up. */
int stats_explain_error(const struct instance *instance, int err);

#endif
