/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whoever may read the files of zerotier-one's home folder, for an agent that may not. The token belongs
 * to another user, may not be there yet, and may be another one tomorrow: a small process of the
 * agent's, with CAP_DAC_READ_SEARCH and nothing else, reads it whenever it is asked to. It ends with the
 * agent.
 */
#ifndef ZT6_KEYHOLDER_H
#define ZT6_KEYHOLDER_H

#include "../zerotier/service.h"

/* Forks it: while this process may still read the files. Returns a socket, or -errno. */
int keyholder_start(void);

/* Asks. Then the socket becomes readable. 0 or -errno. */
int keyholder_ask(int fd);

/**
 * keyholder_take - the answer.
 * @why: ZEROTIER_WHY_MAX bytes for words about an error
 *
 * Never waits. Returns what zerotier_service_open() has returned; -EAGAIN when there is no answer yet,
 * -EPIPE when nobody holds the key any longer.
 */
int keyholder_take(int fd, struct zerotier_service *out, char *why);

#endif
