/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The long-lived part: what its modules share. One thread, one epoll loop, nothing that blocks for
 * longer than a netlink request. */
#ifndef ZT6_AGENT_H
#define ZT6_AGENT_H

#include <linux/types.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#include "../instance.h"
#include "../loader/maps.h"
#include "neighbours.h"

struct nl_sock;
struct ring_buffer;

struct agent {
	const struct instance *instance;
	struct map_fds maps;
	struct zt6_agent *shared;     /* memory of the map `agent` */
	struct ring_buffer *events;   /* solicitations that XDP deferred */
	struct nl_sock *requests;     /* questions to the kernel */
	struct nl_sock *watch;	      /* what the kernel says unasked */
	struct neighbours neighbours; /* those that are valid */
	struct model model;	      /* as the maps have it */
	bool refresh_wanted;	      /* an interface, address or rule has changed */
	bool resync_wanted;	      /* messages were lost */
};

/* Makes every entry of the route cache a miss. */
void agent_bump_generation(struct agent *agent);

/* watch.c: from the kernel's notices to the generation and the model. 0 or a negative error. */
int watch_open(struct agent *agent);
int watch_read(struct agent *agent);
void watch_close(struct agent *agent);

/* Reads the kernel's neighbours and our model anew. 0 or a negative error. */
int watch_resync(struct agent *agent);

/* Writes what has changed of interfaces, addresses and rules into the maps. */
int watch_refresh(struct agent *agent);

/* resolve.c: one deferred solicitation; the kernel is made to look for the target inside. */
int resolve_event(void *agent, void *event, size_t size);

#endif
