/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Targets under rules that the agent has to do with: those it asks for, and those it has verified.
 * What does not answer is only in the map `negative`, which forgets by itself. */
#ifndef ZT6_TARGETS_H
#define ZT6_TARGETS_H

#include <linux/types.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "nud.h"
#include "zt6_abi.h"

/* Of those who ask for a target while it is being verified, so many are answered; the others ask
 * again after a second (RFC 4861 §10, RETRANS_TIMER). */
#define TARGET_MAX_WAITERS 8

struct waiter {
	union zt6_addr source; /* `::` for Duplicate Address Detection */
	__u8 mac[ZT6_ETH_ALEN];
};

enum target_state { TARGET_ASKING, TARGET_VERIFIED };

struct target {
	struct zt6_address_key key;
	enum target_state state;
	struct next_hop hop;  /* whose answer verifies it */
	struct zt6_rule rule; /* that covers it */
	uint64_t deadline_ns; /* asking: when to give up; verified: when to believe it no longer */
	bool unannounced;     /* verified: the link outside has not been told yet */
	uint64_t probed_ns;   /* verified: when it was last asked anew; 0: not since verified */
	unsigned int waiter_count;
	struct waiter waiters[TARGET_MAX_WAITERS];
	TAILQ_ENTRY(target) entry;
};

TAILQ_HEAD(target_list, target);

struct targets {
	void *tree; /* by key, for tsearch(3) */
	struct target_list asking, verified;
	size_t asking_count, verified_count;
};

/* An empty set. */
void targets_init(struct targets *targets);

/* NULL when there is none of this port and address. */
struct target *targets_find(struct targets *targets, const struct zt6_address_key *key);

/* A new one, in state TARGET_ASKING; NULL when out of memory. */
struct target *targets_add(struct targets *targets, const struct zt6_address_key *key);

/* Moves it from the list of those that are asked for, if it is there, to that of the verified. */
void targets_set_verified(struct targets *targets, struct target *target);

/* Takes it out and frees it. */
void targets_remove(struct targets *targets, struct target *target);

/* Frees all; the set is empty, and can be used on. */
void targets_clear(struct targets *targets);

#endif
