/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "memory.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "../log.h"

#define PARENT          "/run/zt6-bpf-tunnel-update"
#define FOLDER_VARIABLE "RUNTIME_DIRECTORY" /* systemd.exec(5) */
#define MEMORY_SCHEMA   1
#define MEMORY_PATH_MAX 320

static const char *const results[] = {
	[BROKER_GOOD] = "good",           [BROKER_UNCHANGED] = "unchanged",
	[BROKER_PERMANENT] = "permanent", [BROKER_REFUSED] = "refused",
	[BROKER_NONSENSE] = "nonsense",
};

uint64_t broker_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return (uint64_t)now.tv_sec;
}

/* FNV-1a: 64 bits out of a secret of many more, to tell it from another one. */
uint64_t broker_fingerprint(const struct broker_login *login)
{
	const char *const parts[] = {login->user, login->key, login->tunnel};
	uint64_t hash = 0xcbf29ce484222325;

	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++) {
		const unsigned char *at = (const unsigned char *)parts[i];

		do
			hash = (hash ^ *at) * 0x100000001b3;
		while (*at++);
	}
	return hash ? hash : 1;
}

void broker_memory_folder(const struct instance *instance, char folder[256])
{
	const char *given = getenv(FOLDER_VARIABLE);

	if (given && *given && !strchr(given, ':'))
		snprintf(folder, 256, "%s", given);
	else
		snprintf(folder, 256, PARENT "/%s", instance->name);
}

static void memory_path(const char *folder, const char *tunnel, char path[MEMORY_PATH_MAX])
{
	snprintf(path, MEMORY_PATH_MAX, "%s/%s", folder, tunnel);
}

static bool from_json(const json_t *root, struct broker_memory *out)
{
	const char *login, *local, *result, *text;
	json_int_t schema, asked, tries;

	if (json_unpack((json_t *)root, "{s:I, s:s, s:s, s:s, s:s, s:I, s:I}", "schema", &schema,
			"login", &login, "local", &local, "result", &result, "text", &text, "asked",
			&asked, "tries", &tries) ||
	    schema != MEMORY_SCHEMA || inet_pton(AF_INET, local, &out->local) != 1 || asked < 0 ||
	    tries < 0)
		return false;
	out->login = strtoull(login, NULL, 16);
	out->asked_s = (uint64_t)asked;
	out->tries = (unsigned int)tries;
	snprintf(out->text, sizeof(out->text), "%s", text);
	for (size_t i = 0; i < sizeof(results) / sizeof(*results); i++)
		if (!strcmp(result, results[i])) {
			out->result = (enum broker_result)i;
			return out->login;
		}
	return false;
}

void broker_memory_load(const char *folder, const char *tunnel, struct broker_memory *out)
{
	char path[MEMORY_PATH_MAX];
	json_t *root;

	*out = (struct broker_memory){0};
	memory_path(folder, tunnel, path);
	root = json_load_file(path, 0, NULL);
	if (!root || !from_json(root, out))
		*out = (struct broker_memory){0};
	json_decref(root);
}

static json_t *to_json(const struct broker_memory *memory)
{
	char login[20], local[INET_ADDRSTRLEN];

	snprintf(login, sizeof(login), "%016" PRIx64, memory->login);
	inet_ntop(AF_INET, &memory->local, local, sizeof(local));
	return json_pack("{s:i, s:s, s:s, s:s, s:s, s:I, s:I}", "schema", MEMORY_SCHEMA, "login",
			 login, "local", local, "result", results[memory->result], "text",
			 memory->text, "asked", (json_int_t)memory->asked_s, "tries",
			 (json_int_t)memory->tries);
}

static int make_folder(const char *folder)
{
	if (!strncmp(folder, PARENT "/", strlen(PARENT "/")) && mkdir(PARENT, 0755) &&
	    errno != EEXIST)
		return -errno;
	return mkdir(folder, 0700) && errno != EEXIST ? -errno : 0;
}

/* What root writes into another user's folder shall be that user's, whose turn is next. */
static int hand_over(int fd, const char *folder)
{
	struct stat st;

	if (geteuid() || stat(folder, &st) || !st.st_uid)
		return 0;
	return fchown(fd, st.st_uid, st.st_gid) ? -errno : 0;
}

int broker_memory_save(const char *folder, const char *tunnel, const struct broker_memory *memory)
{
	char path[MEMORY_PATH_MAX], draft[MEMORY_PATH_MAX + 8];
	json_t *root = to_json(memory);
	int fd = -1, err = root ? make_folder(folder) : -ENOMEM;

	memory_path(folder, tunnel, path);
	snprintf(draft, sizeof(draft), "%s.new", path);
	if (!err) {
		fd = open(draft, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
		err = fd < 0 ? -errno : hand_over(fd, folder);
	}
	if (!err && (json_dumpfd(root, fd, JSON_COMPACT) || rename(draft, path)))
		err = errno ? -errno : -EIO;
	if (fd >= 0)
		close(fd);
	json_decref(root);
	if (err)
		log_error("cannot write %s: %s: the next run may ask the broker again too soon",
			  path, strerror(-err));
	return err;
}
