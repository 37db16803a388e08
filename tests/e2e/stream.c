// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A stream of numbered UDP packets, and who counts what has become of it.
 *
 *	stream send DEVICE MAC SOURCE DESTINATION RATE PACKETS [DESTINATIONS]
 *	stream sink DEVICE PACKETS
 *
 * send: RATE packets per second (0: as fast as can be) in frames to MAC, PACKETS in all, in turn to
 * so many addresses from DESTINATION on. It prints as JSON what it has sent and how long it took.
 *
 * sink: prints READY, counts until its standard input is closed, and prints as JSON how many
 * packets came (received), with how many different numbers (distinct), and how many of those that
 * came its own queue had no room for (overrun).
 */
#include "wire.h"

#include <netinet/udp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>

#define PORT  4321
#define MAGIC 0x7a74362073656e64 /* "zt6 send" */

struct payload {
	uint64_t magic;
	uint64_t number;
	uint64_t complement; /* keeps the checksum the same for every number */
};

struct packet {
	struct ethhdr eth;
	struct ip6_hdr ip;
	struct udphdr udp;
	struct payload payload;
} __attribute__((packed));

struct sending {
	uint64_t rate, packets, destinations;
	uint8_t mac[ETH_ALEN];
	struct in6_addr source, destination;
};

/* Numbers and the destination's last four octets are written later; the checksum knows the latter
 * as they are for destination 0. */
static void prepare(struct packet *packet, const struct sending *sending)
{
	struct ip6_hdr ip = {
		.ip6_plen = htons(sizeof(packet->udp) + sizeof(packet->payload)),
		.ip6_nxt = IPPROTO_UDP,
		.ip6_hlim = 64,
		.ip6_src = sending->source,
		.ip6_dst = sending->destination,
	};

	ip.ip6_vfc = 6 << 4;
	memset(packet, 0, sizeof(*packet));
	memcpy(packet->eth.h_dest, sending->mac, ETH_ALEN);
	memcpy(packet->eth.h_source, (const uint8_t[]){2, 0, 0, 0, 0x57, 1}, ETH_ALEN);
	packet->eth.h_proto = htons(ETH_P_IPV6);
	packet->ip = ip;
	packet->udp.source = htons(PORT);
	packet->udp.dest = htons(PORT);
	packet->udp.len = ip.ip6_plen;
	packet->payload.magic = MAGIC;
	packet->payload.complement = ~0ULL;
	packet->udp.check = wire_checksum(&ip, &packet->udp, ntohs(ip.ip6_plen));
}

/* Writes the number, and the destination that is its turn. */
static void number(struct packet *packet, const struct sending *sending, uint64_t number)
{
	uint32_t last, check;

	packet->payload.number = number;
	packet->payload.complement = ~number;
	memcpy(&last, sending->destination.s6_addr + 12, sizeof(last));
	check = ntohs(packet->udp.check) ^ 0xffff;
	check += 2 * 0xffff; /* what is taken away is no more than that */
	check -= wire_sum(packet->ip.ip6_dst.s6_addr + 12, sizeof(last), 0);
	last = htonl(ntohl(last) + (uint32_t)(number % sending->destinations));
	memcpy(packet->ip.ip6_dst.s6_addr + 12, &last, sizeof(last));
	check += wire_sum(&last, sizeof(last), 0);
	while (check >> 16)
		check = (check & 0xffff) + (check >> 16);
	packet->udp.check = htons((uint16_t)~check);
}

static int send_all(int fd, const struct sending *sending)
{
	static struct packet packets[WIRE_BATCH];
	struct iovec iov[WIRE_BATCH];
	struct mmsghdr messages[WIRE_BATCH] = {0};
	uint64_t start = wire_now(), sent = 0;

	for (int i = 0; i < WIRE_BATCH; i++) {
		prepare(&packets[i], sending);
		iov[i] = (struct iovec){.iov_base = &packets[i], .iov_len = sizeof(packets[i])};
		messages[i].msg_hdr = (struct msghdr){.msg_iov = &iov[i], .msg_iovlen = 1};
	}
	while (sent < sending->packets) {
		uint64_t due = wire_due(start, sending->rate, sent, sending->packets);

		for (uint64_t i = 0; i < due; i++)
			number(&packets[i], sending, sent + i);
		if (wire_send(fd, messages, (unsigned int)due))
			return -1;
		sent += due;
	}
	printf("{\"sent\": %llu, \"seconds\": %.6f}\n", (unsigned long long)sent,
	       (double)(wire_now() - start) / 1e9);
	return 0;
}

