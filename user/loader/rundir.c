// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rundir.h"
#include "../agent_user.h"
#include "../folder.h"
#include "../log.h"
#include "../zerotier/view.h"

static void parent_of(const char *path, char parent[PATH_MAX])
{
	snprintf(parent, PATH_MAX, "%s", path);
	dirname(parent); /* glibc's works in place for a path with a slash */
}

bool rundir_has_journal(const char *run_dir)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/" JOURNAL_NAME, run_dir);
	return !access(path, F_OK);
}

bool rundir_in_use(const char *run_dir, const char *pin_dir)
{
	return rundir_has_journal(run_dir) || !access(pin_dir, F_OK);
}

/* Whether the locked file is still the one that others will find: a `down` that had the lock
 * before us may have removed it. */
static bool is_current(int fd, const char *path)
{
	struct stat held, found;

	return !fstat(fd, &held) && !stat(path, &found) && held.st_ino == found.st_ino &&
	       held.st_dev == found.st_dev;
}

int rundir_lock(const char *run_dir)
{
	char path[PATH_MAX];
	int fd, err;

	snprintf(path, sizeof(path), "%s/lock", run_dir);
	for (;;) {
		err = folder_make(run_dir, 0755);
		if (err)
			break;
		fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
		if (fd < 0 && errno == ENOENT)
			continue;
		if (fd < 0) {
			err = -errno;
			break;
		}
		if (flock(fd, LOCK_EX | LOCK_NB)) {
			log_info("%s: another up, down or reload is at work: waiting for it", path);
			err = flock(fd, LOCK_EX) ? -errno : 0;
		}
		if (!err)
			err = agent_user_give_fd(fd);
		if (!err && is_current(fd, path))
			return fd;
		close(fd);
		if (err)
			break;
	}
	log_error("cannot lock %s: %s", path, strerror(-err));
	return err;
}

int rundir_try_lock(const char *run_dir)
{
	char path[PATH_MAX];
	int fd, err = 0;

	snprintf(path, sizeof(path), "%s/lock", run_dir);
	/* The agent may read what the loader has made, and no more. */
	fd = open(path, O_RDONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (fd < 0)
		return -errno;
	if (flock(fd, LOCK_EX | LOCK_NB))
		err = -errno;
	else if (!is_current(fd, path))
		err = -EWOULDBLOCK;
	if (!err)
		return fd;
	close(fd);
	return err;
}

void rundir_unlock(const char *run_dir, int lock)
{
	/* New ones are left by what was killed while it wrote them. */
	static const char *const files[] = {APPLIED_NAME, APPLIED_NAME ".new", JOURNAL_NAME ".new",
					    TRIAL_NAME, "lock"};
	char path[PATH_MAX];

	if (!rundir_has_journal(run_dir)) {
		for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
			snprintf(path, sizeof(path), "%s/%s", run_dir, files[i]);
			unlink(path);
		}
		zerotier_views_remove(run_dir); /* the agent's, which has gone or is about to */
		if (!rmdir(run_dir)) {
			parent_of(run_dir, path);
			rmdir(path);
		}
	}
	close(lock);
}
