// SPDX-License-Identifier: GPL-2.0-or-later
#include "pins.h"

#include <bpf/bpf.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent_user.h"
#include "folder.h"

static void pin_path(char path[PATH_MAX], const char *dir, const char *name, const char *suffix)
{
	snprintf(path, PATH_MAX, "%s/%s%s", dir, name, suffix);
}

int pin_open(const char *dir, const char *name)
{
	char path[PATH_MAX], opened[64];
	struct stat stat;
	int place, fd;

	pin_path(path, dir, name, "");
	/* bpf_obj_get() would follow a link. */
	place = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (place < 0)
		return -errno;
	snprintf(opened, sizeof(opened), "/proc/self/fd/%d", place);
	if (fstat(place, &stat))
		fd = -errno;
	else
		fd = S_ISLNK(stat.st_mode) ? -ELOOP : bpf_obj_get(opened);
	close(place);
	return fd;
}

int pin_replace(const char *dir, const char *name, int fd)
{
	char path[PATH_MAX], next[PATH_MAX];
	int err = folder_make(dir, 0700);

	if (err)
		return err;
	pin_path(path, dir, name, "");
	pin_path(next, dir, name, "_next");
	if (unlink(next) && errno != ENOENT)
		return -errno;
	if (bpf_obj_pin(fd, next))
		return -errno;
	err = agent_user_give(next);
	if (!err && rename(next, path))
		err = -errno;
	if (err)
		unlink(next);
	return err;
}

int pin_give(const char *dir, const char *name)
{
	char path[PATH_MAX];

	pin_path(path, dir, name, "");
	return agent_user_give(path);
}

int pin_remove(const char *dir, const char *name)
{
	char path[PATH_MAX];

	pin_path(path, dir, name, "");
	return unlink(path) && errno != ENOENT ? -errno : 0;
}

const char *pin_slot_name(char name[PIN_NAME_MAX], const char *what, unsigned int slot)
{
	snprintf(name, PIN_NAME_MAX, "%s_%u", what, slot);
	return name;
}

int pins_remove_all(const char *dir)
{
	DIR *folder = opendir(dir);
	struct dirent *entry;
	int err = 0;

	if (!folder)
		return errno == ENOENT ? 0 : -errno;
	while ((entry = readdir(folder))) {
		if (entry->d_name[0] == '.')
			continue;
		if (unlinkat(dirfd(folder), entry->d_name, 0) && !err)
			err = -errno;
	}
	closedir(folder);
	if (rmdir(dir) && !err)
		err = -errno;
	return err;
}

int pin_open_map(const char *dir, const char *name, size_t value_size)
{
	struct bpf_map_info info = {0};
	__u32 length = sizeof(info);
	int fd = pin_open(dir, name);

	if (fd < 0)
		return fd;
	if (bpf_obj_get_info_by_fd(fd, &info, &length) || info.value_size != value_size) {
		close(fd);
		return -EPROTO;
	}
	return fd;
}
