// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Freshness: XDP sends to neighbours without telling the kernel, whose entries then go STALE, and
 * bpf_fib_lookup() takes a STALE entry for good for ever. Neighbours that traffic goes to are
 * therefore probed, at a bounded rate; idle ones are left alone.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <linux/neighbour.h>
#include <string.h>

#include "../log.h"
#include "agent.h"

#define NSEC_PER_SEC 1000000000ULL

/* Traffic that is no older keeps a neighbour in use: the programs note it once a second. */
#define IN_USE_NS (2 * NSEC_PER_SEC)

/* A neighbour that is sent to and has not been heard of for so long may have another MAC. */
#define ONE_WAY_NS (2 * NSEC_PER_SEC)

/* One that is probed needs some time to answer. */
#define PROBE_INTERVAL_NS (3 * NSEC_PER_SEC)

#define BATCH 256

static bool needs_probe(const struct neighbour *neighbour, const struct zt6_member *member,
			uint64_t now)
{
	if (neighbour->probed_ns + PROBE_INTERVAL_NS > now)
		return false;
	if (neighbour->state & NUD_STALE)
		return true;
	return (neighbour->state & NUD_REACHABLE) &&
	       member->from_ns + ONE_WAY_NS < member->towards_ns;
}

static void look_after(struct agent *agent, const struct zt6_address_key *key,
		       const struct zt6_member *member, uint64_t now)
{
	struct neighbour *neighbour;
	struct next_hop hop;

	if (key->port >= ZT6_MAX_PORTS || !agent->probes_left ||
	    member->towards_ns + IN_USE_NS < now)
		return;
	hop.ifindex = (int)agent->model.ports[key->port].ifindex;
	memcpy(&hop.addr, &key->addr, sizeof(hop.addr));
	neighbour = neighbours_find(&agent->neighbours, hop.ifindex, &hop.addr);
	if (!neighbour || !needs_probe(neighbour, member, now))
		return;
	agent->probes_left--;
	neighbour->probed_ns = now;
	nud_probe(agent->requests, &hop);
}

void freshness_tick(struct agent *agent, uint64_t now)
{
	struct zt6_address_key keys[BATCH];
	struct zt6_member members[BATCH];
	__u32 count, next, *cursor = &agent->freshness_from;
	void *from = agent->freshness_unfinished ? cursor : NULL;
	int err;

	agent->freshness_unfinished = false;
	do {
		count = BATCH;
		err = bpf_map_lookup_batch(agent->members_map, from, &next, keys, members, &count,
					   NULL)
			      ? -errno
			      : 0;
		if (err && err != -ENOENT)
			return;
		for (__u32 i = 0; i < count; i++)
			look_after(agent, &keys[i], &members[i], now);
		/* More are in use than may be probed: everybody has a turn, not always the same. */
		if (!agent->probes_left) {
			agent->freshness_unfinished = from;
			return;
		}
		*cursor = next;
		from = cursor;
	} while (!err);
}

void freshness_event(struct agent *agent, const struct zt6_event *event)
{
	struct neighbour *neighbour;
	struct next_hop hop;

	if (event->port >= ZT6_MAX_PORTS)
		return;
	hop.ifindex = (int)agent->model.ports[event->port].ifindex;
	memcpy(&hop.addr, &event->addr, sizeof(hop.addr));
	neighbour = neighbours_find(&agent->neighbours, hop.ifindex, &hop.addr);
	if (!neighbour || (neighbour->state & NUD_PERMANENT) ||
	    !memcmp(neighbour->mac, event->mac, sizeof(neighbour->mac)))
		return;
	/* Its frames may be forged: the MAC is asked for, not taken from them. */
	nud_renew(agent->requests, &hop);
}
