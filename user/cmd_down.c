// SPDX-License-Identifier: GPL-2.0-or-later
/* `zt6-bpf down`. */
#include "instance.h"
#include "loader/privilege.h"
#include "loader/rundir.h"
#include "loader/up.h"
#include "loader/work.h"
#include "log.h"

int cmd_down(const struct instance *instance, int argc, char **argv)
{
	struct work work;
	int err;

	if (argc > 1) {
		log_error("down: unexpected argument \"%s\"", argv[1]);
		return EXIT_USAGE;
	}
	if (!rundir_in_use(instance->run_dir, instance->pin_dir)) {
		log_error("instance \"%s\" is not up", instance->name);
		return EXIT_NOT_UP;
	}
	if (privilege_check(argv[0]) || work_begin(&work, instance, rundir_lock(instance->run_dir)))
		return EXIT_FAILED;
	err = loader_down(&work);
	work_end(&work);
	return err ? EXIT_FAILED : EXIT_DONE;
}
