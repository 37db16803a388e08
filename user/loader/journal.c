// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "journal.h"
#include "rundir.h"
#include "../agent_user.h"
#include "../log.h"

#define SCHEMA 1

static void forget(struct objects *set, struct object *object)
{
	size_t i = 0;

	while (i < set->count && set->list[i] != object)
		i++;
	if (i == set->count)
		return;
	object_free(object);
	set->count--;
	memmove(&set->list[i], &set->list[i + 1], (set->count - i) * sizeof(struct object *));
}

static void respecify(struct object *object, json_t *spec)
{
	json_incref(spec);
	json_decref(object->spec);
	object->spec = spec;
}

static bool read_header(struct journal *journal, const json_t *line)
{
	json_int_t inode, cookie;
	int schema;

	if (json_unpack((json_t *)line, "{s:i, s:{s:I, s:I}}", "schema", &schema, "netns", "inode",
			&inode, "cookie", &cookie) ||
	    schema != SCHEMA)
		return false;
	journal->netns = (struct netns){(uint64_t)inode, (uint64_t)cookie};
	return true;
}

/* A new object out of a line; NULL when it is not one of ours. */
static struct object *read_object(const json_t *line)
{
	const char *kind_name = json_string_value(json_object_get(line, "kind"));
	const struct object_kind *kind = kind_name ? object_kind_find(kind_name) : NULL;
	json_t *before = json_object_get(line, "before"), *made = json_object_get(line, "made");
	json_t *spec = json_object_get(line, "spec");
	struct object *object;

	if (!kind || !json_is_object(spec))
		return NULL;
	object = object_new(kind, json_incref(spec));
	if (!object)
		return NULL;
	object->before = json_is_null(before) ? NULL : json_incref(before);
	object->made = json_is_null(made) ? NULL : json_incref(made);
	return object;
}

static bool read_line(struct journal *journal, const json_t *line)
{
	const char *op = json_string_value(json_object_get(line, "op"));
	struct object *object = op ? read_object(line) : NULL, *known;

	if (!object)
		return false;
	known = objects_find(&journal->objects, object);
	if (!strcmp(op, "make"))
		return !objects_add(&journal->objects, object);
	if (known && !strcmp(op, "change")) {
		respecify(known, object->spec);
	} else if (known && !strcmp(op, "made")) {
		json_decref(known->made);
		known->made = json_incref(object->made);
		json_decref(known->before);
		known->before = json_incref(object->before);
	} else if (known && !strcmp(op, "gone")) {
		forget(&journal->objects, known);
	}
	object_free(object);
	return true;
}

static int read_lines(struct journal *journal, FILE *file)
{
	char *text = NULL;
	size_t size = 0;
	unsigned int number = 0;
	ssize_t length;
	int err = 0;

	while (!err && (length = getline(&text, &size, file)) > 0) {
		bool whole = text[length - 1] == '\n', understood;
		json_t *line = json_loads(text, 0, NULL);

		if (!line && !whole) {
			journal->cut = true; /* by a crash: what it announces was not begun */
			break;
		}
		number++;
		understood = line &&
			     (number == 1 ? read_header(journal, line) : read_line(journal, line));
		json_decref(line);
		if (understood)
			continue;
		log_error("%s:%u: not a line of this version's journal: run \"down\" with the "
			  "version that wrote it, or remove the file and, by hand, what it lists",
			  journal->path, number);
		err = -EPROTO;
	}
	if (!err && ferror(file))
		err = -EIO;
	free(text);
	return err;
}

int journal_load(const char *run_dir, struct journal **out)
{
	struct journal *journal = calloc(1, sizeof(*journal));
	struct netns here;
	FILE *file;
	int err;

	if (!journal)
		return -ENOMEM;
	journal->fd = -1;
	snprintf(journal->path, sizeof(journal->path), "%s/" JOURNAL_NAME, run_dir);
	err = netns_current(&here);
	if (err) {
		log_error("cannot tell which network namespace this is: %s", strerror(-err));
		goto fail;
	}
	journal->netns = here;
	file = fopen(journal->path, "re");
	if (file) {
		journal->found = true;
		err = read_lines(journal, file);
		fclose(file);
	} else if (errno != ENOENT) {
		err = -errno;
		log_error("cannot read %s: %s", journal->path, strerror(-err));
	}
	if (err)
		goto fail;
	journal->relation = netns_compare(&here, &journal->netns);
	*out = journal;
	return 0;
fail:
	journal_free(journal);
	return err;
}

