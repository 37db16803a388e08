/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "instance.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define CONF_DIR "/etc/zt6-bpf"
#define PIN_DIR  "/sys/fs/bpf/zt6-bpf"
#define RUN_DIR  "/run/zt6-bpf"

/* The name becomes part of paths: nothing in it may climb out of a folder. */
static bool name_is_valid(const char *name)
{
	size_t length = strlen(name);

	return length >= 1 && length <= INSTANCE_NAME_MAX &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_-") == length;
}

int instance_init(struct instance *instance, const char *name, const char *conf_path)
{
	const char *conf_name = strcmp(name, "default") ? name : "zt6";
	int length;

	*instance = (struct instance){0};
	if (!name_is_valid(name))
		return -EINVAL;
	snprintf(instance->name, sizeof(instance->name), "%s", name);
	snprintf(instance->pin_dir, sizeof(instance->pin_dir), PIN_DIR "/%s", name);
	snprintf(instance->run_dir, sizeof(instance->run_dir), RUN_DIR "/%s", name);

	if (conf_path)
		length =
			snprintf(instance->conf_path, sizeof(instance->conf_path), "%s", conf_path);
	else
		length = snprintf(instance->conf_path, sizeof(instance->conf_path),
				  CONF_DIR "/%s.conf", conf_name);
	return (size_t)length < sizeof(instance->conf_path) ? 0 : -ENAMETOOLONG;
}
