// SPDX-License-Identifier: GPL-2.0-or-later
#include "confine.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../log.h"

#define KEPT (1U << CAP_NET_ADMIN | 1U << CAP_NET_RAW)

/* What may never come back. Without CAP_SETPCAP it stays: a service manager has set it then. */
static int drop_bounds(void)
{
	for (int capability = 0; prctl(PR_CAPBSET_READ, capability) >= 0; capability++)
		if (capability != CAP_NET_ADMIN && capability != CAP_NET_RAW &&
		    prctl(PR_CAPBSET_DROP, capability) && errno != EPERM)
			return -errno;
	return 0;
}

static int keep_capabilities(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3] = {
		{.effective = KEPT, .permitted = KEPT},
	};

	if (syscall(SYS_capset, &header, sets))
		return -errno;
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ? -errno : 0;
}

static int become(uid_t uid, gid_t gid)
{
	if (prctl(PR_SET_KEEPCAPS, 1) || setgroups(0, NULL) || setresgid(gid, gid, gid) ||
	    setresuid(uid, uid, uid))
		return -errno;
	return 0;
}

int confine(uid_t uid, gid_t gid)
{
	/* The bounds first: becoming somebody else takes the right to set them. */
	int err = drop_bounds();

	if (!err && uid && !geteuid())
		err = become(uid, gid);
	if (!err)
		err = keep_capabilities();
	if (err)
		log_error("agent: cannot give up privileges: %s; it needs CAP_NET_ADMIN and "
			  "CAP_NET_RAW",
			  strerror(-err));
	return err;
}
