// SPDX-License-Identifier: GPL-2.0-or-later
#include "explain_packet.h"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <netinet/icmp6.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/udp.h>
#include <string.h>

#include "zt6_na.h"

#define TAG_LENGTH    4
#define PAYLOAD       "zt6-bpf explain " /* a multiple of four octets, for the sum */
#define PAYLOAD_BYTES (sizeof(PAYLOAD) - 1)
#define OUTER_TTL     64

/* RFC 8200 §8.1. @length, in octets, is a multiple of four. */
static __u16 checksum(const struct ip6_hdr *ip, const void *message, __u32 length)
{
	__u64 sum = htonl(length) + (__u64)htonl(ip->ip6_nxt);

	sum = zt6_sum_words(&ip->ip6_src, 2 * sizeof(ip->ip6_src) / 4, sum);
	return zt6_checksum_fold(zt6_sum_words(message, length / 4, sum));
}

static size_t link_header(__u8 *frame, const struct explain_link *link, const __u8 *dst_mac,
			  __u16 ether_type)
{
	const __be16 tag[] = {htons(ETH_P_8021Q), htons(link->device->vlan)};
	const __be16 type = htons(ether_type);
	size_t length = offsetof(struct ethhdr, h_proto);

	memcpy(frame, dst_mac, ZT6_ETH_ALEN);
	memcpy(frame + ZT6_ETH_ALEN, link->src_mac, ZT6_ETH_ALEN);
	if (link->device->vlan) {
		memcpy(frame + length, tag, TAG_LENGTH);
		length += TAG_LENGTH;
	}
	memcpy(frame + length, &type, sizeof(type));
	return length + sizeof(type);
}

/* What stands before the IPv6 header: Ethernet, and IPv4 for what comes out of a tunnel. */
static size_t outer_headers(__u8 *frame, const struct explain_link *link, const __u8 *dst_mac,
			    __u16 ipv6_bytes)
{
	struct iphdr ip = {
		.version = 4,
		.ihl = 5,
		.tot_len = htons(sizeof(ip) + ipv6_bytes),
		.frag_off = htons(IP_DF),
		.ttl = OUTER_TTL,
		.protocol = IPPROTO_IPV6,
	};
	size_t length;

	if (!link->tunnel)
		return link_header(frame, link, dst_mac, ETH_P_IPV6);
	length = link_header(frame, link, dst_mac, ETH_P_IP);
	ip.saddr = link->tunnel->remote;
	ip.daddr = link->tunnel->local;
	ip.check = zt6_checksum_fold(zt6_sum_words(&ip, sizeof(ip) / 4, 0));
	memcpy(frame + length, &ip, sizeof(ip));
	return length + sizeof(ip);
}

static void ipv6_header(struct ip6_hdr *ip, const union zt6_addr *src, const union zt6_addr *dst,
			__u8 next_header, __u8 hop_limit, __u16 payload_length)
{
	*ip = (struct ip6_hdr){
		.ip6_flow = htonl(6U << 28),
		.ip6_plen = htons(payload_length),
		.ip6_nxt = next_header,
		.ip6_hlim = hop_limit,
	};
	memcpy(&ip->ip6_src, src, sizeof(ip->ip6_src));
	memcpy(&ip->ip6_dst, dst, sizeof(ip->ip6_dst));
}

size_t explain_packet_udp(__u8 *frame, const struct explain_link *link, const union zt6_addr *src,
			  const union zt6_addr *dst)
{
	struct {
		struct ip6_hdr ip;
		struct udphdr udp;
		char payload[PAYLOAD_BYTES];
	} packet;
	const __u16 length = sizeof(packet) - sizeof(packet.ip);
	size_t offset = outer_headers(frame, link, link->device->mac, sizeof(packet));

	ipv6_header(&packet.ip, src, dst, IPPROTO_UDP, EXPLAIN_HOP_LIMIT, length);
	packet.udp = (struct udphdr){
		.source = htons(EXPLAIN_UDP_PORT),
		.dest = htons(EXPLAIN_UDP_PORT),
		.len = htons(length),
	};
	memcpy(packet.payload, PAYLOAD, sizeof(packet.payload));
	packet.udp.check = checksum(&packet.ip, &packet.udp, length);
	memcpy(frame + offset, &packet, sizeof(packet));
	return offset + sizeof(packet);
}

size_t explain_packet_solicit(__u8 *frame, const struct explain_link *link,
			      const union zt6_addr *src, const union zt6_addr *target)
{
	/* RFC 4291 §2.7.1, and RFC 2464 §7 for its Ethernet address. */
	union zt6_addr group = {.bytes = {0xff, 0x02, [11] = 0x01, [12] = 0xff}};
	__u8 group_mac[ZT6_ETH_ALEN] = {0x33, 0x33, 0xff};
	struct {
		struct ip6_hdr ip;
		struct nd_neighbor_solicit ns;
		struct nd_opt_hdr option;
		__u8 mac[ZT6_ETH_ALEN];
	} packet;
	const __u16 length = sizeof(packet) - sizeof(packet.ip);
	size_t offset;

	memcpy(group.bytes + 13, target->bytes + 13, 3);
	memcpy(group_mac + 3, target->bytes + 13, 3);
	offset = outer_headers(frame, link, group_mac, sizeof(packet));
	ipv6_header(&packet.ip, src, &group, IPPROTO_ICMPV6, ZT6_ND_HOP_LIMIT, length);
	packet.ns = (struct nd_neighbor_solicit){.nd_ns_hdr.icmp6_type = ND_NEIGHBOR_SOLICIT};
	memcpy(&packet.ns.nd_ns_target, target, sizeof(*target));
	packet.option = (struct nd_opt_hdr){
		.nd_opt_type = ND_OPT_SOURCE_LINKADDR,
		.nd_opt_len = 1,
	};
	memcpy(packet.mac, link->src_mac, sizeof(packet.mac));
	packet.ns.nd_ns_hdr.icmp6_cksum = checksum(&packet.ip, &packet.ns, length);
	memcpy(frame + offset, &packet, sizeof(packet));
	return offset + sizeof(packet);
}
