/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pins of an instance: one folder of bpffs, a name for each map, program and link. Ports are named
 * by their slots there, because bpffs refuses names with dots. */
#ifndef ZT6_PINS_H
#define ZT6_PINS_H

#include <stddef.h>

#define PIN_NAME_MAX 32

/* Opens a pin. A file descriptor, -ENOENT, -ELOOP for a link in its place (the folder is the agent's, what that
 * leads to may be anybody's), or another error. */
int pin_open(const char *dir, const char *name);

/* Pins @fd as @name, in place of what was pinned there before: a reader sees the one or the other.
 * Creates the folder. Both are the agent's where it has a user. 0 or a negative error. */
int pin_replace(const char *dir, const char *name, int fd);

/* Makes a pin that is there the agent's. 0 or -errno. */
int pin_give(const char *dir, const char *name);

/* Takes a pin away; 0 also when there was none. */
int pin_remove(const char *dir, const char *name);

/* "xdp_link_3" and the like. */
const char *pin_slot_name(char name[PIN_NAME_MAX], const char *what, unsigned int slot);

/* Takes away every pin and the folder. 0, or the first error; a missing folder is none. */
int pins_remove_all(const char *dir);

/**
 * pin_open_map - open a pinned map that must look as this program expects.
 * @value_size: of its values, bytes
 *
 * A file descriptor, -ENOENT, or -EPROTO when the map has another layout.
 */
int pin_open_map(const char *dir, const char *name, size_t value_size);

#endif
