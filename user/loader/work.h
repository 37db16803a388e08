/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What everything that changes an instance holds while it works: its lock, its journal, a socket. */
#ifndef ZT6_WORK_H
#define ZT6_WORK_H

#include <signal.h>
#include <stdbool.h>

#include "../instance.h"
#include "journal.h"

struct nl_sock;

struct work {
	const struct instance *instance;
	struct nl_sock *nl;
	struct journal *journal;
	int lock;
	sigset_t signals; /* the mask to go back to */
};

/**
 * work_begin - read the journal and open it for writing.
 * @lock: what rundir_lock() or rundir_try_lock() has returned; an error is returned again
 *
 * Signals are held until work_end(), which lets go of the lock. Returns 0, or -errno with a message:
 * -EXDEV when the instance is in another network namespace.
 */
int work_begin(struct work *work, const struct instance *instance, int lock);
void work_end(struct work *work);

/* A socket for requests. 0, or -errno with a message. */
int work_netlink(struct nl_sock **nl);

/* Whether the journal is of this namespace. 0, or -EXDEV with a message that says where it is. */
int work_relation(const struct instance *instance, const struct journal *journal);

#endif
