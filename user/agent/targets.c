// SPDX-License-Identifier: GPL-2.0-or-later
#include "targets.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

static int compare(const void *left, const void *right)
{
	const struct target *a = left, *b = right;

	return memcmp(&a->key, &b->key, sizeof(a->key));
}

void targets_init(struct targets *targets)
{
	memset(targets, 0, sizeof(*targets));
	TAILQ_INIT(&targets->asking);
	TAILQ_INIT(&targets->verified);
}

struct target *targets_find(struct targets *targets, const struct zt6_address_key *key)
{
	struct target wanted = {.key = *key};
	struct target **node = tfind(&wanted, &targets->tree, compare);

	return node ? *node : NULL;
}

struct target *targets_add(struct targets *targets, const struct zt6_address_key *key)
{
	struct target *target = calloc(1, sizeof(*target));

	if (!target)
		return NULL;
	target->key = *key;
	if (!tsearch(target, &targets->tree, compare)) {
		free(target);
		return NULL;
	}
	TAILQ_INSERT_TAIL(&targets->asking, target, entry);
	targets->asking_count++;
	return target;
}

void targets_set_verified(struct targets *targets, struct target *target)
{
	if (target->state == TARGET_VERIFIED)
		return;
	TAILQ_REMOVE(&targets->asking, target, entry);
	targets->asking_count--;
	target->state = TARGET_VERIFIED;
	TAILQ_INSERT_TAIL(&targets->verified, target, entry);
	targets->verified_count++;
}

void targets_remove(struct targets *targets, struct target *target)
{
	if (target->state == TARGET_VERIFIED) {
		TAILQ_REMOVE(&targets->verified, target, entry);
		targets->verified_count--;
	} else {
		TAILQ_REMOVE(&targets->asking, target, entry);
		targets->asking_count--;
	}
	tdelete(target, &targets->tree, compare);
	free(target);
}

void targets_clear(struct targets *targets)
{
	struct target *target;

	while ((target = TAILQ_FIRST(&targets->asking)))
		targets_remove(targets, target);
	while ((target = TAILQ_FIRST(&targets->verified)))
		targets_remove(targets, target);
}
