// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A scan by Neighbour Solicitations, as a router sends them that believes a whole prefix to be on
 * its link: each is for another random target under PREFIX/48, at RATE per second and for SECONDS.
 *
 *	flood DEVICE PREFIX RATE SECONDS
 *
 * It sends from SOURCE_MAC and its link-local address, and prints as JSON how many it has sent.
 */
#include "wire.h"

#include <stdlib.h>
#include <sys/random.h>

#define PREFIX_BYTES 6 /* a /48 */

static const uint8_t SOURCE_MAC[ETH_ALEN] = {0x02, 0, 0, 0, 0xf1, 0x0d};
static const char SOURCE[] = "fe80::f10d";

struct frame {
	struct ethhdr eth;
	struct ip6_hdr ip;
	struct nd_neighbor_solicit ns;
	struct nd_opt_hdr option;
	uint8_t mac[ETH_ALEN];
} __attribute__((packed));

static void prepare(struct frame *frame, const struct in6_addr *prefix)
{
	struct in6_addr source;

	inet_pton(AF_INET6, SOURCE, &source);
	memset(frame, 0, sizeof(*frame));
	memcpy(frame->eth.h_source, SOURCE_MAC, ETH_ALEN);
	memcpy(frame->mac, SOURCE_MAC, ETH_ALEN);
	frame->eth.h_proto = htons(ETH_P_IPV6);
	frame->ip.ip6_vfc = 6 << 4;
	frame->ip.ip6_plen = htons(sizeof(*frame) - sizeof(frame->eth) - sizeof(frame->ip));
	frame->ip.ip6_nxt = IPPROTO_ICMPV6;
	frame->ip.ip6_hlim = 255; /* RFC 4861 §4.3 */
	frame->ip.ip6_src = source;
	frame->ns.nd_ns_hdr.icmp6_type = ND_NEIGHBOR_SOLICIT;
	frame->ns.nd_ns_target = *prefix;
	frame->option.nd_opt_type = ND_OPT_SOURCE_LINKADDR;
	frame->option.nd_opt_len = 1;
}

/* Another target, and its solicited-node group (RFC 4291 §2.7.1, RFC 2464 §7). */
static void aim(struct frame *frame)
{
	/* Not in place: members of a packed struct may lie anywhere. */
	struct ip6_hdr ip = frame->ip;
	uint8_t *target = frame->ns.nd_ns_target.s6_addr;
	const uint8_t group[] = {0xff, 0x02, 0, 0, 0,    0,          0,          0,
				 0,    0,    0, 1, 0xff, target[13], target[14], target[15]};

	memcpy(ip.ip6_dst.s6_addr, group, sizeof(group));
	frame->ip = ip;
	memcpy(frame->eth.h_dest, (const uint8_t[]){0x33, 0x33}, 2);
	memcpy(frame->eth.h_dest + 2, group + 12, 4);
	frame->ns.nd_ns_hdr.icmp6_cksum = 0;
	frame->ns.nd_ns_hdr.icmp6_cksum =
		wire_checksum(&ip, &frame->ns, sizeof(*frame) - sizeof(frame->eth) - sizeof(ip));
}

static int run(int fd, const struct in6_addr *prefix, uint64_t rate, uint64_t total)
{
	static struct frame frames[WIRE_BATCH];
	struct iovec iov[WIRE_BATCH];
	struct mmsghdr messages[WIRE_BATCH] = {0};
	uint64_t start = wire_now(), sent = 0;

	for (int i = 0; i < WIRE_BATCH; i++) {
		prepare(&frames[i], prefix);
		iov[i] = (struct iovec){.iov_base = &frames[i], .iov_len = sizeof(frames[i])};
		messages[i].msg_hdr = (struct msghdr){.msg_iov = &iov[i], .msg_iovlen = 1};
	}
	while (sent < total) {
		uint64_t due = wire_due(start, rate, sent, total);

		for (uint64_t i = 0; i < due; i++) {
			if (getrandom(frames[i].ns.nd_ns_target.s6_addr + PREFIX_BYTES,
				      16 - PREFIX_BYTES, 0) < 0)
				return wire_fail("getrandom");
			aim(&frames[i]);
		}
		if (wire_send(fd, messages, (unsigned int)due))
			return -1;
		sent += due;
	}
	printf("{\"sent\": %llu, \"seconds\": %.3f}\n", (unsigned long long)sent,
	       (double)(wire_now() - start) / 1e9);
	return 0;
}

int main(int argc, char **argv)
{
	uint64_t rate = argc == 5 ? strtoull(argv[3], NULL, 10) : 0;
	uint64_t seconds = argc == 5 ? strtoull(argv[4], NULL, 10) : 0;
	struct in6_addr prefix;
	int fd;

	if (!rate || !seconds || inet_pton(AF_INET6, argv[2], &prefix) != 1) {
		fprintf(stderr, "usage: flood DEVICE PREFIX RATE SECONDS\n");
		return 2;
	}
	fd = wire_open(argv[1], 0);
	return fd < 0 || run(fd, &prefix, rate, rate * seconds) ? 1 : 0;
}
