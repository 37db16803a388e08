// SPDX-License-Identifier: GPL-2.0-or-later
#include "harness.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <netlink/netlink.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "conf.h"
#include "loader/model.h"
#include "loader/programs.h"
#include "loader/programs_internal.h"
#include "loader/witness.h"

#define DRAINED_NS 60000000000ULL

/* More than any case has to do with. */
#define MEMBERS_MAX 64

struct harness {
	struct nl_sock *nl;
	bool use_tc;
	struct programs *programs;
	struct model model;
	struct ring_buffer *events;
	struct zt6_event *event_list; /* where the callback of `events` puts them */
	size_t event_max, event_count;
	int cpus;
	struct zt6_port_counters *per_cpu;
};

const char *verdict_name(unsigned int verdict)
{
	static const char *const names[] = {
#define ZT6_NAME(id, name, action, meaning) #name,
		ZT6_VERDICTS(ZT6_NAME)
#undef ZT6_NAME
	};

	return verdict < ZT6_VERDICT_COUNT ? names[verdict] : "none";
}

__u64 now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ULL + now.tv_nsec;
}

int harness_shell(const char *command)
{
	int status;

	fflush(NULL);
	status = system(command);
	if (status == -1 || !WIFEXITED(status) || WEXITSTATUS(status)) {
		fprintf(stderr, "harness: \"%s\" failed\n", command);
		return -EIO;
	}
	return 0;
}

static int stay_on_this_cpu(void)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(sched_getcpu(), &set);
	return sched_setaffinity(0, sizeof(set), &set) ? -errno : 0;
}

int harness_open(const char *topology, struct harness **out)
{
	struct harness *harness = calloc(1, sizeof(*harness));
	int err;

	if (!harness)
		return -ENOMEM;
	err = stay_on_this_cpu();
	if (err)
		goto fail;
	if (unshare(CLONE_NEWNET)) {
		err = -errno;
		fprintf(stderr, "harness: cannot make a network namespace: %s; run it as root\n",
			strerror(-err));
		goto fail;
	}
	err = harness_shell(topology);
	if (err)
		goto fail;
	err = -ENOMEM;
	harness->cpus = libbpf_num_possible_cpus();
	harness->per_cpu = calloc(harness->cpus, sizeof(*harness->per_cpu));
	harness->nl = nl_socket_alloc();
	if (!harness->per_cpu || !harness->nl)
		goto fail;
	err = nl_connect(harness->nl, NETLINK_ROUTE);
	if (err < 0) {
		fprintf(stderr, "harness: cannot talk to rtnetlink: %s\n", nl_geterror(err));
		err = -EIO;
		goto fail;
	}
	*out = harness;
	return 0;
fail:
	harness_close(harness);
	return err;
}

static void unload(struct harness *harness)
{
	ring_buffer__free(harness->events);
	harness->events = NULL;
	programs_free(harness->programs);
	harness->programs = NULL;
}

static void harness_unload(struct harness *harness)
{
	unload(harness);
	model_free(&harness->model);
	memset(&harness->model, 0, sizeof(harness->model));
}

void harness_close(struct harness *harness)
{
	if (!harness)
		return;
	harness_unload(harness);
	nl_socket_free(harness->nl);
	free(harness->per_cpu);
	free(harness);
}

/* conf_load() reads files, so a text has to become one. */
static int load_conf(const char *text, struct conf **out)
{
	size_t length = strlen(text);
	char path[32];
	int fd = memfd_create("zt6.conf", 0), err;

	if (fd < 0)
		return -errno;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	err = write(fd, text, length) == (ssize_t)length ? conf_load(path, stderr, out) : -EIO;
	close(fd);
	return err;
}

static int take_event(void *context, void *data, size_t size)
{
	struct harness *harness = context;

	if (size < sizeof(struct zt6_event)) {
		fprintf(stderr, "harness: an event of %zu bytes\n", size);
		return -EPROTO;
	}
	if (harness->event_count < harness->event_max)
		memcpy(&harness->event_list[harness->event_count], data, sizeof(struct zt6_event));
	harness->event_count++;
	return 0;
}

/* Whether programs and maps that were loaded for one model serve the other as well: as where a
 * second `up` meets the ports and limits of the first. */
