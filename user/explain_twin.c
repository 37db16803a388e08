// SPDX-License-Identifier: GPL-2.0-or-later
#include "explain_twin.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "loader/programs.h"
#include "log.h"
#include "pins.h"

#define NSEC_PER_SEC 1000000000ULL

/* The twin's bounded maps hold one packet's traces. */
#define TWIN_ENTRIES 64

struct twin {
	const struct instance *instance;
	const struct model *model;
	struct programs *programs;
	__u32 generation; /* bumped before each packet: what the last one cached is a miss */
	int cpus;
	struct zt6_port_counters *per_cpu; /* room for one element */
	struct zt6_route_set *route_sets;  /* the same */
};

int twin_load(const struct instance *instance, const struct model *model, __u32 slots,
	      struct twin **out)
{
	struct twin *twin = calloc(1, sizeof(*twin));
	struct model small = *model, needed;
	int err = -ENOMEM;

	if (!twin)
		goto fail;
	twin->instance = instance;
	twin->model = model;
	twin->cpus = libbpf_num_possible_cpus();
	if (twin->cpus > 0) {
		twin->per_cpu = calloc(twin->cpus, sizeof(*twin->per_cpu));
		twin->route_sets = calloc(twin->cpus, sizeof(*twin->route_sets));
	}
	if (!twin->per_cpu || !twin->route_sets)
		goto fail;
	small.settings.cache_sets = small.settings.flow_sets = 1;
	small.members = small.negative = TWIN_ENTRIES;
	/* Programs are loaded for the ports that the model names; a tunnel would bring TC's. */
	needed = small;
	needed.settings.tunnel_count = 0;
	needed.settings.policy = ZT6_POLICY_OFF; /* nor is there anything to witness */
	for (unsigned int slot = 0; slot < ZT6_MAX_PORTS; slot++)
		if (!(slots & 1U << slot))
			needed.ports[slot].paths = 0;
	err = programs_load(NULL, &needed, NULL, &twin->programs);
	if (!err)
		err = programs_fill(twin->programs, &small);
	if (err)
		goto fail;
	*out = twin;
	return 0;
fail:
	if (err == -ENOMEM)
		log_error("cannot load a copy of the programs: %s", strerror(-err));
	twin_free(twin);
	return err;
}

void twin_free(struct twin *twin)
{
	if (!twin)
		return;
	programs_free(twin->programs);
	free(twin->per_cpu);
	free(twin->route_sets);
	free(twin);
}

/* Copies one element, or deletes the copy where there is none. */
static int copy_element(struct twin *twin, const char *name, const void *key, void *value,
			size_t value_size, bool *there)
{
	int from = pin_open_map(twin->instance->pin_dir, name, value_size);
	int to = programs_map_fd(twin->programs, name), err = 0;

	if (from < 0 || to < 0)
		return from < 0 ? from : to;
	*there = !bpf_map_lookup_elem(from, key, value);
	if (!*there && errno != ENOENT) {
		err = -errno;
	} else {
		err = *there ? bpf_map_update_elem(to, key, value, BPF_ANY)
			     : bpf_map_delete_elem(to, key);
		if (err == -ENOENT)
			err = 0;
	}
	close(from);
	return err;
}

/* A program's instructions, hashed by the kernel. */
static int read_tag(int fd, __u8 tag[BPF_TAG_SIZE])
{
	struct bpf_prog_info info = {0};
	__u32 length = sizeof(info);

	if (bpf_obj_get_info_by_fd(fd, &info, &length))
		return -errno;
	memcpy(tag, info.tag, BPF_TAG_SIZE);
	return 0;
}

