/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One thing that `up` makes in the kernel: an address, a route, a value under /proc/sys.
 *
 * What it shall be is a small JSON object, so that all kinds can be compared, kept in the journal
 * and read back from it in the same way. Each kind has a file of its own, kind_*.c.
 */
#ifndef ZT6_OBJECT_H
#define ZT6_OBJECT_H

#include <jansson.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../addr.h"

struct nl_sock;
struct object_kind;

struct object {
	const struct object_kind *kind;
	json_t *spec;   /* what it shall be */
	json_t *before; /* what was in its place, to be put back; NULL: nothing, or not known yet */
	json_t *made;   /* by what to know it again; NULL: nothing, or not made yet */
};

enum object_state {
	OBJECT_ABSENT,  /* not there */
	OBJECT_OTHER,   /* something is in its place, but not as the spec says */
	OBJECT_PRESENT, /* there, as the spec says */
};

#define OBJECT_TEXT_MAX 256

struct object_kind {
	const char *name;
	/* The fields of the spec that tell two of the kind apart; the others may change. */
	const char *const *identity;
	/* Somebody else has one: 0 where it will do instead, else -errno with a message. NULL where
	 * it always will do. */
	int (*taken)(struct nl_sock *nl, const struct object *object);
	/* Where there is one already, it is journaled all the same: a part of it is ours. */
	bool shared;
	/* Whether @object has to go before @wanted can be made; NULL: never. */
	bool (*excludes)(const struct object *object, const struct object *wanted);
	/* It is taken away after all that does not: what it holds back could pass until then. */
	bool protects;
	/* It is in the network namespace, and ends with it. */
	bool in_netns;
	/* All instances in the namespace have it in common; see others.h. */
	bool common;
	/* Unmaking puts back what was there before: that has to be known before it is made. */
	bool puts_back;
	/* The interface that it is on has to be up. */
	bool needs_up;
	/* Writes the name of the interface that it is on; false: on none. NULL: the spec's field
	 * "device" says it, if it has one. */
	bool (*device)(const struct object *object, char name[IF_NAMESIZE]);

	/* For people: what it is, in words like those of ip(8). */
	void (*describe)(const struct object *object, char text[OBJECT_TEXT_MAX]);

	/*
	 * Looks for it; never changes anything. Where undoing needs to know what was there,
	 * *@before is set to that (a new reference), whatever the state.
	 * Returns an enum object_state or -errno.
	 */
	int (*probe)(struct nl_sock *nl, const struct object *object, json_t **before);

	/*
	 * Brings it to what the spec says, whether it is there in another shape or not.
	 * 0, or -errno with a message; then nothing has changed. May set object->made.
	 */
	int (*make)(struct nl_sock *nl, struct object *object);

	/*
	 * Takes it away and puts back what was there before, unless somebody has changed it
	 * since. That it has gone already is no error. 0, or -errno with a message.
	 */
	int (*unmake)(struct nl_sock *nl, const struct object *object);
};

struct objects {
	struct object **list;
	size_t count;
};

/* Takes the reference to @spec; NULL when that is NULL or memory is out. */
struct object *object_new(const struct object_kind *kind, json_t *spec);
struct object *object_copy(const struct object *object);
void object_free(struct object *object);

/* Whether both stand for the same thing, perhaps in different shapes. */
bool object_same(const struct object *a, const struct object *b);

/* Whether both are also to be made in the same shape. */
bool object_equal(const struct object *a, const struct object *b);

/* Fields of the spec; "" or 0 when there is none. */
const char *object_string(const struct object *object, const char *field);
uint32_t object_number(const struct object *object, const char *field);

/* The interface without which the object cannot be. False where there is none. */
bool object_device(const struct object *object, char name[IF_NAMESIZE]);

/* Appends; @object is freed on failure, and left out when the same one is in the list already.
 * 0, or -ENOMEM also for NULL. */
int objects_add(struct objects *set, struct object *object);
struct object *objects_find(const struct objects *set, const struct object *like);
int objects_copy(const struct objects *set, struct objects *out);
void objects_free(struct objects *set);

/* By its name in the journal; NULL when this version has no such kind. */
const struct object_kind *object_kind_find(const char *name);

#endif
