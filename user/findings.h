/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a check has found: how bad it is, what it is, and what to do about it. */
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
	char *what;
	char *remedy; /* NULL: nothing is to be done */
};

struct findings {
	struct finding *list;
	size_t count;
	int err; /* -ENOMEM: some are missing */
};

/* Adds one; its remedy follows by findings_remedy(). */
void findings_add(struct findings *findings, enum finding_severity severity, const char *what, ...)
	__attribute__((format(printf, 3, 4)));

/* Says what to do about the one that was added last. */
void findings_remedy(struct findings *findings, const char *remedy, ...)
	__attribute__((format(printf, 2, 3)));

/* "ok", "unknown", "warning", "error" */
const char *finding_severity_name(enum finding_severity severity);

void findings_free(struct findings *findings);

#endif
