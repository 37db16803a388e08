// SPDX-License-Identifier: GPL-2.0-or-later
/* `zt6-bpf agent`: opens what it needs, gives up what it does not, and runs until SIGTERM. Forwarding
 * goes on without it. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/fsuid.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/agent.h"
#include "agent/confine.h"
#include "loader/kinds.h"
#include "log.h"
#include "stats.h"

/* The folder of the pins by a descriptor: systemd mounts bpffs so that only root gets to it. */
static int open_pins(struct instance *instance, struct stat *owner)
{
	int fd = open(instance->pin_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	if (fstat(fd, owner)) {
		int err = -errno;

		close(fd);
		return err;
	}
	snprintf(instance->pin_dir, sizeof(instance->pin_dir), "/proc/self/fd/%d", fd);
	return fd;
}

static int run(struct agent *agent, const struct stat *owner)
{
	int err = agent_open_sockets(agent);

	tun_reserve();
	if (!err)
		err = confine(owner->st_uid, owner->st_gid);
	return err ? err : agent_run(agent);
}

int cmd_agent(const struct instance *instance, int argc, char **argv)
{
	struct instance opened = *instance;
	struct agent agent = {.instance = &opened,
			      .packets = -1,
			      .lock = -1,
			      .zerotier.keyholder = -1,
			      .health.socket = -1};
	struct stat owner = {0};
	int err, pins;

	(void)argv;
	if (argc != 1) {
		log_error("usage: zt6-bpf agent");
		return EXIT_USAGE;
	}
	targets_init(&agent.targets);
	recall_init(&agent.recall);
	groups_init(&agent.groups);
	pins = open_pins(&opened, &owner);
	if (pins < 0)
		return stats_explain_error(instance, pins);
	/* They are the owner's: without CAP_DAC_OVERRIDE root may not write to them either. */
	setfsuid(owner.st_uid);
	err = agent_open_maps(&agent);
	setfsuid(geteuid());
	if (err) {
		agent_close_maps(&agent);
		close(pins);
		return stats_explain_error(instance, err);
	}
	err = run(&agent, &owner);
	agent_close_sockets(&agent);
	agent_close_maps(&agent);
	close(pins);
	if (err == -ENOENT)
		return stats_explain_error(instance, err);
	return err ? EXIT_FAILED : EXIT_DONE;
}
