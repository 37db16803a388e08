// SPDX-License-Identifier: GPL-2.0-or-later
/* The loop: what arrives, what is due, and sleep. */
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <netlink/socket.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "../advertise.h"
#include "../loader/netlink.h"
#include "../loader/rundir.h"
#include "../log.h"
#include "agent.h"
#include "notify.h"

/* Idle, the agent wakes up this often to say that it is alive. */
#define HEARTBEAT_MS 1000

/* While targets are being asked for, their deadlines are looked at this often. */
#define ASKING_MS 50

#define NSEC_PER_SEC 1000000000ULL

/* What the kernel says of interfaces and rules is written into the maps at most this often, and for a
 * tenth of the time where that takes long (a million routes): a storm of route changes shall not
 * become one of ours. */
#define REFRESH_INTERVAL_NS (NSEC_PER_SEC / 20)
#define REFRESH_SHARE       10
#define REFRESH_LATEST_NS   (3 * NSEC_PER_SEC)

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

/* One agent for an instance: two would answer twice. The lock is on the folder, which `down` can
 * remove: a file in it would stay behind. */
static int take_lock(struct agent *agent)
{
	const char *dir = agent->instance->run_dir;

	agent->lock = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (agent->lock < 0) {
		log_error("%s: %m", dir);
		return -errno;
	}
	if (flock(agent->lock, LOCK_EX | LOCK_NB)) {
		log_error("the agent of instance \"%s\" is running already", agent->instance->name);
		return -EEXIST;
	}
	return 0;
}

static int open_signals(void)
{
	sigset_t ours;

	sigemptyset(&ours);
	sigaddset(&ours, SIGTERM);
	sigaddset(&ours, SIGINT);
	sigaddset(&ours, SIGHUP);
	sigprocmask(SIG_BLOCK, &ours, NULL);
	return signalfd(-1, &ours, SFD_CLOEXEC | SFD_NONBLOCK);
}

static int watch_fd(struct agent *agent, int fd)
{
	struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};

	return epoll_ctl(agent->epoll, EPOLL_CTL_ADD, fd, &event) ? -errno : 0;
}

static int open_requests(struct agent *agent)
{
	int err = netlink_open(&agent->requests);

	return err ? err : netlink_open(&agent->tables);
}

static void close_requests(struct agent *agent)
{
	nl_socket_free(agent->requests);
	nl_socket_free(agent->tables);
	agent->requests = agent->tables = NULL;
}

int agent_open_sockets(struct agent *agent)
{
	int err = take_lock(agent);

	agent->epoll = epoll_create1(EPOLL_CLOEXEC);
	agent->signals = open_signals();
	if (err)
		return err;
	if (agent->epoll < 0 || agent->signals < 0)
		return -errno;
	err = open_requests(agent);
	if (!err) {
		agent->packets = advertise_open();
		err = agent->packets < 0 ? agent->packets : 0;
	}
	if (!err)
		err = watch_open(agent);
	if (!err)
		err = rules_open(agent);
	if (!err && agent->rules)
		err = watch_fd(agent, nl_socket_get_fd(agent->rules));
	if (!err)
		err = watch_fd(agent, agent->signals);
	if (!err)
		err = watch_fd(agent, nl_socket_get_fd(agent->watch));
	if (!err)
		err = watch_fd(agent, ring_buffer__epoll_fd(agent->events));
	if (!err)
		err = agent_zerotier_open(agent);
	if (!err)
		err = agent_health_open(agent);
	return err;
}

void agent_close_sockets(struct agent *agent)
{
	const int fds[] = {agent->epoll, agent->signals, agent->packets, agent->lock};

	agent_zerotier_close(agent);
	agent_health_close(agent);
	watch_close(agent);
	rules_close(agent);
	close_requests(agent);
	neighbours_clear(&agent->neighbours);
	targets_clear(&agent->targets);
	recall_clear(&agent->recall);
	groups_clear(&agent->groups);
	model_free(&agent->model);
	for (size_t i = 0; i < sizeof(fds) / sizeof(*fds); i++)
		if (fds[i] >= 0)
			close(fds[i]);
}

/* `up` has replaced pins: the maps that we have open may be nobody's by now. */
static int follow_pins(struct agent *agent)
{
	int err;

	if (!agent_pins_changed(agent))
		return 0;
	agent_close_maps(agent); /* the ring buffer leaves the epoll set with its descriptor */
	err = agent_open_maps(agent);
	if (!err)
		err = watch_fd(agent, ring_buffer__epoll_fd(agent->events));
	targets_clear(&agent->targets);
	groups_clear(&agent->groups);
	agent->resync_wanted = true;
	agent->looked = false;
	return err;
}

/* The kernel's answer to a question may be lost in a storm: then it is asked again after a while, on
 * another socket, in which nothing is left over. */
