/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The faults found in a configuration file: collected, so that one run shows them all. */
#ifndef ZT6_CONF_FAULTS_H
#define ZT6_CONF_FAULTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#define FAULTS_MAX     20
#define FAULT_TEXT_MAX 512

struct conf_fault {
	unsigned int line;
	char text[FAULT_TEXT_MAX];
};

struct conf_faults {
	struct conf_fault list[FAULTS_MAX]; /* by line; faults of one line as they were found */
	size_t count;
	bool overflow; /* there were more than the list takes */
};

void faults_add(struct conf_faults *faults, unsigned int line, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* One "PATH:LINE: message" each, and a last line that says so when there were more. */
void faults_print(const struct conf_faults *faults, const char *path, FILE *errors);

/* Text of the file in a message is printed in quotes, this long at most, with every byte that is
 * not printable ASCII as \xNN: a message never takes over the terminal. */
#define QUOTED_TEXT_MAX 60
#define QUOTED_MAX      256

/* Writes @length bytes of @text in quotes into @out (QUOTED_MAX bytes) and returns it. */
const char *faults_quote(char *out, const char *text, size_t length);

#define QUOTED_BYTES(text, length) faults_quote((char[QUOTED_MAX]){0}, text, length)
#define QUOTED(text)               QUOTED_BYTES(text, strlen(text))

#endif
