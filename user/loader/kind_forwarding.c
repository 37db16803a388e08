// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * net.ipv6.conf.all.forwarding. The kernel forwards by this one alone (ip6_forward()), and copies
 * every write of it to `default` and to all interfaces, whatever they had. So that `down` can leave
 * each as it was, their values are noted first, and are written back afterwards.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kinds.h"
#include "../log.h"

#define CONF_DIR  "net/ipv6/conf"
#define ALL_PATH  CONF_DIR "/all/forwarding"
#define VALUE_MAX 32
#define PATH_SIZE 300

static int read_forwarding(const char *name, char *value)
{
	char path[PATH_SIZE];

	snprintf(path, sizeof(path), CONF_DIR "/%s/forwarding", name);
	return sysctl_read(path, value, VALUE_MAX);
}

/* The value of every interface, of `all` and of `default`, by name. NULL when out of memory. */
static json_t *read_all(void)
{
	json_t *values = json_object();
	DIR *dir = opendir("/proc/sys/" CONF_DIR);
	const struct dirent *entry;
	char value[VALUE_MAX];

	while (dir && values && (entry = readdir(dir))) {
		if (read_forwarding(entry->d_name, value))
			continue;
		if (json_object_set_new(values, entry->d_name, json_string(value))) {
			json_decref(values);
			values = NULL;
		}
	}
	if (dir)
		closedir(dir);
	return values;
}

static const char *value_of(const json_t *values, const char *name)
{
	return json_string_value(json_object_get(values, name));
}

static bool is_off(const char *value)
{
	return strtol(value, NULL, 10) == 0;
}

static void describe(const struct object *object, char text[OBJECT_TEXT_MAX])
{
	(void)object;
	snprintf(text, OBJECT_TEXT_MAX, "sysctl %s = 1", ALL_PATH);
}

static int probe(struct nl_sock *nl, const struct object *object, json_t **before)
{
	char value[VALUE_MAX];
	int err = sysctl_read(ALL_PATH, value, sizeof(value));

	(void)nl;
	(void)object;
	if (err == -ENOENT)
		return OBJECT_ABSENT;
	if (err)
		return err;
	*before = read_all();
	if (!*before)
		return -ENOMEM;
	return is_off(value) ? OBJECT_OTHER : OBJECT_PRESENT;
}

static int make(struct nl_sock *nl, struct object *object)
{
	int err = sysctl_write(ALL_PATH, "1");

	(void)nl;
	(void)object;
	if (err == -ENOENT)
		log_error("/proc/sys/" ALL_PATH " is not there: IPv6 is off in this kernel "
			  "(ipv6.disable=1 on its command line, or CONFIG_IPV6 not set)");
	else if (err)
		log_error("cannot write 1 to /proc/sys/" ALL_PATH ": %s", strerror(-err));
	return err;
}

/* What @name shall hold once `all` is off again: what it had before us; what somebody has given it
 * since; and for an interface that came later, what it would have inherited without us. */
static const char *wanted(const json_t *before, const char *name, const char *current)
{
	const char *was = value_of(before, name);

	if (is_off(current))
		return current;
	if (!was)
		was = value_of(before, "default");
	return was ? was : "0";
}

static int unmake(struct nl_sock *nl, const struct object *object)
{
	json_t *current, *value;
	const char *was = value_of(object->before, "all"), *name;
	int err, first;

	(void)nl;
	current = read_all();
	if (!current)
		return -ENOMEM;
	if (!was || !value_of(current, "all") || is_off(value_of(current, "all"))) {
		log_info("/proc/sys/" ALL_PATH " is not our 1 any more: left alone");
		json_decref(current);
		return 0;
	}
	first = sysctl_write(ALL_PATH, was);
	if (first)
		log_error("cannot write %s back to /proc/sys/" ALL_PATH ": %s", was,
			  strerror(-first));
	json_object_foreach (current, name, value) {
		const char *want = wanted(object->before, name, json_string_value(value));
		char path[PATH_SIZE];

		if (first || !strcmp(name, "all") || !strcmp(want, was))
			continue;
		snprintf(path, sizeof(path), CONF_DIR "/%s/forwarding", name);
		err = sysctl_restore(path, was, want);
		if (err && !first)
			first = err;
	}
	json_decref(current);
	return first;
}

const struct object_kind kind_forwarding = {
	.name = "forwarding",
	.identity = (const char *const[]){NULL},
	.in_netns = true,
	.common = true,
	.describe = describe,
	.probe = probe,
	.make = make,
	.unmake = unmake,
};

struct object *forwarding_object(void)
{
	return object_new(&kind_forwarding, json_object());
}
