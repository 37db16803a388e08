/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "service.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DEFAULT_HOME  "/var/lib/zerotier-one"
#define DEFAULT_PORT  9993
#define TOKEN_FILE    "authtoken.secret"
#define PORT_FILE     "zerotier-one.port"
#define DEVICEMAP     "devicemap"
#define DEVICEMAP_MAX 65536
#define FILE_PATH_MAX (sizeof(((struct zerotier_service *)0)->home) + 32)

void zerotier_explain(char *why, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(why, ZEROTIER_WHY_MAX, format, args);
	va_end(args);
}

/* Reads a small file into @text of @size bytes, with a NUL behind it. Its length or -errno. */
static ssize_t read_text(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	ssize_t length = 0, n = 1;

	if (fd < 0)
		return -errno;
	while (n > 0 && (size_t)length < size) {
		n = read(fd, text + length, size - (size_t)length);
		if (n > 0)
			length += n;
	}
	if (n < 0)
		length = -errno;
	else if ((size_t)length == size)
		length = -EFBIG;
	else
		text[length] = '\0';
	close(fd);
	return length;
}

static void cut_spaces(char *text)
{
	size_t length = strlen(text);

	while (length && isspace((unsigned char)text[length - 1]))
		text[--length] = '\0';
}

/* The token goes into a header: nothing in it may end the line. */
static bool token_is_valid(const char *token)
{
	for (const char *at = token; *at; at++)
		if (!isgraph((unsigned char)*at))
			return false;
	return *token;
}

static const char *advice(int err)
{
	switch (err) {
	case -ENOENT:
		return "zerotier-one has not run here yet (systemctl start zerotier-one), or its "
		       "home folder is another one (" ZEROTIER_HOME_VARIABLE ")";
	case -EACCES:
		return "only root may read it";
	default:
		return "look at that file";
	}
}

static int read_token(struct zerotier_service *service, char *why)
{
	char path[FILE_PATH_MAX], text[sizeof(service->token)];
	ssize_t length;
	bool whole;
	int err = 0;

	snprintf(path, sizeof(path), "%s/" TOKEN_FILE, service->home);
	length = read_text(path, text, sizeof(text));
	if (length < 0) {
		err = (int)length;
		zerotier_explain(why, "cannot read %s: %s: %s", path, strerror(-err), advice(err));
		goto out;
	}
	whole = strlen(text) == (size_t)length;
	cut_spaces(text);
	if (!whole || !token_is_valid(text)) {
		err = -EINVAL;
		zerotier_explain(why,
				 "%s does not hold a token: delete it and restart zerotier-one, "
				 "which makes a new one",
				 path);
		goto out;
	}
	memcpy(service->token, text, sizeof(text));
out:
	explicit_bzero(text, sizeof(text));
	return err;
}

static int read_port(struct zerotier_service *service, char *why)
{
	char path[FILE_PATH_MAX], text[16], *end;
	unsigned long port;
	ssize_t length;

	snprintf(path, sizeof(path), "%s/" PORT_FILE, service->home);
	length = read_text(path, text, sizeof(text));
	service->port = DEFAULT_PORT;
	if (length == -ENOENT)
		return 0;
	if (length < 0 && length != -EFBIG) {
		zerotier_explain(why, "cannot read %s: %s: %s", path, strerror((int)-length),
				 advice((int)length));
		return (int)length;
	}
	if (length > 0 && isdigit((unsigned char)text[0])) {
		cut_spaces(text);
		port = strtoul(text, &end, 10);
		if (!*end && port > 0 && port <= UINT16_MAX) {
			service->port = (uint16_t)port;
			return 0;
		}
	}
	zerotier_explain(why, "%s does not hold a port: restart zerotier-one", path);
	return -EINVAL;
}

const char *zerotier_home(void)
{
	const char *home = getenv(ZEROTIER_HOME_VARIABLE);

	return home && *home ? home : DEFAULT_HOME;
}

int zerotier_service_open(struct zerotier_service *service, char *why)
{
	int err;

	*service = (struct zerotier_service){0};
	if (strlen(zerotier_home()) >= sizeof(service->home)) {
		zerotier_explain(why, ZEROTIER_HOME_VARIABLE " is too long for a folder");
		return -ENAMETOOLONG;
	}
	snprintf(service->home, sizeof(service->home), "%s", zerotier_home());
	err = read_token(service, why);
	if (!err)
		err = read_port(service, why);
	if (err)
		zerotier_service_close(service);
	return err;
}

void zerotier_service_close(struct zerotier_service *service)
{
	explicit_bzero(service->token, sizeof(service->token));
}

bool zerotier_interface_valid(const char *name)
{
	size_t length = strlen(name);

	if (!length || length >= IFNAMSIZ || !strcmp(name, ".") || !strcmp(name, ".."))
		return false;
	for (size_t i = 0; i < length; i++)
		if (!isgraph((unsigned char)name[i]) || name[i] == '/' || name[i] == ':')
			return false;
	return true;
}

bool zerotier_devicemap(uint64_t network, char name[IFNAMSIZ])
{
	char path[4096], id[20], *text = malloc(DEVICEMAP_MAX), *line, *rest = NULL;
	bool found = false;

	snprintf(path, sizeof(path), "%s/" DEVICEMAP, zerotier_home());
	snprintf(id, sizeof(id), "%016" PRIx64 "=", network);
	if (!text || read_text(path, text, DEVICEMAP_MAX) < 0) {
		free(text);
		return false;
	}
	for (line = strtok_r(text, "\r\n", &rest); line && !found;
	     line = strtok_r(NULL, "\r\n", &rest)) {
		found = !strncmp(line, id, strlen(id)) &&
			zerotier_interface_valid(line + strlen(id));
		if (found)
			snprintf(name, IFNAMSIZ, "%s", line + strlen(id));
	}
	free(text);
	return found;
}