/* Whether the pinned program and @program, ours, are the same. */
static int compare_tags(struct twin *twin, __u32 slot, const char *pin, int program)
{
	const char *port = twin->model->ports[slot].name;
	__u8 ours[BPF_TAG_SIZE], loaded[BPF_TAG_SIZE];
	char name[PIN_NAME_MAX];
	int fd = pin_open(twin->instance->pin_dir, pin_slot_name(name, pin, slot)), err;

	if (fd < 0) {
		log_error("%s: no program of ours is loaded for the port: %s", port, strerror(-fd));
		return fd;
	}
	err = read_tag(fd, loaded);
	if (!err)
		err = read_tag(program, ours);
	close(fd);
	if (err) {
		log_error("%s: cannot read what is known of the program: %s", port, strerror(-err));
		return err;
	}
	if (memcmp(ours, loaded, sizeof(ours)) != 0) {
		log_error("%s: the loaded program is another build's, for which this one cannot "
			  "speak; run \"zt6-bpf reload\", or explain with the build that is loaded",
			  port);
		return -ESTALE;
	}
	return 0;
}

static uint64_t left(__u64 until_ns, __u64 now_ns)
{
	return until_ns > now_ns ? until_ns - now_ns : 0;
}

/* The state that decides about one packet, as the instance has it now. */
static int copy_state(struct twin *twin, __u32 slot, __u8 from, const union zt6_addr *addr,
		      struct twin_knowledge *knowledge)
{
	struct zt6_address_key key = {.addr = *addr, .port = slot};
	const __u32 buckets_of[] = {slot, from};
	struct zt6_verified verified;
	struct zt6_path_mtu path_mtu;
	struct zt6_buckets buckets;
	struct zt6_agent agent;
	struct timespec now;
	__u64 absent_until_ns, now_ns;
	__u32 zero = 0;
	bool known, absent, there;
	int err;

	err = copy_element(twin, "verified", &key, &verified, sizeof(verified), &known);
	if (!err)
		err = copy_element(twin, "negative", &key, &absent_until_ns,
				   sizeof(absent_until_ns), &absent);
	for (size_t i = 0; i < sizeof(buckets_of) / sizeof(*buckets_of) && !err; i++)
		err = copy_element(twin, "buckets", &buckets_of[i], &buckets, sizeof(buckets),
				   &there);
	for (__u32 i = 0; i < twin->model->settings.tunnel_count && !err; i++) {
		__u32 tunnel = twin->model->settings.tunnels[i].port;

		err = copy_element(twin, "path_mtus", &tunnel, &path_mtu, sizeof(path_mtu), &there);
	}
	if (!err)
		err = copy_element(twin, "agent", &zero, &agent, sizeof(agent), &there);
	if (err)
		return err;
	clock_gettime(CLOCK_MONOTONIC, &now);
	now_ns = now.tv_sec * NSEC_PER_SEC + now.tv_nsec;
	*knowledge = (struct twin_knowledge){
		.verified_ns = known ? left(verified.expires_ns, now_ns) : 0,
		.absent_ns = absent ? left(absent_until_ns, now_ns) : 0,
		.agent_running = agent.heartbeat_ns + ZT6_AGENT_STALE_NS > now_ns,
	};
	agent.generation = ++twin->generation;
	if (bpf_map_update_elem(programs_map_fd(twin->programs, "agent"), &zero, &agent, BPF_ANY))
		return -errno;
	return 0;
}

/* The maps are this process's alone: what was not counted before is the packet's. */
static int read_verdict(struct twin *twin, __u32 slot, enum zt6_verdict *verdict)
{
	int fd = programs_map_fd(twin->programs, "counters");

	if (bpf_map_lookup_elem(fd, &slot, twin->per_cpu))
		return -errno;
	for (int cpu = 0; cpu < twin->cpus; cpu++) {
		for (int v = 0; v < ZT6_VERDICT_COUNT; v++) {
			if (!twin->per_cpu[cpu].verdicts[v].packets)
				continue;
			*verdict = v;
			memset(twin->per_cpu, 0, twin->cpus * sizeof(*twin->per_cpu));
			return bpf_map_update_elem(fd, &slot, twin->per_cpu, BPF_ANY) ? -errno : 0;
		}
	}
	return -ENODATA;
}

