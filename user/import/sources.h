/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What can be imported from files. */
#ifndef ZT6_IMPORT_SOURCES_H
#define ZT6_IMPORT_SOURCES_H

#include "draft.h"

/**
 * import_fn - add what a file says to a draft.
 * @path: for messages; outlives the draft
 * @text: @length bytes and a NUL, which may be changed
 *
 * What is wrong with it is a fault of the draft.
 */
typedef void import_fn(struct draft *draft, const char *path, char *text, size_t length);

/* ndppd.conf(5); /etc/network/interfaces of ifupdown; JSON of `zerotier-cli -j listnetworks`, or of
 * GET /network or GET /network/ID of the service's API. */
import_fn import_ndppd, import_interfaces, import_zerotier;

/* Reads a whole file, "-" is standard input, of 1 MiB at most. NULL after a fault; to be freed. */
char *import_read(struct draft *draft, const char *path, const struct origin *origin,
		  size_t *length);

#endif
