/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Measuring: frames by BPF_PROG_RUN, and what becomes of them.
 *
 * All of a sample happens on one CPU: the generator puts a batch of frames into its end of a veth,
 * the program at the other end and the one that counts run as soon as the batch is complete, then
 * the next batch begins. Nothing is lost unless a program loses it.
 *
 * Functions return 0 or a negative error, and say on stderr what failed.
 */
#ifndef BENCH_MEASURE_H
#define BENCH_MEASURE_H

#include "frames.h"
#include "lab.h"

struct generator_bpf;

struct bench {
	struct lab lab;
	struct generator_bpf *programs;
	int to_gateway, to_lan, to_rival; /* devices of OUTSIDE, indices */
};

/* What became of the frames of one sample. */
struct sample {
	double seconds;
	uint64_t sent;
	uint64_t arrived; /* as expected */
	uint64_t other;   /* otherwise */
};

int bench_open(struct bench *bench, const char *directory, const char *zt6_bpf);
void bench_close(struct bench *bench);

/* What the counting programs look for: @value in the byte at @offset. */
void bench_expect(struct bench *bench, uint32_t offset, uint8_t value);

/* Puts a program on a port of the gateway; port->program puts the gateway's own back. */
int bench_occupy(const struct gateway_port *port, int program);

/* The device that the bare redirect leads to. */
int bench_exit_to(struct bench *bench, uint32_t ifindex);

/**
 * bench_send - send frames out of a device of OUTSIDE, and count what arrives at any.
 * @settle: seconds to wait until nothing arrives any more, for receivers in userspace
 */
int bench_send(struct bench *bench, const struct frames *frames, int device, uint64_t packets,
	       double settle, struct sample *out);

/* The same into the TAP: bursts that its queue holds, read after each, out of the time measured. */
int bench_send_to_tap(struct bench *bench, const struct frames *frames, uint64_t packets,
		      struct sample *out);

/* As if the overlay's driver called @program with each frame. */
int bench_send_from_overlay(struct bench *bench, const struct frames *frames, int program,
			    uint64_t packets, struct sample *out);

/* Writes frames into the TAP, one system call each, as zerotier-one does. */
int bench_write_to_tap(struct bench *bench, const struct frames *frames, uint64_t packets,
		       struct sample *out);

/**
 * bench_cost - nanoseconds that a program takes per packet.
 * @head_moves: by how many bytes it moves the start of the frame, which the repetition has to take
 *	back; that is not counted
 *
 * An empty program's time for the same frames is taken off.
 */
int bench_cost(struct bench *bench, const struct gateway_port *port, const struct frames *frames,
	       int head_moves, uint64_t packets, double *ns);

#endif
