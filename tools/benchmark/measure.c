// SPDX-License-Identifier: GPL-2.0-or-later
#include "measure.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/if_link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tools/benchmark/generator.skel.h"

/* Frames before each sample, for the caches of all sorts. */
#define WARM_UP 1000

/* Frames that are in the TAP's queue (its txqueuelen in topology.sh) at once. */
#define TAP_BURST 4000

/* Index of lo in every namespace. */
#define LOOPBACK 1

static double now(clockid_t clock)
{
	struct timespec time;

	clock_gettime(clock, &time);
	return time.tv_sec + time.tv_nsec / 1e9;
}

static int fail(const char *what)
{
	int err = errno;

	fprintf(stderr, "bench: cannot %s: %s\n", what, strerror(err));
	return -err;
}

/**
 * keep_ready - have a generating program attached to an idle device.
 *
 * The kernel calls XDP programs that are in use directly. Taking one into use for each run, and out
 * of it, would cost two grace periods of RCU.
 */
static int keep_ready(struct bench *bench, enum place place, const struct bpf_program *program)
{
	LIBBPF_OPTS(bpf_link_create_opts, options, .flags = XDP_FLAGS_SKB_MODE);
	int err = lab_enter(&bench->lab, place);

	if (!err && bpf_link_create(bpf_program__fd(program), LOOPBACK, BPF_XDP, &options) < 0)
		err = fail("attach the generator to lo");
	return err;
}

/* The device's end counts what arrives there. */
static int count_at(struct bench *bench, const char *name)
{
	int ifindex = lab_ifindex(&bench->lab, OUTSIDE, name);
	int program = bpf_program__fd(bench->programs->progs.count);

	if (ifindex < 0)
		return ifindex;
	return bpf_link_create(program, ifindex, BPF_XDP, NULL) < 0 ? fail("attach to a veth")
								    : ifindex;
}

int bench_open(struct bench *bench, const char *directory, const char *zt6_bpf)
{
	int err;

	bench->programs = NULL;
	err = lab_open(&bench->lab, directory, zt6_bpf);
	if (err)
		return err;
	bench->programs = generator_bpf__open_and_load();
	if (!bench->programs)
		return fail("load the generator's programs");
	bench->to_gateway = count_at(bench, "to-gateway");
	bench->to_lan = count_at(bench, "to-lan");
	bench->to_rival = count_at(bench, "to-rival");
	err = bench->to_gateway < 0 ? bench->to_gateway : bench->to_lan;
	if (err < 0 || bench->to_rival < 0)
		return err < 0 ? err : bench->to_rival;
	err = keep_ready(bench, OUTSIDE, bench->programs->progs.generate_send);
	return err ? err : keep_ready(bench, RIVAL, bench->programs->progs.generate_call);
}

void bench_close(struct bench *bench)
{
	generator_bpf__destroy(bench->programs);
	lab_close(&bench->lab);
}

void bench_expect(struct bench *bench, uint32_t offset, uint8_t value)
{
	bench->programs->bss->expectation.offset = offset;
	bench->programs->bss->expectation.value = value;
}

int bench_occupy(const struct gateway_port *port, int program)
{
	return bpf_link_update(port->link, program, NULL) ? fail("replace a program") : 0;
}

int bench_exit_to(struct bench *bench, uint32_t ifindex)
{
	int err = lab_enter(&bench->lab, GATEWAY);
	__u32 zero = 0;

	if (err)
		return err;
	if (bpf_map_update_elem(bpf_map__fd(bench->programs->maps.exits), &zero, &ifindex, BPF_ANY))
		return fail("choose the device of the bare redirect");
	return 0;
}

static int set_plan(struct bench *bench, const struct frames *frames, int wobble)
{
	int fd = bpf_map__fd(bench->programs->maps.frames);

	bench->programs->bss->plan = (struct bench_plan){
		.mask = frames->count - 1,
		.length = frames->length,
		.vary = frames->vary,
		.wobble = wobble,
	};
	for (__u32 i = 0; i < frames->count; i++)
		if (bpf_map_update_elem(fd, &i, &frames->list[i], BPF_ANY))
			return fail("write the generator's frames");
	return 0;
}

