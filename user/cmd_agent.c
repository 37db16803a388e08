// SPDX-License-Identifier: GPL-2.0-or-later
/* `zt6-bpf agent`: opens what it needs, gives up what it does not, and runs until SIGTERM. Forwarding
 * goes on without it. */
#include <errno.h>

#include "agent/agent.h"
#include "agent/confine.h"
#include "log.h"
#include "stats.h"

int cmd_agent(const struct instance *instance, int argc, char **argv)
{
	struct agent agent = {.instance = instance,
			      .packets = -1,
			      .lock = -1,
			      .zerotier.keyholder = -1,
			      .health.socket = -1};
	int err;

	(void)argv;
	if (argc != 1) {
		log_error("usage: zt6-bpf agent");
		return EXIT_USAGE;
	}
	targets_init(&agent.targets);
	err = agent_open_maps(&agent);
	if (err) {
		agent_close_maps(&agent);
		return stats_explain_error(instance, err);
	}
	err = agent_open_sockets(&agent);
	if (!err)
		err = confine();
	if (!err)
		err = agent_run(&agent);
	agent_close_sockets(&agent);
	agent_close_maps(&agent);
	if (err == -ENOENT)
		return stats_explain_error(instance, err);
	return err ? EXIT_FAILED : EXIT_DONE;
}
