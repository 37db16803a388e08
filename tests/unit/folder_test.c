// SPDX-License-Identifier: GPL-2.0-or-later
#include "unit.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "folder.h"

#define TURNS 3000

static char shared[] = "/tmp/zt6-folder-XXXXXX";
static atomic_bool over;

/* What the last of the other instances does when it goes down: often, but not so that the two of them
 * would wait for the lock of the folder in turns, for ever. */
static void *take_away(void *arg)
{
	(void)arg;
	while (!over) {
		rmdir(shared);
		usleep(1);
	}
	return NULL;
}

static void a_folder_is_made_though_another_instance_removes_the_shared_one(void **state)
{
	char own[sizeof(shared) + 8];
	pthread_t other;

	(void)state;
	assert_non_null(mkdtemp(shared));
	snprintf(own, sizeof(own), "%s/own", shared);
	assert_int_equal(pthread_create(&other, NULL, take_away, NULL), 0);
	for (int i = 0; i < TURNS; i++) {
		assert_int_equal(folder_make(own, 0700), 0);
		assert_int_equal(rmdir(own), 0);
	}
	over = true;
	pthread_join(other, NULL);
	rmdir(shared);
}

static void a_folder_that_is_there_is_no_error(void **state)
{
	char dir[] = "/tmp/zt6-folder-XXXXXX", own[sizeof(dir) + 8];

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(own, sizeof(own), "%s/own", dir);
	assert_int_equal(folder_make(own, 0700), 0);
	assert_int_equal(folder_make(own, 0700), 0);
	assert_int_equal(rmdir(own), 0);
	assert_int_equal(rmdir(dir), 0);
}

static void a_folder_in_no_folder_is_an_error(void **state)
{
	(void)state;
	assert_int_equal(folder_make("/proc/none/there/own", 0700), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_folder_is_made_though_another_instance_removes_the_shared_one),
		cmocka_unit_test(a_folder_that_is_there_is_no_error),
		cmocka_unit_test(a_folder_in_no_folder_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
