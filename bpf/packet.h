/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Parsing: once, into a struct on the stack. What later stages need of the packet is in it; they
 * touch the frame again only to read an ND message or to write.
 *
 * A stage returns the verdict that ends the pipeline, or GO_ON.
 */
#ifndef ZT6_PACKET_H
#define ZT6_PACKET_H

#define GO_ON (-1)

/* No verdict: the packet is left to the program of the port's other hook, which counts it. */
#define LEFT (-3)

#define IPPROTO_HOPOPTS  0
#define IPPROTO_TCP      6
#define IPPROTO_UDP      17
#define IPPROTO_IPV6     41 /* 6in4, RFC 4213 §3.5 */
#define IPPROTO_ROUTING  43
#define IPPROTO_FRAGMENT 44
#define IPPROTO_DSTOPTS  60

#define IPV6_HEADER 40
#define UDP_HEADER  8

/* RFC 8200 §3, every field a plain integer at its natural place. */
struct ipv6_header {
	__u8 version_class; /* version, upper four bits of the traffic class */
	__u8 class_flow;    /* lower four bits of the traffic class, flow label */
	__u16 flow;
	__be16 payload_length;
	__u8 next_header;
	__u8 hop_limit;
	union zt6_addr src;
	union zt6_addr dst;
};

_Static_assert(sizeof(struct ipv6_header) == IPV6_HEADER, "RFC 8200 §3");

struct packet {
	union zt6_addr src;
	union zt6_addr dst;
	__u32 frame_length; /* all of it, with Ethernet and padding */
	__u32 ip_length;    /* of the IPv6 packet, header included */
	__u16 link_length;  /* Ethernet, and a VLAN tag if there is one */
	__u16 ip_offset;    /* of the IPv6 header: link_length, and 20 more in 6in4 */
	__u8 traffic_class;
	__u8 next_header;
	__u8 hop_limit;
	__u8 in_port;   /* slot that the packet came from: the tunnel's once decapsulated */
	__u8 icmp_type; /* valid when next_header is ICMPv6 and has_icmp is set */
	__u8 has_icmp;
	__u8 outer_ecn; /* of the 6in4 header */
	__u8 to_group;  /* the frame has a group address as its destination */
	__u8 source_mac[ZT6_ETH_ALEN];
	__u8 behind; /* in TC, where XDP was first: only what that cannot send is ours */
	__u8 ours;   /* so it is one of those */
};

/* Headers begin within the first 64 bytes. The mask tells the verifier so: it forgets the bounds of
 * what went through the stack. */
static __always_inline void *frame_at(const frame_t *frame, __u16 offset)
{
	return frame_data(frame) + (offset & 63);
}

static __always_inline bool mac_equal(const __u8 *a, const __u8 *b)
{
	return *(const __u32 *)a == *(const __u32 *)b &&
	       *(const __u16 *)(a + 4) == *(const __u16 *)(b + 4);
}

static __always_inline bool addr_equal(const union zt6_addr *a, const union zt6_addr *b)
{
	return a->halves[0] == b->halves[0] && a->halves[1] == b->halves[1];
}

static __always_inline bool addr_unspecified(const union zt6_addr *a)
{
	return !(a->halves[0] | a->halves[1]);
}

static __always_inline bool addr_multicast(const union zt6_addr *a)
{
	return a->bytes[0] == 0xff;
}

static __always_inline bool addr_link_local(const union zt6_addr *a)
{
	return a->bytes[0] == 0xfe && (a->bytes[1] & 0xc0) == 0x80;
}

/* `::`, `::1`, IPv4-compatible ::/96 and IPv4-mapped ::ffff:0:0/96: no source and no destination
 * of a packet between hosts (RFC 4291 §2.5.2, §2.5.3, §2.5.5; RFC 4213 §3.6). */
static __always_inline bool addr_embeds_no_host(const union zt6_addr *a)
{
	return !a->halves[0] && (!a->words[2] || a->words[2] == bpf_htonl(0xffff));
}

