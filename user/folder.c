// SPDX-License-Identifier: GPL-2.0-or-later
#include "folder.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "agent_user.h"

/* Between making the shared folder and the one in it another instance may remove the former; so
 * often in a row it does not. */
#define TRIES 100

static int make(const char *dir, mode_t mode)
{
	return mkdir(dir, mode) && errno != EEXIST ? -errno : 0;
}

int folder_make(const char *dir, mode_t mode)
{
	char parent[PATH_MAX];
	char *slash;
	int err = -ENOENT;

	snprintf(parent, sizeof(parent), "%s", dir);
	slash = strrchr(parent, '/');
	if (slash)
		*slash = '\0';
	for (int i = 0; i < TRIES && err == -ENOENT; i++) {
		err = slash ? make(parent, mode) : 0;
		if (!err)
			err = make(dir, mode);
	}
	return err ? err : agent_user_give(dir);
}
