/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "credentials.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../log.h"

#define CREDENTIALS_VARIABLE "CREDENTIALS_DIRECTORY" /* systemd.exec(5) */
#define CREDENTIAL           "broker"
#define FILE_MAX             16384

/* /etc/zt6-bpf/zt6.conf -> /etc/zt6-bpf/zt6.broker; true when systemd's credential takes its place. */
static bool find_path(const struct instance *instance, char *path, size_t size)
{
	const char *folder = getenv(CREDENTIALS_VARIABLE), *dot, *slash;
	int stem;

	if (folder && *folder) {
		snprintf(path, size, "%s/" CREDENTIAL, folder);
		if (!access(path, F_OK) || errno != ENOENT)
			return true;
	}
	slash = strrchr(instance->conf_path, '/');
	dot = strrchr(slash ? slash : instance->conf_path, '.');
	stem = dot ? (int)(dot - instance->conf_path) : (int)strlen(instance->conf_path);
	snprintf(path, size, "%.*s.broker", stem, instance->conf_path);
	return false;
}

/* systemd gives its user the credential by an access list, whose mask shows as the group's bits. */
static int check_mode(int fd, const char *path, bool credential)
{
	const mode_t foreign = credential ? S_IRWXO : S_IRWXG | S_IRWXO;
	struct stat st;

	if (fstat(fd, &st) || !S_ISREG(st.st_mode)) {
		log_error("%s: it must be a plain file", path);
		return -EINVAL;
	}
	if (st.st_mode & foreign) {
		log_error(
			"%s: others than its owner may read or write it (mode %04o), and it holds "
			"secrets: run \"chmod 600 %s\", and change the keys if somebody else may "
			"have read them",
			path, st.st_mode & 07777, path);
		return -EPERM;
	}
	if (st.st_uid && st.st_uid != geteuid()) {
		log_error("%s: it belongs to another user (id %u): run \"chown root %s\"", path,
			  st.st_uid, path);
		return -EPERM;
	}
	return 0;
}

static int read_file(const char *path, bool credential, char text[FILE_MAX + 1])
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), err;
	size_t length = 0;
	ssize_t n = 1;

	if (fd < 0) {
		err = -errno;
		log_error("cannot read the broker's credentials, %s: %s%s", path, strerror(-err),
			  err == -ENOENT ? ": make it, mode 0600, with [TUNNEL], user=, key= and "
					   "tunnel= on lines of their own (see zt6-bpf(8))"
					 : "");
		return err;
	}
	err = check_mode(fd, path, credential);
	while (!err && n > 0 && length < FILE_MAX) {
		n = read(fd, text + length, FILE_MAX - length);
		if (n < 0) {
			err = -errno;
			log_error("cannot read %s: %s", path, strerror(-err));
		} else {
			length += (size_t)n;
		}
	}
	close(fd);
	text[length] = '\0';
	if (!err && (length == FILE_MAX || strlen(text) != length)) {
		log_error("%s: this is no file of credentials", path);
		err = -EINVAL;
	}
	return err;
}

/* "KEY=VALUE" where KEY is @key: its value, which may hold anything but control codes. */
static const char *value_of(const char *line, const char *key)
{
	size_t length = strlen(key);

	return !strncmp(line, key, length) && line[length] == '=' ? line + length + 1 : NULL;
}

static bool copy_value(char *to, size_t size, const char *value)
{
	size_t length = strlen(value);

	if (*to || !length || length >= size)
		return false;
	for (size_t i = 0; i < length; i++)
		if (iscntrl((unsigned char)value[i]))
			return false;
	memcpy(to, value, length + 1);
	return true;
}

static bool is_number(const char *text)
{
	return *text && strspn(text, "0123456789") == strlen(text);
}

/* "[NAME]" begins the login of a tunnel. What is wrong with it, or NULL. */
static const char *begin(struct broker_logins *logins, char *line)
{
	size_t length = strlen(line);

	if (line[length - 1] != ']' || length < 3 || length - 2 >= IFNAMSIZ)
		return "the name of a tunnel's interface is expected in brackets";
	line[length - 1] = '\0';
	if (broker_login_find(logins, line + 1))
		return "this tunnel is there already";
	if (logins->count == BROKER_TUNNELS_MAX)
		return "there are too many tunnels";
	snprintf(logins->list[logins->count++].name, IFNAMSIZ, "%s", line + 1);
	return NULL;
}

static const char *read_line(struct broker_logins *logins, char *line)
{
	struct broker_login *login;
	const char *value;

	if (*line == '[')
		return begin(logins, line);
	if (!logins->count)
		return "a tunnel's name, [NAME], has to come first";
	login = &logins->list[logins->count - 1];
	if ((value = value_of(line, "user")))
		return copy_value(login->user, sizeof(login->user), value)
			       ? NULL
			       : "user= is there twice, empty, too long or no text";
	if ((value = value_of(line, "key")))
		return copy_value(login->key, sizeof(login->key), value)
			       ? NULL
			       : "key= is there twice, empty, too long or no text";
	if ((value = value_of(line, "tunnel")))
		return is_number(value) && copy_value(login->tunnel, sizeof(login->tunnel), value)
			       ? NULL
			       : "tunnel= is there twice, or is not the number of a tunnel";
	return "neither [TUNNEL], user=, key= nor tunnel=";
}

static int check_complete(const struct broker_logins *logins)
{
	for (size_t i = 0; i < logins->count; i++) {
		const struct broker_login *login = &logins->list[i];
		const char *missing = !*login->user     ? "user="
				      : !*login->key    ? "key="
				      : !*login->tunnel ? "tunnel="
							: NULL;

		if (!missing)
			continue;
		log_error("%s: [%s] has no %s", logins->path, login->name, missing);
		return -EINVAL;
	}
	if (logins->count)
		return 0;
	log_error("%s: there is no tunnel in it", logins->path);
	return -EINVAL;
}

static int parse(struct broker_logins *logins, char *text)
{
	unsigned int number = 0;
	char *line, *rest = text;

	while ((line = strsep(&rest, "\n"))) {
		size_t length;
		const char *fault;

		number++;
		line += strspn(line, " \t");
		for (length = strlen(line); length && isspace((unsigned char)line[length - 1]);)
			line[--length] = '\0';
		if (!length || *line == '#')
			continue;
		fault = read_line(logins, line);
		if (!fault)
			continue;
		log_error("%s:%u: %s", logins->path, number, fault);
		return -EINVAL;
	}
	return check_complete(logins);
}

int broker_logins_load(const struct instance *instance, struct broker_logins *out)
{
	char text[FILE_MAX + 1];
	bool credential;
	int err;

	*out = (struct broker_logins){0};
	credential = find_path(instance, out->path, sizeof(out->path));
	err = read_file(out->path, credential, text);
	if (!err)
		err = parse(out, text);
	explicit_bzero(text, sizeof(text));
	if (err)
		broker_logins_clear(out);
	return err;
}

const struct broker_login *broker_login_find(const struct broker_logins *logins, const char *name)
{
	for (size_t i = 0; i < logins->count; i++)
		if (!strcmp(logins->list[i].name, name))
			return &logins->list[i];
	return NULL;
}

const struct broker_login *broker_login_by_id(const struct broker_logins *logins,
					      const char *tunnel)
{
	for (size_t i = 0; i < logins->count; i++)
		if (!strcmp(logins->list[i].tunnel, tunnel))
			return &logins->list[i];
	return NULL;
}

void broker_logins_clear(struct broker_logins *logins)
{
	explicit_bzero(logins->list, sizeof(logins->list));
	logins->count = 0;
}
