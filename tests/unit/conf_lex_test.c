/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Bytes into tokens, tokens into statements. */
#include "unit.h"

#include "conf_lex.h"

/* All tokens of a text as "LINE:COLUMN KIND TEXT" each, and its faults. */
static char *tokens_of(const char *text, size_t length, struct conf_faults *faults)
{
	static const char *const kinds[] = {
		[LEX_END] = "end",   [LEX_NEWLINE] = "newline", [LEX_SEMICOLON] = "semicolon",
		[LEX_OPEN] = "open", [LEX_CLOSE] = "close",     [LEX_EQUALS] = "equals",
		[LEX_WORD] = "word",
	};
	char *words = malloc(length + 1), *out;
	struct lex_token token;
	struct lex lex;
	size_t size;
	FILE *stream = open_memstream(&out, &size);

	assert_non_null(words);
	if (!lex_init(&lex, text, length, words, faults)) {
		do {
			lex_next(&lex, &token);
			fprintf(stream, "%u:%u %s", token.line, token.column, kinds[token.kind]);
			if (token.kind == LEX_WORD)
				fprintf(stream, " %s", token.bad ? "BAD" : token.text);
			fputs("\n", stream);
		} while (token.kind != LEX_END);
		assert_true(lex.words <= words + length + 1);
	}
	fclose(stream);
	free(words);
	return out;
}

