// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A crowd of members at the far end of a veth: COUNT addresses from FIRST on, each with a MAC of
 * its own (02:c0 and its index), that answer solicitations for them (RFC 4861 §7.2.4) and say
 * nothing else unless they are told to.
 *
 *	crowd DEVICE FIRST COUNT
 *
 * It prints READY and then does what the lines of its standard input say, until that is closed:
 *
 *	move I          member I has another MAC from now on (02:c1 and its index), and tells nobody
 *	announce I      it advertises itself to all nodes (RFC 4861 §7.2.6)
 *	report          print as JSON how many solicitations came to groups (multicast) and to one
 *	                MAC (unicast), and how many for nobody in the crowd (strange)
 */
#include "wire.h"

#include <stdbool.h>
#include <poll.h>
#include <stdlib.h>

struct frame {
	struct ethhdr eth;
	struct ip6_hdr ip;
	struct nd_neighbor_solicit nd; /* an advertisement has the same shape */
	struct nd_opt_hdr option;
	uint8_t mac[ETH_ALEN];
} __attribute__((packed));

#define ND_LENGTH (sizeof(struct nd_neighbor_solicit) + 8)

struct crowd {
	int fd;
	struct in6_addr first;
	uint32_t count;
	bool *moved; /* by index */
	unsigned long long multicast, unicast, strange;
};

/* Which of the crowd has the address; false when nobody has. */
static bool index_of(const struct crowd *crowd, const struct in6_addr *addr, uint32_t *index)
{
	uint32_t first, last;

	memcpy(&first, crowd->first.s6_addr + 12, sizeof(first));
	memcpy(&last, addr->s6_addr + 12, sizeof(last));
	*index = ntohl(last) - ntohl(first);
	return !memcmp(addr, &crowd->first, 12) && *index < crowd->count;
}

static struct in6_addr address_of(const struct crowd *crowd, uint32_t index)
{
	struct in6_addr addr = crowd->first;
	uint32_t last;

	memcpy(&last, addr.s6_addr + 12, sizeof(last));
	last = htonl(ntohl(last) + index);
	memcpy(addr.s6_addr + 12, &last, sizeof(last));
	return addr;
}

static void mac_of(const struct crowd *crowd, uint32_t index, uint8_t mac[ETH_ALEN])
{
	const uint8_t octets[ETH_ALEN] = {
		0x02,
		crowd->moved[index] ? 0xc1 : 0xc0,
		(uint8_t)(index >> 24),
		(uint8_t)(index >> 16),
		(uint8_t)(index >> 8),
		(uint8_t)index,
	};

	memcpy(mac, octets, ETH_ALEN);
}

/* Sends the member's advertisement. */
static int advertise(const struct crowd *crowd, uint32_t index, const uint8_t *to_mac,
		     const struct in6_addr *to, uint32_t flags)
{
	struct frame frame = {0};
	struct ip6_hdr ip = {
		.ip6_plen = htons(ND_LENGTH),
		.ip6_nxt = IPPROTO_ICMPV6,
		.ip6_hlim = 255, /* RFC 4861 §4.4 */
		.ip6_src = address_of(crowd, index),
		.ip6_dst = *to,
	};

	ip.ip6_vfc = 6 << 4;
	memcpy(frame.eth.h_dest, to_mac, ETH_ALEN);
	mac_of(crowd, index, frame.eth.h_source);
	mac_of(crowd, index, frame.mac);
	frame.eth.h_proto = htons(ETH_P_IPV6);
	frame.ip = ip;
	frame.nd.nd_ns_hdr.icmp6_type = ND_NEIGHBOR_ADVERT;
	frame.nd.nd_ns_hdr.icmp6_data32[0] = flags;
	frame.nd.nd_ns_target = ip.ip6_src;
	frame.option.nd_opt_type = ND_OPT_TARGET_LINKADDR;
	frame.option.nd_opt_len = 1;
	frame.nd.nd_ns_hdr.icmp6_cksum = wire_checksum(&ip, &frame.nd, ND_LENGTH);
	if (send(crowd->fd, &frame, sizeof(frame), 0) < 0 && errno != ENOBUFS)
		return wire_fail("send");
	return 0;
}

