// SPDX-License-Identifier: GPL-2.0-or-later
#include "networkd_conf.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#define LINE_SIZE 512
#define BLANKS    " \t\r\n"

/* From the strongest to the weakest: the first one that has a file of a name decides over that file. */
static const char *const folders[] = {
	"/etc/systemd",
	"/run/systemd",
	"/usr/local/lib/systemd",
	"/usr/lib/systemd",
};

#define FOLDER_COUNT (sizeof(folders) / sizeof(folders[0]))

static bool is_true(const char *value)
{
	static const char *const words[] = {"1", "y", "yes", "t", "true", "on"};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (!strcasecmp(value, words[i]))
			return true;
	return false;
}

/* "KEY = VALUE", with blanks wherever they may be. */
static void read_setting(char *line, struct networkd_conf *out)
{
	char *value = strchr(line, '=');

	if (!value)
		return;
	*value++ = '\0';
	line[strcspn(line, BLANKS)] = '\0';
	value += strspn(value, BLANKS);
	value[strcspn(value, BLANKS)] = '\0';
	if (!strcmp(line, "ManageForeignRoutes"))
		out->foreign_routes = is_true(value);
	else if (!strcmp(line, "ManageForeignRoutingPolicyRules"))
		out->foreign_rules = is_true(value);
}

static void read_file(const char *path, struct networkd_conf *out)
{
	FILE *file = fopen(path, "re");
	bool is_ours = false;
	char line[LINE_SIZE];

	while (file && fgets(line, sizeof(line), file)) {
		char *text = line + strspn(line, BLANKS);

		if (*text == '[')
			is_ours = !strncmp(text, "[Network]", strlen("[Network]"));
		else if (is_ours && *text != '#' && *text != ';')
			read_setting(text, out);
	}
	if (file)
		fclose(file);
}

/* The strongest file of that name, below the folders. */
static void read_strongest(const char *name, struct networkd_conf *out)
{
	char path[PATH_MAX];

	for (size_t i = 0; i < FOLDER_COUNT; i++) {
		snprintf(path, sizeof(path), "%s/%s", folders[i], name);
		if (!access(path, F_OK)) {
			read_file(path, out);
			return;
		}
	}
}

struct names {
	char **list;
	size_t count;
};

static void add_name(struct names *names, const char *name)
{
	char **grown;
	char *copy;

	for (size_t i = 0; i < names->count; i++)
		if (!strcmp(names->list[i], name))
			return;
	grown = reallocarray(names->list, names->count + 1, sizeof(*grown));
	copy = strdup(name);
	if (grown)
		names->list = grown;
	if (grown && copy)
		names->list[names->count++] = copy;
	else
		free(copy);
}

static void find_drop_ins(const char *folder, struct names *names)
{
	const struct dirent *entry;
	char path[PATH_MAX];
	DIR *dir;

	snprintf(path, sizeof(path), "%s/networkd.conf.d", folder);
	dir = opendir(path);
	while (dir && (entry = readdir(dir))) {
		const char *end = strrchr(entry->d_name, '.');

		if (end && !strcmp(end, ".conf"))
			add_name(names, entry->d_name);
	}
	if (dir)
		closedir(dir);
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

void networkd_conf_read(struct networkd_conf *out)
{
	struct names names = {0};
	char name[NAME_MAX + 20];

	*out = (struct networkd_conf){.foreign_routes = true, .foreign_rules = true};
	read_strongest("networkd.conf", out);
	for (size_t i = 0; i < FOLDER_COUNT; i++)
		find_drop_ins(folders[i], &names);
	if (names.count)
		qsort(names.list, names.count, sizeof(*names.list), compare);
	for (size_t i = 0; i < names.count; i++) {
		snprintf(name, sizeof(name), "networkd.conf.d/%s", names.list[i]);
		read_strongest(name, out);
		free(names.list[i]);
	}
	free(names.list);
}
