/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which network namespace this is: instances of several share one file system. */
#ifndef ZT6_NETNS_H
#define ZT6_NETNS_H

#include <stdint.h>

struct netns {
	uint64_t inode;  /* as ls -i /proc/self/ns/net shows it; the kernel gives it out again */
	uint64_t cookie; /* never given out again; 0 before Linux 5.14 */
};

enum netns_relation {
	NETNS_SAME,
	NETNS_GONE,  /* the other one is no more: its number is in use again */
	NETNS_OTHER, /* perhaps gone as well */
};

/* Of the calling process. 0 or -errno. */
int netns_current(struct netns *out);

enum netns_relation netns_compare(const struct netns *current, const struct netns *other);

#endif
