// SPDX-License-Identifier: GPL-2.0-or-later
#include "neighbours.h"

#include <linux/neighbour.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

#define NUD_CONFIRMED (NUD_PERMANENT | NUD_NOARP | NUD_REACHABLE)
#define NUD_USABLE    (NUD_CONFIRMED | NUD_PROBE | NUD_STALE | NUD_DELAY)

static int compare(const void *left, const void *right)
{
	const struct neighbour *a = left, *b = right;

	if (a->ifindex != b->ifindex)
		return a->ifindex < b->ifindex ? -1 : 1;
	if (a->family != b->family)
		return a->family < b->family ? -1 : 1;
	return memcmp(&a->addr, &b->addr, sizeof(a->addr));
}

static void forget(struct neighbours *neighbours, struct neighbour *known)
{
	tdelete(known, &neighbours->tree, compare);
	free(known);
	neighbours->count--;
}

/* Out of memory means to know less: the cache then lives on its one second. */
static void learn(struct neighbours *neighbours, const struct neighbour *neighbour)
{
	struct neighbour *copy = malloc(sizeof(*copy));

	if (!copy)
		return;
	*copy = *neighbour;
	if (!tsearch(copy, &neighbours->tree, compare)) {
		free(copy);
		return;
	}
	neighbours->count++;
}

bool neighbour_is_confirmed(const struct neighbour *neighbour)
{
	return neighbour->state & NUD_CONFIRMED;
}

unsigned int neighbours_update(struct neighbours *neighbours, const struct neighbour *neighbour)
{
	struct neighbour **node = tfind(neighbour, &neighbours->tree, compare);
	unsigned int change = 0;

	if (neighbour->state & NUD_CONFIRMED)
		change |= NEIGHBOUR_CONFIRMED;
	if (neighbour->state & NUD_FAILED)
		change |= NEIGHBOUR_FAILED;
	if (!node) {
		if (neighbour->state & NUD_USABLE)
			learn(neighbours, neighbour);
		return change;
	}
	if (!(neighbour->state & NUD_USABLE)) {
		forget(neighbours, *node);
		return change | NEIGHBOUR_LOST;
	}
	if (memcmp((*node)->mac, neighbour->mac, sizeof(neighbour->mac)))
		change |= NEIGHBOUR_MOVED;
	memcpy((*node)->mac, neighbour->mac, sizeof(neighbour->mac));
	(*node)->state = neighbour->state;
	return change;
}

struct neighbour *neighbours_find(struct neighbours *neighbours, int ifindex,
				  const struct in6_addr *addr)
{
	struct neighbour key = {.ifindex = ifindex, .family = AF_INET6, .addr = *addr};
	struct neighbour **node = tfind(&key, &neighbours->tree, compare);

	return node ? *node : NULL;
}

struct mac_search {
	int ifindex;
	const uint8_t *mac;
	const struct in6_addr *found;
};

static void match_mac(const void *node, VISIT visit, void *arg)
{
	const struct neighbour *neighbour = *(struct neighbour *const *)node;
	struct mac_search *search = arg;

	if ((visit == postorder || visit == leaf) && neighbour->family == AF_INET6 &&
	    neighbour->ifindex == search->ifindex && IN6_IS_ADDR_LINKLOCAL(&neighbour->addr) &&
	    !memcmp(neighbour->mac, search->mac, sizeof(neighbour->mac)))
		search->found = &neighbour->addr;
}

const struct in6_addr *neighbours_link_local(const struct neighbours *neighbours, int ifindex,
					     const uint8_t mac[6])
{
	struct mac_search search = {.ifindex = ifindex, .mac = mac};

	twalk_r(neighbours->tree, match_mac, &search);
	return search.found;
}

struct each_search {
	int ifindex;
	void (*each)(void *arg, const struct neighbour *neighbour);
	void *arg;
};

static void match_interface(const void *node, VISIT visit, void *arg)
{
	const struct neighbour *neighbour = *(struct neighbour *const *)node;
	const struct each_search *search = arg;

	if ((visit == postorder || visit == leaf) && neighbour->family == AF_INET6 &&
	    neighbour->ifindex == search->ifindex)
		search->each(search->arg, neighbour);
}

void neighbours_each(const struct neighbours *neighbours, int ifindex,
		     void (*each)(void *arg, const struct neighbour *neighbour), void *arg)
{
	struct each_search search = {.ifindex = ifindex, .each = each, .arg = arg};

	twalk_r(neighbours->tree, match_interface, &search);
}

void neighbours_clear(struct neighbours *neighbours)
{
	tdestroy(neighbours->tree, free);
	neighbours->tree = NULL;
	neighbours->count = 0;
}