/* Reads the counters of what arrived; with @clear they start again. */
static int arrivals(struct bench *bench, struct bench_count *out, bool clear)
{
	int fd = bpf_map__fd(bench->programs->maps.counts), cpus = libbpf_num_possible_cpus();
	struct bench_count *per_cpu = calloc(cpus, sizeof(*per_cpu));
	__u32 zero = 0;
	int err = 0;

	*out = (struct bench_count){0};
	if (!per_cpu)
		return -ENOMEM;
	if (clear ? bpf_map_update_elem(fd, &zero, per_cpu, BPF_ANY)
		  : bpf_map_lookup_elem(fd, &zero, per_cpu))
		err = fail("read the counters");
	for (int cpu = 0; cpu < cpus; cpu++) {
		out->expected += per_cpu[cpu].expected;
		out->other += per_cpu[cpu].other;
	}
	free(per_cpu);
	return err;
}

/**
 * run - run a generating program on frames that came in by @device of the current namespace.
 * @seconds: what that took, without what the kernel does before and after
 */
static int run(const struct frames *frames, int program, int device, bool live, uint64_t packets,
	       double *seconds)
{
	static char frame[4096];
	struct xdp_md context = {.data_end = frames->length, .ingress_ifindex = device};
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame, .data_size_in = frames->length,
		    .ctx_in = &context, .ctx_size_in = sizeof(context), .repeat = packets,
		    .flags = live ? BPF_F_TEST_XDP_LIVE_FRAMES : 0);

	*seconds = 0;
	if (bpf_prog_test_run_opts(program, &opts))
		return fail("run the generator");
	if (!live && opts.retval == XDP_ABORTED) {
		errno = EPROTO;
		return fail("call the program under test");
	}
	*seconds = opts.duration / 1e9 * packets;
	return 0;
}

/* Waits until nothing has arrived for a while, at most @settle seconds; as long as something does
 * is part of the sample's time. */
static int wait_for_stragglers(struct bench *bench, double settle, struct sample *out)
{
	const struct timespec a_while = {.tv_nsec = 50 * 1000 * 1000};
	double start = now(CLOCK_MONOTONIC), flood = out->seconds;
	struct bench_count before, after;
	int err = arrivals(bench, &after, false);

	while (!err && now(CLOCK_MONOTONIC) < start + settle) {
		before = after;
		nanosleep(&a_while, NULL);
		err = arrivals(bench, &after, false);
		if (after.expected == before.expected)
			break;
		out->seconds = flood + now(CLOCK_MONOTONIC) - start;
	}
	return err;
}

static int send_and_count(struct bench *bench, const struct frames *frames, int program, int device,
			  uint64_t packets, double settle, struct sample *out)
{
	struct bench_count counted;
	int err = set_plan(bench, frames, 0);

	if (!err)
		err = run(frames, program, device, true, WARM_UP, &out->seconds);
	if (!err)
		err = arrivals(bench, &counted, true);
	if (!err)
		err = run(frames, program, device, true, packets, &out->seconds);
	if (!err && settle > 0)
		err = wait_for_stragglers(bench, settle, out);
	if (!err)
		err = arrivals(bench, &counted, false);
	out->sent = packets;
	out->arrived = counted.expected;
	out->other = counted.other;
	return err;
}

int bench_send(struct bench *bench, const struct frames *frames, int device, uint64_t packets,
	       double settle, struct sample *out)
{
	int err = lab_enter(&bench->lab, OUTSIDE);

	return err ? err
		   : send_and_count(bench, frames,
				    bpf_program__fd(bench->programs->progs.generate_send), device,
				    packets, settle, out);
}

static int call(struct bench *bench, int program)
{
	__u32 zero = 0;

	if (bpf_map_update_elem(bpf_map__fd(bench->programs->maps.callee), &zero, &program,
				BPF_ANY))
		return fail("choose the program under test");
	return 0;
}

