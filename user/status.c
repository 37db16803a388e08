// SPDX-License-Identifier: GPL-2.0-or-later
#include "status.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "loader/maps.h"
#include "pins.h"
#include "status_parts.h"

const struct status_part *const status_parts[] = {
	&status_ports,    &status_tunnels,  &status_zerotier, &status_rules, &status_policy,
	&status_firewall, &status_bindings, &status_targets,  &status_agent, &status_trial,
};
const size_t status_part_count = sizeof(status_parts) / sizeof(status_parts[0]);

static int read_maps(const struct instance *instance, struct status *status)
{
	const char *dir = instance->pin_dir;
	struct map_fds fds = {
		.settings = pin_open_map(dir, "settings", sizeof(struct zt6_settings)),
		.agent = pin_open_map(dir, "agent", sizeof(struct zt6_agent)),
		.ports = pin_open_map(dir, "ports", sizeof(struct zt6_port)),
		.prefixes = pin_open_map(dir, "prefixes", sizeof(struct zt6_prefix)),
		.rules = pin_open_map(dir, "rules", sizeof(struct zt6_rule)),
		.bindings = pin_open_map(dir, "bindings", sizeof(struct zt6_binding)),
		.counters = -1,
		.devices = -1,
	};
	int used[] = {fds.settings, fds.agent, fds.ports, fds.prefixes, fds.rules, fds.bindings};
	__u32 zero = 0;
	int err = 0;

	for (size_t i = 0; i < sizeof(used) / sizeof(*used); i++)
		if (used[i] < 0 && !err)
			err = used[i];
	if (!err)
		err = maps_read(&fds, &status->model);
	if (!err && bpf_map_lookup_elem(fds.agent, &zero, &status->agent))
		err = -errno;
	for (size_t i = 0; i < sizeof(used) / sizeof(*used); i++)
		if (used[i] >= 0)
			close(used[i]);
	return err;
}

static void judge(struct status *status, const struct status_part *part)
{
	struct findings *findings = &status->findings;
	size_t first = findings->count;

	findings->area = part->key;
	part->judge(status);
	for (size_t i = first; i < findings->count && part->matters; i++)
		if (!findings->list[i].why)
			findings->list[i].why = strdup(part->matters);
}

/* After the maps were read: the agent may have written meanwhile. */
static void note_time(struct status *status)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	status->now_ns = now.tv_sec * 1000000000ULL + now.tv_nsec;
	status->heartbeat_age_ns = status->agent.heartbeat_ns
					   ? status->now_ns - status->agent.heartbeat_ns
					   : UINT64_MAX;
	status->agent_running = status->heartbeat_age_ns < AGENT_STALE_NS;
}

int status_read(const struct instance *instance, struct status *out)
{
	int err;

	memset(out, 0, sizeof(*out));
	out->instance = instance;
	err = stats_read(instance, &out->stats);
	if (!err)
		err = read_maps(instance, out);
	if (err) {
		status_free(out);
		return err;
	}
	note_time(out);
	for (size_t i = 0; i < status_part_count; i++)
		if (status_parts[i]->read)
			status_parts[i]->read(out);
	for (size_t i = 0; i < status_part_count; i++)
		if (status_parts[i]->judge)
			judge(out, status_parts[i]);
	return 0;
}

void status_free(struct status *status)
{
	for (size_t i = 0; i < status_part_count; i++)
		if (status_parts[i]->release)
			status_parts[i]->release(status);
	findings_free(&status->findings);
	model_free(&status->model);
}
