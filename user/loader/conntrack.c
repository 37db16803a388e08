// SPDX-License-Identifier: GPL-2.0-or-later
#include "conntrack.h"

#include <bpf/btf.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/netlink.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "kinds.h"

#define ESTABLISHED "net/netfilter/nf_conntrack_tcp_timeout_established" /* seconds */

/* What the witness calls (bpf/witness.h). */
#define LOOKUP "bpf_skb_ct_lookup"
#define MODULE "nf_conntrack"

void conntrack_load_modules(void)
{
	/* A message of a subsystem that is not there makes the kernel load its module, and that
	 * one is on top of the others. The question itself is of no matter. */
	struct {
		struct nlmsghdr header;
		struct nfgenmsg body;
	} question = {
		.header =
			{
				.nlmsg_len = sizeof(question),
				.nlmsg_type = NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_GET_STATS,
				.nlmsg_flags = NLM_F_REQUEST,
			},
		.body.version = NFNETLINK_V0,
	};
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);
	ssize_t sent;

	if (fd < 0)
		return;
	sent = send(fd, &question, sizeof(question), 0);
	(void)sent;
	close(fd);
}

uint32_t conntrack_established_ms(void)
{
	unsigned long long seconds;
	char value[32];

	if (sysctl_read(ESTABLISHED, value, sizeof(value)))
		return 0;
	seconds = strtoull(value, NULL, 10);
	return seconds > UINT32_MAX / 1000 ? UINT32_MAX : (uint32_t)(seconds * 1000);
}

static bool knows(const struct btf *btf)
{
	return btf__find_by_name_kind(btf, LOOKUP, BTF_KIND_FUNC) > 0;
}

bool conntrack_has_kfuncs(void)
{
	struct btf *kernel = btf__load_vmlinux_btf(), *module = NULL;
	bool found = kernel && knows(kernel);

	if (kernel && !found)
		module = btf__load_module_btf(MODULE, kernel);
	if (module)
		found = knows(module);
	btf__free(module);
	btf__free(kernel);
	return found;
}