int bench_send_from_overlay(struct bench *bench, const struct frames *frames, int program,
			    uint64_t packets, struct sample *out)
{
	int err = lab_enter(&bench->lab, GATEWAY);

	if (!err)
		err = call(bench, program);
	return err ? err
		   : send_and_count(bench, frames,
				    bpf_program__fd(bench->programs->progs.generate_call),
				    bench->lab.overlay.ifindex, packets, 0, out);
}

/* Takes everything out of the TAP. */
static void drain(struct bench *bench, struct sample *out)
{
	const struct bench_expectation *wanted = &bench->programs->bss->expectation;
	uint8_t frame[4096];
	ssize_t length;

	while ((length = read(bench->lab.tap, frame, sizeof(frame))) > 0) {
		if (length > wanted->offset && frame[wanted->offset] == wanted->value)
			out->arrived++;
		else
			out->other++;
	}
}

int bench_send_to_tap(struct bench *bench, const struct frames *frames, uint64_t packets,
		      struct sample *out)
{
	int err = lab_enter(&bench->lab, OUTSIDE);
	double seconds;

	if (!err)
		err = set_plan(bench, frames, 0);
	*out = (struct sample){0};
	drain(bench, out);
	*out = (struct sample){0};
	while (!err && out->sent < packets) {
		err = run(frames, bpf_program__fd(bench->programs->progs.generate_send),
			  bench->to_gateway, true, TAP_BURST, &seconds);
		out->seconds += seconds;
		out->sent += TAP_BURST;
		drain(bench, out);
	}
	return err;
}

int bench_write_to_tap(struct bench *bench, const struct frames *frames, uint64_t packets,
		       struct sample *out)
{
	uint8_t frame[BENCH_MEMBERS][256] = {0};
	struct bench_count counted;
	int err = arrivals(bench, &counted, true);
	double start;

	for (uint32_t i = 0; i < frames->count; i++)
		memcpy(frame[i], frames->list[i].head, BENCH_HEAD);
	start = now(CLOCK_MONOTONIC);
	for (out->sent = 0; !err && out->sent < packets; out->sent++)
		if (write(bench->lab.tap, frame[out->sent % frames->count], frames->length) < 0)
			err = fail("write to the TAP");
	out->seconds = now(CLOCK_MONOTONIC) - start;
	if (!err)
		err = arrivals(bench, &counted, false);
	out->arrived = counted.expected;
	out->other = counted.other;
	return err;
}

/* Time of one packet, the generating wrapper included. */
static int repeat(struct bench *bench, const struct gateway_port *port, int program,
		  const struct frames *frames, int wobble, uint64_t packets, double *ns)
{
	int err = call(bench, program);
	double start, seconds;

	if (!err)
		err = set_plan(bench, frames, wobble);
	/* Nothing but this thread takes part, so what others do on this CPU need not count. */
	start = now(CLOCK_THREAD_CPUTIME_ID);
	if (!err)
		err = run(frames, bpf_program__fd(bench->programs->progs.generate_call),
			  port->ifindex, false, packets, &seconds);
	*ns = (now(CLOCK_THREAD_CPUTIME_ID) - start) * 1e9 / packets;
	return err;
}

int bench_cost(struct bench *bench, const struct gateway_port *port, const struct frames *frames,
	       int head_moves, uint64_t packets, double *ns)
{
	int nothing = bpf_program__fd(bench->programs->progs.bare_nothing);
	double full = 0, empty = 0, moved = 0;
	int err = lab_enter(&bench->lab, GATEWAY);

	if (!err)
		err = repeat(bench, port, port->program, frames, 0, packets, &full);
	if (!err)
		err = repeat(bench, port, nothing, frames, 0, packets, &empty);
	if (!err && head_moves) {
		/* There and back are two moves, of which the repetition makes one. */
		err = repeat(bench, port, nothing, frames, head_moves, packets, &moved);
		full -= (moved - empty) / 2;
	}
	*ns = full - empty;
	return err;
}
