/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ndppd.conf as ndppd 0.2.x itself reads it, leniencies and all.
 *
 *	entry := KEY [=] VALUE [ "{" entry... "}" ]
 *
 * It has little in common with conf_lex.h, whose language was made out of this one: here words end
 * nowhere else than at a blank or a brace, ";" is a part of them, and whatever cannot be understood is
 * an entry, too. What ndppd would have a fault with, and where it would hang, is a fault here.
 */
#ifndef ZT6_IMPORT_NDPPD_TREE_H
#define ZT6_IMPORT_NDPPD_TREE_H

#include "draft.h"

struct ndppd_entry {
	struct ndppd_entry *next;
	unsigned int line; /* of the key */
	char *key;         /* may be empty */
	char *value;       /* may be empty */
	bool quoted;       /* the value is in quotes: no block can follow it */
	bool after_quotes; /* began with the quotes that closed the value before it */
	bool has_block;
	struct ndppd_entry *children, *last;
};

struct ndppd_tree {
	struct ndppd_entry top;
	unsigned int
		stray_line; /* of a "}" at which ndppd stops reading the file; 0: there is none */
};

/**
 * ndppd_parse - read a text into entries.
 * @text: ends with a NUL, where ndppd, too, ends
 *
 * Returns 0, -EINVAL after a draft_fault(), or -ENOMEM. Free it with ndppd_tree_free() in any case.
 */
int ndppd_parse(struct draft *draft, const char *path, const char *text, struct ndppd_tree *out);

void ndppd_tree_free(struct ndppd_tree *tree);

#endif
