// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A tunnel broker's end of a 6in4 tunnel (RFC 4213) in user space: what the kernel routes into a
 * TUN device leaves as IPv4 protocol 41 through a raw socket, and the other way round. It shares
 * nothing with the gateway under test, and it needs no `sit` driver.
 *
 *	sixinfour_peer [-m MTU] [-t TTL] TUN LOCAL REMOTE
 *
 * It runs in the network namespace it is started in, prints READY when the device is up, runs
 * until SIGTERM or SIGINT, and its end removes the device.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define MAX_PACKET  65536
#define BURST       64
#define DEFAULT_MTU 1480
#define DEFAULT_TTL 255
#define QUEUE_BYTES (8 << 20) /* a window of TCP fits while this process waits for its turn */

struct peer {
	int tun;
	int raw;
	struct sockaddr_in local;
	struct sockaddr_in remote;
};

static volatile sig_atomic_t stopping;

static void stop(int signal)
{
	(void)signal;
	stopping = 1;
}

static int fail(const char *what)
{
	int err = errno;

	fprintf(stderr, "sixinfour_peer: %s: %s\n", what, strerror(err));
	return -err;
}

static int tun_open(struct peer *peer, const char *name, int mtu)
{
	struct ifreq ifr = {.ifr_flags = IFF_TUN | IFF_NO_PI};

	peer->tun = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (peer->tun < 0)
		return fail("open /dev/net/tun");
	strncpy(ifr.ifr_name, name, IFNAMSIZ - 1);
	if (ioctl(peer->tun, TUNSETIFF, &ifr))
		return fail("TUNSETIFF");
	ifr.ifr_mtu = mtu;
	if (ioctl(peer->raw, SIOCSIFMTU, &ifr))
		return fail("SIOCSIFMTU");
	if (ioctl(peer->raw, SIOCGIFFLAGS, &ifr))
		return fail("SIOCGIFFLAGS");
	ifr.ifr_flags |= IFF_UP;
	if (ioctl(peer->raw, SIOCSIFFLAGS, &ifr))
		return fail("SIOCSIFFLAGS");
	return 0;
}

static int raw_open(struct peer *peer, int ttl)
{
	int queue = QUEUE_BYTES;

	peer->raw = socket(AF_INET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_IPV6);
	if (peer->raw < 0)
		return fail("raw socket");
	if (setsockopt(peer->raw, SOL_SOCKET, SO_RCVBUFFORCE, &queue, sizeof(queue)) ||
	    setsockopt(peer->raw, SOL_SOCKET, SO_SNDBUFFORCE, &queue, sizeof(queue)))
		return fail("socket buffers");
	if (setsockopt(peer->raw, IPPROTO_IP, IP_TTL, &ttl, sizeof(ttl)))
		return fail("IP_TTL");
	/* The kernel leaves to this socket only what was sent to @local by @remote. */
	if (bind(peer->raw, (struct sockaddr *)&peer->local, sizeof(peer->local)))
		return fail("bind to the local address");
	if (connect(peer->raw, (struct sockaddr *)&peer->remote, sizeof(peer->remote)))
		return fail("connect to the remote address");
	return 0;
}

/* What the network may lose is no error: a full queue, ICMP errors that come back, a bad packet. */
static void encapsulate(const struct peer *peer, uint8_t *packet)
{
	for (int n = 0; n < BURST; n++) {
		ssize_t length = read(peer->tun, packet, MAX_PACKET);

		if (length < 0)
			return;
		if (packet[0] >> 4 == 6)
			(void)!send(peer->raw, packet, (size_t)length, 0);
	}
}

static void decapsulate(const struct peer *peer, uint8_t *packet)
{
	for (int n = 0; n < BURST; n++) {
		ssize_t length = recv(peer->raw, packet, MAX_PACKET, 0);
		ssize_t header;

		if (length < 0)
			return;
		header = (packet[0] & 0xf) * 4;
		if (length > header && packet[header] >> 4 == 6)
			(void)!write(peer->tun, packet + header, (size_t)(length - header));
	}
}

static int run(const struct peer *peer)
{
	static uint8_t packet[MAX_PACKET];
	struct pollfd fds[] = {
		{.fd = peer->tun, .events = POLLIN},
		{.fd = peer->raw, .events = POLLIN},
	};

	while (!stopping) {
		if (poll(fds, 2, -1) < 0) {
			if (errno == EINTR)
				continue;
			return fail("poll");
		}
		if (fds[0].revents)
			encapsulate(peer, packet);
		if (fds[1].revents)
			decapsulate(peer, packet);
	}
	return 0;
}

int main(int argc, char **argv)
{
	const struct sigaction action = {.sa_handler = stop};
	struct peer peer = {.local.sin_family = AF_INET, .remote.sin_family = AF_INET};
	int mtu = DEFAULT_MTU, ttl = DEFAULT_TTL, opt;

	while ((opt = getopt(argc, argv, "m:t:")) != -1) {
		if (opt == 'm')
			mtu = atoi(optarg);
		else if (opt == 't')
			ttl = atoi(optarg);
		else
			return 2;
	}
	if (argc - optind != 3 || inet_pton(AF_INET, argv[optind + 1], &peer.local.sin_addr) != 1 ||
	    inet_pton(AF_INET, argv[optind + 2], &peer.remote.sin_addr) != 1) {
		fprintf(stderr, "usage: sixinfour_peer [-m MTU] [-t TTL] TUN LOCAL REMOTE\n");
		return 2;
	}
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
	if (raw_open(&peer, ttl) || tun_open(&peer, argv[optind], mtu))
		return 1;
	puts("READY");
	fflush(stdout);
	return run(&peer) ? 1 : 0;
}
