/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sources.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define FILE_MAX (1 << 20) /* bytes, as of a zt6.conf */

static bool is_folder(FILE *file)
{
	struct stat st;

	return !fstat(fileno(file), &st) && S_ISDIR(st.st_mode);
}

char *import_read(struct draft *draft, const char *path, const struct origin *origin,
		  size_t *length)
{
	bool is_input = !strcmp(path, "-");
	FILE *file = is_input ? stdin : fopen(path, "re");
	char *text = NULL;

	if (!file) {
		draft_fault(draft, origin, "cannot open: %s", strerror(errno));
		return NULL;
	}
	if (is_folder(file)) {
		draft_fault(draft, origin, "is a folder: name the file in it");
		goto out;
	}
	text = malloc(FILE_MAX + 2);
	if (!text) {
		draft->err = -ENOMEM;
		goto out;
	}
	errno = 0;
	*length = fread(text, 1, FILE_MAX + 1, file);
	if (ferror(file))
		draft_fault(draft, origin, "cannot read: %s", strerror(errno));
	else if (*length > FILE_MAX)
		draft_fault(draft, origin, "is larger than %d KiB", FILE_MAX / 1024);
	else
		goto good;
	free(text);
	text = NULL;
	goto out;
good:
	text[*length] = '\0';
out:
	if (!is_input)
		fclose(file);
	return text;
}
