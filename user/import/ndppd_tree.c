/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ndppd_tree.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../conf_faults.h"

/* ndppd sets no limit; nobody needs more than two. */
#define DEPTH_MAX 32

struct reader {
	struct draft *draft;
	const char *path;
	const char *at;
	unsigned int line;
};

/* These as in the C locale, and without a look at the process's. */

static bool is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool is_graphic(char c)
{
	return c > ' ' && c <= '~';
}

static bool is_key_character(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_' || c == '-';
}

static void step(struct reader *reader)
{
	reader->line += *reader->at == '\n';
	reader->at++;
}

/* An open comment reaches to the end of the file; one that is slash, star, slash is complete. */
static void skip_block_comment(struct reader *reader)
{
	while (*reader->at) {
		if (reader->at[0] == '*' && reader->at[1] == '/') {
			reader->at += 2;
			return;
		}
		step(reader);
	}
}

/* Blanks and comments; @newlines: ends of lines, too. */
static void skip(struct reader *reader, bool newlines)
{
	for (;;) {
		while (is_space(*reader->at) && (newlines || *reader->at != '\n'))
			step(reader);
		if (*reader->at == '#' || (reader->at[0] == '/' && reader->at[1] == '/'))
			while (*reader->at && *reader->at != '\n')
				step(reader);
		else if (reader->at[0] == '/' && reader->at[1] == '*')
			skip_block_comment(reader);
		else
			return;
	}
}

/* The value up to the closing quotes, which stay where they are: so does ndppd, which then finds no
 * "{" behind the value. */
static char *read_quoted(struct reader *reader)
{
	char quotes = *reader->at++;
	const char *start = reader->at;

	while (*reader->at && *reader->at != quotes && *reader->at != '\n')
		reader->at++;
	return strndup(start, reader->at - start);
}

static char *read_bare(struct reader *reader)
{
	const char *start = reader->at;

	while (is_graphic(*reader->at) && *reader->at != '{' && *reader->at != '}')
		reader->at++;
	return strndup(start, reader->at - start);
}

static char *read_key(struct reader *reader)
{
	const char *start = reader->at;

	while (is_key_character(*reader->at))
		reader->at++;
	return strndup(start, reader->at - start);
}

static bool at_quotes(const struct reader *reader)
{
	return *reader->at == '"' || *reader->at == '\'';
}

static struct ndppd_entry *add_entry(struct ndppd_entry *block, unsigned int line)
{
	struct ndppd_entry *entry = calloc(1, sizeof(*entry));

	if (!entry)
		return NULL;
	entry->line = line;
	if (block->last) {
		entry->after_quotes = block->last->quoted;
		block->last->next = entry;
	} else {
		block->children = entry;
	}
	block->last = entry;
	return entry;
}

static int parse_block(struct reader *reader, struct ndppd_entry *block, unsigned int depth);

/* From "{" to behind its "}". */
static int parse_braces(struct reader *reader, struct ndppd_entry *entry, unsigned int depth)
{
	struct origin origin = {reader->path, reader->line};
	int err;

	reader->at++;
	entry->has_block = true;
	if (depth == DEPTH_MAX) {
		draft_fault(reader->draft, &origin, "blocks are nested too deeply");
		return -EINVAL;
	}
	err = parse_block(reader, entry, depth + 1);
	if (err)
		return err;
	if (*reader->at != '}') {
		draft_fault(reader->draft, &origin,
			    "the \"{\" after %s is never closed: ndppd does not start with this "
			    "file",
			    QUOTED(*entry->value ? entry->value : entry->key));
		return -EINVAL;
	}
	reader->at++;
	return 0;
}

static int parse_entry(struct reader *reader, struct ndppd_entry *block, unsigned int depth)
{
	struct ndppd_entry *entry = add_entry(block, reader->line);
	const char *start = reader->at;

	if (!entry)
		return -ENOMEM;
	entry->after_quotes = entry->after_quotes && at_quotes(reader);
	entry->key = read_key(reader);
	skip(reader, false);
	if (*reader->at == '=') {
		reader->at++;
		skip(reader, false);
	}
	entry->quoted = at_quotes(reader);
	entry->value = entry->quoted ? read_quoted(reader) : read_bare(reader);
	if (!entry->key || !entry->value)
		return -ENOMEM;
	skip(reader, false);
	if (*reader->at == '{')
		return parse_braces(reader, entry, depth);
	if (reader->at == start) {
		struct origin origin = {reader->path, reader->line};

		draft_fault(reader->draft, &origin,
			    "%s is no printable ASCII: ndppd hangs here (a byte order mark, or a "
			    "blank that is none)",
			    QUOTED_BYTES(reader->at, 1));
		return -EINVAL;
	}
	return 0;
}

/* The entries of a block, up to its "}" or the end of the file. */
static int parse_block(struct reader *reader, struct ndppd_entry *block, unsigned int depth)
{
	int err = 0;

	for (skip(reader, true); !err && *reader->at && *reader->at != '}'; skip(reader, true))
		err = parse_entry(reader, block, depth);
	return err;
}

int ndppd_parse(struct draft *draft, const char *path, const char *text, struct ndppd_tree *out)
{
	struct reader reader = {.draft = draft, .path = path, .at = text, .line = 1};
	int err;

	*out = (struct ndppd_tree){0};
	err = parse_block(&reader, &out->top, 0);
	if (!err && *reader.at == '}')
		out->stray_line = reader.line;
	return err;
}

static void free_entries(struct ndppd_entry *entry)
{
	while (entry) {
		struct ndppd_entry *next = entry->next;

		free_entries(entry->children);
		free(entry->key);
		free(entry->value);
		free(entry);
		entry = next;
	}
}

void ndppd_tree_free(struct ndppd_tree *tree)
{
	free_entries(tree->top.children);
	tree->top.children = NULL;
}
