/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ZT6_REPAIR_H
#define ZT6_REPAIR_H

#include "../instance.h"
#include "model.h"

/**
 * loader_repair - make again what `up` made and what has gone since, with an interface that came
 *	back, say; and what waited for an interface that was not there.
 * @model: as the maps have it, brought up to date with model_refresh(): its tunnels' neighbours are
 *	those of the routes of now
 *
 * For the agent: it needs the journal and CAP_NET_ADMIN. Takes nothing away but the neighbours of
 * tunnels that lead another way now. Returns 0, -ENOENT when nothing is up, -EWOULDBLOCK while
 * another `up`, `down` or `reload` is at work, or -errno with a message.
 */
int loader_repair(const struct instance *instance, const struct model *model);

#endif
