// SPDX-License-Identifier: GPL-2.0-or-later
#include "frames.h"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <netinet/in.h>
#include <stddef.h>
#include <string.h>

#include "zt6_na.h"

/* The tunnel's ends, and what sends all frames. */
#define TUNNEL_LOCAL  "192.0.2.10"
#define TUNNEL_REMOTE "198.51.100.1"
#define ROUTER        "fe80::1"
const uint8_t frames_source_mac[ETH_ALEN] = {0x02, 0, 0, 0, 0xe0, 0x01};

/* Behind the IPv6 header, bytes: as long as a solicitation with its option. */
#define PAYLOAD sizeof(struct solicitation)

/* RFC 4861 §4.3 with the option of §4.6.1 */
struct solicitation {
	uint8_t type, code;
	uint16_t checksum;
	uint32_t reserved;
	struct in6_addr target;
	uint8_t option_type, option_length, option_mac[ETH_ALEN];
};

_Static_assert(sizeof(struct ethhdr) + sizeof(struct ipv6hdr) + PAYLOAD == BENCH_HEAD,
	       "a solicitation fills the head");

struct in6_addr frames_address(const char *net, uint32_t number)
{
	struct in6_addr addr;

	inet_pton(AF_INET6, net, &addr);
	addr.s6_addr32[3] |= htonl(number);
	return addr;
}

static struct ethhdr ethernet(const uint8_t *dst, uint16_t ether_type)
{
	struct ethhdr eth = {.h_proto = htons(ether_type)};

	memcpy(eth.h_dest, dst, ETH_ALEN);
	memcpy(eth.h_source, frames_source_mac, ETH_ALEN);
	return eth;
}

static struct ipv6hdr ipv6(uint8_t next_header, uint8_t hop_limit, struct in6_addr src,
			   struct in6_addr dst)
{
	return (struct ipv6hdr){
		.version = 6,
		.payload_len = htons(PAYLOAD),
		.nexthdr = next_header,
		.hop_limit = hop_limit,
		.saddr = src,
		.daddr = dst,
	};
}

/* RFC 8200 §8.1 */
static uint16_t icmpv6_checksum(const struct ipv6hdr *ip, const struct solicitation *ns)
{
	uint64_t sum = htons(PAYLOAD) + htons(ZT6_IPPROTO_ICMPV6);

	sum = zt6_sum_words(&ip->saddr, 2 * sizeof(ip->saddr) / 4, sum);
	return zt6_checksum_fold(zt6_sum_words(ns, sizeof(*ns) / 4, sum));
}

static void start(struct frames *out, uint32_t count, uint32_t length)
{
	memset(out, 0, sizeof(*out));
	out->count = count;
	out->length = length;
}

void frames_solicitations(struct frames *out, const char *net)
{
	start(out, BENCH_MEMBERS, BENCH_HEAD);
	for (uint32_t i = 0; i < out->count; i++) {
		struct in6_addr target = frames_address(net, i + 1), group;
		uint8_t group_mac[ETH_ALEN] = {0x33, 0x33, 0xff};
		struct solicitation ns = {
			.type = ZT6_ND_SOLICIT,
			.target = target,
			.option_type = ZT6_ND_OPT_SOURCE,
			.option_length = 1,
		};
		struct ethhdr eth;
		struct ipv6hdr ip;
		char *head = (char *)out->list[i].head;

		inet_pton(AF_INET6, "ff02::1:ff00:0", &group);
		memcpy(&group.s6_addr[13], &target.s6_addr[13], 3);
		memcpy(&group_mac[3], &target.s6_addr[13], 3);
		memcpy(ns.option_mac, frames_source_mac, ETH_ALEN);
		eth = ethernet(group_mac, ETH_P_IPV6);
		ip = ipv6(ZT6_IPPROTO_ICMPV6, ZT6_ND_HOP_LIMIT, frames_address(ROUTER, 0), group);
		ns.checksum = icmpv6_checksum(&ip, &ns);
		memcpy(head, &eth, sizeof(eth));
		memcpy(head + sizeof(eth), &ip, sizeof(ip));
		memcpy(head + sizeof(eth) + sizeof(ip), &ns, sizeof(ns));
	}
}

