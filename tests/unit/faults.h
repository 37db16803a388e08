/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether an invalid file is told what it should be. */
#ifndef ZT6_UNIT_FAULTS_H
#define ZT6_UNIT_FAULTS_H

#include "unit.h"

/* Whether a line of @messages is "zt6.conf:LINE: " and holds @part; returns the one after it. */
static inline const char *match_line(const char *messages, const char *line_and_part)
{
	unsigned int expected = (unsigned int)strtoul(line_and_part, NULL, 10), line = 0;
	const char *end = strchr(messages, '\n'), *part = strchr(line_and_part, ' ') + 1;
	int length = 0;

	if (!end || sscanf(messages, TEST_PATH ":%u: %n", &line, &length) != 1 || !length)
		return NULL;
	if (line != expected || !memmem(messages, end - messages, part, strlen(part)))
		return NULL;
	return end + 1;
}

/* @expect: one "LINE part of the message" for each message, in order, separated by newlines. */
static inline void assert_faults(const char *text, const char *expect)
{
	char *messages, *list = strdup(expect), *rest = list, *one;
	struct conf *conf = parse_bytes(text, strlen(text), &messages);
	const char *at = messages;

	if (conf)
		fail_msg("%s\nis valid", text);
	while ((one = strsep(&rest, "\n"))) {
		at = match_line(at, one);
		if (!at)
			fail_msg("%s\nshould give\n%s\nbut gives\n%s", text, expect, messages);
	}
	if (*at)
		fail_msg("%s\nshould give only\n%s\nbut gives\n%s", text, expect, messages);
	free(messages);
	free(list);
}

#endif
