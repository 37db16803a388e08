/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

/* Longer ones are cut. */
#define LINE_MAX_BYTES 4096

bool log_verbose;

static FILE *diversion;

/* Whether stderr leads to systemd's journal, which says so by device and inode (systemd.exec(5)). */
static bool is_journal(void)
{
	static int known = -1;
	const char *stream = getenv("JOURNAL_STREAM");
	unsigned long long device, inode;
	struct stat st;

	if (known < 0)
		known = stream && sscanf(stream, "%llu:%llu", &device, &inode) == 2 &&
			!fstat(STDERR_FILENO, &st) && st.st_dev == device && st.st_ino == inode;
	return known;
}

/* One write per line, so that lines of several processes on one stderr do not mix. The journal has
 * levels (sd-daemon(3)) and knows who speaks. */
static void log_line(int priority, const char *level, const char *format, va_list args)
{
	char message[LINE_MAX_BYTES];

	vsnprintf(message, sizeof(message), format, args);
	if (diversion)
		fprintf(diversion, "%s%s\n", level, message);
	else if (is_journal())
		fprintf(stderr, "<%d>%s\n", priority, message);
	else
		fprintf(stderr, "zt6-bpf: %s%s\n", level, message);
}

void log_divert(FILE *stream)
{
	diversion = stream;
}

void log_error(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	log_line(LOG_ERR, "", format, args);
	va_end(args);
}

void log_warning(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	log_line(LOG_WARNING, LOG_WARNING_MARK, format, args);
	va_end(args);
}

void log_info(const char *format, ...)
{
	va_list args;

	if (!log_verbose || diversion)
		return;
	va_start(args, format);
	log_line(LOG_INFO, "", format, args);
	va_end(args);
}
