/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files that an interfaces(5) refers to. What ifupdown cannot open it goes on without, and so do we. */
#include "ifaces.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <wordexp.h>

#include "../conf_faults.h"
#include "sources.h"

struct reference {
	struct draft *draft;
	struct origin origin;
	struct ifaces *out;
};

static void read_sourced(const struct reference *from, const char *path)
{
	const char *kept = draft_path(from->draft, path);
	struct origin origin = {kept, 0};
	struct stat st;
	size_t length;
	char *text;

	/* A pattern that nothing matches stands for itself. ifupdown goes on, so we do. */
	if (stat(path, &st) < 0 || S_ISDIR(st.st_mode)) {
		if (!strpbrk(path, "*?["))
			draft_remark(from->draft, &from->draft->head, &from->origin,
				     "%s is %s, and ifupdown goes on without it", QUOTED(path),
				     stat(path, &st) < 0 ? "not there" : "a folder");
		return;
	}
	/* Nothing will be printed, and to go on may be to go round in circles. */
	if (from->draft->fault_count)
		return;
	text = import_read(from->draft, path, &origin, &length);
	if (text)
		ifaces_read(from->draft, kept, text, length, from->out);
	free(text);
}

static bool is_sourced_name(const char *name)
{
	return *name && strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "0123456789_-") == strlen(name);
}

static int is_sourced_entry(const struct dirent *entry)
{
	return is_sourced_name(entry->d_name);
}

static void read_sourced_folder(const struct reference *from, const char *path)
{
	struct dirent **entries;
	int count = scandir(path, &entries, is_sourced_entry, alphasort);
	char *file;

	for (int i = 0; i < count; i++) {
		if (asprintf(&file, "%s/%s", path, entries[i]->d_name) >= 0) {
			read_sourced(from, file);
			free(file);
		} else {
			from->draft->err = -ENOMEM;
		}
		free(entries[i]);
	}
	if (count >= 0)
		free(entries);
	else
		draft_remark(from->draft, &from->draft->head, &from->origin,
			     "%s cannot be listed, and ifupdown goes on without it", QUOTED(path));
}

/* A path beside the file that it stands in, unless it is absolute. NULL without memory. */
static char *beside(const char *file, const char *path)
{
	const char *slash = strrchr(file, '/');
	char *out;

	if (*path == '/' || !slash)
		return strdup(path);
	return asprintf(&out, "%.*s/%s", (int)(slash - file), file, path) < 0 ? NULL : out;
}

void ifaces_source(struct draft *draft, const struct origin *origin, const char *word, bool folder,
		   struct ifaces *out)
{
	const struct reference from = {draft, *origin, out};
	char *pattern = beside(origin->path, word);
	wordexp_t expanded;

	if (!pattern) {
		draft->err = -ENOMEM;
		return;
	}
	/* Commands would be run by a shell: not for a file that is only read. */
	if (wordexp(pattern, &expanded, WRDE_NOCMD)) {
		draft_remark(draft, &draft->head, origin,
			     "%s is not followed: zt6-bpf expands no more than names of files",
			     QUOTED(word));
		free(pattern);
		return;
	}
	for (size_t i = 0; i < expanded.we_wordc; i++) {
		if (folder)
			read_sourced_folder(&from, expanded.we_wordv[i]);
		else
			read_sourced(&from, expanded.we_wordv[i]);
	}
	wordfree(&expanded);
	free(pattern);
}
