/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From a file to a checked configuration. */
#include "conf_keys.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CONF_FILE_MAX (1 << 20) /* bytes; a large configuration has a few thousand */

static int too_large(const char *path, FILE *errors)
{
	fprintf(errors, "%s: is larger than %d KiB: this is no zt6.conf\n", path,
		CONF_FILE_MAX / 1024);
	return -EFBIG;
}

/* Up to CONF_FILE_MAX bytes of @fd into @text. */
static int read_all(const char *path, int fd, FILE *errors, char *text, size_t *length)
{
	ssize_t n;

	*length = 0;
	do {
		n = read(fd, text + *length, CONF_FILE_MAX + 1 - *length);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			fprintf(errors, "%s: cannot read: %s\n", path, strerror(errno));
			return -errno;
		}
		*length += n;
	} while (n && *length <= CONF_FILE_MAX);
	return *length > CONF_FILE_MAX ? too_large(path, errors) : 0;
}

/* What to do about a file that cannot be opened, behind the words about that. */
static const char *open_remedy(int err)
{
	if (err == -ENOENT)
		return "; name another file with -c FILE";
	return err == -EACCES ? "; there are no secrets in it: let everybody read it (chmod a+r)"
			      : "";
}

/* The whole of a file, which need not be a regular one (`-c /dev/stdin`). Free @text. */
static int read_file(const char *path, FILE *errors, char **text, size_t *length)
{
	struct stat st;
	int fd, err;

	*text = NULL;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0) {
		err = -errno;
		fprintf(errors, "%s: cannot open: %s%s\n", path, strerror(-err), open_remedy(err));
		goto out;
	}
	if (S_ISDIR(st.st_mode)) {
		fprintf(errors, "%s: is a folder: name the file in it\n", path);
		err = -EISDIR;
		goto out;
	}
	if (st.st_size > CONF_FILE_MAX) {
		err = too_large(path, errors);
		goto out;
	}
	*text = malloc(CONF_FILE_MAX + 1);
	err = *text ? read_all(path, fd, errors, *text, length) : -ENOMEM;
out:
	if (fd >= 0)
		close(fd);
	return err;
}

unsigned int conf_line(const struct conf *conf, const char *section, unsigned int section_line,
		       const char *key)
{
	const struct conf_statement *statement =
		conf->tree ? conf_tree_find(conf->tree, section, section_line, key) : NULL;

	return statement ? statement->line : section_line;
}

/* The text into @conf, and everything that is wrong with it into @faults. */
static int parse(struct conf *conf, const char *text, size_t length, struct conf_faults *faults)
{
	int err;

	err = conf_tree_parse(text, length, faults, &conf->tree);
	if (!err)
		err = conf_defaults(&conf_top, conf);
	if (!err)
		err = conf_read_section(faults, &conf_top, &conf->tree->top, conf);
	if (!err)
		err = conf_cross_check(conf, faults);
	return !err && faults->count ? -EINVAL : err;
}

int conf_parse(const char *path, const char *text, size_t length, FILE *errors, struct conf **out)
{
	struct conf_faults faults = {0};
	struct conf *conf;
	int err = -ENOMEM;

	conf = calloc(1, sizeof(*conf));
	if (conf)
		conf->path = strdup(path);
	if (conf && conf->path)
		err = parse(conf, text, length, &faults);
	faults_print(&faults, path, errors);
	if (err == -ENOMEM)
		fprintf(errors, "%s: out of memory\n", path);
	if (err)
		conf_free(conf);
	else
		*out = conf;
	return err;
}

int conf_load(const char *path, FILE *errors, struct conf **out)
{
	size_t length = 0;
	char *text;
	int err;

	err = read_file(path, errors, &text, &length);
	if (!err)
		err = conf_parse(path, text, length, errors, out);
	if (err) {
		free(text);
		return err;
	}
	(*out)->text = text;
	(*out)->length = length;
	return 0;
}

void conf_free(struct conf *conf)
{
	if (!conf)
		return;
	conf_release(&conf_top, conf);
	conf_tree_free(conf->tree);
	free(conf->text);
	free(conf->path);
	free(conf);
}