static int write_line(const struct journal *journal, int fd, json_t *line)
{
	char *text = line ? json_dumps(line, JSON_COMPACT) : NULL;
	size_t length = text ? strlen(text) : 0;
	off_t start = lseek(fd, 0, SEEK_END);
	ssize_t written;
	int err = 0;

	json_decref(line);
	if (!text)
		return -ENOMEM;
	text[length++] = '\n'; /* in place of the terminator */
	written = write(fd, text, length);
	if (written < 0 || fsync(fd))
		err = -errno;
	else if (written < (ssize_t)length)
		err = -ENOSPC;
	free(text);
	/* Else the next line would go on with this one. */
	if (err && ftruncate(fd, start))
		log_error("cannot truncate %s: %s", journal->path, strerror(errno));
	return err;
}

static int report(const struct journal *journal, int err)
{
	if (err)
		log_error("cannot write %s: %s", journal->path, strerror(-err));
	return err;
}

static json_t *line_for(const char *op, const struct object *object, json_t *spec)
{
	return json_pack("{s:s, s:s, s:O, s:O?, s:O?}", "op", op, "kind", object->kind->name,
			 "spec", spec, "before", object->before, "made", object->made);
}

static int write_all(struct journal *journal, int fd)
{
	int err = write_line(journal, fd,
			     json_pack("{s:i, s:s, s:{s:I, s:I}}", "schema", SCHEMA, "version",
				       ZT6_VERSION, "netns", "inode",
				       (json_int_t)journal->netns.inode, "cookie",
				       (json_int_t)journal->netns.cookie));

	for (size_t i = 0; i < journal->objects.count && !err; i++) {
		const struct object *object = journal->objects.list[i];

		err = write_line(journal, fd, line_for("make", object, object->spec));
	}
	return err;
}

/* A new file with the list alone in place of the old one. -errno: that is as it was. */
static int rewrite(struct journal *journal)
{
	char fresh[sizeof(journal->path) + 8];
	int fd, err;

	snprintf(fresh, sizeof(fresh), "%s.new", journal->path);
	/* The folder is the agent's: a link there would have root write elsewhere. */
	unlink(fresh);
	fd = open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_APPEND, 0644);
	if (fd < 0)
		return -errno;
	err = agent_user_give_fd(fd);
	if (!err)
		err = write_all(journal, fd);
	if (!err && rename(fresh, journal->path))
		err = -errno;
	if (err) {
		unlink(fresh);
		close(fd);
		return err;
	}
	if (journal->fd >= 0)
		close(journal->fd);
	journal->fd = fd;
	return 0;
}

int journal_begin(struct journal *journal)
{
	int err = rewrite(journal);

	if (!err || !journal->found || journal->cut || journal->relation != NETNS_SAME)
		return report(journal, err);
	/* `down` needs no room that a full disk does not have. */
	journal->fd = open(journal->path, O_WRONLY | O_CLOEXEC | O_APPEND | O_NOFOLLOW);
	return report(journal, journal->fd < 0 ? -errno : 0);
}

int journal_making(struct journal *journal, struct object *object)
{
	int err = report(journal,
			 write_line(journal, journal->fd, line_for("make", object, object->spec)));

	if (err) {
		object_free(object);
		return err;
	}
	return objects_add(&journal->objects, object);
}

int journal_made(struct journal *journal, const struct object *object)
{
	return report(journal,
		      write_line(journal, journal->fd, line_for("made", object, object->spec)));
}

int journal_changing(struct journal *journal, struct object *object, json_t *spec)
{
	int err =
		report(journal, write_line(journal, journal->fd, line_for("change", object, spec)));

	if (!err)
		respecify(object, spec);
	return err;
}

void journal_gone(struct journal *journal, struct object *object)
{
	/* Without the line, a crash before journal_finish() has it unmade twice: no harm. */
	write_line(journal, journal->fd, line_for("gone", object, object->spec));
	forget(&journal->objects, object);
}

int journal_finish(struct journal *journal)
{
	int err;

	if (journal->objects.count) {
		err = rewrite(journal);
		if (err)
			log_warning(
				"cannot write %s anew: %s; as it is it is complete, only longer",
				journal->path, strerror(-err));
		return 0;
	}
	if (!unlink(journal->path) || errno == ENOENT)
		return 0;
	err = -errno;
	log_error("cannot remove %s: %s", journal->path, strerror(-err));
	return err;
}

int journal_abandon(struct journal *journal)
{
	struct netns here;
	int err = netns_current(&here);

	if (err)
		return err;
	for (size_t i = journal->objects.count; i-- > 0;)
		if (journal->objects.list[i]->kind->in_netns)
			forget(&journal->objects, journal->objects.list[i]);
	journal->netns = here;
	journal->relation = NETNS_SAME;
	return 0;
}

void journal_free(struct journal *journal)
{
	if (!journal)
		return;
	if (journal->fd >= 0)
		close(journal->fd);
	objects_free(&journal->objects);
	free(journal);
}
