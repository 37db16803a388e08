/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A frame as TC sees it: the handful of operations in which XDP and TC differ.
 *
 * It may be what GRO made of many packets, or what segmentation offload has yet to cut up; its
 * checksum may be somebody else's to fill in, or may have been summed up by the device. The kernel
 * keeps all that in order as long as bytes change by the helpers that tell it so.
 */
#ifndef ZT6_FRAME_TC_H
#define ZT6_FRAME_TC_H

#include "zt6_na.h"
#include "link_header.h"
#include "maps.h"

typedef struct __sk_buff frame_t;

#define FRAME_IN_XDP false

/* What comes out of the kernel's `sit` has no link layer. */
#define FRAME_MAY_LACK_LINK true

/* The kernel has put the outermost tag beside the frame: one that is in it is another's. */
#define FRAME_TAG_BESIDE true

/* Headers that the stages look at: Ethernet, 6in4, IPv6, and what of TCP or ND matters most. */
#define FRAME_HEADERS 128

static __always_inline void *frame_data(const frame_t *frame)
{
	return (void *)(long)frame->data;
}

static __always_inline void *frame_end(const frame_t *frame)
{
	return (void *)(long)frame->data_end;
}

/* Sees to it that the headers can be read in place. */
static __always_inline void frame_prepare(frame_t *frame)
{
	__u32 wanted = frame->len < FRAME_HEADERS ? frame->len : FRAME_HEADERS;

	if (frame_data(frame) + wanted > frame_end(frame))
		bpf_skb_pull_data(frame, wanted);
}

static __always_inline __u32 frame_length(frame_t *frame)
{
	return frame->len;
}

/* What follows the link layer, network byte order. */
static __always_inline __be16 frame_protocol(const frame_t *frame)
{
	return frame->protocol;
}

/* How many packets have come, or will leave, as this one. */
static __always_inline __u32 frame_packets(frame_t *frame)
{
	return frame->gso_segs > 1 ? frame->gso_segs : 1;
}

/* Payload bytes of each of the packets that an aggregate stands for; 0: it is one packet. */
static __always_inline __u32 frame_segment_size(frame_t *frame)
{
	return frame->gso_size;
}

/* In TC the kernel hands over frames in several buffers as one. */
static __always_inline bool frame_is_multi_buffer(frame_t *frame, __u32 length)
{
	(void)frame;
	(void)length;
	return false;
}

/* VID of the tag that is beside the frame, or 0; for one of another kind (802.1ad) a VID that no port
 * has (IEEE 802.1Q table 9-2). */
static __always_inline __u16 frame_vid_beside(frame_t *frame)
{
	if (!frame->vlan_present)
		return 0;
	return frame->vlan_proto == bpf_htons(ETH_P_8021Q) ? frame->vlan_tci & VLAN_VID_MASK
							   : VLAN_VID_MASK;
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

/* Moves the end of the frame: grows it by @bytes, or trims it when negative. */
static __always_inline long frame_grow_tail(frame_t *frame, int bytes)
{
	return bpf_skb_change_tail(frame, frame->len + bytes, 0);
}

/* Where to build the advertisement that the frame, which is as long already, turns into. */
static __always_inline struct zt6_na *frame_reply(frame_t *frame, __u16 offset)
{
	__u32 zero = 0;
	struct scratch *on_this_cpu = bpf_map_lookup_elem(&scratch, &zero);

	(void)frame;
	(void)offset;
	return on_this_cpu ? &on_this_cpu->advertisement : NULL;
}

/* It is built: it goes into the frame by a helper that keeps the device's checksum right. */
static __always_inline long frame_reply_written(frame_t *frame, __u16 offset,
						const struct zt6_na *na)
{
	return bpf_skb_store_bytes(frame, offset, na, sizeof(*na), BPF_F_RECOMPUTE_CSUM);
}

static __always_inline long frame_fib_lookup(frame_t *frame, struct bpf_fib_lookup *fib)
{
	return bpf_fib_lookup(frame, fib, sizeof(*fib), 0);
}

#endif
