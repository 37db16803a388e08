/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The agent's own user. The loader gives it the pins and the journal, and the agent becomes whoever
 * they belong to. */
#ifndef ZT6_AGENT_USER_H
#define ZT6_AGENT_USER_H

/* Made by the package (tools/systemd/zt6-bpf.sysusers). */
#define AGENT_USER "zt6-bpf"

/* Another user's name or number; for packages with names of their own, and tests. */
#define AGENT_USER_ENV "ZT6_AGENT_USER"

/**
 * agent_user_give - make a file the agent's.
 * @path, or @fd: of it
 *
 * Where there is no such user, or this process may not give files away, it stays what it is: the
 * agent then runs as the owner that it has. Returns 0, or -errno for another reason.
 */
int agent_user_give(const char *path);
int agent_user_give_fd(int fd);

#endif
