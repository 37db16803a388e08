/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Running an import over texts in memory. */
#ifndef ZT6_UNIT_IMPORTS_H
#define ZT6_UNIT_IMPORTS_H

#include "unit.h"

#include <errno.h>

#include "import/import.h"

struct imported {
	int err;
	char *out;    /* the configuration */
	char *errors; /* what goes to stderr */
	bool complete;
};

struct input {
	const char *source, *path, *text;
};

/* Imports @count texts as one configuration. What is printed is valid, or says that it is not. */
static inline struct imported import_all(const struct input *inputs, size_t count)
{
	struct imported result;
	struct draft draft = {0};
	size_t out_size, errors_size;
	FILE *out = open_memstream(&result.out, &out_size);
	FILE *errors = open_memstream(&result.errors, &errors_size);

	assert_true(out && errors);
	for (size_t i = 0; i < count; i++) {
		char *text = strdup(inputs[i].text);

		assert_non_null(text);
		import_source(inputs[i].source)(&draft, inputs[i].path, text, strlen(text));
		free(text);
	}
	result.err = import_write(&draft, out, errors);
	result.complete = !result.err && !draft.incomplete;
	draft_free(&draft);
	fclose(out);
	fclose(errors);
	assert_int_equal(result.err == 0, *result.out != '\0');
	if (result.complete)
		conf_free(parse_good(result.out));
	return result;
}

static inline struct imported import_one(const char *source, const char *text)
{
	return import_all(&(struct input){source, "FILE", text}, 1);
}

static inline void imported_free(struct imported *result)
{
	free(result->out);
	free(result->errors);
}

static inline void assert_holds(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("\"%s\" is not in:\n%s", part, text);
}

static inline void assert_lacks(const char *text, const char *part)
{
	if (strstr(text, part))
		fail_msg("\"%s\" is in:\n%s", part, text);
}

/* A text, and parts of what is made of it; NULL: nothing is to be found. */
struct reading {
	const char *text;
	const char *out, *not_out; /* of the configuration */
	const char *errors;        /* NULL: there must be none at all */
};

static inline void check_readings(const char *source, const struct reading *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct imported result = import_one(source, rows[i].text);

		if (result.err)
			fail_msg("%s\nis refused:\n%s", rows[i].text, result.errors);
		if (rows[i].out)
			assert_holds(result.out, rows[i].out);
		if (rows[i].not_out)
			assert_lacks(result.out, rows[i].not_out);
		if (rows[i].errors)
			assert_holds(result.errors, rows[i].errors);
		else
			assert_string_equal(result.errors, "");
		imported_free(&result);
	}
}

/* A text that is refused, and what is said of it. */
struct refusal {
	const char *text, *errors;
};

static inline void check_refusals(const char *source, const struct refusal *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct imported result = import_one(source, rows[i].text);

		if (result.err != -EINVAL)
			fail_msg("%s\nis not refused, but read as:\n%s", rows[i].text, result.out);
		assert_holds(result.errors, rows[i].errors);
		assert_string_equal(result.out, "");
		imported_free(&result);
	}
}

#endif
