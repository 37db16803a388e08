/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "findings.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void findings_add(struct findings *findings, enum finding_severity severity, const char *what, ...)
{
	struct finding *list = realloc(findings->list, (findings->count + 1) * sizeof(*list));
	struct finding finding = {.severity = severity, .area = findings->area};
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

static struct finding *last_of(struct findings *findings)
{
	return findings->err || !findings->count ? NULL : &findings->list[findings->count - 1];
}

static void set_text(struct findings *findings, char **text, const char *format, va_list args)
{
	free(*text);
	if (vasprintf(text, format, args) < 0) {
		*text = NULL;
		findings->err = -ENOMEM;
	}
}

void findings_why(struct findings *findings, const char *why, ...)
{
	struct finding *last = last_of(findings);
	va_list args;

	if (!last)
		return;
	va_start(args, why);
	set_text(findings, &last->why, why, args);
	va_end(args);
}

void findings_remedy(struct findings *findings, const char *remedy, ...)
{
	struct finding *last = last_of(findings);
	va_list args;

	if (!last)
		return;
	va_start(args, remedy);
	set_text(findings, &last->remedy, remedy, args);
	va_end(args);
}

static void append(struct findings *to, const struct finding *finding)
{
	findings_add(to, finding->severity, "%s", finding->what);
	if (finding->why)
		findings_why(to, "%s", finding->why);
	if (finding->remedy)
		findings_remedy(to, "%s", finding->remedy);
	if (finding->area && !to->err)
		last_of(to)->area = finding->area;
}

void findings_append(struct findings *to, const struct findings *from,
		     enum finding_severity severity)
{
	for (size_t i = 0; i < from->count; i++)
		if (from->list[i].severity >= severity)
			append(to, &from->list[i]);
	if (from->err)
		to->err = from->err;
}

size_t findings_count(const struct findings *findings, enum finding_severity severity)
{
	size_t count = 0;

	for (size_t i = 0; i < findings->count; i++)
		count += findings->list[i].severity == severity;
	return count;
}

char *finding_line(const struct finding *finding)
{
	char *line;

	if (asprintf(&line, "%s%s%s", finding->what, finding->remedy ? "; " : "",
		     finding->remedy ? finding->remedy : "") < 0)
		return NULL;
	return line;
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
		free(findings->list[i].why);
		free(findings->list[i].remedy);
	}
	free(findings->list);
	*findings = (struct findings){0};
}