static int try_again(struct agent *agent, const char *what, int err)
{
	log_warning("agent: cannot %s: %s; trying again", what, strerror(-err));
	close_requests(agent);
	agent->resync_wanted = true;
	return open_requests(agent);
}

static int read_or_try_again(struct agent *agent, int err)
{
	return err ? try_again(agent, "read the kernel's tables", err) : 0;
}

/* What the kernel has told since is written into the maps, at most so often. */
static int bring_up_to_date(struct agent *agent, uint64_t now)
{
	bool anew = agent->resync_wanted;
	uint64_t pause;
	int err, lock;

	if ((!anew && !agent->refresh_wanted) || now < agent->refresh_after_ns)
		return 0;
	/* What is lost before that, the kernel does not tell of. */
	if (anew && !agent->drained)
		return 0;
	/* The loader writes the same maps: what it is changing must not be written back as it was
	 * before. It does not keep us waiting either: its turn takes seconds, and members shall be
	 * found meanwhile. */
	lock = rundir_try_lock(agent->instance->run_dir);
	if (lock == -EWOULDBLOCK)
		return anew && !agent->looked ? read_or_try_again(agent, watch_look(agent)) : 0;
	agent->resync_wanted = agent->refresh_wanted = agent->looked = false;
	err = anew ? watch_resync(agent) : watch_refresh(agent);
	pause = (agent_now() - now) * REFRESH_SHARE;
	if (pause < REFRESH_INTERVAL_NS)
		pause = REFRESH_INTERVAL_NS;
	if (pause > REFRESH_LATEST_NS)
		pause = REFRESH_LATEST_NS;
	agent->refresh_after_ns = agent_now() + pause;
	if (lock >= 0)
		rundir_unlock(agent->instance->run_dir, lock);
	return read_or_try_again(agent, err);
}

/* What is due once a second. */
static int tick_second(struct agent *agent, uint64_t now)
{
	int err = follow_pins(agent);

	if (err)
		return err;
	agent->ticked_ns = now;
	agent->probes_left = PROBES_PER_SECOND;
	freshness_tick(agent, now);
	verify_renew(agent, now);
	tunnel_mtu_follow(agent, now);
	announce_tick(agent);
	agent_zerotier_tick(agent, now);
	agent_health_tick(agent, now);
	notify("WATCHDOG=1");
	return 0;
}

/* What is due by the clock. */
static int tick(struct agent *agent)
{
	uint64_t now = agent_now();
	int err = 0;

	if (now - agent->ticked_ns >= NSEC_PER_SEC)
		err = tick_second(agent, now);
	if (err)
		return err;
	agent->shared->pending = (__u32)agent->targets.asking_count;
	__atomic_store_n(&agent->shared->heartbeat_ns, now, __ATOMIC_RELEASE);
	verify_deadlines(agent, now);
	err = bring_up_to_date(agent, now);
	if (err || agent->refresh_wanted || agent->resync_wanted)
		return err;
	if (agent->reloading)
		notify("READY=1");
	agent->reloading = false;
	/* After the refresh, which knows of interfaces that have come back. */
	ports_repair(agent, now);
	return 0;
}

/* Whether to go on. */
static bool read_signals(struct agent *agent)
{
	struct signalfd_siginfo info;

	while (read(agent->signals, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo != SIGHUP)
			return false;
		notify_reloading();
		agent->resync_wanted = agent->reloading = true;
		ports_want_repair(agent);
	}
	return true;
}

int agent_run(struct agent *agent)
{
	struct epoll_event event;
	int err, wait_ms;

	/* Listening came before reading: nothing falls in between. */
	agent->resync_wanted = true;
	ports_want_repair(agent);
	err = watch_read(agent);
	if (!err)
		err = tick(agent);
	notify("READY=1");
	while (!err) {
		wait_ms =
			agent->targets.asking_count || agent->refresh_wanted || agent->resync_wanted
				? ASKING_MS
				: HEARTBEAT_MS;
		if (epoll_wait(agent->epoll, &event, 1, wait_ms) < 0 && errno != EINTR)
			return -errno;
		if (!read_signals(agent))
			break;
		err = watch_read(agent);
		/* The kernel's notices come first: they may answer what is asked here. */
		if (!err && ring_buffer__consume(agent->events) < 0)
			err = -EIO;
		rules_read(agent);
		agent_zerotier_run(agent);
		agent_health_read(agent);
		if (!err)
			err = tick(agent);
	}
	notify("STOPPING=1");
	/* Whoever looks, the programs too, shall not have to wait to learn that nobody is there. */
	if (agent->shared && agent->shared->heartbeat_ns > ZT6_AGENT_STALE_NS)
		agent->shared->heartbeat_ns -= ZT6_AGENT_STALE_NS;
	return err;
}
