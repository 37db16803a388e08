/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include <errno.h>

#include "instance.h"
#include "suggest.h"

static void the_paths_follow_from_the_name(void **state)
{
	static const struct {
		const char *name, *given, *conf, *pins, *run;
	} rows[] = {
		{"default", NULL, "/etc/zt6-bpf/zt6.conf", "/sys/fs/bpf/zt6-bpf/default",
		 "/run/zt6-bpf/default"},
		{"b_2-x", NULL, "/etc/zt6-bpf/b_2-x.conf", "/sys/fs/bpf/zt6-bpf/b_2-x",
		 "/run/zt6-bpf/b_2-x"},
		{"a", NULL, "/etc/zt6-bpf/a.conf", "/sys/fs/bpf/zt6-bpf/a", "/run/zt6-bpf/a"},
		{"default", "my.conf", "my.conf", "/sys/fs/bpf/zt6-bpf/default",
		 "/run/zt6-bpf/default"},
		{"0123456789abcdef0123456789abcdef", "/x", "/x",
		 "/sys/fs/bpf/zt6-bpf/0123456789abcdef0123456789abcdef",
		 "/run/zt6-bpf/0123456789abcdef0123456789abcdef"},
	};
	struct instance instance;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		assert_int_equal(instance_init(&instance, rows[i].name, rows[i].given), 0);
		assert_string_equal(instance.name, rows[i].name);
		assert_string_equal(instance.conf_path, rows[i].conf);
		assert_string_equal(instance.pin_dir, rows[i].pins);
		assert_string_equal(instance.run_dir, rows[i].run);
	}
}

static void a_name_cannot_leave_its_folder(void **state)
{
	static const char *const names[] = {
		"",
		"Default",
		"a.b",
		"..",
		"a/b",
		"../a",
		"a b",
		"a\n",
		"\xc3\xa4",
		"a%s",
		"0123456789abcdef0123456789abcdef0",
	};
	struct instance instance;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(names); i++)
		assert_int_equal(instance_init(&instance, names[i], "/x"), -EINVAL);
}

static void a_path_is_never_cut_off(void **state)
{
	struct instance instance;
	char path[sizeof(instance.conf_path) + 1];

	(void)state;
	memset(path, 'x', sizeof(path));
	path[sizeof(path) - 1] = '\0';
	assert_int_equal(instance_init(&instance, "default", path), -ENAMETOOLONG);
	path[sizeof(path) - 2] = '\0';
	assert_int_equal(instance_init(&instance, "default", path), 0);
	assert_string_equal(instance.conf_path, path);
}

static void the_nearest_word_is_suggested(void **state)
{
	static const char *const words[] = {"remote", "routed", "ttl", "tos", "mtu", "metric"};
	static const struct {
		const char *word, *best;
	} rows[] = {
		{"remot", "remote"},   {"remtoe", "remote"},
		{"rmeote", "remote"},  {"router", "routed"},
		{"route", "routed"},   {"tll", "ttl"},
		{"ttos", "tos"},       {"mut", "mtu"},
		{"metrics", "metric"}, {"", NULL},
		{"t", NULL},           {"tt", NULL},
		{"vlan", NULL},        {"remote-address-of-the-broker", NULL},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct suggestion near = {.word = rows[i].word};

		for (size_t k = 0; k < COUNT_OF(words); k++)
			suggestion_offer(&near, words[k]);
		if (rows[i].best)
			assert_string_equal(near.best, rows[i].best);
		else
			assert_null(near.best);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_paths_follow_from_the_name),
		cmocka_unit_test(a_name_cannot_leave_its_folder),
		cmocka_unit_test(a_path_is_never_cut_off),
		cmocka_unit_test(the_nearest_word_is_suggested),
	};

	return cmocka_run_group_tests_name("instance", tests, NULL, NULL);
}
