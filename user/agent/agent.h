/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The long-lived part: what its modules share. One thread, one epoll loop, nothing that blocks for
 * longer than a netlink request. */
#ifndef ZT6_AGENT_H
#define ZT6_AGENT_H

#include <linux/types.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "../instance.h"
#include "../loader/maps.h"
#include "health.h"
#include "groups.h"
#include "neighbours.h"
#include "recall.h"
#include "targets.h"
#include "zerotier.h"

struct nl_sock;
struct ring_buffer;

struct agent {
	const struct instance *instance;
	struct map_fds maps;
	int verified_map, negative_map, members_map, path_mtus_map;
	struct zt6_agent *shared;   /* memory of the map `agent` */
	struct ring_buffer *events; /* what XDP has for us */
	struct nl_sock *requests;   /* questions to the kernel */
	struct nl_sock *tables;     /* its tables: what they hold leads to requests meanwhile */
	struct nl_sock *watch;      /* what the kernel says unasked */
	struct nl_sock *rules;      /* what becomes of nftables; NULL: it does not tell */
	int packets;                /* packet socket, for advertisements */
	int epoll, signals;
	int lock;                     /* that no other agent has */
	struct neighbours neighbours; /* those that are valid */
	struct recall recall;         /* neighbours that went with their interface */
	struct targets targets;
	struct agent_zerotier zerotier;
	struct agent_health health;
	struct model model;              /* as the maps have it */
	__u32 tunnel_mtu[ZT6_MAX_PORTS]; /* of TUNs, by slot, as last set; 0: not yet */
	__u32 members_max;               /* limits members */
	bool refresh_wanted;             /* an interface, address or rule has changed */
	bool resync_wanted;              /* messages were lost */
	bool looked;                     /* ... but were read meanwhile, without writing */
	bool drained;                    /* all that the kernel has said was read */
	bool reloading;                  /* SIGHUP has come, and is not done with */
	bool repair_wanted;              /* one of our interfaces may lack what `up` gave it */
	uint64_t repair_ns;              /* and not before this is it given that again */
	struct timespec pins_changed;    /* the folder of the pins, when they were opened */
	uint64_t refresh_after_ns;       /* when that may be acted upon again */
	uint64_t ticked_ns;              /* when the once-a-second work was last done */
	unsigned int probes_left;        /* neighbours that may be probed in this second */
	__u32 freshness_from;            /* where in `members` the last second ended ... */
	bool freshness_unfinished;       /* ... when it did before the end */
	unsigned int announcements_left; /* and that many announcements sent */
	struct groups groups;            /* joined on ports outside */
	/* Towards the far ends of BPF tunnels, as last seen. */
	struct in_addr next_hops[ZT6_MAX_TUNNELS];
};

/* pinned.c: 0, -ENOENT when nothing is up, or another error. */
int agent_open_maps(struct agent *agent);
void agent_close_maps(struct agent *agent);

/* Whether something else is pinned by now than what we have open. */
bool agent_pins_changed(const struct agent *agent);

/* loop.c: 0 or a negative error, with a message where the reason is not plain. */
int agent_open_sockets(struct agent *agent);
void agent_close_sockets(struct agent *agent);

/* Runs until SIGTERM or SIGINT (0); -ENOENT when the instance has gone down. */
int agent_run(struct agent *agent);

/* CLOCK_MONOTONIC in nanoseconds: the programs' clock. */
uint64_t agent_now(void);

/* Makes every entry of the route cache a miss. */
void agent_bump_generation(struct agent *agent);

/* Slot of an inside port (overlay or lan) by its interface, or -1. */
int agent_inside_slot(const struct agent *agent, int ifindex);

/* watch.c: from the kernel's notices to the generation and the model. 0 or a negative error. */
int watch_open(struct agent *agent);
int watch_read(struct agent *agent);
void watch_close(struct agent *agent);

/* Reads the kernel's neighbours and our model anew. 0 or a negative error. */
int watch_resync(struct agent *agent);

/* Reads the kernel's neighbours and the maps as they are, and writes nothing: while the loader is at
 * work. 0 or a negative error. */
int watch_look(struct agent *agent);

/* Writes what has changed of interfaces, addresses and rules into the maps. */
int watch_refresh(struct agent *agent);

/* ports.c: interfaces that come and go. */

/* Brings the programs to the interfaces of @fresh; from the model that the maps had @before. Whether
 * a port has another interface than before. */
bool ports_follow(struct agent *agent, const struct model *before, const struct model *fresh);

/* An interface that was reported. */
struct ifinfomsg;
void ports_link_changed(struct agent *agent, const char *name, const struct ifinfomsg *link);

/* Neighbours that went with an interface come back where there is one that is up. */
void ports_recall(struct agent *agent);

/* What `up` had made is looked through, and made again where it has gone. */
void ports_want_repair(struct agent *agent);

/* Does so when it is wanted and due. */
void ports_repair(struct agent *agent, uint64_t now);

/* rules.c: our tables of nftables are loaded again when somebody has removed them. */
int rules_open(struct agent *agent);
void rules_read(struct agent *agent);
void rules_close(struct agent *agent);

/* announce.c: unsolicited advertisements of targets, at a bounded rate. */
void announce_target(struct agent *agent, struct target *target);

/* All verified targets of a port, in time. */
void announce_port(struct agent *agent, unsigned int slot);
void announce_tick(struct agent *agent);

/* verify.c: targets under rules, from the question to the answer. */
void verify_event(struct agent *agent, const struct zt6_event *event);
void verify_neighbour(struct agent *agent, const struct neighbour *neighbour, unsigned int change);
void verify_deadlines(struct agent *agent, uint64_t now);
void verify_renew(struct agent *agent, uint64_t now);

/* Targets that were found on an interface that is gone are strangers again. */
void verify_forget_interface(struct agent *agent, int ifindex);

/* bindings.c: what a controller on this machine has assigned goes into the map `bindings`. */
struct zerotier_view;
void agent_bind(struct agent *agent, uint8_t slot, const struct zerotier_view *view);

/* tunnel_mtu.c: gives TUNs the MTU of their tunnel's path. */
void tunnel_mtu_follow(struct agent *agent, uint64_t now);

/* freshness.c: keeps the neighbours that traffic uses probed. */
void freshness_event(struct agent *agent, const struct zt6_event *event);
void freshness_tick(struct agent *agent, uint64_t now);

#endif