static bool same_programs(const struct model *a, const struct model *b)
{
	for (unsigned int slot = 0; slot < ZT6_MAX_PORTS; slot++) {
		if (strcmp(a->ports[slot].name, b->ports[slot].name) ||
		    a->ports[slot].role != b->ports[slot].role ||
		    a->ports[slot].paths != b->ports[slot].paths)
			return false;
	}
	return a->settings.cache_sets == b->settings.cache_sets &&
	       a->settings.policy == b->settings.policy &&
	       a->settings.flow_sets == b->settings.flow_sets && a->members == b->members &&
	       a->negative == b->negative;
}

static int load_programs(struct harness *harness)
{
	const struct programs_options options = {.poison_headroom = true};
	int err = programs_load(NULL, &harness->model, &options, &harness->programs);

	if (err)
		return err;
	harness->events = ring_buffer__new(programs_map_fd(harness->programs, "events"), take_event,
					   harness, NULL);
	return harness->events ? 0 : -errno;
}

void harness_use_tc(struct harness *harness)
{
	harness->use_tc = true;
}

int harness_load(struct harness *harness, const char *text)
{
	struct model model = {0};
	struct conf *conf = NULL;
	int err = load_conf(text, &conf);

	if (err) {
		fprintf(stderr, "harness: this configuration does not load:\n%s\n", text);
		return err;
	}
	err = model_slots(&model, conf);
	if (!err)
		err = model_fill(&model, conf, harness->nl);
	conf_free(conf);
	/* A tunnel's, too, as if its interface were the kernel's `sit`. */
	for (unsigned int slot = 0; slot < ZT6_MAX_PORTS && harness->use_tc; slot++)
		if (model.ports[slot].paths || model.ports[slot].role == ZT6_ROLE_TUNNEL)
			model.ports[slot].paths = ZT6_PATH_TC;
	if (!err && harness->programs && !same_programs(&harness->model, &model))
		unload(harness);
	model_free(&harness->model);
	harness->model = model;
	if (!err && !harness->programs)
		err = load_programs(harness);
	if (!err)
		err = programs_fill(harness->programs, &harness->model);
	if (err) {
		fprintf(stderr, "harness: cannot load the programs: %s\n", strerror(-err));
		harness_unload(harness);
	}
	return err;
}

int harness_slot(const struct harness *harness, const char *port)
{
	for (unsigned int slot = 0; slot < ZT6_MAX_PORTS; slot++) {
		if (!strcmp(harness->model.ports[slot].name, port))
			return slot;
	}
	return -ENOENT;
}

const struct zt6_port *harness_ports(const struct harness *harness)
{
	return harness->model.ports;
}

const struct zt6_settings *harness_settings(const struct harness *harness)
{
	return &harness->model.settings;
}

bool harness_has_xdp(const struct harness *harness, unsigned int slot)
{
	return programs_xdp_fd(harness->programs, slot) >= 0;
}

int harness_run(struct harness *harness, unsigned int slot, const uint8_t *frame, size_t length,
		size_t linear, struct outcome *out)
{
	struct xdp_md context = {
		.data_end = linear ? linear : length,
		.ingress_ifindex = harness->model.ports[slot].ifindex,
	};
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame, .data_size_in = length,
		    .data_out = out->frame, .data_size_out = sizeof(out->frame), .ctx_in = &context,
		    .ctx_size_in = sizeof(context));
	int err = bpf_prog_test_run_opts(programs_xdp_fd(harness->programs, slot), &opts);

	if (err && linear && errno == EINVAL)
		return -EOPNOTSUPP;
	if (err) {
		err = -errno;
		fprintf(stderr, "harness: BPF_PROG_TEST_RUN of %zu bytes on slot %u: %s\n", length,
			slot, strerror(-err));
		return err;
	}
	out->action = opts.retval;
	out->length = opts.data_size_out;
	return 0;
}

static int tc_ingress_fd(const struct harness *harness, unsigned int slot)
{
	if (harness->model.ports[slot].role == ZT6_ROLE_TUNNEL)
		return -1;
	return programs_tc_fd(harness->programs, slot, TC_TUNNEL);
}

