/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What has become of the things that `up` made. */
#ifndef ZT6_DRIFT_H
#define ZT6_DRIFT_H

#include "journal.h"

struct nl_sock;

struct drift {
	const struct object *object; /* the journal's */
	enum object_state state;     /* OBJECT_ABSENT or OBJECT_OTHER */
	char text[OBJECT_TEXT_MAX];  /* what it is, in words like those of ip(8) */
	char device[IF_NAMESIZE];    /* the interface that it is on; empty: none */
};

/**
 * drift_each - call @each for whatever is not as it was made.
 * @journal: of an instance that is up in this network namespace
 *
 * What waits for its interface is left out: that is missing then. Of what cannot be looked at nothing
 * is said. Changes nothing.
 */
void drift_each(const struct journal *journal, struct nl_sock *nl,
		void (*each)(void *arg, const struct drift *drift), void *arg);

#endif
