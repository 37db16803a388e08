// SPDX-License-Identifier: GPL-2.0-or-later
/* `zt6-bpf agent`: sets up its loop and runs it until SIGTERM. Forwarding goes on without it. */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <netlink/socket.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "agent/agent.h"
#include "loader/netlink.h"
#include "log.h"
#include "pins.h"
#include "stats.h"

/* Idle, the agent wakes up this often to say that it is alive. */
#define HEARTBEAT_MS 1000

/* While targets are being asked for, their deadlines are looked at this often. */
#define ASKING_MS 50

#define NSEC_PER_SEC 1000000000ULL

/* What the kernel says of interfaces and rules is written into the maps at most this often: a storm
 * of route changes shall not become one of ours. */
#define REFRESH_INTERVAL_NS (NSEC_PER_SEC / 20)

/* Neighbours probed per second, whatever the number of members. */
#define PROBES_PER_SECOND 100

void agent_bump_generation(struct agent *agent)
{
	__atomic_add_fetch(&agent->shared->generation, 1, __ATOMIC_RELEASE);
}

uint64_t agent_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * NSEC_PER_SEC + now.tv_nsec;
}

int agent_inside_slot(const struct agent *agent, int ifindex)
{
	for (int slot = 0; slot < ZT6_MAX_PORTS; slot++) {
		const struct zt6_port *port = &agent->model.ports[slot];

		if ((port->role == ZT6_ROLE_OVERLAY || port->role == ZT6_ROLE_LAN) &&
		    (int)port->ifindex == ifindex && ifindex)
			return slot;
	}
	return -1;
}

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
	return 0;
}

static int open_maps(struct agent *agent)
{
	const char *dir = agent->instance->pin_dir;
	struct bpf_map_info info = {0};
	__u32 length = sizeof(info);
	int events;

	agent->maps = (struct map_fds){
		.settings = pin_open_map(dir, "settings", sizeof(struct zt6_settings)),
		.agent = pin_open_map(dir, "agent", sizeof(struct zt6_agent)),
		.ports = pin_open_map(dir, "ports", sizeof(struct zt6_port)),
		.counters = pin_open_map(dir, "counters", sizeof(struct zt6_port_counters)),
		.devices = pin_open(dir, "devices"),
		.prefixes = pin_open_map(dir, "prefixes", sizeof(struct zt6_prefix)),
		.rules = pin_open_map(dir, "rules", sizeof(struct zt6_rule)),
	};
	agent->verified_map = pin_open_map(dir, "verified", sizeof(struct zt6_verified));
	agent->negative_map = pin_open_map(dir, "negative", sizeof(__u64));
	agent->members_map = pin_open_map(dir, "members", sizeof(struct zt6_member));
	if (agent->maps.settings < 0)
		return agent->maps.settings;
	if (agent->maps.agent < 0 || agent->maps.ports < 0 || agent->maps.counters < 0 ||
	    agent->maps.devices < 0 || agent->maps.prefixes < 0 || agent->maps.rules < 0 ||
	    agent->verified_map < 0 || agent->negative_map < 0 || agent->members_map < 0)
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

static void close_maps(struct agent *agent)
{
	const int fds[] = {agent->maps.settings, agent->maps.agent,   agent->maps.ports,
			   agent->maps.counters, agent->maps.devices, agent->maps.prefixes,
			   agent->maps.rules,    agent->verified_map, agent->negative_map,
			   agent->members_map};

	ring_buffer__free(agent->events);
	maps_unshare_agent(agent->shared);
	for (size_t i = 0; i < sizeof(fds) / sizeof(*fds); i++)
		if (fds[i] >= 0)
			close(fds[i]);
}

static int add_to_epoll(int epoll, int fd)
{
	struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};

	return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) ? -errno : 0;
}

/* What is due by the clock. */
static int tick(struct agent *agent)
{
	uint64_t now = agent_now();
	int err = 0;

	__atomic_store_n(&agent->shared->heartbeat_ns, now, __ATOMIC_RELEASE);
	if (now - agent->ticked_ns >= NSEC_PER_SEC) {
		agent->ticked_ns = now;
		agent->probes_left = PROBES_PER_SECOND;
		freshness_tick(agent, now);
	}
	verify_tick(agent, now);
	if (agent->resync_wanted) {
		agent->resync_wanted = agent->refresh_wanted = false;
		agent->refreshed_ns = now;
		err = watch_resync(agent);
	} else if (agent->refresh_wanted && now - agent->refreshed_ns >= REFRESH_INTERVAL_NS) {
		agent->refresh_wanted = false;
		agent->refreshed_ns = now;
		err = watch_refresh(agent);
	}
	return err;
}

static int loop(struct agent *agent, int epoll, int signals)
{
	struct epoll_event event;
	int err, n, wait_ms;

	while (!(err = tick(agent))) {
		wait_ms = agent->targets.asking_count || agent->refresh_wanted ? ASKING_MS
									       : HEARTBEAT_MS;
		n = epoll_wait(epoll, &event, 1, wait_ms);
		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0 && event.data.fd == signals)
			return 0;
		err = watch_read(agent);
		if (err)
			return err;
		/* The kernel's notices come first: they may answer what is asked here. */
		if (ring_buffer__consume(agent->events) < 0)
			return -EIO;
	}
	return err;
}

static int run(struct agent *agent)
{
	int epoll = epoll_create1(EPOLL_CLOEXEC), signals = -1, err;
	sigset_t stop;

	if (epoll < 0)
		return -errno;
	sigemptyset(&stop);
	sigaddset(&stop, SIGTERM);
	sigaddset(&stop, SIGINT);
	sigprocmask(SIG_BLOCK, &stop, NULL);
	signals = signalfd(-1, &stop, SFD_CLOEXEC);
	err = signals < 0 ? -errno : netlink_open(&agent->requests);
	if (!err)
		err = answer_open(agent);
	if (!err)
		err = watch_open(agent);
	/* Listening comes before reading: nothing can fall in between. */
	if (!err)
		err = watch_resync(agent);
	if (!err)
		err = add_to_epoll(epoll, signals);
	if (!err)
		err = add_to_epoll(epoll, nl_socket_get_fd(agent->watch));
	if (!err)
		err = add_to_epoll(epoll, ring_buffer__epoll_fd(agent->events));
	if (!err) {
		log_info("agent: running");
		err = loop(agent, epoll, signals);
		/* Whoever looks shall not have to wait to learn that nobody is there. */
		agent->shared->heartbeat_ns = 0;
	}
	watch_close(agent);
	nl_socket_free(agent->requests);
	neighbours_clear(&agent->neighbours);
	targets_clear(&agent->targets);
	model_free(&agent->model);
	if (agent->packets >= 0)
		close(agent->packets);
	if (signals >= 0)
		close(signals);
	close(epoll);
	return err;
}

int cmd_agent(const struct instance *instance, int argc, char **argv)
{
	struct agent agent = {.instance = instance, .packets = -1};
	int err;

	(void)argv;
	if (argc != 1) {
		log_error("usage: zt6-bpf agent");
		return EXIT_USAGE;
	}
	targets_init(&agent.targets);
	err = open_maps(&agent);
	if (err) {
		close_maps(&agent);
		return stats_explain_error(instance, err);
	}
	err = run(&agent);
	close_maps(&agent);
	if (err)
		log_error("agent: %s", strerror(-err));
	return err ? EXIT_FAILED : EXIT_DONE;
}
