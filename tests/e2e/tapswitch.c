// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The ZeroTier network of the tests: TAP devices in several network namespaces, each held by one
 * file descriptor as zerotier-one holds its own (IFF_TAP | IFF_NO_PI, one queue, no offloads, not
 * persistent), and an Ethernet switch between them.
 *
 *	tapswitch [-m MTU] NETNS,NAME,MAC...
 *
 * NETNS is a path such as /run/netns/gw. The switch does as ZeroTier does to members that are no
 * bridges: a frame must carry the MAC of the TAP it was sent on, a unicast frame reaches the TAP
 * whose MAC it names or nobody, a multicast frame reaches everybody else. It prints READY when
 * the devices are up, runs until SIGTERM or SIGINT, and its end removes the devices.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define MAX_TAPS    16
#define MAX_FRAME   65536
#define BURST       64   /* frames read from one TAP before the others have their turn */
#define DEFAULT_MTU 2800 /* of a ZeroTier network */

struct tap {
	char netns[256];
	char name[IFNAMSIZ];
	uint8_t mac[ETH_ALEN];
	int fd;
};

static volatile sig_atomic_t stopping;

static void stop(int signal)
{
	(void)signal;
	stopping = 1;
}

static int fail(const char *what, const char *name)
{
	int err = errno;

	fprintf(stderr, "tapswitch: %s: %s: %s\n", name, what, strerror(err));
	return -err;
}

/* "NETNS,NAME,MAC" into *@tap. False when the text is not that. */
static bool tap_parse(const char *text, struct tap *tap)
{
	uint8_t *m = tap->mac;
	int end = 0;

	return sscanf(text, "%255[^,],%15[^,],%hhx:%hhx:%hhx:%hhx:%hhx:%hhx%n", tap->netns,
		      tap->name, &m[0], &m[1], &m[2], &m[3], &m[4], &m[5], &end) == 8 &&
	       !text[end];
}

static int enter_netns(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int err = 0;

	if (fd < 0)
		return fail("open", path);
	if (setns(fd, CLONE_NEWNET))
		err = fail("setns", path);
	close(fd);
	return err;
}

/* Gives the TAP its MAC and MTU and sets it up, through @sock of the same namespace. */
static int tap_configure(const struct tap *tap, int sock, int mtu)
{
	struct ifreq ifr = {0};

	memcpy(ifr.ifr_name, tap->name, IFNAMSIZ);
	ifr.ifr_hwaddr.sa_family = ARPHRD_ETHER;
	memcpy(ifr.ifr_hwaddr.sa_data, tap->mac, ETH_ALEN);
	if (ioctl(sock, SIOCSIFHWADDR, &ifr))
		return fail("SIOCSIFHWADDR", tap->name);
	ifr.ifr_mtu = mtu;
	if (ioctl(sock, SIOCSIFMTU, &ifr))
		return fail("SIOCSIFMTU", tap->name);
	if (ioctl(sock, SIOCGIFFLAGS, &ifr))
		return fail("SIOCGIFFLAGS", tap->name);
	ifr.ifr_flags |= IFF_UP | IFF_RUNNING;
	if (ioctl(sock, SIOCSIFFLAGS, &ifr))
		return fail("SIOCSIFFLAGS", tap->name);
	return 0;
}

/* Creates the TAP in its namespace; this process stays there. 0 or a negative error. */
static int tap_open(struct tap *tap, int mtu)
{
	struct ifreq ifr = {.ifr_flags = IFF_TAP | IFF_NO_PI};
	int err, sock;

	err = enter_netns(tap->netns);
	if (err)
		return err;
	tap->fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (tap->fd < 0)
		return fail("open", "/dev/net/tun");
	memcpy(ifr.ifr_name, tap->name, IFNAMSIZ);
	if (ioctl(tap->fd, TUNSETIFF, &ifr))
		return fail("TUNSETIFF", tap->name);
	sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (sock < 0)
		return fail("socket", tap->name);
	err = tap_configure(tap, sock, mtu);
	close(sock);
	return err;
}

/* Writes one frame that came in on @from to whom it is for. A full queue loses it, as on a wire. */
static void deliver(const struct tap *taps, int count, int from, const uint8_t *frame,
		    size_t length)
{
	bool multicast = frame[0] & 1;

	if (memcmp(frame + ETH_ALEN, taps[from].mac, ETH_ALEN) != 0)
		return;
	for (int i = 0; i < count; i++) {
		if (i == from || (!multicast && memcmp(frame, taps[i].mac, ETH_ALEN) != 0))
			continue;
		if (write(taps[i].fd, frame, length) < 0 && errno != EAGAIN && errno != EIO)
			fail("write", taps[i].name);
	}
}

static int run(const struct tap *taps, int count)
{
	static uint8_t frame[MAX_FRAME];
	struct pollfd fds[MAX_TAPS];

	for (int i = 0; i < count; i++)
		fds[i] = (struct pollfd){.fd = taps[i].fd, .events = POLLIN};
	while (!stopping) {
		if (poll(fds, (nfds_t)count, -1) < 0) {
			if (errno == EINTR)
				continue;
			return fail("poll", "switch");
		}
		for (int i = 0; i < count; i++) {
			for (int n = 0; (fds[i].revents & POLLIN) && n < BURST; n++) {
				ssize_t length = read(fds[i].fd, frame, sizeof(frame));

				if (length < ETH_HLEN)
					break;
				deliver(taps, count, i, frame, (size_t)length);
			}
		}
	}
	return 0;
}

int main(int argc, char **argv)
{
	const struct sigaction action = {.sa_handler = stop};
	struct tap taps[MAX_TAPS] = {0};
	int count = 0, mtu = DEFAULT_MTU, opt;

	while ((opt = getopt(argc, argv, "m:")) == 'm')
		mtu = atoi(optarg);
	for (; opt == -1 && optind < argc && count < MAX_TAPS; optind++, count++) {
		if (!tap_parse(argv[optind], &taps[count]))
			break;
	}
	if (opt != -1 || optind < argc || !count || mtu <= 0) {
		fprintf(stderr, "usage: tapswitch [-m MTU] NETNS,NAME,MAC...\n");
		return 2;
	}
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
	for (int i = 0; i < count; i++) {
		if (tap_open(&taps[i], mtu))
			return 1;
	}
	puts("READY");
	fflush(stdout);
	return run(taps, count) ? 1 : 0;
}
