/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A configuration file as the tree of its statements, before anything is known of their meaning. */
#ifndef ZT6_CONF_TREE_H
#define ZT6_CONF_TREE_H

#include <stdbool.h>
#include <stddef.h>

#include "conf_faults.h"

#define CONF_DEPTH_MAX 8 /* of nested blocks */

struct conf_statement {
	unsigned int line;
	const char *key; /* empty when it was a fault */
	bool bad;        /* one of its words is a fault, reported: nothing is known of its value */
	bool has_block;
	const char **words; /* without the key */
	size_t word_count;
	struct conf_statement *children;
	size_t child_count;
};

struct conf_tree {
	char *text; /* that the words are in */
	struct conf_statement top;
};

/**
 * conf_tree_parse - read a text into statements.
 * @text: @length bytes
 * @out: free it with conf_tree_free()
 *
 * Returns 0, also with faults inside statements, which are marked `bad`; -EINVAL (and a fault)
 * when the file's structure is broken, by its braces or quotes, so that statements may be in the
 * wrong blocks; -ENOMEM.
 */
int conf_tree_parse(const char *text, size_t length, struct conf_faults *faults,
		    struct conf_tree **out);

/* The first statement of a block that has this key; NULL when there is none. */
const struct conf_statement *conf_tree_child(const struct conf_statement *block, const char *key);

/**
 * conf_tree_find - the statement that set a key.
 * @section: key of the block that it is in, which begins on @section_line; line 0: the first such
 * @key: NULL: the block itself
 *
 * Returns NULL when the key was not written.
 */
const struct conf_statement *conf_tree_find(const struct conf_tree *tree, const char *section,
					    unsigned int section_line, const char *key);

void conf_tree_free(struct conf_tree *tree);

#endif
