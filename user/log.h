/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Messages for people, on stderr. */
#ifndef ZT6_LOG_H
#define ZT6_LOG_H

#include <stdbool.h>
#include <stdio.h>

extern bool log_verbose; /* -v */

/* "zt6-bpf: MESSAGE", or "<LEVEL>MESSAGE" where stderr is the journal: what was being done, to what, what came back, what to do. */
void log_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_warning(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Only with -v. */
void log_info(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* What precedes a warning in the line of a diversion. */
#define LOG_WARNING_MARK "warning: "

/**
 * log_divert - have errors and warnings written to @stream, a line each, for whoever has called what
 *	reports them and wants to say it in another way. NULL: to stderr again.
 */
void log_divert(FILE *stream);

#endif