bool harness_has_tc(const struct harness *harness, unsigned int slot)
{
	return tc_ingress_fd(harness, slot) >= 0;
}

static int run_skb(struct harness *harness, int program, unsigned int slot, const uint8_t *frame,
		   size_t length, size_t segments, size_t segment_size, struct outcome *out)
{
	struct __sk_buff context = {
		.ifindex = harness->model.ports[slot].ifindex,
		.gso_segs = segments,
		.gso_size = segment_size,
	};
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame, .data_size_in = length,
		    .data_out = out->frame, .data_size_out = sizeof(out->frame), .ctx_in = &context,
		    .ctx_size_in = sizeof(context));

	if (bpf_prog_test_run_opts(program, &opts)) {
		fprintf(stderr, "harness: BPF_PROG_TEST_RUN of %zu bytes on TC of slot %u: %s\n",
			length, slot, strerror(errno));
		return -errno;
	}
	out->action = opts.retval;
	out->length = opts.data_size_out;
	return 0;
}

int harness_run_tc(struct harness *harness, unsigned int slot, const uint8_t *frame, size_t length,
		   struct outcome *out)
{
	return run_skb(harness, tc_ingress_fd(harness, slot), slot, frame, length, 0, 0, out);
}

int harness_witness(struct harness *harness, unsigned int from, unsigned int to,
		    const uint8_t *frame, size_t length)
{
	struct __sk_buff context = {
		.ifindex = harness->model.ports[to].ifindex,
		.ingress_ifindex = harness->model.ports[from].ifindex,
	};
	uint8_t out[FRAME_MAX];
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame, .data_size_in = length,
		    .data_out = out, .data_size_out = sizeof(out), .ctx_in = &context,
		    .ctx_size_in = sizeof(context));
	int program = witness_fd(harness->programs);
	const __u32 zero = 0;

	if (program < 0)
		return -EOPNOTSUPP;
	/* What a program in TC has redirected before never came here: nothing leaves. */
	memset(harness->per_cpu, 0, harness->cpus * sizeof(*harness->per_cpu));
	if (bpf_map_update_elem(programs_map_fd(harness->programs, "own_redirect"), &zero,
				harness->per_cpu, BPF_ANY))
		return -errno;
	if (bpf_prog_test_run_opts(program, &opts))
		return -errno;
	return opts.retval == (__u32)TC_ACT_UNSPEC && !memcmp(out, frame, length) ? 0 : -EPROTO;
}

int harness_run_tc_port(struct harness *harness, unsigned int slot, const uint8_t *frame,
			size_t length, size_t segments, size_t segment_size, struct outcome *out)
{
	return run_skb(harness, programs_tc_port_fd(harness->programs, slot), slot, frame, length,
		       segments, segment_size, out);
}

static int update_agent(struct harness *harness, __u32 generations, const __u64 *heartbeat_ns)
{
	int fd = programs_map_fd(harness->programs, "agent");
	struct zt6_agent agent;
	__u32 zero = 0;

	if (bpf_map_lookup_elem(fd, &zero, &agent))
		return -errno;
	agent.generation += generations;
	if (heartbeat_ns)
		agent.heartbeat_ns = *heartbeat_ns;
	return bpf_map_update_elem(fd, &zero, &agent, BPF_ANY) ? -errno : 0;
}

int harness_bump(struct harness *harness)
{
	return update_agent(harness, 1, NULL);
}

int harness_heartbeat(struct harness *harness, __u64 ns)
{
	return update_agent(harness, 0, &ns);
}

int harness_tell(struct harness *harness, const struct zt6_address_key *target, bool verified,
		 __u64 until_ns)
{
	const struct zt6_verified in_use = {.expires_ns = until_ns};
	int fd = programs_map_fd(harness->programs, verified ? "verified" : "negative");
	const void *value = verified ? (const void *)&in_use : &until_ns;

	return bpf_map_update_elem(fd, target, value, BPF_ANY) ? -errno : 0;
}

