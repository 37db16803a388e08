// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The benchmark's own programs: those that make frames, those that count what arrives, and the bare
 * ones that the gateway is compared with.
 *
 * A live frame comes back as the program under test has left it, and so does the frame of a
 * repeated BPF_PROG_TEST_RUN: whoever makes frames writes the whole head, each time.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "shared.h"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, BENCH_MAX_FRAMES);
	__type(key, __u32);
	__type(value, struct bench_frame);
} frames SEC(".maps");

/* Where the bare redirect leads. */
struct {
	__uint(type, BPF_MAP_TYPE_DEVMAP);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} exits SEC(".maps");

/* The program that gets the frames of generate_call. */
struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} callee SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct bench_count);
} counts SEC(".maps");

struct bench_plan plan;
struct bench_expectation expectation;

/* Of the one CPU that generates. */
__u64 turn;

/* Makes the next frame of the plan; 0, or -1 where it does not fit. */
static __always_inline int generate(struct xdp_md *ctx)
{
	__u32 index = turn++ & plan.mask;
	const struct bench_frame *frame = bpf_map_lookup_elem(&frames, &index);
	void *start = (void *)(long)ctx->data;
	long excess = (void *)(long)ctx->data_end - start - plan.length;
	__u32 vary = plan.vary & 127;
	__u64 *head;

	if (excess && bpf_xdp_adjust_head(ctx, excess))
		return -1;
	if (plan.wobble &&
	    (bpf_xdp_adjust_head(ctx, -plan.wobble) || bpf_xdp_adjust_head(ctx, plan.wobble)))
		return -1;
	head = (void *)(long)ctx->data;
	if (!frame || (void *)head + BENCH_HEAD > (void *)(long)ctx->data_end)
		return -1;
#pragma unroll
	for (int i = 0; i < BENCH_HEAD / 8; i++)
		head[i] = frame->head[i];
	*(__u32 *)(head + 10) = frame->head[10];
	*(__u16 *)((void *)(head + 10) + 4) = frame->head[10] >> 32;
	if (vary) {
		__u64 *varied = (void *)head + vary;

		if ((void *)(varied + 1) > (void *)(long)ctx->data_end)
			return -1;
		*varied = turn * 0x9e3779b97f4a7c15ULL;
	}
	return 0;
}

/* Out of the device that the live frames pretend to have come in by. */
SEC("xdp.frags")
int generate_send(struct xdp_md *ctx)
{
	return generate(ctx) ? XDP_ABORTED : XDP_TX;
}

/* Into the program under test, as if a driver called it. */
SEC("xdp.frags")
int generate_call(struct xdp_md *ctx)
{
	if (!generate(ctx))
		bpf_tail_call(ctx, &callee, 0);
	return XDP_ABORTED;
}

SEC("xdp.frags")
int count(struct xdp_md *ctx)
{
	const __u8 *byte = (void *)(long)ctx->data + (expectation.offset & 127);
	__u32 zero = 0;
	struct bench_count *counted = bpf_map_lookup_elem(&counts, &zero);

	if (!counted || (void *)(byte + 1) > (void *)(long)ctx->data_end)
		return XDP_DROP;
	if (*byte == expectation.value)
		counted->expected++;
	else
		counted->other++;
	return XDP_DROP;
}

/* The cheapest answer there is: the frame goes back, its MAC addresses swapped. */
SEC("xdp.frags")
int bare_swap(struct xdp_md *ctx)
{
	__u16 *mac = (void *)(long)ctx->data;

	if ((void *)(mac + 6) > (void *)(long)ctx->data_end)
		return XDP_ABORTED;
	for (int i = 0; i < 3; i++) {
		__u16 half = mac[i];

		mac[i] = mac[i + 3];
		mac[i + 3] = half;
	}
	return XDP_TX;
}

/* The cheapest forwarding there is. */
SEC("xdp.frags")
int bare_redirect(struct xdp_md *ctx __attribute__((unused)))
{
	return bpf_redirect_map(&exits, 0, XDP_ABORTED);
}

SEC("xdp.frags")
int bare_nothing(struct xdp_md *ctx __attribute__((unused)))
{
	return XDP_DROP;
}

char _license[] SEC("license") = "GPL";
