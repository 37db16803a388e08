/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the agent has found out about a tunnel, in words. */
#ifndef ZT6_TUNNEL_HEALTH_H
#define ZT6_TUNNEL_HEALTH_H

#include <jansson.h>
#include <linux/types.h>
#include <stddef.h>
#include <stdint.h>

#include "zt6_abi.h"

/* So many echo requests without a reply, and nothing else out of it meanwhile: it is silent. */
#define TUNNEL_SILENT_AFTER 3

enum tunnel_state {
	TUNNEL_UNKNOWN, /* nobody has looked yet */
	TUNNEL_ALIVE,
	TUNNEL_MUTE,   /* packets come out of it, but no echo replies */
	TUNNEL_SILENT, /* nothing does */
};

/* @health: of an agent that runs.  @now_ns: CLOCK_MONOTONIC */
enum tunnel_state tunnel_state(const struct zt6_health *health, uint64_t now_ns);

/* "unknown", "alive", "mute", "silent" */
const char *tunnel_state_name(enum tunnel_state state);

/* {"state": ..., "rtt_us": N|null, "unanswered": N, "answered_age_ms": N|null, "last_in_age_ms": ...,
 * "last_out_age_ms": ...}: a new reference. @health: NULL without an agent */
json_t *tunnel_health_json(const struct zt6_health *health, uint64_t now_ns);

/* One line for people: "far end answers in 12.3 ms, last packet in 2 s ago". */
void tunnel_health_text(const struct zt6_health *health, uint64_t now_ns, char *text, size_t size);

#endif
