// SPDX-License-Identifier: GPL-2.0-or-later
#include "recall.h"

#include <linux/types.h>
#include <stdlib.h>
#include <string.h>

#include "nud.h"

/* Who went longer ago may have another MAC by now, or be nobody: whatever took the interface away so
 * long took the members' attention, too. */
#define RECALL_NS 60000000000ULL

#define RECALL_MAX 4096

struct recalled {
	uint8_t slot;
	struct in6_addr addr;
	uint8_t mac[6];
	uint64_t gone_ns;
	TAILQ_ENTRY(recalled) entry;
};

void recall_init(struct recall *recall)
{
	TAILQ_INIT(&recall->list);
	recall->count = 0;
}

static void drop(struct recall *recall, struct recalled *recalled)
{
	TAILQ_REMOVE(&recall->list, recalled, entry);
	recall->count--;
	free(recalled);
}

static struct recalled *find(struct recall *recall, uint8_t slot, const struct in6_addr *addr)
{
	struct recalled *recalled;

	TAILQ_FOREACH(recalled, &recall->list, entry)
	if (recalled->slot == slot && IN6_ARE_ADDR_EQUAL(&recalled->addr, addr))
		return recalled;
	return NULL;
}

void recall_note(struct recall *recall, uint8_t slot, const struct neighbour *neighbour,
		 uint64_t now_ns)
{
	struct recalled *recalled = find(recall, slot, &neighbour->addr);

	if (recalled) {
		memcpy(recalled->mac, neighbour->mac, sizeof(recalled->mac));
		recalled->gone_ns = now_ns;
		return;
	}
	recalled = malloc(sizeof(*recalled));
	if (!recalled)
		return;
	*recalled = (struct recalled){.slot = slot, .addr = neighbour->addr, .gone_ns = now_ns};
	memcpy(recalled->mac, neighbour->mac, sizeof(recalled->mac));
	TAILQ_INSERT_TAIL(&recall->list, recalled, entry);
	if (++recall->count > RECALL_MAX)
		drop(recall, TAILQ_FIRST(&recall->list));
}

void recall_restore(struct recall *recall, uint8_t slot, int ifindex, struct nl_sock *nl,
		    uint64_t now_ns)
{
	struct recalled *recalled, *next;

	for (recalled = TAILQ_FIRST(&recall->list); recalled; recalled = next) {
		const struct next_hop hop = {.ifindex = ifindex, .addr = recalled->addr};

		next = TAILQ_NEXT(recalled, entry);
		if (now_ns - recalled->gone_ns >= RECALL_NS) {
			drop(recall, recalled);
			continue;
		}
		if (recalled->slot != slot)
			continue;
		/* One that is there already knows better. It stays on the list: the interface may
		 * go again before the kernel's notices are read. */
		nud_suppose(nl, &hop, recalled->mac);
		recalled->gone_ns = now_ns;
	}
}

void recall_clear(struct recall *recall)
{
	struct recalled *recalled, *next;

	for (recalled = TAILQ_FIRST(&recall->list); recalled; recalled = next) {
		next = TAILQ_NEXT(recalled, entry);
		free(recalled);
	}
	recall_init(recall);
}
