/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "conf_tree.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "conf_lex.h"

struct parser {
	struct lex lex;
	struct lex_token token; /* not yet consumed */
	struct conf_faults *faults;
	bool broken; /* braces can no longer be trusted; further ones are not reported */
};

static void next(struct parser *parser)
{
	lex_next(&parser->lex, &parser->token);
	if (parser->token.unclosed)
		parser->broken = true;
}

/* Whether a fault of the structure is the first: only that one is worth a message. */
static bool first_break(struct parser *parser)
{
	bool first = !parser->broken;

	parser->broken = true;
	return first;
}

/* Room for one more element of @size bytes, growing at every power of two; NULL without memory. */
static void *grow(void *list, size_t count, size_t size)
{
	if (count & (count - 1))
		return list;
	return reallocarray(list, count ? count * 2 : 1, size);
}

static int add_word(struct conf_statement *statement, const char *word)
{
	const char **words = grow(statement->words, statement->word_count, sizeof(*words));

	if (!words)
		return -ENOMEM;
	words[statement->word_count++] = word;
	statement->words = words;
	return 0;
}

static int add_statement(struct conf_statement *block, const struct lex_token *key)
{
	struct conf_statement *list = grow(block->children, block->child_count, sizeof(*list));

	if (!list)
		return -ENOMEM;
	list[block->child_count++] = (struct conf_statement){
		.line = key->line,
		.key = key->text,
		.bad = key->bad,
	};
	block->children = list;
	return 0;
}

/* The words of a statement, up to what ends it. */
static int parse_words(struct parser *parser, struct conf_statement *statement)
{
	int err;

	for (;; next(parser)) {
		if (parser->token.kind == LEX_EQUALS)
			continue;
		if (parser->token.kind != LEX_WORD)
			return 0;
		statement->bad |= parser->token.bad;
		err = add_word(statement, parser->token.text);
		if (err)
			return err;
	}
}

/* A "{" that has no key before it: most often the one of the statement on the line above. */
static struct conf_statement *block_without_key(struct parser *parser, struct conf_statement *block,
						struct conf_statement *nobody)
{
	struct conf_statement *last =
		block->child_count ? &block->children[block->child_count - 1] : NULL;

	if (last && !last->has_block) {
		faults_add(
			parser->faults, parser->token.line,
			"\"{\" must stand on the line of its key, after %s",
			QUOTED(last->word_count ? last->words[last->word_count - 1] : last->key));
		return last;
	}
	faults_add(parser->faults, parser->token.line, "\"{\" has no key before it");
	nobody->line = parser->token.line;
	return nobody;
}

static void free_block(struct conf_statement *block)
{
	for (size_t i = 0; i < block->child_count; i++)
		free_block(&block->children[i]);
	free(block->children);
	free(block->words);
}

static int parse_block(struct parser *parser, struct conf_statement *block, unsigned int depth);

/* From "{" to behind its "}". */
static int parse_braces(struct parser *parser, struct conf_statement *statement, unsigned int depth)
{
	unsigned int line = parser->token.line;
	int err;

	statement->has_block = true;
	next(parser);
	if (depth == CONF_DEPTH_MAX) {
		if (first_break(parser))
			faults_add(parser->faults, line, "blocks are nested too deeply");
		return -EINVAL;
	}
	err = parse_block(parser, statement, depth + 1);
	if (err)
		return err;
	if (parser->token.kind == LEX_CLOSE)
		next(parser);
	else if (first_break(parser))
		faults_add(parser->faults, line,
			   "the \"{\" after %s is never closed: a \"}\" is missing",
			   QUOTED(statement->word_count ? statement->words[0] : statement->key));
	return 0;
}

/* The statements of a block, up to its "}" or the end of the file. */
static int parse_block(struct parser *parser, struct conf_statement *block, unsigned int depth)
{
	int err = 0;

	while (!err && parser->token.kind != LEX_END) {
		struct conf_statement nobody = {.key = ""}, *statement = NULL;

		switch (parser->token.kind) {
		case LEX_WORD:
			err = add_statement(block, &parser->token);
			if (err)
				return err;
			statement = &block->children[block->child_count - 1];
			next(parser);
			err = parse_words(parser, statement);
			break;
		case LEX_OPEN:
			statement = block_without_key(parser, block, &nobody);
			break;
		case LEX_CLOSE:
			if (depth)
				return 0;
			if (first_break(parser))
				faults_add(parser->faults, parser->token.line,
					   "\"}\" closes nothing: there is one too many");
			next(parser);
			continue;
		case LEX_SEMICOLON:
			faults_add(parser->faults, parser->token.line,
				   "\";\" ends no statement: remove it");
			next(parser);
			continue;
		default:
			next(parser);
			continue;
		}
		if (!err && parser->token.kind == LEX_OPEN)
			err = parse_braces(parser, statement, depth);
		else if (parser->token.kind == LEX_SEMICOLON)
			next(parser);
		free_block(&nobody);
	}
	return err;
}

int conf_tree_parse(const char *text, size_t length, struct conf_faults *faults,
		    struct conf_tree **out)
{
	struct parser parser = {.faults = faults};
	struct conf_tree *tree;
	int err = -ENOMEM;

	tree = calloc(1, sizeof(*tree));
	if (!tree)
		return -ENOMEM;
	tree->top.key = "";
	tree->text = malloc(length + 1);
	if (!tree->text)
		goto fail;
	err = lex_init(&parser.lex, text, length, tree->text, faults);
	if (err)
		goto fail;
	next(&parser);
	err = parse_block(&parser, &tree->top, 0);
	if (!err && parser.broken)
		err = -EINVAL;
	if (err)
		goto fail;
	*out = tree;
	return 0;
fail:
	conf_tree_free(tree);
	return err;
}

const struct conf_statement *conf_tree_child(const struct conf_statement *block, const char *key)
{
	for (size_t i = 0; i < block->child_count; i++)
		if (!strcmp(block->children[i].key, key))
			return &block->children[i];
	return NULL;
}

/* In @block and the blocks within it. */
static const struct conf_statement *find_section(const struct conf_statement *block,
						 const char *section, unsigned int line)
{
	for (size_t i = 0; i < block->child_count; i++) {
		const struct conf_statement *child = &block->children[i];

		if ((!line || child->line == line) && !strcmp(child->key, section))
			return child;
		child = find_section(child, section, line);
		if (child)
			return child;
	}
	return NULL;
}

const struct conf_statement *conf_tree_find(const struct conf_tree *tree, const char *section,
					    unsigned int section_line, const char *key)
{
	const struct conf_statement *block = find_section(&tree->top, section, section_line);

	return block && key ? conf_tree_child(block, key) : block;
}

void conf_tree_free(struct conf_tree *tree)
{
	if (!tree)
		return;
	free_block(&tree->top);
	free(tree->text);
	free(tree);
}
