/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "conf_faults.h"

#include <stdarg.h>

void faults_add(struct conf_faults *faults, unsigned int line, const char *format, ...)
{
	size_t at = faults->count;
	va_list args;

	if (faults->count == FAULTS_MAX) {
		faults->overflow = true;
		return;
	}
	for (; at && faults->list[at - 1].line > line; at--)
		faults->list[at] = faults->list[at - 1];
	faults->count++;
	faults->list[at].line = line;
	va_start(args, format);
	vsnprintf(faults->list[at].text, FAULT_TEXT_MAX, format, args);
	va_end(args);
}

void faults_print(const struct conf_faults *faults, const char *path, FILE *errors)
{
	for (size_t i = 0; i < faults->count; i++)
		fprintf(errors, "%s:%u: %s\n", path, faults->list[i].line, faults->list[i].text);
	if (faults->overflow)
		fprintf(errors, "%s: there is more; correct these %d faults first\n", path,
			FAULTS_MAX);
}

_Static_assert(QUOTED_MAX >= QUOTED_TEXT_MAX * 4UL + sizeof("\"...\""),
	       "four bytes for each at most");

const char *faults_quote(char *out, const char *text, size_t length)
{
	size_t shown = length > QUOTED_TEXT_MAX ? QUOTED_TEXT_MAX : length;
	char *to = out;

	*to++ = '"';
	for (size_t i = 0; i < shown; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c >= ' ' && c < 0x7f && c != '"' && c != '\\')
			*to++ = (char)c;
		else
			to += snprintf(to, sizeof("\\xff"), "\\x%02x", c);
	}
	snprintf(to, sizeof("...\""), "%s", shown < length ? "...\"" : "\"");
	return out;
}
