/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What one run of tunnel-update leaves to the next: a small file per tunnel in a folder of its own,
 * /run/zt6-bpf-tunnel-update/INSTANCE, which an unprivileged user can own. It is gone after a boot.
 */
#ifndef ZT6_BROKER_MEMORY_H
#define ZT6_BROKER_MEMORY_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#include "../instance.h"
#include "update_answer.h"
#include "credentials.h"

struct broker_memory {
	uint64_t login;             /* fingerprint of the credentials; 0: there was no run yet */
	struct in_addr local;       /* the tunnel's local address then */
	enum broker_result result;  /* of the last request */
	char text[BROKER_TEXT_MAX]; /* its words */
	uint64_t asked_s;           /* CLOCK_BOOTTIME of the last request */
	unsigned int tries;         /* requests in a row without what they were for */
};

/* CLOCK_BOOTTIME in seconds: the time by which the folder lives. */
uint64_t broker_now(void);

/* Changes with the user, the key or the tunnel's id; nothing can be read back out of it. */
uint64_t broker_fingerprint(const struct broker_login *login);

/* The folder of an instance: systemd's RUNTIME_DIRECTORY, or the one above. */
void broker_memory_folder(const struct instance *instance, char folder[256]);

/* All zero where there is none, or none that can be read. */
void broker_memory_load(const char *folder, const char *tunnel, struct broker_memory *out);

/* 0, or -errno with a message. */
int broker_memory_save(const char *folder, const char *tunnel, const struct broker_memory *memory);

#endif
