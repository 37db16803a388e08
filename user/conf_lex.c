/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "conf_lex.h"

#include <errno.h>
#include <string.h>

static const char byte_order_mark[] = "\xef\xbb\xbf"; /* U+FEFF in UTF-8 */

int lex_init(struct lex *lex, const char *text, size_t length, char *words,
	     struct conf_faults *faults)
{
	size_t mark = sizeof(byte_order_mark) - 1;
	const char *nul = memchr(text, '\0', length);
	unsigned int line = 1;

	if (nul) {
		for (const char *c = text; c < nul; c++)
			line += *c == '\n';
		faults_add(faults, line, "a NUL byte: this is not a text file");
		return -EINVAL;
	}
	*lex = (struct lex){
		.at = text,
		.end = text + length,
		.line_start = text,
		.line = 1,
		.words = words,
		.faults = faults,
	};
	if (length >= mark && !memcmp(text, byte_order_mark, mark)) {
		faults_add(faults, 1,
			   "the file begins with a byte order mark: save it without one");
		lex->at += mark;
	}
	return 0;
}

static bool at_newline(const struct lex *lex, const char *c)
{
	return *c == '\n' || (*c == '\r' && c + 1 < lex->end && c[1] == '\n');
}

static bool at_blank(const char *c)
{
	return *c == ' ' || *c == '\t';
}

/* Whether a word ends before @c. */
static bool at_word_end(const struct lex *lex, const char *c)
{
	return c == lex->end || at_blank(c) || at_newline(lex, c) || strchr("{};", *c) ||
	       (lex->state == LEX_AT_KEY && *c == '=');
}

static bool is_printable(char c)
{
	return c >= ' ' && c <= '~';
}

static void skip_blanks_and_comment(struct lex *lex)
{
	while (lex->at < lex->end && at_blank(lex->at))
		lex->at++;
	if (lex->at == lex->end || *lex->at != '#')
		return;
	while (lex->at < lex->end && !at_newline(lex, lex->at))
		lex->at++;
}

static bool is_key(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-",
			    text[i]))
			return false;
	return true;
}

/* Reports the first thing that is wrong with a word's bytes, if any. */
static bool word_is_valid(struct lex *lex, const struct lex_token *token, const char *text,
			  size_t length)
{
	if (length > LEX_WORD_MAX) {
		faults_add(lex->faults, token->line, "%s is too long for a word: %d bytes at most",
			   QUOTED_BYTES(text, length), LEX_WORD_MAX);
		return false;
	}
	for (size_t i = 0; i < length; i++) {
		if (!is_printable(text[i])) {
			faults_add(lex->faults, token->line,
				   "%s (column %u) has a byte that is not printable ASCII: "
				   "only comments may have others",
				   QUOTED_BYTES(text, length), token->column);
			return false;
		}
	}
	if (lex->state == LEX_AT_KEY && !is_key(text, length)) {
		faults_add(lex->faults, token->line,
			   "%s is not a key: a key is made of letters, digits, \"-\" and \"_\"",
			   QUOTED_BYTES(text, length));
		return false;
	}
	return true;
}

static void keep_word(struct lex *lex, struct lex_token *token, const char *text, size_t length)
{
	token->bad = !word_is_valid(lex, token, text, length);
	if (token->bad)
		return;
	/* There is always room: what separates two words in the file is not kept, and what takes
	 * its place here is the NUL. */
	memcpy(lex->words, text, length);
	lex->words[length] = '\0';
	token->text = lex->words;
	lex->words += length + 1;
}

static void read_quoted(struct lex *lex, struct lex_token *token)
{
	const char *start = lex->at + 1, *close = start, *after;

	while (close < lex->end && *close != '"' && !at_newline(lex, close))
		close++;
	if (close == lex->end || *close != '"') {
		faults_add(lex->faults, token->line,
			   "the quotes that open in column %u are not closed on their line: %s",
			   token->column, QUOTED_BYTES(start, close - start));
		token->bad = token->unclosed = true;
		lex->at = close;
		return;
	}
	for (after = close + 1; !at_word_end(lex, after); after++)
		;
	lex->at = after;
	if (after > close + 1) {
		faults_add(lex->faults, token->line,
			   "%s follows closing quotes: quotes go around a whole word",
			   QUOTED_BYTES(close + 1, after - close - 1));
		token->bad = true;
	} else if (lex->state == LEX_AT_KEY) {
		faults_add(lex->faults, token->line, "%s: a key stands without quotes",
			   QUOTED_BYTES(start, close - start));
		token->bad = true;
	} else {
		keep_word(lex, token, start, close - start);
	}
}

static void read_word(struct lex *lex, struct lex_token *token)
{
	const char *start = lex->at;
	const char *quotes;

	if (*start == '"') {
		read_quoted(lex, token);
		return;
	}
	while (!at_word_end(lex, lex->at))
		lex->at++;
	if (lex->at == start) { /* "=" with no key before it */
		lex->at++;
		faults_add(lex->faults, token->line, "\"=\" has no key before it");
		token->bad = true;
		return;
	}
	quotes = memchr(start, '"', lex->at - start);
	if (quotes) {
		faults_add(lex->faults, token->line, "%s: quotes go around a whole word",
			   QUOTED_BYTES(start, lex->at - start));
		token->bad = true;
		return;
	}
	keep_word(lex, token, start, lex->at - start);
}

void lex_next(struct lex *lex, struct lex_token *token)
{
	skip_blanks_and_comment(lex);
	*token = (struct lex_token){
		.kind = LEX_END,
		.line = lex->line,
		.column = (unsigned int)(lex->at - lex->line_start) + 1,
		.text = "",
	};
	if (lex->at == lex->end)
		return;

	if (at_newline(lex, lex->at)) {
		lex->at += *lex->at == '\r' ? 2 : 1;
		lex->line++;
		lex->line_start = lex->at;
		token->kind = LEX_NEWLINE;
	} else if (*lex->at == ';') {
		token->kind = LEX_SEMICOLON;
		lex->at++;
	} else if (*lex->at == '{') {
		token->kind = LEX_OPEN;
		lex->at++;
	} else if (*lex->at == '}') {
		token->kind = LEX_CLOSE;
		lex->at++;
	} else if (*lex->at == '=' && lex->state == LEX_AFTER_KEY) {
		token->kind = LEX_EQUALS;
		lex->at++;
		lex->state = LEX_AT_WORD;
		return;
	} else {
		token->kind = LEX_WORD;
		read_word(lex, token);
		lex->state = lex->state == LEX_AT_KEY ? LEX_AFTER_KEY : LEX_AT_WORD;
		return;
	}
	lex->state = LEX_AT_KEY;
}
