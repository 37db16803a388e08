/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a check has found: how bad it is, what it is, why it matters, and what to do about it. */
#ifndef ZT6_FINDINGS_H
#define ZT6_FINDINGS_H

#include <stddef.h>

enum finding_severity {
	FINDING_OK,      /* as it should be */
	FINDING_UNKNOWN, /* cannot be seen from here */
	FINDING_WARNING, /* works, but not for everybody or not for long */
	FINDING_ERROR,   /* does not work */
};

struct finding {
	enum finding_severity severity;
	const char *area; /* not its own */
	char *what;
	char *why;    /* NULL: @what says it */
	char *remedy; /* NULL: nothing is to be done */
};

struct findings {
	struct finding *list;
	size_t count;
	int err;          /* -ENOMEM: some are missing */
	const char *area; /* of those that are added from now on, a literal; NULL: none */
};

/* Adds one; its reason and its remedy follow by findings_why() and findings_remedy(). */
void findings_add(struct findings *findings, enum finding_severity severity, const char *what, ...)
	__attribute__((format(printf, 3, 4)));

/* Says in one line why the one that was added last matters. */
void findings_why(struct findings *findings, const char *why, ...)
	__attribute__((format(printf, 2, 3)));

/* Says what to do about the one that was added last. */
void findings_remedy(struct findings *findings, const char *remedy, ...)
	__attribute__((format(printf, 2, 3)));

/* Adds copies of those of @from that are at least so bad, in the area of @to if they have none. */
void findings_append(struct findings *to, const struct findings *from,
		     enum finding_severity severity);

/* How many there are of a severity. */
size_t findings_count(const struct findings *findings, enum finding_severity severity);

/* "WHAT; REMEDY" in one line, to be freed. NULL when out of memory. */
char *finding_line(const struct finding *finding);

/* "ok", "unknown", "warning", "error" */
const char *finding_severity_name(enum finding_severity severity);

void findings_free(struct findings *findings);

#endif
