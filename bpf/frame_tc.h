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

static __always_inline long frame_load(frame_t *frame, __u32 offset, void *to, __u32 length)
{
	return bpf_skb_load_bytes(frame, offset, to, length);
}

/* Replaces two bytes that a transport checksum covers, and updates that, which for a checksum that
 * the device has yet to fill in is nothing. Both offsets count from the start of the frame; where
 * they differ by an odd number, the bytes are the low and the high one of two words. */
static __always_inline long frame_replace16(frame_t *frame, __u32 offset, __u32 checksum_offset,
					    __be16 from, __be16 to)
{
	bool odd = (offset - checksum_offset) & 1;
	long err = bpf_skb_store_bytes(frame, offset, &to, sizeof(to), 0);

	if (err)
		return err;
	return bpf_l4_csum_replace(frame, checksum_offset, odd ? __builtin_bswap16(from) : from,
				   odd ? __builtin_bswap16(to) : to, sizeof(to));
}

static __always_inline long frame_fib_lookup(frame_t *frame, struct bpf_fib_lookup *fib)
{
	return bpf_fib_lookup(frame, fib, sizeof(*fib), 0);
}

#endif
