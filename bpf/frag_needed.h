/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ICMPv4 "fragmentation needed" about our outer packets (RFC 1191): the path between a tunnel's ends
 * carries less than its first hop.
 *
 * Where the kernel has `sit`, it learns the same from the same message, which goes on to it, and
 * tells in the MTU of its IPv4 route; the smaller one counts. Where the tunnel is ours alone nobody
 * else would know.
 */
#ifndef ZT6_FRAG_NEEDED_H
#define ZT6_FRAG_NEEDED_H

#define IPPROTO_ICMP 1

/* RFC 792. */
#define ICMP_HEADER      8
#define ICMP_UNREACHABLE 3
#define ICMP_FRAG_NEEDED 4

/* "As much of the original datagram as possible without the length of the ICMP datagram exceeding
 * 576 bytes" (RFC 1812 §4.3.2.3); what is longer is nobody's answer to us. */
#define ICMP_ERROR_MAX 576

/* Of every IPv4 link, RFC 791: a smaller one is not plausible. */
#define IPV4_MIN_MTU 68

/* The IPv4 packet that a router complains with, up to the first 64 bits behind the quoted header,
 * which are always there (RFC 792). */
struct icmp_frag_needed {
	struct iphdr ip;
	__u8 type;
	__u8 code;
	__sum16 checksum;
	__be16 unused;
	__be16 next_hop_mtu; /* RFC 1191 §4 */
	struct iphdr quoted;
	__u8 quoted_ipv6[8];
};

_Static_assert(sizeof(struct icmp_frag_needed) == 56, "RFC 792, without padding");

/* RFC 1191 §5: routers that predate it leave the MTU 0; then it is the next plateau (§7) below what
 * they refused. */
static __always_inline __u32 path_mtu_plateau(__u32 refused)
{
	if (refused > 1492)
		return 1492;
	return PATH_MTU_FLOOR - 1; /* 1006 is the next one */
}

/* Whether the ICMP message, which begins behind the IPv4 header, has the right checksum. */
static __always_inline bool icmp_checksum_right(frame_t *frame, __u32 offset, __u32 length)
{
	const __u32 most = ICMP_ERROR_MAX - IPV4_HEADER, half = 512 /* bpf_csum_diff()'s most */;
	__u32 zero = 0;
	struct scratch *room = bpf_map_lookup_elem(&scratch, &zero);
	long sum;

	/* The verifier has to see what the caller has made sure of. */
	barrier_var(length);
	if (!room || length < ICMP_HEADER || length > most)
		return false;
	__builtin_memset(room->message, 0, sizeof(room->message));
	if (frame_load(frame, offset, room->message, length))
		return false;
	sum = bpf_csum_diff(NULL, 0, (__be32 *)room->message, half, 0);
	sum = bpf_csum_diff(NULL, 0, (__be32 *)(room->message + half), sizeof(room->message) - half,
			    sum);
	return sum >= 0 && !zt6_checksum_fold(sum);
}

/* The tunnel that the message is about, or NULL when it is none that we have reason to believe. */
static __always_inline const struct zt6_tunnel *path_mtu_about(
	frame_t *frame, const struct zt6_settings *settings, const struct packet *p,
	const struct icmp_frag_needed *message)
{
	__u32 total = bpf_ntohs(message->ip.tot_len);
	const struct zt6_tunnel *tunnel;

	if (p->to_group || message->ip.version_ihl != IPV4_VERSION_IHL ||
	    message->ip.protocol != IPPROTO_ICMP || message->type != ICMP_UNREACHABLE ||
	    message->code != ICMP_FRAG_NEEDED || message->ip.frag_off & bpf_htons(IPV4_FRAGMENT) ||
	    ipv4_checksum(&message->ip) || total < sizeof(*message) ||
	    total > p->frame_length - p->link_length)
		return NULL;
	if (message->quoted.version_ihl != IPV4_VERSION_IHL ||
	    message->quoted.protocol != IPPROTO_IPV6 ||
	    message->quoted.saddr != message->ip.daddr || message->quoted_ipv6[0] >> 4 != 6)
		return NULL;
	tunnel = sixinfour_tunnel(settings, message->quoted.daddr, message->quoted.saddr);
	/* What may be fragmented is not complained of. */
	if (!tunnel || !(tunnel->flags & ZT6_TUNNEL_DF) ||
	    !(message->quoted.frag_off & bpf_htons(IPV4_DF)) ||
	    !icmp_checksum_right(frame, p->link_length + IPV4_HEADER, total - IPV4_HEADER))
		return NULL;
	return tunnel;
}

/* Tells the agent, which brings the tunnel's interface in line for what takes the kernel's way. */
static __always_inline void path_mtu_tell(__u8 slot)
{
	struct zt6_event *event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);

	if (!event)
		return;
	__builtin_memset(event, 0, sizeof(*event));
	event->port = slot;
	event->kind = ZT6_EVENT_PATH_MTU;
	bpf_ringbuf_submit(event, 0);
}

/**
 * path_mtu_learn - take note of an ICMPv4 message about our outer packets, if it is one.
 * @p: a packet of the uplink, its link header parsed
 *
 * The packet itself goes on to the kernel whatever comes of this. A path MTU is only ever lowered by
 * a message, and grows again only when it is PATH_MTU_AGE old (RFC 1191 §6.3): whoever forges
 * messages gets packets of 1280 bytes sent, and no smaller ones. Each forged one that has an effect
 * lowers the MTU, so that there are few.
 */
static __noinline int path_mtu_learn(frame_t *frame, const struct zt6_settings *settings,
				     struct zt6_agent *told, const struct packet *p)
{
	struct icmp_frag_needed message;
	const struct zt6_tunnel *tunnel;
	struct zt6_path_mtu *known;
	__u32 mtu, current, slot;

	if (frame_load(frame, p->link_length, &message, sizeof(message)))
		return 0;
	tunnel = path_mtu_about(frame, settings, p, &message);
	if (!tunnel)
		return 0;
	mtu = bpf_ntohs(message.next_hop_mtu);
	if (!mtu)
		mtu = path_mtu_plateau(bpf_ntohs(message.quoted.tot_len));
	if (mtu < IPV4_MIN_MTU)
		return 0;
	/* Below the floor nothing depends on how far. */
	if (mtu < PATH_MTU_FLOOR)
		mtu = PATH_MTU_FLOOR - 1;
	slot = tunnel->port;
	known = bpf_map_lookup_elem(&path_mtus, &slot);
	if (!known)
		return 0;
	current = path_mtu_known(tunnel);
	if (mtu >= (current ? current + 1 : tunnel->mtu + IPV4_HEADER))
		return 0;
	known->local = tunnel->local;
	known->remote = tunnel->remote;
	known->mtu = mtu;
	known->expires_ns = bpf_ktime_get_coarse_ns() + settings->path_mtu_age_ns;
	if (mtu != current) {
		/* What the route cache holds goes by the old one. */
		__sync_fetch_and_add(&told->generation, 1);
		path_mtu_tell(slot);
	}
	return 0;
}

#endif
