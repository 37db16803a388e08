/* SPDX-License-Identifier: GPL-2.0-only */
/* 6in4: what RFC 4213 (encapsulation) and RFC 6040 (ECN) ask of both ends of the tunnel. */
#ifndef ZT6_SIXINFOUR_H
#define ZT6_SIXINFOUR_H

#define NOT_SIXINFOUR (-2) /* in place of a verdict */

#define ECN_MASK    0x03
#define ECN_NOT_ECT 0x00
#define ECN_ECT_1   0x01
#define ECN_ECT_0   0x02
#define ECN_CE      0x03

#define LOOPBACK_IFINDEX 1

/* The tunnel between these ends, or NULL. */
static __always_inline const struct zt6_tunnel *sixinfour_tunnel(
	const struct zt6_settings *settings, __be32 remote, __be32 local)
{
	for (__u32 i = 0; i < ZT6_MAX_TUNNELS && i < settings->tunnel_count; i++)
		if (settings->tunnels[i].remote == remote && settings->tunnels[i].local == local)
			return &settings->tunnels[i];
	return NULL;
}

/* Whether the kernel drops 6in4 between these ends, because it is for a tunnel of this uplink and from
 * none of its brokers: what the shipped rules say of it. */
static __always_inline bool sixinfour_unwanted(const struct zt6_settings *settings, __u8 uplink,
					       __be32 remote, __be32 local)
{
	bool ours = false;

	if (!(settings->flags & ZT6_SETTINGS_BROKERS_ONLY))
		return false;
	for (__u32 i = 0; i < ZT6_MAX_TUNNELS && i < settings->tunnel_count; i++) {
		const struct zt6_tunnel *tunnel = &settings->tunnels[i];

		if (tunnel->uplink != uplink)
			continue;
		if (tunnel->remote == remote)
			return false;
		ours |= tunnel->local == local;
	}
	return ours;
}

/* The tunnel of a port, or NULL. The mask bounds the index for the verifier. */
static __always_inline const struct zt6_tunnel *sixinfour_tunnel_of(
	const struct zt6_settings *settings, const struct zt6_port *port)
{
	if (!port || port->role != ZT6_ROLE_TUNNEL)
		return NULL;
	return &settings->tunnels[port->tunnel & (ZT6_MAX_TUNNELS - 1)];
}

/**
 * sixinfour_outer - check the IPv4 header at p->link_length, and step behind it.
 * @tunnel: out, whose packet it is
 *
 * Other IPv4 is NOT_SIXINFOUR. What belongs to no tunnel of ours passes, for there may be others,
 * unless the kernel would take it from nobody; so does what only the kernel's own tunnel handles
 * (fragments, options). The kernel has not seen the header yet, so its
 * checksum is verified here.
 */
static __always_inline int sixinfour_outer(frame_t *frame, const struct zt6_settings *settings,
					   struct packet *p, const struct zt6_tunnel **tunnel,
					   __u32 *room)
{
	const struct iphdr *ip = frame_at(frame, p->link_length);
	__u32 total;

	if ((const void *)(ip + 1) > frame_end(frame))
		return ZT6_PASS_OTHER;
	if (ip->protocol != IPPROTO_IPV6)
		return NOT_SIXINFOUR;
	*tunnel = sixinfour_tunnel(settings, ip->saddr, ip->daddr);
	if (p->to_group)
		return ZT6_PASS_OTHER;
	if (!*tunnel)
		return sixinfour_unwanted(settings, p->in_port, ip->saddr, ip->daddr)
			       ? ZT6_DROP_NOT_BROKER
			       : ZT6_PASS_OTHER;
	if (ip->version_ihl != IPV4_VERSION_IHL)
		return ip->version_ihl > IPV4_VERSION_IHL && ip->version_ihl < 0x50
			       ? ZT6_PASS_EXTENSION_HEADER
			       : ZT6_DROP_MALFORMED;
	total = bpf_ntohs(ip->tot_len);
	if (ipv4_checksum(ip) || total > p->frame_length - p->link_length)
		return ZT6_DROP_MALFORMED;
	if (ip->frag_off & bpf_htons(IPV4_FRAGMENT))
		return ZT6_PASS_FRAGMENT;
	if (total < IPV4_HEADER + IPV6_HEADER)
		return ZT6_DROP_MALFORMED;
	p->ip_offset = p->link_length + IPV4_HEADER;
	p->in_port = (*tunnel)->port;
	p->outer_ecn = ip->tos & ECN_MASK;
	*room = total - IPV4_HEADER;
	return GO_ON;
}

/* RFC 4213 §3.6: inner sources that no packet from a tunnel may have. */
static __always_inline bool sixinfour_source_martian(const union zt6_addr *src)
{
	return addr_multicast(src) || (addr_embeds_no_host(src) && !addr_unspecified(src));
}

/* RFC 6040 §4.2: the ECN field that leaves the tunnel, or -1 where the packet must be dropped. */
static __always_inline int ecn_decapsulate(__u8 inner, __u8 outer)
{
	inner &= ECN_MASK;
	if (outer == ECN_CE)
		return inner == ECN_NOT_ECT ? -1 : ECN_CE;
	if (outer == ECN_ECT_1 && inner == ECN_ECT_0)
		return ECN_ECT_1;
	return inner;
}

/* Decapsulation, all checks of it: after GO_ON the packet is the inner one, from the tunnel. */
static __always_inline int sixinfour_decapsulate(frame_t *frame,
						 const struct zt6_settings *settings,
						 struct packet *p)
{
	const struct zt6_tunnel *tunnel;
	__u32 room;
	int verdict;