struct sink {
	uint64_t packets; /* numbers below this one are expected */
	uint64_t received, distinct, strange;
	uint8_t *seen; /* a bit for each */
};

static void count(struct sink *sink, const struct packet *packet, size_t length)
{
	uint64_t number = packet->payload.number;

	if (length < sizeof(*packet) || packet->ip.ip6_nxt != IPPROTO_UDP ||
	    packet->udp.dest != htons(PORT) || packet->payload.magic != MAGIC)
		return;
	sink->received++;
	if (number >= sink->packets || packet->payload.complement != ~number) {
		sink->strange++;
		return;
	}
	sink->distinct += !(sink->seen[number / 8] >> (number % 8) & 1);
	sink->seen[number / 8] |= (uint8_t)(1 << (number % 8));
}

/* Counts what has come. 0, or -1 when the socket fails. */
static int count_batch(int fd, struct sink *sink)
{
	static struct packet packets[WIRE_BATCH];
	struct iovec iov[WIRE_BATCH];
	struct mmsghdr messages[WIRE_BATCH] = {0};
	int got;

	for (int i = 0; i < WIRE_BATCH; i++) {
		iov[i] = (struct iovec){.iov_base = &packets[i], .iov_len = sizeof(packets[i])};
		messages[i].msg_hdr = (struct msghdr){.msg_iov = &iov[i], .msg_iovlen = 1};
	}
	got = recvmmsg(fd, messages, WIRE_BATCH, MSG_DONTWAIT, NULL);
	if (got < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : wire_fail("recvmmsg");
	for (int i = 0; i < got; i++)
		count(sink, &packets[i], messages[i].msg_len);
	return 0;
}

static int count_all(int fd, struct sink *sink)
{
	struct pollfd fds[] = {{.fd = fd, .events = POLLIN}, {.fd = STDIN_FILENO}};
	struct tpacket_stats stats = {0};
	socklen_t length = sizeof(stats);

	puts("READY");
	fflush(stdout);
	/* What has come before the end is counted first. */
	while (!fds[1].revents || fds[0].revents) {
		if (poll(fds, 2, -1) < 0 && errno != EINTR)
			return wire_fail("poll");
		if (fds[0].revents && count_batch(fd, sink))
			return -1;
	}
	if (getsockopt(fd, SOL_PACKET, PACKET_STATISTICS, &stats, &length))
		return wire_fail("PACKET_STATISTICS");
	printf("{\"received\": %llu, \"distinct\": %llu, \"strange\": %llu, \"overrun\": %u}\n",
	       (unsigned long long)sink->received, (unsigned long long)sink->distinct,
	       (unsigned long long)sink->strange, stats.tp_drops);
	return 0;
}

static bool sending_parse(int argc, char **argv, struct sending *sending)
{
	uint8_t *m = sending->mac;

	if (argc < 8 || argc > 9 || strcmp(argv[1], "send") != 0)
		return false;
	sending->rate = strtoull(argv[6], NULL, 10);
	sending->packets = strtoull(argv[7], NULL, 10);
	sending->destinations = argc == 9 ? strtoull(argv[8], NULL, 10) : 1;
	return sending->packets && sending->destinations &&
	       sscanf(argv[3], "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx", &m[0], &m[1], &m[2], &m[3], &m[4],
		      &m[5]) == ETH_ALEN &&
	       inet_pton(AF_INET6, argv[4], &sending->source) == 1 &&
	       inet_pton(AF_INET6, argv[5], &sending->destination) == 1;
}

int main(int argc, char **argv)
{
	struct sending sending = {0};
	struct sink sink = {0};
	int fd;

	if (sending_parse(argc, argv, &sending)) {
		fd = wire_open(argv[2], 0);
		return fd < 0 || send_all(fd, &sending) ? 1 : 0;
	}
	if (argc == 4 && !strcmp(argv[1], "sink"))
		sink.packets = strtoull(argv[3], NULL, 10);
	if (!sink.packets) {
		fprintf(stderr, "usage: stream send DEVICE MAC SOURCE DESTINATION RATE PACKETS "
				"[DESTINATIONS]\n       stream sink DEVICE PACKETS\n");
		return 2;
	}
	sink.seen = calloc(sink.packets / 8 + 1, 1);
	fd = sink.seen ? wire_open(argv[2], IPPROTO_UDP) : -1;
	return fd < 0 || count_all(fd, &sink) ? 1 : 0;
}
