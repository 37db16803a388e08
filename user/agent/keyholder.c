// SPDX-License-Identifier: GPL-2.0-or-later
#include "keyholder.h"

#include <errno.h>
#include <linux/capability.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define OURS STDERR_FILENO + 1 /* the descriptor that the child keeps */

/* What goes over the socket. It holds the token. */
struct answer {
	int err;
	struct zerotier_service service;
	char why[ZEROTIER_WHY_MAX];
};

/* To read other users' files is all that is left; a process without even that reads what it can. */
static void keep_one_capability(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3] = {0}, none[2] = {0};

	for (int capability = 0; prctl(PR_CAPBSET_READ, capability) >= 0; capability++)
		prctl(PR_CAPBSET_DROP, capability);
	sets[0].effective = sets[0].permitted = 1U << CAP_DAC_READ_SEARCH;
	if (syscall(SYS_capset, &header, sets))
		syscall(SYS_capset, &header, none);
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

/* Until the agent has gone. The agent's signals are not for us. */
static void serve(int fd)
{
	struct answer answer;
	char request;

	while (recv(fd, &request, sizeof(request), 0) == sizeof(request)) {
		memset(&answer, 0, sizeof(answer));
		answer.err = zerotier_service_open(&answer.service, answer.why);
		if (send(fd, &answer, sizeof(answer), MSG_NOSIGNAL) < 0)
			break;
		explicit_bzero(&answer, sizeof(answer));
	}
}

static void become_child(int fd)
{
	sigset_t agents;

	sigemptyset(&agents);
	sigaddset(&agents, SIGTERM);
	sigaddset(&agents, SIGINT);
	sigaddset(&agents, SIGHUP);
	sigprocmask(SIG_BLOCK, &agents, NULL);
	prctl(PR_SET_NAME, "zt6-keyholder");
	if (dup2(fd, OURS) < 0)
		_exit(1);
	close_range(OURS + 1, ~0U, 0);
	keep_one_capability();
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	serve(OURS);
	_exit(0);
}

int keyholder_start(void)
{
	int ends[2];
	pid_t child;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends))
		return -errno;
	child = fork();
	if (!child)
		become_child(ends[1]);
	close(ends[1]);
	if (child < 0) {
		int err = -errno;

		close(ends[0]);
		return err;
	}
	return ends[0];
}

int keyholder_ask(int fd)
{
	return send(fd, "", 1, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 ? -errno : 0;
}

int keyholder_take(int fd, struct zerotier_service *out, char *why)
{
	struct answer answer;
	ssize_t length = recv(fd, &answer, sizeof(answer), MSG_DONTWAIT);
	int err;

	if (length != sizeof(answer))
		return length < 0 && errno == EAGAIN ? -EAGAIN : -EPIPE;
	*out = answer.service;
	memcpy(why, answer.why, sizeof(answer.why));
	err = answer.err;
	explicit_bzero(&answer, sizeof(answer));
	return err;
}