	verdict = sixinfour_outer(frame, settings, p, &tunnel, &room);
	if (verdict != GO_ON)
		return verdict;
	verdict = packet_ipv6(frame, p, room);
	if (verdict != GO_ON)
		return verdict;
	if (sixinfour_source_martian(&p->src))
		return ZT6_DROP_INNER_SOURCE;
	if (ecn_decapsulate(p->traffic_class, p->outer_ecn) < 0)
		return ZT6_DROP_ECN;
	return GO_ON;
}

/* The outer header, without what differs from packet to packet: total length, identification and
 * inherited fields are 0, and the checksum is that of the header as it stands. */
static __always_inline void sixinfour_outer_header(struct iphdr *ip,
						   const struct zt6_tunnel *tunnel, __u8 flags)
{
	ip->version_ihl = IPV4_VERSION_IHL;
	ip->tos = tunnel->flags & ZT6_TUNNEL_INHERIT_TOS ? 0 : tunnel->tos & ~ECN_MASK;
	ip->tot_len = 0;
	ip->id = 0;
	ip->frag_off = flags & ZT6_TUNNEL_DF ? bpf_htons(IPV4_DF) : 0;
	ip->ttl = tunnel->flags & ZT6_TUNNEL_INHERIT_TTL ? 0 : tunnel->ttl;
	ip->protocol = IPPROTO_IPV6;
	ip->check = 0;
	ip->saddr = tunnel->local;
	ip->daddr = tunnel->remote;
	ip->check = ipv4_checksum(ip);
}

/**
 * sixinfour_header - prepare the header that takes packets into a tunnel.
 * @uplink: the port that the tunnel's packets leave by
 * @fib: out, the answer of the kernel; mtu_result is that of the IPv4 path
 * @length: of the packet that it is for, bytes of IPv6, where there is no choice about that any more;
 *	else 0
 * @route: out, header, tunnel flags and MTU
 *
 * The next hop comes from the kernel's own table. Asked from lo (whose `forwarding` the loader
 * sets), the lookup is that of a packet which the machine itself sends. Returns a
 * BPF_FIB_LKUP_RET_*; NOT_FWDED as well when the route does not leave by the uplink.
 *
 * Where the path carries no 1280 bytes of IPv6 whole, Don't Fragment stays off (RFC 4213 §3.2.2).
 */
static __always_inline long sixinfour_header(frame_t *frame, const struct zt6_tunnel *tunnel,
					     const struct zt6_port *uplink, __u32 length,
					     struct bpf_fib_lookup *fib, struct zt6_route *route)
{
	__u8 flags = tunnel->flags;
	bool whole;
	long result;

	__builtin_memset(fib, 0, sizeof(*fib));
	fib->family = 2; /* AF_INET */
	fib->l4_protocol = IPPROTO_IPV6;
	fib->tot_len = 1; /* non-zero asks for mtu_result */
	fib->ifindex = LOOPBACK_IFINDEX;
	fib->ipv4_src = tunnel->local;
	fib->ipv4_dst = tunnel->remote;
	result = frame_fib_lookup(frame, fib);
	if (result != BPF_FIB_LKUP_RET_SUCCESS)
		return result;
	if (fib->ifindex != uplink->ifindex)
		return BPF_FIB_LKUP_RET_NOT_FWDED;
	route->mtu = path_mtu_inner(tunnel, fib->mtu_result, &whole);
	if (!whole || length > route->mtu)
		flags &= ~ZT6_TUNNEL_DF;
	route->header_length =
		link_header(route->header, uplink, fib->dmac, fib->smac, bpf_htons(ETH_P_IP));
	if (route->header_length == ETH_HEADER)
		sixinfour_outer_header((void *)(route->header + ETH_HEADER), tunnel, flags);
	else
		sixinfour_outer_header((void *)(route->header + VLAN_HEADER), tunnel, flags);
	route->header_length += IPV4_HEADER;
	route->tunnel_flags = flags;
	return BPF_FIB_LKUP_RET_SUCCESS;
}

/**
 * sixinfour_finish - fill in what differs from packet to packet.
 * @outer: the prepared header, in the packet or not
 * @ip_length: of the IPv6 packet, bytes
 * @hop_limit: of the IPv6 packet as it leaves
 *
 * Outer ECN is the inner one, CE included (RFC 6040 §4.1, normal mode). With Don't Fragment the
 * identification stays 0, without it is unlikely to repeat (RFC 6864 §4.1, §4.3). The checksum
 * is updated by what changed (RFC 1624).
 */
static __always_inline void sixinfour_finish(struct iphdr *outer, __u8 tunnel_flags,
					     __u32 ip_length, __u8 traffic_class, __u8 hop_limit)
{
	__u8 class_mask = tunnel_flags & ZT6_TUNNEL_INHERIT_TOS ? 0xff : ECN_MASK;
	__u8 tos = traffic_class & class_mask;
	__u8 ttl = tunnel_flags & ZT6_TUNNEL_INHERIT_TTL ? hop_limit : 0;
	__be16 id = tunnel_flags & ZT6_TUNNEL_DF ? 0 : (__be16)bpf_get_prandom_u32();
	__be16 total = bpf_htons(IPV4_HEADER + ip_length);
	__u64 sum = (__u16)~outer->check;

	outer->tos |= tos;
	outer->ttl |= ttl;
	outer->id = id;
	outer->tot_len = total;
	sum += bpf_htons(tos) + bpf_htons(ttl << 8) + id + total;
	outer->check = zt6_checksum_fold(sum);
}

#endif
