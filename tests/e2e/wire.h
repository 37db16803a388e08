/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the C peers that speak raw frames share: a packet socket, checksums, and a steady pace. */
#ifndef WIRE_H
#define WIRE_H

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/icmp6.h>
#include <netinet/ip6.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* Frames per system call; the queue of a veth holds 256. */
#define WIRE_BATCH 32

/* Room for a receiver that waits for its turn on a busy machine. */
#define WIRE_QUEUE_BYTES (256 << 20)

static inline int wire_fail(const char *what)
{
	fprintf(stderr, "%s: %s\n", what, strerror(errno));
	return -1;
}

/* A packet socket on the device that hears IPv6 with that next header (0: it only sends). Or -1. */
static inline int wire_open(const char *device, uint8_t next_header)
{
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0), bytes = WIRE_QUEUE_BYTES, on = 1;
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, ETH_HLEN + offsetof(struct ip6_hdr, ip6_nxt)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, next_header, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	const struct sock_fprog filter = {.len = sizeof(code) / sizeof(*code), .filter = code};
	struct sockaddr_ll address = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(next_header ? ETH_P_IPV6 : 0),
		.sll_ifindex = (int)if_nametoindex(device),
	};

	if (fd < 0)
		return wire_fail("packet socket");
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes));
	setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof(on));
	if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof(filter)) ||
	    !address.sll_ifindex || bind(fd, (struct sockaddr *)&address, sizeof(address))) {
		wire_fail(device);
		close(fd);
		return -1;
	}
	return fd;
}

/* Sends all of @count messages, however often the device's queue is full. 0 or -1. */
static inline int wire_send(int fd, struct mmsghdr *messages, unsigned int count)
{
	unsigned int done = 0;

	while (done < count) {
		int sent = sendmmsg(fd, messages + done, count - done, 0);

		if (sent > 0)
			done += (unsigned int)sent;
		else if (errno != ENOBUFS && errno != EAGAIN && errno != EINTR)
			return wire_fail("sendmmsg");
	}
	return 0;
}

static inline uint64_t wire_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/*
 * Waits for the turn of the next frames: at most WIRE_BATCH, and what was missed is made up for.
 * @rate: frames per second; 0: as fast as can be
 *
 * Returns how many of those up to @total are due, at least one.
 */
static inline uint64_t wire_due(uint64_t start, uint64_t rate, uint64_t sent, uint64_t total)
{
	uint64_t due = total - sent;

	while (rate) {
		due = (wire_now() - start) * rate / 1000000000 + 1;
		due = due > sent ? due - sent : 0;
		if (due)
			break;
		nanosleep(&(struct timespec){.tv_nsec = 200000}, NULL);
	}
	if (due > total - sent)
		due = total - sent;
	return due > WIRE_BATCH ? WIRE_BATCH : due;
}

/* The one's complement sum (RFC 1071) of an even number of bytes, as a word of the network's. */
static inline uint32_t wire_sum(const void *data, size_t length, uint32_t sum)
{
	const uint8_t *byte = data;

	for (size_t i = 0; i < length; i += 2)
		sum += (uint32_t)byte[i] << 8 | byte[i + 1];
	return sum;
}

/* The checksum of an upper-layer packet behind its IPv6 header (RFC 8200 §8.1). */
static inline uint16_t wire_checksum(const struct ip6_hdr *ip, const void *data, size_t length)
{
	uint32_t sum = wire_sum(&ip->ip6_src, 2 * sizeof(ip->ip6_src), ip->ip6_nxt);

	sum = wire_sum(data, length, sum + (uint32_t)length);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return htons((uint16_t)~sum);
}

#endif
