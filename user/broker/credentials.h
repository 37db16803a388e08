/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How this gateway shows the tunnel broker who it is. One file per instance, beside its
 * configuration, whose name ends in .broker instead of .conf; or, where systemd hands it over, the
 * credential `broker`:
 *
 *	[he-ipv6]
 *	user=NAME		of the account
 *	key=KEY			"Update Key" of the tunnel (its tab Advanced)
 *	tunnel=123456		the tunnel's id at the broker
 *
 * A file that others may read is refused. Nothing of it is ever printed but names of tunnels.
 */
#ifndef ZT6_BROKER_CREDENTIALS_H
#define ZT6_BROKER_CREDENTIALS_H

#include <net/if.h>
#include <stddef.h>

#include "../instance.h"

#define BROKER_TUNNELS_MAX 8
#define BROKER_VALUE_MAX   128
#define BROKER_ID_MAX      16

struct broker_login {
	char name[IFNAMSIZ]; /* of the tunnel's interface */
	char user[BROKER_VALUE_MAX];
	char key[BROKER_VALUE_MAX];
	char tunnel[BROKER_ID_MAX]; /* digits */
};

struct broker_logins {
	struct broker_login list[BROKER_TUNNELS_MAX];
	size_t count;
	char path[4352]; /* where they are from */
};

/* Returns 0, or a negative error with a message: -ENOENT when there is no file, -EPERM when others
 * may read it, -EINVAL. Forget them with broker_logins_clear(). */
int broker_logins_load(const struct instance *instance, struct broker_logins *out);

/* By the interface's name, or by the id at the broker; NULL when there is none. */
const struct broker_login *broker_login_find(const struct broker_logins *logins, const char *name);
const struct broker_login *broker_login_by_id(const struct broker_logins *logins,
					      const char *tunnel);

void broker_logins_clear(struct broker_logins *logins);

#endif