int harness_drain(struct harness *harness, unsigned int slot, enum zt6_bucket bucket)
{
	int fd = programs_map_fd(harness->programs, "buckets");
	struct zt6_buckets buckets;

	if (bpf_map_lookup_elem(fd, &slot, &buckets))
		return -errno;
	buckets.spoken_for_ns[bucket] =
		now_ns() + harness->model.ports[slot].rates[bucket].burst_ns + DRAINED_NS;
	return bpf_map_update_elem(fd, &slot, &buckets, BPF_ANY) ? -errno : 0;
}

static __u64 earlier(__u64 then, __u64 by)
{
	return then > by ? then - by : 0;
}

int harness_age_members(struct harness *harness, __u64 ns)
{
	int fd = programs_map_fd(harness->programs, "members");
	struct zt6_address_key keys[MEMBERS_MAX];
	struct zt6_member member;
	size_t count = 0;

	/* An element that is written moves within the map. */
	while (count < MEMBERS_MAX &&
	       !bpf_map_get_next_key(fd, count ? &keys[count - 1] : NULL, &keys[count]))
		count++;
	for (size_t i = 0; i < count; i++) {
		if (bpf_map_lookup_elem(fd, &keys[i], &member))
			return -errno;
		member.from_ns = earlier(member.from_ns, ns);
		member.towards_ns = earlier(member.towards_ns, ns);
		if (bpf_map_update_elem(fd, &keys[i], &member, BPF_EXIST))
			return -errno;
	}
	return 0;
}

/* Empties a hash. */
static int forget(struct harness *harness, const char *map)
{
	int fd = programs_map_fd(harness->programs, map);
	uint8_t key[sizeof(struct zt6_deferred_key)]; /* the longest */

	while (!bpf_map_get_next_key(fd, NULL, key)) {
		if (bpf_map_delete_elem(fd, key))
			return -errno;
	}
	return errno == ENOENT ? 0 : -errno;
}

int harness_reset(struct harness *harness)
{
	static const char *const hashes[] = {"deferred",      "verified",   "negative",
					     "members",       "solicitors", "witnessed",
					     "member_limits", "fragmented"};
	int buckets = programs_map_fd(harness->programs, "buckets");
	int newcomers = programs_map_fd(harness->programs, "newcomers");
	int path_mtus = programs_map_fd(harness->programs, "path_mtus");
	const struct zt6_path_mtu unknown = {0};
	const struct zt6_buckets full = {0};
	const __u64 never = 0;
	int err = update_agent(harness, 1, &never);

	for (size_t i = 0; !err && i < sizeof(hashes) / sizeof(*hashes); i++)
		err = forget(harness, hashes[i]);
	for (__u32 i = 0; !err && i < ZT6_NEWCOMERS; i++)
		if (bpf_map_update_elem(newcomers, &i, &never, BPF_ANY))
			err = -errno;
	for (__u32 slot = 0; !err && slot < ZT6_MAX_PORTS; slot++) {
		if (bpf_map_update_elem(buckets, &slot, &full, BPF_ANY) ||
		    bpf_map_update_elem(path_mtus, &slot, &unknown, BPF_ANY))
			err = -errno;
	}
	if (!err)
		err = harness_events(harness, NULL, 0);
	return err < 0 ? err : 0;
}

int harness_counters(struct harness *harness, struct zt6_port_counters counters[ZT6_MAX_PORTS])
{
	const size_t words = sizeof(struct zt6_port_counters) / sizeof(__u64);
	int fd = programs_map_fd(harness->programs, "counters");

	memset(counters, 0, ZT6_MAX_PORTS * sizeof(*counters));
	for (__u32 slot = 0; slot < ZT6_MAX_PORTS; slot++) {
		__u64 *sum = (__u64 *)&counters[slot];

		if (bpf_map_lookup_elem(fd, &slot, harness->per_cpu))
			return -errno;
		for (int cpu = 0; cpu < harness->cpus; cpu++) {
			for (size_t i = 0; i < words; i++)
				sum[i] += ((__u64 *)&harness->per_cpu[cpu])[i];
		}
	}
	return 0;
}

int harness_events(struct harness *harness, struct zt6_event *events, size_t max)
{
	int err;

	harness->event_list = events;
	harness->event_max = max;
	harness->event_count = 0;
	err = ring_buffer__consume(harness->events);
	return err < 0 ? err : (int)harness->event_count;
}
