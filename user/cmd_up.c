// SPDX-License-Identifier: GPL-2.0-or-later
/* `zt6-bpf up [--dry-run | --try DURATION]` and `zt6-bpf reload`. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf.h"
#include "firewall.h"
#include "instance.h"
#include "loader/privilege.h"
#include "loader/rundir.h"
#include "loader/up.h"
#include "loader/vlan.h"
#include "loader/work.h"
#include "log.h"
#include "trial.h"
#include "zerotier/find.h"

static int usage(const char *command, const char *argument)
{
	log_error("%s: unexpected argument \"%s\"; usage: zt6-bpf %s%s", command, argument, command,
		  command[0] == 'u' ? " [--dry-run | --try DURATION]" : "");
	return EXIT_USAGE;
}

/* "60s" or "5m". 0: neither. */
static uint32_t read_seconds(const char *text)
{
	unsigned long unit, value;
	char *end;

	if (*text < '0' || *text > '9')
		return 0;
	value = strtoul(text, &end, 10);
	unit = !strcmp(end, "m") ? 60 : !strcmp(end, "s");
	if (value > TRIAL_MAX_S || value * unit < TRIAL_MIN_S || value * unit > TRIAL_MAX_S)
		return 0;
	return (uint32_t)(value * unit);
}

/* With a trial its time begins; without one, whoever types this can still reach the machine. */
static int settle(const struct instance *instance, struct trial *trial, int err)
{
	int armed;

	if (trial) {
		armed = trial_arm(trial, !err);
		return err ? err : armed;
	}
	if (!err && !trial_end(instance))
		log_warning("this ends the trial of what was up");
	return err;
}

/* All under one lock: a trial that comes to its end meanwhile goes back before this, or not at all. */
static int bring_up(const struct instance *instance, const struct conf *conf, uint32_t try_seconds)
{
	int lock = rundir_lock(instance->run_dir), err = 0;
	struct trial room = {.timer = -1}, *trial = try_seconds ? &room : NULL;
	struct work work;

	if (lock < 0)
		return lock;
	if (trial)
		err = trial_prepare(instance, try_seconds, lock, trial);
	if (err) {
		rundir_unlock(instance->run_dir, lock);
		return err;
	}
	err = work_begin(&work, instance, lock);
	if (err)
		return settle(instance, trial, err);
	err = loader_up(&work, conf);
	if (!err)
		trial_remember(instance, conf);
	err = settle(instance, trial, err);
	work_end(&work);
	return err;
}

static int run(const struct instance *instance, const char *command, bool dry_run,
	       uint32_t try_seconds)
{
	struct conf *conf;
	int err = conf_load(instance->conf_path, stderr, &conf);

	if (err)
		return EXIT_CONFIG;
	err = dry_run ? 0 : privilege_check(command);
	if (!err)
		err = zerotier_resolve(conf, dry_run);
	if (!err)
		err = vlan_resolve(conf);
	if (!err)
		err = dry_run ? loader_preview(instance, conf)
			      : bring_up(instance, conf, try_seconds);
	if (!err && !dry_run)
		firewall_warn(instance, conf->policy == CONF_POLICY_OFF);
	if (!err && try_seconds)
		printf("up for %u s, then back to the state before: \"zt6-bpf confirm\" keeps it\n",
		       try_seconds);
	conf_free(conf);
	return err ? EXIT_FAILED : EXIT_DONE;
}

int cmd_up(const struct instance *instance, int argc, char **argv)
{
	static const struct option options[] = {
		{"dry-run", no_argument, NULL, 'n'},
		{"try", required_argument, NULL, 't'},
		{0},
	};
	uint32_t try_seconds = 0;
	bool dry_run = false;
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'n')
			dry_run = true;
		else if (option != 't')
			return usage(argv[0], argv[optind - 1]);
		else if (!(try_seconds = read_seconds(optarg))) {
			log_error("up --try: \"%s\" is not a duration of %ds to %dm, such as 60s",
				  optarg, TRIAL_MIN_S, TRIAL_MAX_S / 60);
			return EXIT_USAGE;
		}
	}
	if (optind < argc)
		return usage(argv[0], argv[optind]);
	return run(instance, argv[0], dry_run, try_seconds);
}

int cmd_reload(const struct instance *instance, int argc, char **argv)
{
	if (argc > 1)
		return usage(argv[0], argv[1]);
	if (!rundir_in_use(instance->run_dir, instance->pin_dir)) {
		log_error("instance \"%s\" is not up", instance->name);
		return EXIT_NOT_UP;
	}
	return run(instance, argv[0], false, 0);
}
