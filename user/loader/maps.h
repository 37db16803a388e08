/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The contents of the maps, to and from a model. */
#ifndef ZT6_LOADER_MAPS_H
#define ZT6_LOADER_MAPS_H

#include "model.h"

/* File descriptors of the maps that userspace writes. */
struct map_fds {
	int settings, agent, ports, counters, devices, prefixes, rules, bindings;
};

/**
 * maps_write - make the maps say what the model says, and nothing else.
 *
 * Counters of a slot that changes hands start at zero; the hash seed in use is kept, and so are
 * bindings of a controller's, which only the agent knows. The generation is bumped, so that nothing cached outlives the change. 0 or a negative error.
 */
int maps_write(const struct map_fds *fds, const struct model *model);

/* The element of the map `agent` as shared memory, or NULL. Others write to it as well: counters in
 * it are added to atomically. */
struct zt6_agent *maps_share_agent(int fd);
void maps_unshare_agent(struct zt6_agent *shared);

/* Reads the model back (without datapaths), to be freed with model_free(). */
int maps_read(const struct map_fds *fds, struct model *model);

#endif
