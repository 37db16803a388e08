/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reading the file itself. */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char folder[] = "/tmp/zt6-conf-file-XXXXXX";

static int make_folder(void **state)
{
	(void)state;
	return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
	(void)state;
	return rmdir(folder);
}

static const char *path_of(const char *name)
{
	static char path[64];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

static void write_file(const char *path, const char *text, size_t length)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0644);

	assert_true(fd >= 0);
	assert_true(write(fd, text, length) == (ssize_t)length);
	close(fd);
}

/* Loads a file; what is printed goes into @messages. */
static int load(const char *path, char **messages, struct conf **conf)
{
	size_t size;
	FILE *errors = open_memstream(messages, &size);
	int err = conf_load(path, errors, conf);

	fclose(errors);
	return err;
}

/* The file gives @err, and one line that begins with its path and holds @part. */
static void assert_refused(const char *path, int err, const char *part)
{
	struct conf *conf = NULL;
	char *messages;

	assert_int_equal(load(path, &messages, &conf), err);
	assert_null(conf);
	if (strncmp(messages, path, strlen(path)) || !strstr(messages, part) ||
	    strchr(messages, '\n') != messages + strlen(messages) - 1)
		fail_msg("expected %s, printed %s", part, messages);
	free(messages);
}

static void a_file_is_loaded(void **state)
{
	static const char text[] = "uplink eth0";
	const char *path = path_of("good.conf");
	struct conf *conf = NULL;
	char *messages;

	(void)state;
	write_file(path, text, strlen(text));
	assert_int_equal(load(path, &messages, &conf), 0);
	assert_string_equal(messages, "");
	assert_string_equal(conf->path, path);
	assert_int_equal(conf->uplink_count, 1);
	conf_free(conf);
	free(messages);
	unlink(path);
}

static void a_missing_file_and_a_folder_are_refused(void **state)
{
	(void)state;
	assert_refused(path_of("none.conf"), -ENOENT, ": cannot open: No such file or directory");
	assert_refused(path_of("none.conf/x"), -ENOENT, "name another file with -c FILE");
	assert_refused("", -ENOENT, ": cannot open");
	assert_refused(folder, -EISDIR, ": is a folder: name the file in it");
}

static void an_unreadable_file_is_refused(void **state)
{
	const char *path = path_of("secret.conf");
	int status;
	pid_t pid;

	(void)state;
	write_file(path, "uplink eth0\n", 12);
	assert_int_equal(chmod(path, 0), 0);
	assert_int_equal(chmod(folder, 0755), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		struct conf *conf;
		char *messages;

		if (!geteuid() && setuid(65534))
			_exit(2);
		_exit(load(path, &messages, &conf) != -EACCES ||
		      !strstr(messages, ": cannot open: Permission denied; "));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	unlink(path);
}

static void an_empty_file_configures_nothing(void **state)
{
	const char *path = path_of("empty.conf");

	(void)state;
	write_file(path, "", 0);
	assert_refused(path, -EINVAL, ":1: nothing is configured");
	unlink(path);
}

static void a_file_has_at_most_a_mebibyte(void **state)
{
	const char *path = path_of("large.conf");
	size_t limit = 1 << 20;
	char *text = malloc(limit + 1);
	struct conf *conf = NULL;
	char *messages;

	(void)state;
	assert_non_null(text);
	memset(text, '\n', limit + 1);
	memcpy(text, "uplink eth0", 11);

	write_file(path, text, limit);
	assert_int_equal(load(path, &messages, &conf), 0);
	conf_free(conf);
	free(messages);
	unlink(path);

	write_file(path, text, limit + 1);
	assert_refused(path, -EFBIG, ": is larger than 1024 KiB");
	assert_int_equal(truncate(path, 10 << 20), 0);
	assert_refused(path, -EFBIG, ": is larger than 1024 KiB");
	unlink(path);
	free(text);

	/* What has no size is read no further either. */
	assert_refused("/dev/zero", -EFBIG, ": is larger than 1024 KiB");
}

/* Each is one statement over and over, in just less than 1 MiB. */
static void a_full_file_of_anything_takes_bounded_work(void **state)
{
	static const struct {
		const char *head, *statement;
	} floods[] = {
		{"", "a{"},
		{"", "a;"},
		{"", "}"},
		{"", "\""},
		{"", "\n"},
		{"", "\xff"},
		{"", "x"},
		{"", "lan a{}"},
		{"uplink a;proxy a{", "rule ::/0{}"},
		{"uplink a;proxy a{", "rule ::/0{auto}"},
		{"uplink a;tunnel t{routed", " ::/9"},
		{"uplink a;tunnel t{", "uplink a "},
		{"uplink a;tunnel t{uplink", " a"},
	};
	size_t room = (1 << 20) - 64;
	char *text = malloc(1 << 20);

	(void)state;
	assert_non_null(text);
	for (size_t i = 0; i < COUNT_OF(floods); i++) {
		char *end = stpcpy(text, floods[i].head), *messages;

		while ((size_t)(end - text) < room)
			end = stpcpy(end, floods[i].statement);
		assert_null(parse_bytes(text, end - text, &messages));
		free(messages);
	}
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_is_loaded),
		cmocka_unit_test(a_missing_file_and_a_folder_are_refused),
		cmocka_unit_test(an_unreadable_file_is_refused),
		cmocka_unit_test(an_empty_file_configures_nothing),
		cmocka_unit_test(a_file_has_at_most_a_mebibyte),
		cmocka_unit_test(a_full_file_of_anything_takes_bounded_work),
	};

	return cmocka_run_group_tests_name("conf_file", tests, make_folder, remove_folder);
}
