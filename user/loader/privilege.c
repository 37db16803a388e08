// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <linux/capability.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "privilege.h"
#include "../log.h"

/* CAP_SYS_ADMIN stands for the capabilities that were split off it in Linux 5.8. */
static const struct {
	const char *name;
	unsigned int bit;
	bool in_sys_admin;
} needed[] = {
	{"CAP_NET_ADMIN", CAP_NET_ADMIN, false},
	{"CAP_BPF", CAP_BPF, true},
	{"CAP_PERFMON", CAP_PERFMON, true},
};

static bool has(const struct __user_cap_data_struct *data, unsigned int bit)
{
	return data[CAP_TO_INDEX(bit)].effective & CAP_TO_MASK(bit);
}

int privilege_missing(char missing[PRIVILEGE_NAMES_MAX])
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

	*missing = '\0';
	if (syscall(SYS_capget, &header, data))
		return -errno;
	for (size_t i = 0; i < sizeof(needed) / sizeof(*needed); i++) {
		size_t length = strlen(missing);

		if (has(data, needed[i].bit) ||
		    (needed[i].in_sys_admin && has(data, CAP_SYS_ADMIN)))
			continue;
		snprintf(missing + length, PRIVILEGE_NAMES_MAX - length, "%s%s", length ? ", " : "",
			 needed[i].name);
	}
	return 0;
}

int privilege_check(const char *command)
{
	char missing[PRIVILEGE_NAMES_MAX];
	int err = privilege_missing(missing);

	if (err || !*missing)
		return err;
	log_error("%s: not permitted: this process lacks %s; run it as root", command, missing);
	return -EPERM;
}
