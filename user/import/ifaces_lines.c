/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ifaces_lines.h"

#include <string.h>

static const char blanks[] = " \t\n\v\f\r";

void ifaces_lines_init(struct ifaces_lines *lines, char *text, size_t length)
{
	*lines = (struct ifaces_lines){.at = text, .end = text + length, .next = 1};
}

/* Cuts the line at @lines->at off from the rest of the text. NULL at the end of it. */
static char *cut_line(struct ifaces_lines *lines)
{
	char *start = lines->at, *newline;

	if (start >= lines->end)
		return NULL;
	newline = memchr(start, '\n', lines->end - start);
	lines->at = newline ? newline + 1 : lines->end;
	if (newline)
		*newline = '\0';
	lines->next++;
	return start;
}

static char *skip_blanks(char *text)
{
	return text + strspn(text, blanks);
}

static void trim_end(char *text)
{
	char *end = text + strlen(text);

	while (end > text && strchr(blanks, end[-1]))
		end--;
	*end = '\0';
}

/* A line that ends with a backslash goes on with the next, whatever that is: it may look like a
 * comment. What is put together takes no more room than what it is made of. */
static void join_continued(struct ifaces_lines *lines, char *line)
{
	char *end = line + strlen(line);

	while (end > line && end[-1] == '\\') {
		char *more = cut_line(lines);
		size_t length = more ? strlen(more) : 0;

		end--;
		if (more)
			memmove(end, more, length);
		end += length;
		*end = '\0';
	}
}

char *ifaces_line(struct ifaces_lines *lines)
{
	char *line;

	do {
		lines->line = lines->next;
		line = cut_line(lines);
		if (!line)
			return NULL;
		line = skip_blanks(line);
	} while (!*line || *line == '#');
	join_continued(lines, line);
	trim_end(line);
	return line;
}

char *ifaces_word(char **rest)
{
	char *word = skip_blanks(*rest);
	char *end = word + strcspn(word, blanks);

	*rest = *end ? skip_blanks(end + 1) : end;
	*end = '\0';
	return word;
}
