/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The ZeroTier service beside the agent's loop: asked now and then, for each network of a port; what it
 * says is written down for `status` and `members`, and its controller's assignments become bindings. */
#ifndef ZT6_AGENT_ZEROTIER_H
#define ZT6_AGENT_ZEROTIER_H

#include <linux/types.h>
#include <stdbool.h>
#include <stdint.h>

#include "zt6_abi.h"

struct agent;
struct zerotier_observer;

struct agent_network {
	uint64_t network; /* id; 0: none */
	uint8_t slot;     /* of its port */
	struct zerotier_observer *observer;
	int said; /* what was last logged: an error, or the network's status; -1: nothing yet */
};

struct agent_zerotier {
	struct agent_network networks[ZT6_MAX_PORTS];
	int keyholder;     /* keyholder.h; -1: none */
	bool asking;       /* the keyholder is */
	uint64_t asked_ns; /* when a round was last begun */
};

/* Before the agent gives up its privileges. 0 or -errno. */
int agent_zerotier_open(struct agent *agent);
void agent_zerotier_close(struct agent *agent);

/* Once a second: which networks there are, and whether it is time to ask. */
void agent_zerotier_tick(struct agent *agent, uint64_t now);

/* Whenever the loop goes round: what has come, never waiting. */
void agent_zerotier_run(struct agent *agent);

#endif
