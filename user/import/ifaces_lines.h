/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The lines of an interfaces(5): comments and empty ones left out, continued ones put together. */
#ifndef ZT6_IMPORT_IFACES_LINES_H
#define ZT6_IMPORT_IFACES_LINES_H

#include <stddef.h>

struct ifaces_lines {
	char *at, *end;
	unsigned int
		line; /* of what ifaces_line() returned last: the first of the continued ones */
	unsigned int next;
};

/* @text: @length bytes and a NUL, which are changed. */
void ifaces_lines_init(struct ifaces_lines *lines, char *text, size_t length);

/* The next line without blanks around it, or NULL. */
char *ifaces_line(struct ifaces_lines *lines);

/* Takes the first word off *@rest, which is then what follows it and its blanks. "" at the end. */
char *ifaces_word(char **rest);

#endif
