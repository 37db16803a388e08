/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the two kinds of tunnel devices have in common. */
#ifndef ZT6_DEVICE_H
#define ZT6_DEVICE_H

#include "facts.h"
#include "object.h"

/**
 * device_find - look for the device that an object stands for.
 * @kind, @type: what the kernel calls ours: "sit" or "tun", and ARPHRD_*
 * @out: its facts, unless it is absent
 *
 * Returns OBJECT_ABSENT; OBJECT_OTHER when the name is somebody else's device, or a later one than
 * ours; OBJECT_PRESENT; or -errno.
 */
int device_find(struct nl_sock *nl, const struct object *object, const char *kind, uint16_t type,
		struct iface_facts *out);

/* Prints that the name is taken, and returns -EEXIST. */
int device_taken(struct nl_sock *nl, const struct object *object);

/* Whether the object is a tunnel device. */
bool device_is(const struct object *object);

/* Two devices cannot have one name, nor two sit devices the same ends. */
bool device_excludes(const struct object *object, const struct object *wanted);

/* Notes in object->made which device it is. 0 or -errno. */
int device_remember(struct nl_sock *nl, struct object *object);

/* Deletes it by its index. 0, or -errno with a message. */
int device_delete(struct nl_sock *nl, const char *name, int ifindex);

/* Deletes the object's device if device_find() still finds it. 0, or -errno with a message. */
int device_unmake(struct nl_sock *nl, const struct object *object, const char *kind, uint16_t type);

#endif
