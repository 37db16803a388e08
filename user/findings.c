/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "findings.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void findings_add(struct findings *findings, enum finding_severity severity, const char *what, ...)
{
	struct finding *list = realloc(findings->list, (findings->count + 1) * sizeof(*list));
	struct finding finding = {.severity = severity};
	va_list args;

	if (list)
		findings->list = list;
	va_start(args, what);
	if (!list || vasprintf(&finding.what, what, args) < 0)
		findings->err = -ENOMEM;
	else
		list[findings->count++] = finding;
	va_end(args);
}

void findings_remedy(struct findings *findings, const char *remedy, ...)
{
	struct finding *last;
	va_list args;

	if (findings->err || !findings->count)
		return;
	last = &findings->list[findings->count - 1];
	va_start(args, remedy);
	if (vasprintf(&last->remedy, remedy, args) < 0) {
		last->remedy = NULL;
		findings->err = -ENOMEM;
	}
	va_end(args);
}

const char *finding_severity_name(enum finding_severity severity)
{
	static const char *const names[] = {
		[FINDING_OK] = "ok",
		[FINDING_UNKNOWN] = "unknown",
		[FINDING_WARNING] = "warning",
		[FINDING_ERROR] = "error",
	};

	return names[severity];
}

void findings_free(struct findings *findings)
{
	for (size_t i = 0; i < findings->count; i++) {
		free(findings->list[i].what);
		free(findings->list[i].remedy);
	}
	free(findings->list);
	*findings = (struct findings){0};
}
