// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The qdisc under which TC programs hang, where there is none. programs.c puts our filters on it;
 * they have no link and no pin, and go with this object.
 */
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <stdio.h>
#include <string.h>

#include "kinds.h"
#include "netlink.h"
#include "tc_hook.h"
#include "witness.h"
#include "../log.h"

#define CLSACT_HANDLE TC_H_MAKE(TC_H_CLSACT, 0)
#define PROGRAM_NAME  "zt6_" /* what the names of our programs begin with */

static const uint32_t hooks[] = {
	TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_INGRESS),
	TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_EGRESS),
};

static void describe(const struct object *object, char text[OBJECT_TEXT_MAX])
{
	snprintf(text, OBJECT_TEXT_MAX, "qdisc clsact dev %s", object_string(object, "device"));
}

struct qdisc_search {
	int ifindex;
	bool found;
};

/* An `ingress` qdisc has the same handle and serves for programs at ingress. */
static int find_qdisc(struct nlmsghdr *message, void *arg)
{
	const struct tcmsg *tcm = nlmsg_data(message);
	struct qdisc_search *search = arg;

	if (tcm->tcm_ifindex == search->ifindex && tcm->tcm_handle == CLSACT_HANDLE)
		search->found = true;
	return 0;
}

static int has_qdisc(struct nl_sock *nl, int ifindex)
{
	const struct tcmsg tcm = {.tcm_family = AF_UNSPEC, .tcm_ifindex = ifindex};
	struct qdisc_search search = {.ifindex = ifindex};
	int err = netlink_dump(nl, RTM_GETQDISC, &tcm, sizeof(tcm), find_qdisc, &search);

	return err ? err : search.found;
}

static int change_qdisc(struct nl_sock *nl, int type, int flags, int ifindex)
{
	const struct tcmsg tcm = {
		.tcm_family = AF_UNSPEC,
		.tcm_ifindex = ifindex,
		.tcm_handle = CLSACT_HANDLE,
		.tcm_parent = TC_H_CLSACT,
	};
	struct nl_msg *msg = netlink_message(type, flags, &tcm, sizeof(tcm));

	if (!msg || nla_put_string(msg, TCA_KIND, "clsact")) {
		nlmsg_free(msg);
		return -ENOMEM;
	}
	return netlink_request(nl, msg, NULL, NULL);
}

/* What we put on a hook, by priority. The witness has the pipeline's, on the other hook. */
static const uint32_t priorities[] = {ZT6_TC_PRIORITY_PORT, ZT6_TC_PRIORITY_TUNNEL};

_Static_assert(ZT6_WITNESS_PRIORITY == ZT6_TC_PRIORITY_PORT, "one filter of ours per priority");

#define PRIORITIES (sizeof(priorities) / sizeof(*priorities))

struct filter_search {
	bool ours[PRIORITIES];
	bool others;
};

static int find_filters(struct nlmsghdr *message, void *arg)
{
	const struct tcmsg *tcm = nlmsg_data(message);
	struct filter_search *search = arg;
	struct nlattr *tb[TCA_MAX + 1], *options[TCA_BPF_MAX + 1];
	const char *name = "";
	bool ours = false;

	/* Each priority has a line of its own, without handle, before its filters. */
	if (nlmsg_parse(message, sizeof(*tcm), tb, TCA_MAX, NULL) || !tb[TCA_KIND] ||
	    !tcm->tcm_handle)
		return 0;
	if (!strcmp(nla_get_string(tb[TCA_KIND]), "bpf") && tb[TCA_OPTIONS] &&
	    !nla_parse_nested(options, TCA_BPF_MAX, tb[TCA_OPTIONS], NULL) && options[TCA_BPF_NAME])
		name = nla_get_string(options[TCA_BPF_NAME]);
	for (size_t i = 0; i < PRIORITIES; i++) {
		if (TC_H_MAJ(tcm->tcm_info) >> 16 != priorities[i] ||
		    tcm->tcm_handle != ZT6_TC_HANDLE ||
		    strncmp(name, PROGRAM_NAME, strlen(PROGRAM_NAME)) != 0)
			continue;
		search->ours[i] = true;
		ours = true;
	}
	search->others |= !ours;
	return 0;
}

