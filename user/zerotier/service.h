/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The local zerotier-one, as its home folder describes it. The folder is /var/lib/zerotier-one
 * unless the environment says another one in ZEROTIER_HOME.
 */
#ifndef ZT6_ZEROTIER_SERVICE_H
#define ZT6_ZEROTIER_SERVICE_H

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

#define ZEROTIER_HOME_VARIABLE "ZEROTIER_HOME"
#define ZEROTIER_TOKEN_MAX     128

/* Messages: what is missing, and what to do about it. */
#define ZEROTIER_WHY_MAX 512

/* Writes such a message into @why; cuts it when it is too long. */
void zerotier_explain(char *why, const char *format, ...) __attribute__((format(printf, 2, 3)));

struct zerotier_service {
	char home[256];
	uint16_t port;
	char token[ZEROTIER_TOKEN_MAX + 1]; /* secret */
};

/* The service's home folder: $ZEROTIER_HOME, or where packages put it. Not to be freed. */
const char *zerotier_home(void);

/**
 * zerotier_service_open - read where the service listens and what it lets in.
 * @why: ZEROTIER_WHY_MAX bytes for words about an error
 *
 * Asks nobody: whether the service runs is another matter. Returns 0, or -ENOENT when it has never
 * run, -EACCES, -EINVAL when its files hold something else, or another error of reading them.
 */
int zerotier_service_open(struct zerotier_service *service, char *why);

/* Forgets the token. */
void zerotier_service_close(struct zerotier_service *service);

/* The name that the file `devicemap` in the home folder gives the interface of a network; false
 * when it gives none. */
bool zerotier_devicemap(uint64_t network, char name[IFNAMSIZ]);

/* Whether a text can be the name of an interface, and nothing else: no path, no control codes. */
bool zerotier_interface_valid(const char *name);

#endif
