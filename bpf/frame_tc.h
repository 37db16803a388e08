/* SPDX-License-Identifier: GPL-2.0-only */
/* A frame as TC sees it: the handful of operations in which XDP and TC differ. */
#ifndef ZT6_FRAME_TC_H
#define ZT6_FRAME_TC_H

typedef struct __sk_buff frame_t;

static __always_inline void *frame_data(const frame_t *frame)
{
	return (void *)(long)frame->data;
}

static __always_inline void *frame_end(const frame_t *frame)
{
	return (void *)(long)frame->data_end;
}

static __always_inline long frame_fib_lookup(frame_t *frame, struct bpf_fib_lookup *fib)
{
	return bpf_fib_lookup(frame, fib, sizeof(*fib), 0);
}

#endif
