/* SPDX-License-Identifier: GPL-2.0-or-later */
/* All entries of a large map, in few system calls. */
#ifndef ZT6_MAP_BATCH_H
#define ZT6_MAP_BATCH_H

#include <stddef.h>

/* One entry. A negative return ends the reading, and is its result. */
typedef int map_each_fn(void *arg, const void *key, const void *value);

/**
 * map_each - read a pinned hash or per-CPU map.
 * @name: of the pin
 * @value_size: of one CPU's value; a per-CPU map gives @each one for every possible CPU, each
 *	rounded up to 8 bytes
 *
 * The map changes meanwhile: an entry may be missed, or, in a hash, come twice. Returns 0, -ENOENT
 * when there is no such pin, -EPROTO when it looks otherwise, or another error.
 */
int map_each(const char *pin_dir, const char *name, size_t key_size, size_t value_size,
	     map_each_fn *each, void *arg);

#endif
