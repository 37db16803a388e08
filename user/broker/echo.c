/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "echo.h"

#include <errno.h>
#include <net/if.h>
#include <netinet/icmp6.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define TRIES     3
#define ANSWER_MS 1000

/* The kernel's "ping socket" needs no capability; root does without the group range. */
static int open_socket(void)
{
	struct icmp6_filter replies;
	int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, IPPROTO_ICMPV6), err;

	if (fd >= 0)
		return fd;
	err = -errno;
	fd = socket(AF_INET6, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMPV6);
	if (fd < 0)
		return err;
	ICMP6_FILTER_SETBLOCKALL(&replies);
	ICMP6_FILTER_SETPASS(ICMP6_ECHO_REPLY, &replies);
	if (!setsockopt(fd, IPPROTO_ICMPV6, ICMP6_FILTER, &replies, sizeof(replies)))
		return fd;
	err = -errno;
	close(fd);
	return err;
}

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* 0 when a reply with this sequence number came in time. */
static int await_reply(int fd, uint16_t sequence)
{
	uint64_t end = now_ms() + ANSWER_MS, now;
	struct icmp6_hdr reply;

	while ((now = now_ms()) < end) {
		struct pollfd wait = {.fd = fd, .events = POLLIN};

		if (poll(&wait, 1, (int)(end - now)) <= 0)
			continue;
		if (recv(fd, &reply, sizeof(reply), MSG_DONTWAIT) == sizeof(reply) &&
		    reply.icmp6_type == ICMP6_ECHO_REPLY && ntohs(reply.icmp6_seq) == sequence)
			return 0;
	}
	return -ETIMEDOUT;
}

int broker_echo(const char *device, const struct in6_addr *source, const struct in6_addr *target)
{
	const struct sockaddr_in6 from = {.sin6_family = AF_INET6, .sin6_addr = *source};
	const struct sockaddr_in6 to = {.sin6_family = AF_INET6, .sin6_addr = *target};
	struct ifreq ifr = {0};
	int fd, err = -ETIMEDOUT;

	if (!if_nametoindex(device))
		return -ENODEV;
	fd = open_socket();
	if (fd < 0)
		return fd;
	strncpy(ifr.ifr_name, device, IFNAMSIZ - 1);
	if (setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, &ifr, sizeof(ifr)) ||
	    bind(fd, (const struct sockaddr *)&from, sizeof(from)) ||
	    connect(fd, (const struct sockaddr *)&to, sizeof(to)))
		err = -errno;
	for (uint16_t sequence = 1; sequence <= TRIES && err == -ETIMEDOUT; sequence++) {
		const struct icmp6_hdr request = {
			.icmp6_type = ICMP6_ECHO_REQUEST,
			.icmp6_seq = htons(sequence),
		};

		/* What the route says right away (unreachable, down) is no answer either. */
		send(fd, &request, sizeof(request), 0);
		err = await_reply(fd, sequence);
	}
	close(fd);
	return err;
}
