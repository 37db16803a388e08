// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Our tables of nftables, when somebody flushes the rule set: `systemctl reload nftables` does. They are
 * loaded again at once, for what they hold back could come in meanwhile.
 */
#include <errno.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>
#include <string.h>

#include "../log.h"
#include "../ruleset.h"
#include "agent.h"

#define DELETED (NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_DELTABLE)

/* A replacement deletes them as well: then there is nothing to repair. */
static int on_notice(struct nl_msg *msg, void *arg)
{
	const struct nlmsghdr *message = nlmsg_hdr(msg);
	struct agent *agent = arg;
	char table[RULESET_TABLE_MAX];
	struct nlattr *name;

	if (message->nlmsg_type != DELETED)
		return NL_OK;
	name = nlmsg_find_attr((struct nlmsghdr *)message, sizeof(struct nfgenmsg),
			       NFTA_TABLE_NAME);
	ruleset_table(agent->instance->name, table);
	if (name && !nla_strcmp(name, table))
		ports_want_repair(agent);
	return NL_OK;
}

int rules_open(struct agent *agent)
{
	struct nl_sock *nl = nl_socket_alloc();

	if (!nl)
		return -ENOMEM;
	nl_socket_disable_seq_check(nl);
	nl_socket_modify_cb(nl, NL_CB_VALID, NL_CB_CUSTOM, on_notice, agent);
	if (nl_connect(nl, NETLINK_NETFILTER) || nl_socket_set_nonblocking(nl) ||
	    nl_socket_add_membership(nl, NFNLGRP_NFTABLES)) {
		log_info("the kernel does not tell of its rules: what somebody flushes stays away "
			 "until \"zt6-bpf reload\"");
		nl_socket_free(nl);
		return 0;
	}
	agent->rules = nl;
	return 0;
}

void rules_read(struct agent *agent)
{
	int err = 0;

	while (agent->rules && !err)
		err = nl_recvmsgs_default(agent->rules);
	/* libnl's name for ENOBUFS: notices were lost. */
	if (err == -NLE_NOMEM)
		ports_want_repair(agent);
}

void rules_close(struct agent *agent)
{
	nl_socket_free(agent->rules);
	agent->rules = NULL;
}
