// SPDX-License-Identifier: GPL-2.0-or-later
/* The file system of the pins, where nobody has mounted it (systemd does, small systems do not). */
#include <dirent.h>
#include <errno.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include "kinds.h"
#include "../log.h"

static void describe(const struct object *object, char text[OBJECT_TEXT_MAX])
{
	(void)object;
	snprintf(text, OBJECT_TEXT_MAX, "mount bpf at " BPFFS_PATH);
}

static int probe(struct nl_sock *nl, const struct object *object, json_t **before)
{
	struct statfs fs;

	(void)nl;
	(void)object;
	(void)before;
	if (statfs(BPFFS_PATH, &fs))
		return errno == ENOENT ? OBJECT_ABSENT : -errno;
	return fs.f_type == BPF_FS_MAGIC ? OBJECT_PRESENT : OBJECT_ABSENT;
}

/* As under `ip netns exec`, whose mount namespace ends with the command: so do the pins. */
static bool mount_ends_with_us(void)
{
	char path[64];
	struct stat own, parent;

	snprintf(path, sizeof(path), "/proc/%d/ns/mnt", (int)getppid());
	return !stat("/proc/self/ns/mnt", &own) && !stat(path, &parent) &&
	       own.st_ino != parent.st_ino;
}

static int make(struct nl_sock *nl, struct object *object)
{
	struct stat st;

	(void)nl;
	if (mount("bpf", BPFFS_PATH, "bpf", 0, "mode=0700") || stat(BPFFS_PATH, &st)) {
		int err = -errno;

		log_error("cannot mount bpf at " BPFFS_PATH ": %s; the kernel needs "
			  "CONFIG_BPF_SYSCALL, and a container needs it mounted from outside",
			  strerror(-err));
		return err;
	}
	if (mount_ends_with_us())
		log_warning(BPFFS_PATH
			    " was not mounted, and is now, in a mount namespace that only "
			    "this command is in: programs and maps end with it. Instead of `ip "
			    "netns exec "
			    "NAME`, use `nsenter --net=/run/netns/NAME`");
	/* The device number is this mount's own. */
	json_decref(object->made);
	object->made = json_pack("{s:I}", "device", (json_int_t)st.st_dev);
	return 0;
}

/* Kernels with CONFIG_BPF_PRELOAD put two iterators into every new bpffs. */
static bool comes_with_mount(const char *name)
{
	return !strcmp(name, ".") || !strcmp(name, "..") || !strcmp(name, "maps.debug") ||
	       !strcmp(name, "progs.debug");
}

static bool is_empty(const char *path)
{
	DIR *dir = opendir(path);
	const struct dirent *entry;
	bool empty = true;

	while (dir && (entry = readdir(dir)))
		if (!comes_with_mount(entry->d_name))
			empty = false;
	if (dir)
		closedir(dir);
	return dir && empty;
}

static int unmake(struct nl_sock *nl, const struct object *object)
{
	json_int_t device = json_integer_value(json_object_get(object->made, "device"));
	json_t *unused = NULL;
	struct stat st;

	if (probe(nl, object, &unused) != OBJECT_PRESENT || stat(BPFFS_PATH, &st) ||
	    (device && (json_int_t)st.st_dev != device))
		return 0;
	if (!is_empty(BPFFS_PATH) || umount2(BPFFS_PATH, UMOUNT_NOFOLLOW))
		log_info(BPFFS_PATH " is in use by others: left mounted");
	return 0;
}

const struct object_kind kind_bpffs = {
	.name = "bpffs",
	.identity = (const char *const[]){NULL},
	.describe = describe,
	.probe = probe,
	.make = make,
	.unmake = unmake,
};

struct object *bpffs_object(void)
{
	return object_new(&kind_bpffs, json_object());
}
