// SPDX-License-Identifier: GPL-2.0-or-later
#include "confine.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../log.h"

#define KEPT (1U << CAP_NET_ADMIN | 1U << CAP_NET_RAW)

static int keep_capabilities(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3] = {
		{.effective = KEPT, .permitted = KEPT},
	};

	for (int capability = 0; prctl(PR_CAPBSET_READ, capability) >= 0; capability++)
		if (capability != CAP_NET_ADMIN && capability != CAP_NET_RAW &&
		    prctl(PR_CAPBSET_DROP, capability) && errno != EPERM)
			return -errno;
	if (syscall(SYS_capset, &header, sets))
		return -errno;
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ? -errno : 0;
}

static int become(const struct passwd *user)
{
	if (prctl(PR_SET_KEEPCAPS, 1) || setgroups(0, NULL) ||
	    setresgid(user->pw_gid, user->pw_gid, user->pw_gid) ||
	    setresuid(user->pw_uid, user->pw_uid, user->pw_uid))
		return -errno;
	return 0;
}

int confine(void)
{
	const struct passwd *user = geteuid() ? NULL : getpwnam(AGENT_USER);
	int err = user ? become(user) : 0;

	if (!err)
		err = keep_capabilities();
	if (err)
		log_error("agent: cannot give up privileges: %s; it needs CAP_NET_ADMIN and "
			  "CAP_NET_RAW",
			  strerror(-err));
	return err;
}
