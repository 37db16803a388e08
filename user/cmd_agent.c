// SPDX-License-Identifier: GPL-2.0-or-later
/* `zt6-bpf agent`: sets up its loop and runs it until SIGTERM. Forwarding goes on without it. */
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

void agent_bump_generation(struct agent *agent)
{
	__atomic_add_fetch(&agent->shared->generation, 1, __ATOMIC_RELEASE);
}

static void beat(struct agent *agent)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	__atomic_store_n(&agent->shared->heartbeat_ns, now.tv_sec * 1000000000ULL + now.tv_nsec,
			 __ATOMIC_RELEASE);
}

static int open_maps(struct agent *agent)
{
	const char *dir = agent->instance->pin_dir;
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
	if (agent->maps.settings < 0)
		return agent->maps.settings;
	if (agent->maps.agent < 0 || agent->maps.ports < 0 || agent->maps.counters < 0 ||
	    agent->maps.devices < 0 || agent->maps.prefixes < 0 || agent->maps.rules < 0)
		return -EPROTO;
	agent->shared = maps_share_agent(agent->maps.agent);
	if (!agent->shared)
		return -errno;
	events = pin_open(dir, "events");
	if (events < 0)
		return events;
	agent->events = ring_buffer__new(events, resolve_event, agent, NULL);
	close(events); /* the mapping stays */
	return agent->events ? 0 : -errno;
}

static void close_maps(struct agent *agent)
{
	const int fds[] = {agent->maps.settings, agent->maps.agent,   agent->maps.ports,
			   agent->maps.counters, agent->maps.devices, agent->maps.prefixes,
			   agent->maps.rules};

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

static int loop(struct agent *agent, int epoll, int signals)
{
	struct epoll_event event;
	int err = 0, n;

	while (!err) {
		beat(agent);
		n = epoll_wait(epoll, &event, 1, HEARTBEAT_MS);
		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0 && event.data.fd == signals)
			return 0;
		err = watch_read(agent);
		if (!err && ring_buffer__consume(agent->events) < 0)
			err = -EIO;
		if (!err && agent->resync_wanted) {
			agent->resync_wanted = agent->refresh_wanted = false;
			err = watch_resync(agent);
		} else if (!err && agent->refresh_wanted) {
			agent->refresh_wanted = false;
			err = watch_refresh(agent);
		}
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
	model_free(&agent->model);
	if (signals >= 0)
		close(signals);
	close(epoll);
	return err;
}

int cmd_agent(const struct instance *instance, int argc, char **argv)
{
	struct agent agent = {.instance = instance};
	int err;

	(void)argv;
	if (argc != 1) {
		log_error("usage: zt6-bpf agent");
		return EXIT_USAGE;
	}
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
