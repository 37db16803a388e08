/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What an instance has made in the kernel, and what was there before: the file by which `down`
 * goes, also after a crash. One JSON object per line, on the disk before the kernel is asked:
 *
 *	{"schema": 1, "version": "…", "netns": {"inode": 4026531840, "cookie": 1}}
 *	{"op": "make", "kind": "sysctl", "spec": {…}, "before": "0"}
 *	{"op": "made", "kind": "tun", "spec": {…}, "made": {"ifindex": 7}}
 *	{"op": "change", "kind": "tun", "spec": {…}}
 *	{"op": "gone", "kind": "route", "spec": {…}}
 *
 * "make" comes before the making, "gone" after the unmaking: what is in between at a crash is in
 * the list, and unmaking what is not there is no error.
 */
#ifndef ZT6_JOURNAL_H
#define ZT6_JOURNAL_H

#include <stdbool.h>

#include "netns.h"
#include "object.h"

struct journal {
	struct objects objects;       /* ours, in the order of making */
	bool found;                   /* there was a file */
	bool cut;                     /* its last line is not whole */
	enum netns_relation relation; /* of the file's network namespace to this one */
	struct netns netns;           /* of the file; without one, this one */
	char path[128];
	int fd; /* for appending, after journal_begin(); or -1 */
};

/**
 * journal_load - read the journal of an instance, if there is one.
 *
 * A last line that a crash cut off is left out. Returns 0, or -errno with a message: -EPROTO when
 * it is of another version.
 */
int journal_load(const char *run_dir, struct journal **out);

/* From here on it is written to: a file with the list as it is or, where there is no room for that,
 * the one that was read. 0, or -errno with a message. */
int journal_begin(struct journal *journal);

/* Takes over @object, and frees it on failure. This and the next two return 0, or -errno with a
 * message; then the list is as it was. */
int journal_making(struct journal *journal, struct object *object);

/* When object->made has come to tell how to know it again, or object->before what to put back. */
int journal_made(struct journal *journal, const struct object *object);

/* Before @object, which is in the list, is made after another @spec. */
int journal_changing(struct journal *journal, struct object *object, json_t *spec);

/* Takes @object out of the list, and frees it. */
void journal_gone(struct journal *journal, struct object *object);

/* For NETNS_GONE: what was in the other namespace went with it, and the list is this one's. */
int journal_abandon(struct journal *journal);

/* Leaves a file with the list alone (where there is no room for that, the one that has been written),
 * or none when the list is empty. 0, or -errno with a message. */
int journal_finish(struct journal *journal);

void journal_free(struct journal *journal);

#endif
