/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The lexer of the configuration language: bytes into tokens that know their line and column.
 *
 *	statement := KEY [=] WORD... ( newline | ";" | "{" statement... "}" )
 *
 * It knows of statements only what decides how bytes are read: a key ends at "=", and "=" is a
 * token after a key and part of a word anywhere else. A comment begins with "#" where a token
 * could start. What a word may not be (bytes that are not printable ASCII, more than LEX_WORD_MAX
 * of them, quotes that stand in its middle or are never closed) is reported here, and the token
 * is marked, so that whoever reads on does not complain of it a second time.
 */
#ifndef ZT6_CONF_LEX_H
#define ZT6_CONF_LEX_H

#include <stdbool.h>
#include <stddef.h>

#include "conf_faults.h"

#define LEX_WORD_MAX 255 /* bytes */

enum lex_kind {
	LEX_END,
	LEX_NEWLINE,
	LEX_SEMICOLON,
	LEX_OPEN,  /* { */
	LEX_CLOSE, /* } */
	LEX_EQUALS,
	LEX_WORD,
};

struct lex_token {
	enum lex_kind kind;
	unsigned int line, column; /* from 1; columns are bytes */
	const char *text;          /* of a word, without its quotes; empty when it is bad */
	bool bad;                  /* a word that was reported as a fault */
	bool unclosed;             /* a bad word whose quotes swallowed the rest of its line */
};

struct lex {
	const char *at, *end;
	const char *line_start;
	unsigned int line;
	enum { LEX_AT_KEY, LEX_AFTER_KEY, LEX_AT_WORD } state;
	char *words;
	struct conf_faults *faults;
};

/**
 * lex_init - begin to read a text.
 * @text: @length bytes; needs no NUL at its end
 * @words: @length + 1 bytes, where the words of the tokens are put; must outlive the tokens
 *
 * Returns 0, or -EINVAL (and a fault) for a file that is no text: it holds a NUL byte.
 */
int lex_init(struct lex *lex, const char *text, size_t length, char *words,
	     struct conf_faults *faults);

/* The next token; LEX_END again and again at the end. */
void lex_next(struct lex *lex, struct lex_token *token);

#endif
