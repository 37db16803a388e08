// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent_user.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

/* False when there is none. A number need not be in the user database. */
static bool find_user(uid_t *uid, gid_t *gid)
{
	const char *name = getenv(AGENT_USER_ENV);
	const struct passwd *user = getpwnam(name && *name ? name : AGENT_USER);
	unsigned long number;
	char *end;

	if (user) {
		*uid = user->pw_uid;
		*gid = user->pw_gid;
		return true;
	}
	number = name ? strtoul(name, &end, 10) : 0;
	if (!number || *end || number >= (uid_t)-1)
		return false;
	*uid = (uid_t)number;
	*gid = (gid_t)number;
	return true;
}

static int result(int returned)
{
	return returned && errno != EPERM ? -errno : 0;
}

int agent_user_give(const char *path)
{
	uid_t uid;
	gid_t gid;

	/* What it owns it may have replaced by a link to what it must not own. */
	return geteuid() || !find_user(&uid, &gid)
		       ? 0
		       : result(fchownat(AT_FDCWD, path, uid, gid, AT_SYMLINK_NOFOLLOW));
}

int agent_user_give_fd(int fd)
{
	uid_t uid;
	gid_t gid;

	return geteuid() || !find_user(&uid, &gid) ? 0 : result(fchown(fd, uid, gid));
}
