// SPDX-License-Identifier: GPL-2.0-or-later
#include "neighbours.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

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

bool neighbours_update(struct neighbours *neighbours, const struct neighbour *neighbour, bool valid)
{
	struct neighbour **node = tfind(neighbour, &neighbours->tree, compare);

	if (!node) {
		if (valid)
			learn(neighbours, neighbour);
		return false;
	}
	if (!valid) {
		forget(neighbours, *node);
		return true;
	}
	if (!memcmp((*node)->mac, neighbour->mac, sizeof(neighbour->mac)))
		return false;
	memcpy((*node)->mac, neighbour->mac, sizeof(neighbour->mac));
	return true;
}

void neighbours_clear(struct neighbours *neighbours)
{
	tdestroy(neighbours->tree, free);
	neighbours->tree = NULL;
	neighbours->count = 0;
}
