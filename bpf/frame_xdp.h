/* SPDX-License-Identifier: GPL-2.0-only */
/* A frame as XDP sees it: the handful of operations in which XDP and TC differ. */
#ifndef ZT6_FRAME_XDP_H
#define ZT6_FRAME_XDP_H

#include "zt6_na.h"
#include "link_header.h"

typedef struct xdp_md frame_t;

/* XDP is on Ethernet ports only, and sees tags where the wire has them. */
#define FRAME_IN_XDP        true
#define FRAME_MAY_LACK_LINK false
#define FRAME_TAG_BESIDE    false

static __always_inline void *frame_data(const frame_t *frame)
{
	return (void *)(long)frame->data;
}

static __always_inline void *frame_end(const frame_t *frame)
{
	return (void *)(long)frame->data_end;
}

static __always_inline void frame_prepare(frame_t *frame)
{
	(void)frame;
}

static __always_inline __be16 frame_protocol(const frame_t *frame)
{
	(void)frame;
	return 0;
}

static __always_inline __u16 frame_vid_beside(const frame_t *frame)
{
	(void)frame;
	return 0;
}

/* A frame is one packet. */
static __always_inline __u32 frame_packets(const frame_t *frame)
{
	(void)frame;
	return 1;
}

static __always_inline __u32 frame_segment_size(const frame_t *frame)
{
	(void)frame;
	return 0;
}

/* Bytes of the whole frame, fragments of a multi-buffer one included. */
static __always_inline __u32 frame_length(frame_t *frame)
{
	return bpf_xdp_get_buff_len(frame);
}

/* Whether part of the frame lies outside of what data and data_end span. */
static __always_inline bool frame_is_multi_buffer(frame_t *frame, __u32 length)
{
	return frame->data_end - frame->data != length;
}

static __always_inline long frame_load(frame_t *frame, __u32 offset, void *to, __u32 length)
{
	return bpf_xdp_load_bytes(frame, offset, to, length);
}

/* Replaces two bytes that an Internet checksum covers, and updates that (RFC 1624 eqn. 3). Both
 * offsets count from the start of the frame; where they differ by an odd number, the bytes are the
 * low and the high one of two words. */
static __always_inline long frame_replace16(frame_t *frame, __u32 offset, __u32 checksum_offset,
					    __be16 from, __be16 to)
{
	bool odd = (offset - checksum_offset) & 1;
	__u64 sum = odd ? (__u16)~__builtin_bswap16(from) + (__u64)__builtin_bswap16(to)
			: (__u16)~from + (__u64)to;
	__sum16 checksum;
	long err;

	err = bpf_xdp_load_bytes(frame, checksum_offset, &checksum, sizeof(checksum));
	if (err)
		return err;
	checksum = zt6_checksum_fold(sum + (__u16)~checksum);
	err = bpf_xdp_store_bytes(frame, offset, &to, sizeof(to));
	return err ? err : bpf_xdp_store_bytes(frame, checksum_offset, &checksum, sizeof(checksum));
}

/* Moves the start of the frame: grows it in front by @bytes, or shrinks it when negative. */
static __always_inline long frame_grow_front(frame_t *frame, int bytes)
{
	return bpf_xdp_adjust_head(frame, -bytes);
}

/* Moves the end of the frame: grows it by @bytes, or trims it when negative. */
static __always_inline long frame_grow_tail(frame_t *frame, int bytes)
{
	return bpf_xdp_adjust_tail(frame, bytes);
}

/* Where to build the advertisement that the frame, which is as long already, turns into; NULL where
 * there is no room. */
static __always_inline struct zt6_na *frame_reply(frame_t *frame, __u16 offset)
{
	struct zt6_na *na = frame_data(frame) + (offset & 63);

	return (void *)(na + 1) > frame_end(frame) ? NULL : na;
}

/* It is built. */
static __always_inline long frame_reply_written(frame_t *frame, __u16 offset,
						const struct zt6_na *na)
{
	(void)frame;
	(void)offset;
	(void)na;
	return 0;
}

static __always_inline long frame_fib_lookup(frame_t *frame, struct bpf_fib_lookup *fib)
{
	return bpf_fib_lookup(frame, fib, sizeof(*fib), 0);
}

#endif
