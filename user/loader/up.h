/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `up` and `down` as a whole. */
#ifndef ZT6_UP_H
#define ZT6_UP_H

#include "../instance.h"

struct conf;
struct model;
struct work;

/**
 * loader_up - make what the configuration says, or nothing.
 * @work: begun by the caller, who ends it when all is done that must not be parted from this
 *
 * What an earlier `up` made and is still right is left alone. Returns 0, or -errno with a message;
 * then everything is as it was before the call.
 */
int loader_up(struct work *work, const struct conf *conf);

/* Prints what loader_up() would do; touches nothing. 0, or -errno with a message. */
int loader_preview(const struct instance *instance, const struct conf *conf);

/**
 * loader_foresee - look for what would stop loader_up(); touches nothing.
 * @model: zeroed; gets the ports with the paths of their packets. Free it with model_free().
 *
 * Returns 0, or the -errno that loader_up() would return, with its message.
 */
int loader_foresee(const struct instance *instance, const struct conf *conf, struct model *model);

/**
 * loader_down - take away what `up` made, and put back what was there before.
 * @work: as for loader_up()
 *
 * Returns 0, or the first error, with messages; what could not be taken away is tried again by the
 * next call.
 */
int loader_down(struct work *work);

#endif
