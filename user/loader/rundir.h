/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The folder of an instance under /run, and the lock in it. */
#ifndef ZT6_RUNDIR_H
#define ZT6_RUNDIR_H

#include <stdbool.h>

#define JOURNAL_NAME "journal"
#define APPLIED_NAME "applied.conf" /* the configuration that is up, as it was read */
#define TRIAL_NAME   "trial"        /* stands for an `up --try` that nobody has decided */

/* Whether an instance is up, as far as the journal tells. */
bool rundir_has_journal(const char *run_dir);

/* Whether there is anything of an instance that is up, or was when something died. */
bool rundir_in_use(const char *run_dir, const char *pin_dir);

/**
 * rundir_lock - make the folder and wait for its lock.
 *
 * Returns a file descriptor for rundir_unlock(), or -errno with a message.
 */
int rundir_lock(const char *run_dir);

/**
 * rundir_try_lock - take the lock without waiting.
 *
 * Returns a file descriptor for rundir_unlock(), -EWOULDBLOCK while another has it, or -errno.
 */
int rundir_try_lock(const char *run_dir);

/* Lets go of the lock; without a journal the folder goes as well. */
void rundir_unlock(const char *run_dir, int lock);

#endif
