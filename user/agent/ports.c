// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Interfaces that come and go. A port is its configured name: programs, device map, routes and flags
 * follow the name to whatever interface has it now, and leave one that has it no longer.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <string.h>

#include "../loader/facts.h"
#include "../loader/programs.h"
#include "../loader/repair.h"
#include "../log.h"
#include "../running.h"
#include "agent.h"

#define NSEC_PER_SEC 1000000000ULL

/* What could not be done is tried again so often: somebody else's program on a port, say. */
#define RETRY_NS (5 * NSEC_PER_SEC)

/* Unless it is to be tried at once: then that comes first. */
static void try_again_later(struct agent *agent)
{
	if (agent->repair_wanted)
		return;
	agent->repair_wanted = true;
	agent->repair_ns = agent_now() + RETRY_NS;
}

void ports_want_repair(struct agent *agent)
{
	agent->repair_wanted = true;
	agent->repair_ns = 0;
}

struct leaving {
	struct recall *recall;
	uint8_t slot;
	uint64_t now_ns;
};

static void note_leaving(void *arg, const struct neighbour *neighbour)
{
	const struct leaving *leaving = arg;

	recall_note(leaving->recall, leaving->slot, neighbour, leaving->now_ns);
}

/* Neighbours of whose end the kernel's notice was not heard. */
static void note_neighbours(struct agent *agent, uint8_t slot, __u32 before)
{
	struct leaving leaving = {.recall = &agent->recall, .slot = slot, .now_ns = agent_now()};

	if (port_is_inside(&agent->model.ports[slot]))
		neighbours_each(&agent->neighbours, (int)before, note_leaving, &leaving);
}

static void note_change(struct agent *agent, const struct zt6_port *port, __u32 before)
{
	if (!port->ifindex)
		log_info("%s: has gone; waiting for it", port->name);
	else if (before)
		log_info("%s: has come back with index %u", port->name, port->ifindex);
	else
		log_info("%s: is there, with index %u", port->name, port->ifindex);
	ports_want_repair(agent);
	/* Neighbours and targets of the old index mean nothing any more. */
	agent->resync_wanted = true;
	if (before)
		verify_forget_interface(agent, (int)before);
}

/* With `local auto` the address of an uplink is also that of a sit device. */
static void note_local(struct agent *agent, const struct zt6_port *port, struct in_addr local)
{
	char text[INET_ADDRSTRLEN];

	log_info("%s: its local address is %s from now on", port->name,
		 inet_ntop(AF_INET, &local, text, sizeof(text)));
	ports_want_repair(agent);
}

/* Another near end, or another neighbour on the way to the far one. */
static void follow_tunnels(struct agent *agent, const struct zt6_settings *before,
			   const struct model *fresh)
{
	const struct zt6_settings *now = &fresh->settings;

	for (__u32 i = 0; i < now->tunnel_count && i < ZT6_MAX_TUNNELS; i++) {
		const struct zt6_tunnel *tunnel = &now->tunnels[i];
		const struct in_addr remote = {.s_addr = tunnel->remote};
		const struct in_addr local = {.s_addr = tunnel->local};
		struct in_addr next_hop = {0};
		int ifindex = 0;

		if (tunnel->local != before->tunnels[i].local)
			note_local(agent, &fresh->ports[tunnel->port], local);
		if (!(tunnel->flags & ZT6_TUNNEL_BPF))
			continue;
		facts_ipv4_next_hop(agent->requests, remote, local, &ifindex, &next_hop);
		if (next_hop.s_addr != agent->next_hops[i].s_addr)
			ports_want_repair(agent);
		agent->next_hops[i] = next_hop;
	}
}

bool ports_follow(struct agent *agent, const struct model *before, const struct model *fresh)
{
	bool changed = false;

	for (unsigned int slot = 0; slot < ZT6_MAX_PORTS; slot++) {
		const struct zt6_port *port = &fresh->ports[slot];
		__u32 was = before->ports[slot].ifindex;
		int err;

		if (port->role == ZT6_ROLE_NONE)
			continue;
		err = programs_follow(agent->instance->pin_dir, slot, was, port);
		if (port->ifindex != was) {
			note_neighbours(agent, (uint8_t)slot, was);
			note_change(agent, port, was);
			changed = true;
		}
		if (!err)
			continue;
		log_info("%s: the programs cannot follow it yet: %s", port->name, strerror(-err));
		try_again_later(agent);
	}
	follow_tunnels(agent, &before->settings, fresh);
	return changed;
}

void ports_link_changed(struct agent *agent, const char *name, const struct ifinfomsg *link)
{
	if (!(link->ifi_flags & IFF_UP) || !(link->ifi_change & IFF_UP))
		return;
	for (uint8_t slot = 0; slot < ZT6_MAX_PORTS; slot++) {
		const struct zt6_port *port = &agent->model.ports[slot];

		if (port->role == ZT6_ROLE_NONE || strcmp(port->name, name) != 0)
			continue;
		ports_want_repair(agent);
		recall_restore(&agent->recall, slot, link->ifi_index, agent->requests, agent_now());
		announce_port(agent, slot);
	}
}

void ports_recall(struct agent *agent)
{
	struct iface_facts facts;

	for (uint8_t slot = 0; slot < ZT6_MAX_PORTS; slot++) {
		const struct zt6_port *port = &agent->model.ports[slot];

		if (!agent->recall.count || port->role == ZT6_ROLE_NONE || !port->ifindex ||
		    facts_iface(agent->requests, port->name, &facts) || !(facts.flags & IFF_UP))
			continue;
		recall_restore(&agent->recall, slot, facts.ifindex, agent->requests, agent_now());
	}
}

void ports_repair(struct agent *agent, uint64_t now)
{
	int err;

	if (!agent->repair_wanted || agent->repair_ns > now)
		return;
	agent->repair_wanted = false;
	err = loader_repair(agent->instance, &agent->model);
	if (err == -ENOENT)
		return; /* `down` is at work: the pins tell */
	if (err == -EWOULDBLOCK)
		ports_want_repair(agent); /* another `up` or `down` has the lock: next time round */
	else if (err)
		try_again_later(agent);
	else
		agent->refresh_wanted =
			true; /* a TC program goes onto a qdisc that was just made */
}