/* Destinations that no router forwards to: RFC 4291 §2.5.3, §2.5.6, §2.7. */
static __always_inline bool addr_never_forwarded(const union zt6_addr *a)
{
	return addr_multicast(a) || addr_link_local(a) || addr_embeds_no_host(a);
}

/**
 * packet_ethernet - read the link layer.
 * @ether_type: out, network byte order, of what follows Ethernet and the port's own tag
 */
static __always_inline int packet_ethernet(frame_t *frame, const struct zt6_port *port,
					   struct packet *p, __be16 *ether_type)
{
	const struct ethhdr *eth = frame_data(frame);
	const void *end = frame_end(frame);
	__u16 vid = frame_vid_beside(frame);

	if ((const void *)(eth + 1) > end)
		return ZT6_PASS_OTHER;
	p->link_length = sizeof(*eth);
	*ether_type = eth->h_proto;
	if (*ether_type == bpf_htons(ETH_P_8021Q) && !FRAME_TAG_BESIDE) {
		const struct vlan_hdr *tag = (const void *)(eth + 1);

		if ((const void *)(tag + 1) > end)
			return ZT6_PASS_OTHER;
		p->link_length += sizeof(*tag);
		*ether_type = tag->h_vlan_encapsulated_proto;
		vid = bpf_ntohs(tag->h_vlan_TCI) & VLAN_VID_MASK;
	}
	/* VID 0 carries only a priority: the frame is untagged (IEEE 802.1Q §9.6). */
	if (vid != port->vlan)
		return ZT6_PASS_OTHER;
	p->to_group = eth->h_dest[0] & 1;
	if (!p->to_group && !mac_equal(eth->h_dest, port->mac))
		return ZT6_PASS_OTHER;
	__builtin_memcpy(p->source_mac, eth->h_source, ZT6_ETH_ALEN);
	return GO_ON;
}

/* The same for an interface without link layer, the kernel's `sit`. */
static __always_inline int packet_raw(frame_t *frame, struct packet *p, __be16 *ether_type)
{
	p->link_length = 0;
	p->to_group = 0;
	__builtin_memset(p->source_mac, 0, ZT6_ETH_ALEN);
	*ether_type = frame_protocol(frame);
	return GO_ON;
}

/* Whichever of the two the port has. */
static __always_inline int packet_link(frame_t *frame, const struct zt6_port *port,
				       struct packet *p, __be16 *ether_type)
{
	if (FRAME_MAY_LACK_LINK && port->role == ZT6_ROLE_TUNNEL)
		return packet_raw(frame, p, ether_type);
	return packet_ethernet(frame, port, p, ether_type);
}

/**
 * packet_ipv6 - read the IPv6 header at p->ip_offset.
 * @room: bytes that the packet may fill, counted from there
 */
static __always_inline int packet_ipv6(frame_t *frame, struct packet *p, __u32 room)
{
	const struct ipv6_header *ip = frame_at(frame, p->ip_offset);
	const void *end = frame_end(frame);

	if (room < sizeof(*ip))
		return ZT6_DROP_MALFORMED;
	if ((const void *)(ip + 1) > end)
		return ZT6_PASS_OTHER;
	p->ip_length = sizeof(*ip) + bpf_ntohs(ip->payload_length);
	if (ip->version_class >> 4 != 6 || p->ip_length > room)
		return ZT6_DROP_MALFORMED;
	p->src = ip->src;
	p->dst = ip->dst;
	p->next_header = ip->next_header;
	p->hop_limit = ip->hop_limit;
	p->traffic_class = ip->version_class << 4 | ip->class_flow >> 4;
	p->has_icmp = 0;
	if (ip->next_header == ZT6_IPPROTO_ICMPV6 && p->ip_length > sizeof(*ip)) {
		const __u8 *type = (const void *)(ip + 1);

		if ((const void *)(type + 1) > end)
			return ZT6_PASS_OTHER;
		p->icmp_type = *type;
		p->has_icmp = 1;
	}
	return GO_ON;
}

#endif
