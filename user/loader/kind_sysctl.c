// SPDX-License-Identifier: GPL-2.0-or-later
/* One value under /proc/sys. What was there before is put back only while it is still ours. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "kinds.h"
#include "../log.h"

#define VALUE_MAX 32

/* The journal belongs to the agent, which may configure the network and nothing else. */
static bool is_of_network(const char *path)
{
	return !strncmp(path, "net/", strlen("net/")) && !strstr(path, "/../");
}

static int sysctl_open(const char *path, int flags)
{
	char full[160];
	int fd;

	if (!is_of_network(path))
		return -EPERM;
	if (snprintf(full, sizeof(full), "/proc/sys/%s", path) >= (int)sizeof(full))
		return -ENAMETOOLONG;
	fd = open(full, flags | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int sysctl_read(const char *path, char *value, size_t size)
{
	int fd = sysctl_open(path, O_RDONLY);
	ssize_t got;

	if (fd < 0)
		return fd;
	got = read(fd, value, size - 1);
	if (got < 0)
		got = -errno;
	close(fd);
	if (got < 0)
		return (int)got;
	value[got] = '\0';
	value[strcspn(value, "\n")] = '\0';
	return 0;
}

int sysctl_write(const char *path, const char *value)
{
	int fd = sysctl_open(path, O_WRONLY);
	int err = 0;

	if (fd < 0)
		return fd;
	if (write(fd, value, strlen(value)) < 0)
		err = -errno;
	close(fd);
	return err;
}

int sysctl_restore(const char *path, const char *ours, const char *before)
{
	char value[VALUE_MAX];
	int err = sysctl_read(path, value, sizeof(value));

	if (err == -ENOENT)
		return 0;
	if (!err && strcmp(value, ours) != 0) {
		log_info("/proc/sys/%s is %s and not our %s any more: left alone", path, value,
			 ours);
		return 0;
	}
	if (!err)
		err = sysctl_write(path, before);
	/* Between our looking and our writing the interface may have gone. */
	if (err && err != -ENOENT)
		log_error("cannot write %s back to /proc/sys/%s: %s", before, path, strerror(-err));
	return err == -ENOENT ? 0 : err;
}

static void describe(const struct object *object, char text[OBJECT_TEXT_MAX])
{
	snprintf(text, OBJECT_TEXT_MAX, "sysctl %s = %s", object_string(object, "path"),
		 object_string(object, "value"));
}

/* "net/FAMILY/conf/NAME/KEY" and "net/FAMILY/neigh/NAME/KEY". */
static bool device(const struct object *object, char name[IF_NAMESIZE])
{
	return sscanf(object_string(object, "path"), "net/%*[^/]/%*[^/]/%15[^/]/", name) == 1 &&
	       strcmp(name, "all") != 0 && strcmp(name, "default") != 0;
}

static int probe(struct nl_sock *nl, const struct object *object, json_t **before)
{
	char value[VALUE_MAX];
	int err = sysctl_read(object_string(object, "path"), value, sizeof(value));

	(void)nl;
	if (err == -ENOENT)
		return OBJECT_ABSENT;
	if (err)
		return err;
	*before = json_string(value);
	if (!*before)
		return -ENOMEM;
	return strcmp(value, object_string(object, "value")) ? OBJECT_OTHER : OBJECT_PRESENT;
}

static int make(struct nl_sock *nl, struct object *object)
{
	const char *path = object_string(object, "path"), *value = object_string(object, "value");
	int err = sysctl_write(path, value);

	(void)nl;
	if (err)
		log_error("cannot write %s to /proc/sys/%s: %s", value, path, strerror(-err));
	return err;
}

static int unmake(struct nl_sock *nl, const struct object *object)
{
	const char *before = json_string_value(object->before);

	(void)nl;
	if (!before)
		return 0;
	return sysctl_restore(object_string(object, "path"), object_string(object, "value"),
			      before);
}

const struct object_kind kind_sysctl = {
	.name = "sysctl",
	.identity = (const char *const[]){"path", NULL},
	.in_netns = true,
	.common = true,
	.puts_back = true,
	.device = device,
	.describe = describe,
	.probe = probe,
	.make = make,
	.unmake = unmake,
};

struct object *sysctl_object(const char *path, const char *value)
{
	return object_new(&kind_sysctl, json_pack("{s:s, s:s}", "path", path, "value", value));
}
