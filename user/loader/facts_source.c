// SPDX-License-Identifier: GPL-2.0-or-later
/* Where the route of a packet depends on its source: rules, multipath, source-specific routes. */
#include <errno.h>
#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <stdlib.h>
#include <string.h>

#include "facts.h"
#include "netlink.h"

struct source_search {
	const struct prefixes *member;
	const struct own_address *own;
	size_t own_count;
	bool inside, outside;
};

/* Notes what a choice by "comes from @from" means for the two kinds of packets. */
static void note_source(struct source_search *search, const struct prefix *from)
{
	bool within = false, touches = false, covers = true;

	for (size_t i = 0; i < search->member->count; i++) {
		const struct prefix *member = &search->member->list[i];

		if (prefix_contains(member, from))
			touches = within = true;
		if (prefix_contains(from, member))
			touches = true;
		else
			covers = false;
	}
	if (touches && !covers)
		search->inside = true;
	for (size_t i = 0; i < search->own_count && !within; i++)
		within = from->len == 128 &&
			 !memcmp(&search->own[i].prefix.addr, &from->addr, sizeof(from->addr));
	if (!within)
		search->outside = true;
}

static bool read_prefix(const struct nlattr *attr, uint8_t len, struct prefix *out)
{
	memset(out, 0, sizeof(*out));
	if (!attr || len > 128 || nla_len(attr) > (int)sizeof(out->addr))
		return false;
	memcpy(&out->addr, nla_data(attr), (size_t)nla_len(attr));
	out->len = len;
	return true;
}

static int read_rule(struct nlmsghdr *message, void *arg)
{
	const struct fib_rule_hdr *frh = nlmsg_data(message);
	struct nlattr *tb[FRA_MAX + 1];
	struct prefix from;

	if (frh->family != AF_INET6 || !frh->src_len)
		return 0;
	if (nlmsg_parse(message, sizeof(*frh), tb, FRA_MAX, NULL) ||
	    !read_prefix(tb[FRA_SRC], frh->src_len, &from))
		return -EBADMSG;
	note_source(arg, &from);
	return 0;
}

static int read_route(struct nlmsghdr *message, void *arg)
{
	const struct rtmsg *rtm = nlmsg_data(message);
	struct source_search *search = arg;
	struct nlattr *tb[RTA_MAX + 1];
	struct prefix from;

	if (rtm->rtm_family != AF_INET6 || rtm->rtm_flags & RTM_F_CLONED)
		return 0;
	if (nlmsg_parse(message, sizeof(*rtm), tb, RTA_MAX, NULL))
		return -EBADMSG;
	/* A nexthop object may be a group; where the kernel does not spell it out, assume so. */
	if (tb[RTA_MULTIPATH] || (tb[RTA_NH_ID] && !tb[RTA_OIF]))
		search->inside = search->outside = true;
	if (rtm->rtm_src_len && read_prefix(tb[RTA_SRC], rtm->rtm_src_len, &from))
		note_source(search, &from);
	return 0;
}

int facts_source_routed(struct nl_sock *nl, const struct prefixes *member, bool *inside,
			bool *outside)
{
	const struct fib_rule_hdr rules = {.family = AF_INET6};
	const struct rtmsg routes = {.rtm_family = AF_INET6};
	struct source_search search = {.member = member};
	struct own_address *own = NULL;
	int err;

	err = facts_own_addresses(nl, &own, &search.own_count);
	if (err)
		return err;
	search.own = own;
	err = netlink_dump(nl, RTM_GETRULE, &rules, sizeof(rules), read_rule, &search);
	if (!err)
		err = netlink_dump(nl, RTM_GETROUTE, &routes, sizeof(routes), read_route, &search);
	free(own);
	*inside = search.inside;
	*outside = search.outside;
	return err;
}
