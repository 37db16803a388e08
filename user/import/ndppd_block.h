/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reading the entries of a block of ndppd.conf, with words about what ndppd makes of them. */
#ifndef ZT6_IMPORT_NDPPD_BLOCK_H
#define ZT6_IMPORT_NDPPD_BLOCK_H

#include "ndppd_tree.h"

struct ndppd_block {
	struct draft *draft;
	const char *path;
	const struct ndppd_entry *entry;
	struct draft_lines *lines; /* where its settings and comments go */
};

/* A remark about an entry of a block. */
#define NDPPD_REMARK(block, at, ...)                                                              \
	draft_remark((block)->draft, (block)->lines, &(struct origin){(block)->path, (at)->line}, \
		     __VA_ARGS__)

/* The first entry of a key, which is the one that counts, or NULL; those behind it are remarked upon. */
const struct ndppd_entry *ndppd_find(const struct ndppd_block *block, const char *key);

/* Remarks upon the entries with other keys than these: ndppd passes over them without a word. */
void ndppd_find_unknown(const struct ndppd_block *block, const char *const *keys, size_t count);

/* Remarks upon a name in quotes, which loses its block, silently. */
void ndppd_remark_quotes(const struct ndppd_block *block, const struct ndppd_entry *entry);

/* A value as ndppd reads it; a remark where it looks otherwise. */
bool ndppd_read_bool(const struct ndppd_block *block, const struct ndppd_entry *entry);

/* The same of a number, and within what zt6.conf takes. @unit: for messages */
int32_t ndppd_read_number(const struct ndppd_block *block, const struct ndppd_entry *entry,
			  const char *unit, int32_t min, int32_t max);

#endif
