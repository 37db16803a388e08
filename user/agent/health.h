/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether tunnels live: when something last came out of each and went into it, and how long the far end
 * takes to answer an echo request (RFC 4443 §4), one every ten seconds, every three while none comes. What is found out stands in the
 * shared memory, for `status` and `stats`. */
#ifndef ZT6_AGENT_HEALTH_H
#define ZT6_AGENT_HEALTH_H

#include <linux/types.h>
#include <stdbool.h>
#include <stdint.h>

#include "zt6_abi.h"

struct agent;

struct agent_health {
	int socket; /* raw, ICMPv6; -1: none */
	uint16_t identifier;
	struct {
		uint16_t sequence; /* of the last request */
		bool waiting;      /* for its reply */
		uint64_t in, out;  /* packets, when last looked at */
		bool looked;
	} tunnels[ZT6_MAX_TUNNELS];
};

/* Before the agent gives up its privileges. 0 or -errno. */
int agent_health_open(struct agent *agent);
void agent_health_close(struct agent *agent);

/* Once a second. */
void agent_health_tick(struct agent *agent, uint64_t now);

/* Whenever the loop goes round: replies that have come. */
void agent_health_read(struct agent *agent);

#endif
