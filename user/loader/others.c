// SPDX-License-Identifier: GPL-2.0-or-later
#include "others.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "rundir.h"
#include "../log.h"

/* The folder of all instances' folders, and the name of ours in it. */
static void split(const struct journal *journal, char parent[PATH_MAX], char name[PATH_MAX])
{
	char *slash;

	snprintf(parent, PATH_MAX, "%s", journal->path);
	*strrchr(parent, '/') = '\0'; /* the journal's own name */
	slash = strrchr(parent, '/');
	snprintf(name, PATH_MAX, "%s", slash + 1);
	*slash = '\0';
}

int others_lock(const struct journal *journal)
{
	char parent[PATH_MAX], name[PATH_MAX];
	int fd, err;

	split(journal, parent, name);
	/* As long as ours is in it nobody removes it: all find the same one. */
	fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0 && !flock(fd, LOCK_EX))
		return fd;
	err = -errno;
	log_error("cannot lock %s: %s", parent, strerror(-err));
	if (fd >= 0)
		close(fd);
	return err;
}

static int add_common(const struct journal *theirs, struct objects *out)
{
	int err = 0;

	if (theirs->relation != NETNS_SAME)
		return 0;
	for (size_t i = 0; i < theirs->objects.count && !err; i++)
		if (theirs->objects.list[i]->kind->common)
			err = objects_add(out, object_copy(theirs->objects.list[i]));
	return err;
}

int others_load(const struct journal *journal, struct objects *out)
{
	char parent[PATH_MAX], name[PATH_MAX], path[PATH_MAX];
	const struct dirent *entry;
	struct journal *theirs;
	int err = 0;
	DIR *dir;

	*out = (struct objects){0};
	split(journal, parent, name);
	dir = opendir(parent);
	while (dir && !err && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.' || !strcmp(entry->d_name, name))
			continue;
		if (snprintf(path, sizeof(path), "%s/%s", parent, entry->d_name) >=
			    (int)sizeof(path) ||
		    !rundir_has_journal(path) || journal_load(path, &theirs))
			continue;
		err = add_common(theirs, out);
		journal_free(theirs);
	}
	if (dir)
		closedir(dir);
	return err;
}
