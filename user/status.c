// SPDX-License-Identifier: GPL-2.0-or-later
#include "status.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <net/if.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "loader/maps.h"
#include "pins.h"

static void __attribute__((format(printf, 2, 3)))
problem(struct status *status, const char *format, ...)
{
	va_list args;

	if (status->problem_count == STATUS_MAX_PROBLEMS)
		return;
	va_start(args, format);
	vsnprintf(status->problems[status->problem_count++], STATUS_PROBLEM_LEN, format, args);
	va_end(args);
}

static int read_maps(const struct instance *instance, struct status *status)
{
	const char *dir = instance->pin_dir;
	struct map_fds fds = {
		.settings = pin_open_map(dir, "settings", sizeof(struct zt6_settings)),
		.agent = pin_open_map(dir, "agent", sizeof(struct zt6_agent)),
		.ports = pin_open_map(dir, "ports", sizeof(struct zt6_port)),
		.prefixes = pin_open_map(dir, "prefixes", sizeof(struct zt6_prefix)),
		.rules = pin_open_map(dir, "rules", sizeof(struct zt6_rule)),
		.counters = -1,
		.devices = -1,
	};
	int used[] = {fds.settings, fds.agent, fds.ports, fds.prefixes, fds.rules};
	struct zt6_agent agent;
	struct timespec now;
	__u32 zero = 0;
	int err = 0;

	for (size_t i = 0; i < sizeof(used) / sizeof(*used); i++)
		if (used[i] < 0 && !err)
			err = used[i];
	if (!err)
		err = maps_read(&fds, &status->model);
	if (!err && bpf_map_lookup_elem(fds.agent, &zero, &agent))
		err = -errno;
	for (size_t i = 0; i < sizeof(used) / sizeof(*used); i++)
		if (used[i] >= 0)
			close(used[i]);
	if (err)
		return err;
	clock_gettime(CLOCK_MONOTONIC, &now);
	status->heartbeat_age_ns =
		agent.heartbeat_ns ? now.tv_sec * 1000000000ULL + now.tv_nsec - agent.heartbeat_ns
				   : UINT64_MAX;
	status->agent_running = status->heartbeat_age_ns < AGENT_STALE_NS;
	return 0;
}

static void judge_port(struct status *status, const struct stats_port *port)
{
	const char *name = port->port.name;
	unsigned int ifindex = if_nametoindex(name);

	if (!ifindex)
		problem(status, "%s: waiting for the interface", name);
	else if (ifindex != port->port.ifindex)
		problem(status, "%s: the interface has been recreated; run \"zt6-bpf reload\"",
			name);
	else if (!port->device_up)
		problem(status, "%s: the interface is down", name);
	else if (!strcmp(port->datapath, "none"))
		problem(status, "%s: our XDP program is not on the port; run \"zt6-bpf reload\"",
			name);
}

static void judge(struct status *status)
{
	bool verifies = false;

	for (size_t i = 0; i < status->stats.port_count; i++)
		judge_port(status, &status->stats.ports[i]);
	for (size_t i = 0; i < status->model.rule_count; i++)
		verifies |= status->model.rules[i].value.method != ZT6_METHOD_STATIC;
	if (verifies && !status->agent_running)
		problem(status, "the agent is not running: targets that the kernel does not know "
				"yet stay unanswered");
}

int status_read(const struct instance *instance, struct status *out)
{
	int err;

	memset(out, 0, sizeof(*out));
	err = stats_read(instance, &out->stats);
	if (!err)
		err = read_maps(instance, out);
	if (err) {
		status_free(out);
		return err;
	}
	judge(out);
	return 0;
}

void status_free(struct status *status)
{
	model_free(&status->model);
}
