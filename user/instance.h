/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One gateway of possibly several on the machine, and where its things are. */
#ifndef ZT6_INSTANCE_H
#define ZT6_INSTANCE_H

#include <stdbool.h>

#define INSTANCE_NAME_MAX 32

struct instance {
	char name[INSTANCE_NAME_MAX + 1];
	char conf_path[4096];
	char pin_dir[96]; /* /sys/fs/bpf/zt6-bpf/NAME */
	char run_dir[96]; /* /run/zt6-bpf/NAME */
};

/* Exit statuses, design §6. */
enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2, EXIT_NOT_UP = 3, EXIT_CONFIG = 78 };

/* A subcommand: argv[0] is its own name. Returns an exit status. */
typedef int command_fn(const struct instance *instance, int argc, char **argv);

command_fn cmd_check, cmd_up, cmd_down, cmd_reload, cmd_agent, cmd_status, cmd_doctor, cmd_stats,
	cmd_members, cmd_explain, cmd_exposure, cmd_confirm, cmd_announce, cmd_guide,
	cmd_tunnel_update, cmd_import, cmd_version;

/**
 * instance_init - fill in the paths that follow from a name.
 * @conf_path: as given with -c, or NULL for the instance's own
 *
 * Returns 0, -EINVAL when @name is not [a-z0-9_-]{1,32}, or -ENAMETOOLONG when @conf_path does
 * not fit.
 */
int instance_init(struct instance *instance, const char *name, const char *conf_path);

#endif