static void tokens_know_their_line_and_column(void **state)
{
	static const struct {
		const char *text, *tokens;
	} rows[] = {
		{"", "1:1 end\n"},
		{" \t", "1:3 end\n"},
		{"uplink eth0", "1:1 word uplink\n1:8 word eth0\n1:12 end\n"},
		{"ttl = 255\n", "1:1 word ttl\n1:5 equals\n1:7 word 255\n1:10 newline\n2:1 end\n"},
		{"ttl=255;", "1:1 word ttl\n1:4 equals\n1:5 word 255\n1:8 semicolon\n1:9 end\n"},
		/* "=" separates behind the key, and nowhere else. */
		{"a = = x=y", "1:1 word a\n1:3 equals\n1:5 word =\n1:7 word x=y\n1:10 end\n"},
		{"a b = c", "1:1 word a\n1:3 word b\n1:5 word =\n1:7 word c\n1:8 end\n"},
		{"a{b}c", "1:1 word a\n1:2 open\n1:3 word b\n1:4 close\n1:5 word c\n1:6 end\n"},
		/* A comment begins where a word could start. */
		{"a #b\n#c\nd", "1:1 word a\n1:5 newline\n2:3 newline\n3:1 word d\n3:2 end\n"},
		{"a eth0#x #", "1:1 word a\n1:3 word eth0#x\n1:11 end\n"},
		{"a{#}\n}", "1:1 word a\n1:2 open\n1:5 newline\n2:1 close\n2:2 end\n"},
		{"a b;#c", "1:1 word a\n1:3 word b\n1:4 semicolon\n1:7 end\n"},
		{"# \xc3\xa4\xff {\"\na", "1:9 newline\n2:1 word a\n2:2 end\n"},
		/* Quotes go around a word of anything printable. */
		{"a \"b c\" \"\"", "1:1 word a\n1:3 word b c\n1:9 word \n1:11 end\n"},
		{"a \"{;}#=\"{", "1:1 word a\n1:3 word {;}#=\n1:10 open\n1:11 end\n"},
		/* DOS line ends. */
		{"a b\r\nc\r\n", "1:1 word a\n1:3 word b\n1:4 newline\n2:1 word c\n2:2 newline\n"
				 "3:1 end\n"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct conf_faults faults = {0};
		char *tokens = tokens_of(rows[i].text, strlen(rows[i].text), &faults);

		assert_string_equal(tokens, rows[i].tokens);
		assert_int_equal(faults.count, 0);
		free(tokens);
	}
}

#define ROW(text, tokens, line, message)                      \
	{                                                     \
		text, sizeof(text) - 1, tokens, line, message \
	}

static void a_bad_word_is_reported_once_and_marked(void **state)
{
	static const struct {
		const char *text;
		size_t length;
		const char *tokens;
		unsigned int line;
		const char *message;
	} rows[] = {
		ROW("\na \"b c\nd",
		    "1:1 newline\n2:1 word a\n2:3 word BAD\n2:7 newline\n"
		    "3:1 word d\n3:2 end\n",
		    2, "column 3 are not closed on their line: \"b c\""),
		ROW("a \"b", "1:1 word a\n1:3 word BAD\n1:5 end\n", 1, "not closed"),
		ROW("a \"", "1:1 word a\n1:3 word BAD\n1:4 end\n", 1, "not closed"),
		ROW("a \"b\r\n", "1:1 word a\n1:3 word BAD\n1:5 newline\n2:1 end\n", 1,
		    "not closed on their line: \"b\""),
		ROW("a \"b\"c d", "1:1 word a\n1:3 word BAD\n1:8 word d\n1:9 end\n", 1,
		    "\"c\" follows closing quotes"),
		ROW("a b\"c\"", "1:1 word a\n1:3 word BAD\n1:7 end\n", 1,
		    "\"b\\x22c\\x22\": quotes go around"),
		ROW("\"a\" b", "1:1 word BAD\n1:5 word b\n1:6 end\n", 1,
		    "\"a\": a key stands without quotes"),
		ROW("= b", "1:1 word BAD\n1:3 word b\n1:4 end\n", 1, "has no key before it"),
		ROW("a+b c", "1:1 word BAD\n1:5 word c\n1:6 end\n", 1, "\"a+b\" is not a key"),
		ROW("/ c", "1:1 word BAD\n1:3 word c\n1:4 end\n", 1, "\"/\" is not a key"),
		ROW("a eth\xc3\xa4", "1:1 word a\n1:3 word BAD\n1:8 end\n", 1,
		    "\"eth\\xc3\\xa4\" (column 3) has a byte that is not printable ASCII"),
		ROW("a \"\x1b[2J\"", "1:1 word a\n1:3 word BAD\n1:9 end\n", 1,
		    "\"\\x1b[2J\" (column 3) has a byte"),
		ROW("a b\rc", "1:1 word a\n1:3 word BAD\n1:6 end\n", 1, "\"b\\x0dc\""),
		ROW("a \x7f", "1:1 word a\n1:3 word BAD\n1:4 end\n", 1, "\"\\x7f\""),
		ROW("\xef\xbb\xbf"
		    "a b",
		    "1:4 word a\n1:6 word b\n1:7 end\n", 1, "byte order mark"),
		ROW("a\nb c\0d\n", "", 2, "a NUL byte: this is not a text file"),
		ROW("a # \0\n", "", 1, "a NUL byte: this is not a text file"),
		ROW("\xff\xfe"
		    "a\0\n\0",
		    "", 1, "a NUL byte: this is not a text file"),
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct conf_faults faults = {0};
		char *tokens = tokens_of(rows[i].text, rows[i].length, &faults);

		assert_string_equal(tokens, rows[i].tokens);
		assert_int_equal(faults.count, 1);
		assert_int_equal(faults.list[0].line, rows[i].line);
		if (!strstr(faults.list[0].text, rows[i].message))
			fail_msg("expected %s, found %s", rows[i].message, faults.list[0].text);
		free(tokens);
	}
}

static void a_word_has_at_most_255_bytes(void **state)
{
	(void)state;
	for (size_t length = 254; length <= 257; length++) {
		for (int quoted = 0; quoted < 2; quoted++) {
			struct conf_faults faults = {0};
			char text[300] = "a ", *tokens, *at = text + 2;

			if (quoted)
				*at++ = '"';
			memset(at, 'x', length);
			strcpy(at + length, quoted ? "\"" : "");
			tokens = tokens_of(text, strlen(text), &faults);
			assert_int_equal(faults.count, length > 255);
			assert_int_equal(strstr(tokens, "BAD") != NULL, length > 255);
			if (faults.count)
				assert_non_null(strstr(faults.list[0].text,
						       "...\" is too long for a word"));
			free(tokens);
		}
	}
}

/* "key word word{key;key{}}", the line before each key. */
static void write_statements(FILE *stream, const struct conf_statement *block)
{
	for (size_t i = 0; i < block->child_count; i++) {
		const struct conf_statement *child = &block->children[i];

		fprintf(stream, "%s%u:%s", i ? "; " : "", child->line, child->key);
		for (size_t k = 0; k < child->word_count; k++)
			fprintf(stream, " %s", child->words[k]);
		if (child->has_block) {
			fputs(" {", stream);
			write_statements(stream, child);
			fputs("}", stream);
		}
	}
}

static void statements_end_at_newline_semicolon_or_block(void **state)
{
	static const struct {
		const char *text, *statements;
	} rows[] = {
		{"", ""},
		{"\n\n# nothing\n", ""},
		{"a", "1:a"},
		{"a b c\nd", "1:a b c; 2:d"},
		{"a b; c d;\ne", "1:a b; 1:c d; 2:e"},
		{"a {}", "1:a {}"},
		{"a {\n}\nb", "1:a {}; 3:b"},
		{"a b { c d; e\nf {} } g", "1:a b {1:c d; 1:e; 2:f {}}; 2:g"},
		/* The last statement of a block needs no end of its own. */
		{"a { b c }", "1:a {1:b c}"},
		{"a{b=c}d=e", "1:a {1:b c}; 1:d e"},
		{"a{b{c{d{e{f{g{h}}}}}}}", "1:a {1:b {1:c {1:d {1:e {1:f {1:g {1:h}}}}}}}"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct conf_faults faults = {0};
		struct conf_tree *tree = NULL;
		char *statements;
		size_t size;
		FILE *stream = open_memstream(&statements, &size);

		assert_int_equal(
			conf_tree_parse(rows[i].text, strlen(rows[i].text), &faults, &tree), 0);
		assert_int_equal(faults.count, 0);
		write_statements(stream, &tree->top);
		fclose(stream);
		assert_string_equal(statements, rows[i].statements);
		free(statements);
		conf_tree_free(tree);
	}
}

static void broken_structure_is_one_fault_at_its_line(void **state)
{
	static const struct {
		const char *text;
		unsigned int line;
		const char *message;
	} rows[] = {
		{"a {\nb\n", 1, "the \"{\" after \"a\" is never closed"},
		{"\na x y {\nb {\n}\n", 2, "the \"{\" after \"x\" is never closed"},
		{"a {\nb {\n", 2, "the \"{\" after \"b\" is never closed"},
		{"a\n}\n", 2, "\"}\" closes nothing"},
		{"a {\n}\n}\n}\n", 3, "\"}\" closes nothing"},
		{"}", 1, "\"}\" closes nothing"},
		{"a \"b {\nc d\n}\n", 1, "not closed on their line"},
		{"a{a{a{a{a{a{a{a{a{", 1, "nested too deeply"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct conf_faults faults = {0};
		struct conf_tree *tree = NULL;

		assert_int_equal(
			conf_tree_parse(rows[i].text, strlen(rows[i].text), &faults, &tree),
			-22 /* EINVAL */);
		assert_null(tree);
		assert_int_equal(faults.count, 1);
		assert_int_equal(faults.list[0].line, rows[i].line);
		if (!strstr(faults.list[0].text, rows[i].message))
			fail_msg("expected %s, found %s", rows[i].message, faults.list[0].text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tokens_know_their_line_and_column),
		cmocka_unit_test(a_bad_word_is_reported_once_and_marked),
		cmocka_unit_test(a_word_has_at_most_255_bytes),
		cmocka_unit_test(statements_end_at_newline_semicolon_or_block),
		cmocka_unit_test(broken_structure_is_one_fault_at_its_line),
	};

	return cmocka_run_group_tests_name("conf_lex", tests, NULL, NULL);
}
