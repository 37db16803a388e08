/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From what the journal lists to what is desired, one object at a time. */
#ifndef ZT6_APPLY_H
#define ZT6_APPLY_H

#include "journal.h"

struct nl_sock;

/**
 * apply_make - make what is desired and not there; repair what is ours and was changed.
 * @stop: asked before each object: whether to give up with -EINTR; or NULL
 *
 * What somebody else has made in the way that is desired is left to him. Returns 0, or -errno with
 * a message; what was made until then is in the journal.
 */
int apply_make(struct journal *journal, struct nl_sock *nl, const struct objects *desired,
	       bool (*stop)(void));

/**
 * apply_prune - take away what is in the journal and not in @keep, the last first, but what
 *	protects after all others.
 *
 * Returns 0, or the first error after having tried all; those that failed stay in the journal.
 */
int apply_prune(struct journal *journal, struct nl_sock *nl, const struct objects *keep);

/* Whether something has to be taken away before anything is made, because two cannot be. */
bool apply_prunes_first(const struct journal *journal, const struct objects *desired);

/* Back to @previous, an earlier list of the journal, as far as it goes; with messages. */
void apply_restore(struct journal *journal, struct nl_sock *nl, const struct objects *previous);

/* Prints what apply_make() and apply_prune() would do; touches nothing. 0 or -errno. */
int apply_preview(const struct journal *journal, struct nl_sock *nl, const struct objects *desired);

#endif