static int read_route(struct twin *twin, struct twin_answer *out)
{
	__u32 zero = 0;

	out->has_route = false;
	if (bpf_map_lookup_elem(programs_map_fd(twin->programs, "routes"), &zero, twin->route_sets))
		return -errno;
	for (int cpu = 0; cpu < twin->cpus; cpu++) {
		for (int way = 0; way < ZT6_WAYS; way++) {
			const struct zt6_route *route = &twin->route_sets[cpu].ways[way];

			if (!route->expires_jiffies || route->generation != twin->generation)
				continue;
			out->route = *route;
			out->has_route = true;
		}
	}
	return 0;
}

/* One run. @context: as the kind of program has it; read_verdict() tells -ENODATA where it leaves the
 * packet to the program of the other hook. */
static int run(struct twin *twin, int program, void *context, __u32 context_size, __u32 slot,
	       const __u8 *frame, size_t length, struct twin_answer *out)
{
	LIBBPF_OPTS(bpf_test_run_opts, options);
	int err;

	options.data_in = frame;
	options.data_size_in = length;
	options.data_out = out->frame;
	options.data_size_out = sizeof(out->frame);
	options.ctx_in = context;
	options.ctx_size_in = context_size;
	options.repeat = 1;
	err = bpf_prog_test_run_opts(program, &options);
	if (err)
		return err;
	out->length = options.data_size_out;
	return read_verdict(twin, slot, &out->verdict);
}

static int run_xdp(struct twin *twin, __u32 slot, const __u8 *frame, size_t length,
		   struct twin_answer *out)
{
	struct xdp_md context = {
		.data_end = length,
		.ingress_ifindex = twin->model->ports[slot].ifindex,
	};

	return run(twin, programs_xdp_fd(twin->programs, slot), &context, sizeof(context), slot,
		   frame, length, out);
}

static int run_tc(struct twin *twin, __u32 slot, const __u8 *frame, size_t length,
		  struct twin_answer *out)
{
	struct __sk_buff context = {.ifindex = twin->model->ports[slot].ifindex};

	return run(twin, programs_tc_port_fd(twin->programs, slot), &context, sizeof(context), slot,
		   frame, length, out);
}

/* As a frame meets the port's hooks. */
static int run_hooks(struct twin *twin, __u32 slot, const __u8 *frame, size_t length,
		     struct twin_answer *out)
{
	__u8 paths = twin->model->ports[slot].paths;
	int err = -ENODATA;

	if (paths & ZT6_PATH_XDP)
		err = run_xdp(twin, slot, frame, length, out);
	if (err == -ENODATA && (paths & ZT6_PATH_TC))
		err = run_tc(twin, slot, frame, length, out);
	return err ? err : read_route(twin, out);
}

static int compare_programs(struct twin *twin, __u32 slot)
{
	__u8 paths = twin->model->ports[slot].paths;
	int err = 0;

	if (paths & ZT6_PATH_XDP)
		err = compare_tags(twin, slot, "xdp_program",
				   programs_xdp_fd(twin->programs, slot));
	if (!err && (paths & ZT6_PATH_TC))
		err = compare_tags(twin, slot, "tc_program",
				   programs_tc_port_fd(twin->programs, slot));
	return err;
}

int twin_run(struct twin *twin, __u32 slot, __u8 from, const union zt6_addr *addr,
	     const __u8 *frame, size_t length, struct twin_answer *out,
	     struct twin_knowledge *knowledge)
{
	int err = compare_programs(twin, slot);

	if (err)
		return err;
	err = copy_state(twin, slot, from, addr, knowledge);
	if (!err)
		err = run_hooks(twin, slot, frame, length, out);
	if (err)
		log_error("%s: cannot let a packet run through the program: %s",
			  twin->model->ports[slot].name, strerror(-err));
	return err;
}
