/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the benchmark's programs and its userspace agree on. Include <linux/types.h> first. */
#ifndef BENCH_SHARED_H
#define BENCH_SHARED_H

/* All that a program under test may modify: up to the end of a solicitation's one option. */
#define BENCH_HEAD 86
/* That head, rounded up to whole words, so that it is copied by words. */
#define BENCH_HEAD_WORDS 11
/* A power of two. */
#define BENCH_MAX_FRAMES 1024

/* One of the frames that are sent in turn. */
struct bench_frame {
	__u64 head[BENCH_HEAD_WORDS];
};

/* How the generator makes frames. */
struct bench_plan {
	__u32 mask;   /* number of frames that take turns, less one */
	__u32 length; /* of each, bytes; at least BENCH_HEAD */
	__u32 vary;   /* offset of 8 bytes that are different in every frame; 0: none */
	__s32 wobble; /* bytes by which the frame's start is moved to and fro; 0: it is not */
};

/* How the counting program tells what it waits for from everything else. */
struct bench_expectation {
	__u32 offset;
	__u32 value; /* of the byte there */
};

struct bench_count {
	__u64 expected;
	__u64 other;
};

#endif
