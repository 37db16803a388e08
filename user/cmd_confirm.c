// SPDX-License-Identifier: GPL-2.0-or-later
/* `zt6-bpf confirm`: what `up --try` has brought up stays. */
#include "instance.h"
#include "loader/rundir.h"
#include "log.h"
#include "trial.h"

int cmd_confirm(const struct instance *instance, int argc, char **argv)
{
	int err;

	if (argc > 1) {
		log_error("confirm: unexpected argument \"%s\"; it takes none", argv[1]);
		return EXIT_USAGE;
	}
	err = trial_end(instance);
	if (!err)
		return EXIT_DONE;
	if (!rundir_in_use(instance->run_dir, instance->pin_dir)) {
		log_error("instance \"%s\" is not up: either it never was, or it has gone back "
			  "already",
			  instance->name);
		return EXIT_NOT_UP;
	}
	log_error("confirm: nothing is on trial: either it never was, or it has gone back already");
	return EXIT_FAILED;
}
