// SPDX-License-Identifier: GPL-2.0-or-later
/* The agent's ends of the pinned maps. */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../pins.h"
#include "agent.h"

static int on_event(void *arg, void *data, size_t size)
{
	const struct zt6_event *event = data;
	struct agent *agent = arg;

	if (size < sizeof(*event))
		return 0;
	if (event->kind == ZT6_EVENT_SOLICITED)
		verify_event(agent, event);
	else if (event->kind == ZT6_EVENT_MOVED)
		freshness_event(agent, event);
	else if (event->kind == ZT6_EVENT_PATH_MTU)
		tunnel_mtu_follow(agent, agent_now());
	return 0;
}

/* Maps of one size may still mean something else. */
static bool is_our_schema(int settings_map)
{
	struct zt6_settings settings;
	__u32 zero = 0;

	return !bpf_map_lookup_elem(settings_map, &zero, &settings) &&
	       settings.schema == ZT6_SCHEMA;
}

int agent_open_maps(struct agent *agent)
{
	const char *dir = agent->instance->pin_dir;
	struct bpf_map_info info = {0};
	__u32 length = sizeof(info);
	struct stat folder;
	int events;

	/* Before anything is opened: what is replaced meanwhile is then seen as a change. */
	if (stat(dir, &folder))
		return -errno;
	agent->pins_changed = folder.st_mtim;
	agent->maps = (struct map_fds){
		.settings = pin_open_map(dir, "settings", sizeof(struct zt6_settings)),
		.agent = pin_open_map(dir, "agent", sizeof(struct zt6_agent)),
		.ports = pin_open_map(dir, "ports", sizeof(struct zt6_port)),
		.counters = pin_open_map(dir, "counters", sizeof(struct zt6_port_counters)),
		.devices = pin_open(dir, "devices"),
		.prefixes = pin_open_map(dir, "prefixes", sizeof(struct zt6_prefix)),
		.rules = pin_open_map(dir, "rules", sizeof(struct zt6_rule)),
		.bindings = pin_open_map(dir, "bindings", sizeof(struct zt6_binding)),
	};
	agent->verified_map = pin_open_map(dir, "verified", sizeof(struct zt6_verified));
	agent->negative_map = pin_open_map(dir, "negative", sizeof(__u64));
	agent->members_map = pin_open_map(dir, "members", sizeof(struct zt6_member));
	agent->path_mtus_map = pin_open_map(dir, "path_mtus", sizeof(struct zt6_path_mtu));
	if (agent->maps.settings < 0)
		return agent->maps.settings;
	if (agent->maps.agent < 0 || agent->maps.ports < 0 || agent->maps.counters < 0 ||
	    agent->maps.devices < 0 || agent->maps.prefixes < 0 || agent->maps.rules < 0 ||
	    agent->maps.bindings < 0 || agent->verified_map < 0 || agent->negative_map < 0 ||
	    agent->members_map < 0 || agent->path_mtus_map < 0)
		return -EPROTO;
	if (!is_our_schema(agent->maps.settings))
		return -EPROTO;
	if (bpf_obj_get_info_by_fd(agent->verified_map, &info, &length))
		return -errno;
	agent->members_max = info.max_entries;
	agent->shared = maps_share_agent(agent->maps.agent);
	if (!agent->shared)
		return -errno;
	events = pin_open(dir, "events");
	if (events < 0)
		return events;
	agent->events = ring_buffer__new(events, on_event, agent, NULL);
	close(events); /* the mapping stays */
	return agent->events ? 0 : -errno;
}

void agent_close_maps(struct agent *agent)
{
	int *const fds[] = {&agent->maps.settings, &agent->maps.agent,    &agent->maps.ports,
			    &agent->maps.counters, &agent->maps.devices,  &agent->maps.prefixes,
			    &agent->maps.rules,    &agent->maps.bindings, &agent->verified_map,
			    &agent->negative_map,  &agent->members_map,   &agent->path_mtus_map};

	ring_buffer__free(agent->events);
	maps_unshare_agent(agent->shared);
	for (size_t i = 0; i < sizeof(fds) / sizeof(*fds); i++) {
		if (*fds[i] >= 0)
			close(*fds[i]);
		*fds[i] = -1;
	}
	agent->events = NULL;
	agent->shared = NULL;
}

bool agent_pins_changed(const struct agent *agent)
{
	struct stat folder;

	return stat(agent->instance->pin_dir, &folder) ||
	       folder.st_mtim.tv_sec != agent->pins_changed.tv_sec ||
	       folder.st_mtim.tv_nsec != agent->pins_changed.tv_nsec;
}