static uint32_t more(uint32_t a, uint32_t b)
{
	return a > b ? a : b;
}

void frames_ipv6(struct frames *out, const uint8_t mac[6], const char *src, uint32_t sources,
		 const char *dst, uint32_t destinations)
{
	const struct ethhdr eth = ethernet(mac, ETH_P_IPV6);

	start(out, more(sources, destinations), sizeof(eth) + sizeof(struct ipv6hdr) + PAYLOAD);
	for (uint32_t i = 0; i < out->count; i++) {
		const struct ipv6hdr ip =
			ipv6(IPPROTO_NONE, HOP_LIMIT, frames_address(src, i % sources + 1),
			     frames_address(dst, i % destinations + 1));
		char *head = (char *)out->list[i].head;

		memcpy(head, &eth, sizeof(eth));
		memcpy(head + sizeof(eth), &ip, sizeof(ip));
	}
}

void frames_enlarge(struct frames *frames, uint16_t bytes)
{
	const __be16 payload = htons(bytes - sizeof(struct ipv6hdr));

	for (uint32_t i = 0; i < frames->count; i++)
		memcpy((char *)frames->list[i].head + sizeof(struct ethhdr) +
			       offsetof(struct ipv6hdr, payload_len),
		       &payload, sizeof(payload));
	frames->length = sizeof(struct ethhdr) + bytes;
}

void frames_protocol(struct frames *frames, uint8_t protocol)
{
	for (uint32_t i = 0; i < frames->count; i++)
		((uint8_t *)frames->list[i].head)[AT_NEXT_HEADER] = protocol;
}

void frames_6in4(struct frames *out, const uint8_t mac[6], const char *src, uint32_t sources,
		 const char *dst, uint32_t destinations)
{
	const struct ethhdr eth = ethernet(mac, ETH_P_IP);
	struct iphdr outer = {
		.version = 4,
		.ihl = sizeof(outer) / 4,
		.tot_len = htons(sizeof(outer) + sizeof(struct ipv6hdr) + PAYLOAD),
		.frag_off = htons(0x4000), /* Don't Fragment */
		.ttl = HOP_LIMIT,
		.protocol = IPPROTO_IPV6,
	};

	inet_pton(AF_INET, TUNNEL_REMOTE, &outer.saddr);
	inet_pton(AF_INET, TUNNEL_LOCAL, &outer.daddr);
	outer.check = zt6_checksum_fold(zt6_sum_words(&outer, sizeof(outer) / 4, 0));
	frames_ipv6(out, mac, src, sources, dst, destinations);
	out->length += sizeof(outer);
	for (uint32_t i = 0; i < out->count; i++) {
		char *head = (char *)out->list[i].head;

		memmove(head + sizeof(eth) + sizeof(outer), head + sizeof(eth),
			sizeof(struct ipv6hdr));
		memcpy(head, &eth, sizeof(eth));
		memcpy(head + sizeof(eth), &outer, sizeof(outer));
	}
}

void frames_udp(struct frames *frames, uint32_t offset)
{
	for (uint32_t i = 0; i < frames->count; i++)
		((char *)frames->list[i].head)[offset + offsetof(struct ipv6hdr, nexthdr)] =
			IPPROTO_UDP;
}

void frames_vary_destination(struct frames *frames)
{
	frames->vary = sizeof(struct ethhdr) + offsetof(struct ipv6hdr, daddr.s6_addr[8]);
}

void frames_arp(struct frames *out)
{
	const uint8_t broadcast[ETH_ALEN] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
	const struct ethhdr eth = ethernet(broadcast, ETH_P_ARP);

	start(out, 1, BENCH_HEAD);
	memcpy(out->list[0].head, &eth, sizeof(eth));
}
