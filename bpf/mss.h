/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * TCP's maximum segment size (RFC 9293 §3.7.1), lowered in segments with SYN to what the tunnel
 * carries: hosts behind firewalls that lose Packet Too Big then never send what does not fit.
 */
#ifndef ZT6_MSS_H
#define ZT6_MSS_H

#define TCP_HEADER       20
#define TCP_OPTIONS_MAX  40 /* the data offset is four bits of words */
#define TCP_OFFSET_BYTE  12
#define TCP_FLAGS_BYTE   13
#define TCP_FLAG_SYN     0x02
#define TCP_FLAG_RST     0x04
#define TCP_CHECKSUM_AT  16
#define TCP_OPT_END      0
#define TCP_OPT_NOP      1
#define TCP_OPT_MSS      2
#define TCP_OPT_MSS_SIZE 4

/* IPv6 and TCP without options: what an MSS does not count (RFC 6691). */
#define MSS_HEADERS (IPV6_HEADER + TCP_HEADER)

/* What TCP may announce where packets of this many bytes pass. */
static __always_inline __u16 mss_of_mtu(__u32 mtu)
{
	return mtu - MSS_HEADERS;
}

/*
 * The walk over the options. It is in a map, and where it stands volatile, because of what lies there
 * the verifier knows nothing: else it would follow every length that each option can have.
 */
struct mss_walk {
	__u8 options[64]; /* more than there are: the mask bounds every index */
	__u32 length;     /* of them, bytes */
	__u32 at;
	__u32 found; /* index of the value of the MSS option, or 0 */
};
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct mss_walk);
} mss_walks SEC(".maps");

/* Passes one option; false when it is the last one, or none: then *@bad says whether the options are
 * to be trusted. */
static __always_inline bool mss_step(volatile struct mss_walk *walk, bool *bad)
{
	const __u32 mask = sizeof(walk->options) - 1;
	__u32 at = walk->at;
	__u8 kind = walk->options[at & mask], size = walk->options[(at + 1) & mask];

	if (at >= walk->length || kind == TCP_OPT_END)
		return false;
	if (kind == TCP_OPT_NOP) {
		walk->at = at + 1;
		return true;
	}
	*bad = at + 1 >= walk->length || size < 2 || size > walk->length - at ||
	       (kind == TCP_OPT_MSS && (size != TCP_OPT_MSS_SIZE || walk->found));
	if (*bad)
		return false;
	if (kind == TCP_OPT_MSS)
		walk->found = at + 2;
	walk->at = at + size;
	return true;
}

/* Index of the value of the MSS option, or 0 where there is none, where there are two, or where an
 * option does not keep within the header: such a segment is left alone. */
static __always_inline __u32 mss_find(volatile struct mss_walk *walk)
{
	bool bad = false;

	walk->at = walk->found = 0;
	/* Each step passes at least one byte. */
	for (int i = 0; i < TCP_OPTIONS_MAX && mss_step(walk, &bad); i++)
		;
	return bad ? 0 : walk->found;
}

/**
 * mss_clamp - lower the MSS of a segment that opens a connection.
 * @offset: of the TCP header in the frame
 * @length: of TCP header and payload, bytes
 * @mss: the most that may be announced
 *
 * Only ever lowers; what is no segment with SYN, has no MSS option or is malformed stays as it is.
 * The checksum is updated by what changed (RFC 1624 eqn. 3).
 */
static __noinline int mss_clamp(frame_t *frame, __u32 offset, __u32 length, __u16 mss)
{
	__u8 head[TCP_HEADER];
	__u32 zero = 0, size, at;
	struct mss_walk *walk = bpf_map_lookup_elem(&mss_walks, &zero);
	__be16 from;

	if (!walk || length < TCP_HEADER || frame_load(frame, offset, head, sizeof(head)) ||
	    (head[TCP_FLAGS_BYTE] & (TCP_FLAG_SYN | TCP_FLAG_RST)) != TCP_FLAG_SYN)
		return 0;
	size = (head[TCP_OFFSET_BYTE] >> 4) * 4;
	if (size <= TCP_HEADER || size > length)
		return 0;
	size -= TCP_HEADER;
	if (size > TCP_OPTIONS_MAX || frame_load(frame, offset + TCP_HEADER, walk->options, size))
		return 0;
	walk->length = size;
	at = mss_find(walk);
	if (!at || at >= TCP_OPTIONS_MAX)
		return 0;
	__builtin_memcpy(&from, walk->options + at, sizeof(from));
	if (bpf_ntohs(from) <= mss)
		return 0;
	return frame_replace16(frame, offset + TCP_HEADER + at, offset + TCP_CHECKSUM_AT, from,
			       bpf_htons(mss));
}

#endif
