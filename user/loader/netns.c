// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "netns.h"

static uint64_t cookie_of(int fd)
{
	uint64_t cookie;
	socklen_t length = sizeof(cookie);

	return getsockopt(fd, SOL_SOCKET, SO_NETNS_COOKIE, &cookie, &length) ? 0 : cookie;
}

int netns_current(struct netns *out)
{
	struct stat st;
	int fd;

	if (stat("/proc/self/ns/net", &st))
		return -errno;
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	out->inode = st.st_ino;
	out->cookie = cookie_of(fd);
	close(fd);
	return 0;
}

enum netns_relation netns_compare(const struct netns *current, const struct netns *other)
{
	if (current->inode != other->inode)
		return NETNS_OTHER;
	if (current->cookie && other->cookie && current->cookie != other->cookie)
		return NETNS_GONE;
	return NETNS_SAME;
}