static int delete_our_filter(struct nl_sock *nl, int ifindex, uint32_t hook, uint32_t priority)
{
	const struct tcmsg tcm = {
		.tcm_family = AF_UNSPEC,
		.tcm_ifindex = ifindex,
		.tcm_handle = ZT6_TC_HANDLE,
		.tcm_parent = hook,
		.tcm_info = TC_H_MAKE(priority << 16, htons(ETH_P_ALL)),
	};
	struct nl_msg *msg = netlink_message(RTM_DELTFILTER, 0, &tcm, sizeof(tcm));

	if (!msg || nla_put_string(msg, TCA_KIND, "bpf")) {
		nlmsg_free(msg);
		return -ENOMEM;
	}
	return netlink_request(nl, msg, NULL, NULL);
}

/* Deletes our filters; *others tells whether there are any left. */
static int clear_filters(struct nl_sock *nl, int ifindex, bool *others)
{
	*others = false;
	for (size_t i = 0; i < sizeof(hooks) / sizeof(*hooks); i++) {
		const struct tcmsg tcm = {
			.tcm_family = AF_UNSPEC,
			.tcm_ifindex = ifindex,
			.tcm_parent = hooks[i],
		};
		struct filter_search search = {0};
		int err =
			netlink_dump(nl, RTM_GETTFILTER, &tcm, sizeof(tcm), find_filters, &search);

		for (size_t k = 0; k < PRIORITIES && !err; k++)
			if (search.ours[k])
				err = delete_our_filter(nl, ifindex, hooks[i], priorities[k]);
		if (err && err != -ENOENT)
			return err;
		*others |= search.others;
	}
	return 0;
}

static int probe(struct nl_sock *nl, const struct object *object, json_t **before)
{
	int ifindex = (int)if_nametoindex(object_string(object, "device"));
	int found = ifindex ? has_qdisc(nl, ifindex) : 0;

	if (found <= 0)
		return found ? found : OBJECT_ABSENT;
	*before = json_true();
	return OBJECT_PRESENT;
}

static int make(struct nl_sock *nl, struct object *object)
{
	const char *device = object_string(object, "device");
	int ifindex = (int)if_nametoindex(device);
	int err = ifindex ? has_qdisc(nl, ifindex) : -ENODEV;

	if (err > 0)
		return 0;
	if (!err)
		err = change_qdisc(nl, RTM_NEWQDISC, NLM_F_CREATE | NLM_F_EXCL, ifindex);
	if (err)
		log_error("%s: cannot add qdisc clsact: %s; the kernel needs CONFIG_NET_CLS_ACT "
			  "and CONFIG_NET_SCH_INGRESS",
			  device, netlink_reason(err));
	return err;
}

static int unmake(struct nl_sock *nl, const struct object *object)
{
	const char *device = object_string(object, "device");
	int ifindex = (int)if_nametoindex(device);
	bool others = false;
	int err = ifindex ? has_qdisc(nl, ifindex) : 0;

	if (err > 0)
		err = clear_filters(nl, ifindex, &others);
	else if (!err)
		return 0;
	if (!err && others)
		log_info("%s: qdisc clsact has filters of others: left alone", device);
	else if (!err && !object->before)
		err = change_qdisc(nl, RTM_DELQDISC, 0, ifindex);
	if (!err || err == -ENODEV || err == -ENOENT)
		return 0;
	log_error("%s: cannot delete qdisc clsact: %s", device, netlink_reason(err));
	return err;
}

const struct object_kind kind_clsact = {
	.name = "clsact",
	.identity = (const char *const[]){"device", NULL},
	.shared = true,
	.in_netns = true,
	.describe = describe,
	.probe = probe,
	.make = make,
	.unmake = unmake,
};

struct object *clsact_object(const char *device)
{
	return object_new(&kind_clsact, json_pack("{s:s}", "device", device));
}
