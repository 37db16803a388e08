/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `up --try`: what is up goes back to what was before, unless somebody who can still reach the machine
 * confirms it in time.
 *
 * A process of its own waits, and outlives the session that began it. A file in the instance's folder
 * stands for the trial: whoever takes the file away, under its lock, has decided it. Whoever also changes
 * what is up has the folder's lock from before the decision until after the change.
 */
#ifndef ZT6_TRIAL_H
#define ZT6_TRIAL_H

#include <stdbool.h>
#include <stdint.h>

#include "instance.h"

struct conf;

#define TRIAL_MIN_S 1
#define TRIAL_MAX_S 86400

struct trial {
	int timer; /* socket to the process that waits */
};

/**
 * trial_prepare - start the process that will go back, before anything is changed.
 * @seconds: to wait, from trial_arm() on
 * @lock: of the instance's folder (rundir_lock()), which the caller keeps
 *
 * Whether the instance is up now, and with which configuration, is what it will go back to. If this
 * process dies before trial_arm(), the time runs from then. Returns 0, or -errno with a message.
 */
int trial_prepare(const struct instance *instance, uint32_t seconds, int lock, struct trial *out);

/**
 * trial_arm - let the time run; or, where `up` has failed and all is as before, not.
 *
 * Returns 0 or -errno with a message: then nobody waits.
 */
int trial_arm(struct trial *trial, bool up_is_done);

/* Ends a trial and leaves what is up. 0, or -ENOENT when there is none (any more). */
int trial_end(const struct instance *instance);

/* Seconds until an instance goes back; -ENOENT: it does not. */
int64_t trial_seconds_left(const struct instance *instance);

/* Notes the configuration that is up, for a trial to come. Failing that is only warned of. */
void trial_remember(const struct instance *instance, const struct conf *conf);

#endif