static int hear(struct crowd *crowd)
{
	struct frame frame = {0};
	ssize_t length = recv(crowd->fd, &frame, sizeof(frame), MSG_DONTWAIT);
	struct in6_addr target = frame.nd.nd_ns_target, from = frame.ip.ip6_src;
	uint8_t mac[ETH_ALEN];
	uint32_t index;

	if (length < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : wire_fail("recv");
	if (length < (ssize_t)(sizeof(frame) - 8) ||
	    frame.nd.nd_ns_hdr.icmp6_type != ND_NEIGHBOR_SOLICIT)
		return 0;
	if (!index_of(crowd, &target, &index)) {
		crowd->strange++;
		return 0;
	}
	if (frame.eth.h_dest[0] & 1) {
		crowd->multicast++;
	} else {
		crowd->unicast++;
		mac_of(crowd, index, mac);
		if (memcmp(frame.eth.h_dest, mac, ETH_ALEN) != 0)
			return 0;
	}
	return advertise(crowd, index, frame.eth.h_source, &from,
			 ND_NA_FLAG_SOLICITED | ND_NA_FLAG_OVERRIDE);
}

static int announce(const struct crowd *crowd, uint32_t index)
{
	static const uint8_t all_nodes_mac[ETH_ALEN] = {0x33, 0x33, 0, 0, 0, 1};
	struct in6_addr all_nodes;

	inet_pton(AF_INET6, "ff02::1", &all_nodes);
	return advertise(crowd, index, all_nodes_mac, &all_nodes, ND_NA_FLAG_OVERRIDE);
}

/* Does what one line says. 0 or -1. */
static int obey(struct crowd *crowd, const char *line)
{
	uint32_t index;

	if (sscanf(line, "move %u", &index) == 1 && index < crowd->count) {
		crowd->moved[index] = true;
		return 0;
	}
	if (sscanf(line, "announce %u", &index) == 1 && index < crowd->count)
		return announce(crowd, index);
	printf("{\"multicast\": %llu, \"unicast\": %llu, \"strange\": %llu}\n", crowd->multicast,
	       crowd->unicast, crowd->strange);
	fflush(stdout);
	return 0;
}

static int run(struct crowd *crowd)
{
	struct pollfd fds[] = {{.fd = crowd->fd, .events = POLLIN},
			       {.fd = STDIN_FILENO, .events = POLLIN}};
	char line[64];

	setvbuf(stdin, NULL, _IONBF, 0); /* what stdio holds back, poll() does not see */
	puts("READY");
	fflush(stdout);
	for (;;) {
		if (poll(fds, 2, -1) < 0 && errno != EINTR)
			return wire_fail("poll");
		if (fds[0].revents && hear(crowd))
			return -1;
		if (!fds[1].revents)
			continue;
		if (!fgets(line, sizeof(line), stdin))
			return 0;
		if (obey(crowd, line))
			return -1;
	}
}

int main(int argc, char **argv)
{
	struct crowd crowd = {0};
	int failed;

	if (argc == 4)
		crowd.count = (uint32_t)strtoul(argv[3], NULL, 10);
	if (!crowd.count || inet_pton(AF_INET6, argv[2], &crowd.first) != 1) {
		fprintf(stderr, "usage: crowd DEVICE FIRST COUNT\n");
		return 2;
	}
	crowd.moved = calloc(crowd.count, sizeof(*crowd.moved));
	crowd.fd = crowd.moved ? wire_open(argv[1], IPPROTO_ICMPV6) : -1;
	failed = crowd.fd < 0 || run(&crowd);
	free(crowd.moved);
	return failed ? 1 : 0;
}
