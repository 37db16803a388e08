// SPDX-License-Identifier: GPL-2.0-or-later
/* `zt6-bpf up [--dry-run]` and `zt6-bpf reload`. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>

#include "conf.h"
#include "firewall.h"
#include "instance.h"
#include "loader/privilege.h"
#include "loader/rundir.h"
#include "loader/up.h"
#include "log.h"
#include "zerotier/find.h"

static int usage(const char *command, const char *argument)
{
	log_error("%s: unexpected argument \"%s\"; usage: zt6-bpf %s%s", command, argument, command,
		  command[0] == 'u' ? " [--dry-run]" : "");
	return EXIT_USAGE;
}

static int run(const struct instance *instance, const char *command, bool dry_run)
{
	struct conf *conf;
	int err = conf_load(instance->conf_path, stderr, &conf);

	if (err)
		return EXIT_CONFIG;
	err = conf_unbuilt(conf, stderr);
	if (!err && !dry_run)
		err = privilege_check(command);
	if (!err)
		err = zerotier_resolve(conf, dry_run);
	if (!err)
		err = dry_run ? loader_preview(instance, conf) : loader_up(instance, conf);
	if (!err && !dry_run)
		firewall_warn(instance, conf->policy == CONF_POLICY_OFF);
	conf_free(conf);
	return err ? EXIT_FAILED : EXIT_DONE;
}

int cmd_up(const struct instance *instance, int argc, char **argv)
{
	static const struct option options[] = {
		{"dry-run", no_argument, NULL, 'n'},
		{0},
	};
	bool dry_run = false;
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option != 'n')
			return usage(argv[0], argv[optind - 1]);
		dry_run = true;
	}
	if (optind < argc)
		return usage(argv[0], argv[optind]);
	return run(instance, argv[0], dry_run);
}

int cmd_reload(const struct instance *instance, int argc, char **argv)
{
	if (argc > 1)
		return usage(argv[0], argv[1]);
	if (!rundir_in_use(instance->run_dir, instance->pin_dir)) {
		log_error("instance \"%s\" is not up", instance->name);
		return EXIT_NOT_UP;
	}
	return run(instance, argv[0], false);
}
