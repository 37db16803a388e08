// SPDX-License-Identifier: GPL-2.0-or-later
/* `ip -6 rule from PREFIX [to PREFIX] lookup TABLE`, with our protocol number. */
#include <errno.h>
#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <stdio.h>
#include <string.h>

#include "kinds.h"
#include "netlink.h"
#include "../log.h"

struct wire_rule {
	struct prefix from, to; /* to ::/0: wherever to */
	uint32_t priority, table;
	uint8_t protocol;
};

static void describe(const struct object *object, char text[OBJECT_TEXT_MAX])
{
	uint32_t table = object_number(object, "table");
	const char *to = object_string(object, "to");
	bool anywhere = !strcmp(to, "::/0");
	char name[16] = "main";

	if (table != RT_TABLE_MAIN)
		snprintf(name, sizeof(name), "%u", table);
	snprintf(text, OBJECT_TEXT_MAX, "rule priority %u from %s%s%s lookup %s",
		 object_number(object, "priority"), object_string(object, "from"),
		 anywhere ? "" : " to ", anywhere ? "" : to, name);
}

static int to_wire(const struct object *object, struct wire_rule *out)
{
	*out = (struct wire_rule){
		.priority = object_number(object, "priority"),
		.table = object_number(object, "table"),
		.protocol = ZT6_RTPROT,
	};
	return prefix_parse(object_string(object, "from"), &out->from) &&
			       prefix_parse(object_string(object, "to"), &out->to)
		       ? 0
		       : -EBADMSG;
}

struct search {
	const struct wire_rule *wanted;
	bool found;
};

static int compare(struct nlmsghdr *message, void *arg)
{
	const struct fib_rule_hdr *frh = nlmsg_data(message);
	struct search *search = arg;
	const struct wire_rule *wanted = search->wanted;
	struct nlattr *tb[FRA_MAX + 1];
	struct wire_rule is = {.from.len = frh->src_len, .to.len = frh->dst_len};

	if (frh->family != AF_INET6 || frh->action != FR_ACT_TO_TBL ||
	    nlmsg_parse(message, sizeof(*frh), tb, FRA_MAX, NULL))
		return 0;
	if (tb[FRA_SRC])
		nla_memcpy(&is.from.addr, tb[FRA_SRC], sizeof(is.from.addr));
	if (tb[FRA_DST])
		nla_memcpy(&is.to.addr, tb[FRA_DST], sizeof(is.to.addr));
	if (tb[FRA_PRIORITY])
		is.priority = nla_get_u32(tb[FRA_PRIORITY]);
	is.table = tb[FRA_TABLE] ? nla_get_u32(tb[FRA_TABLE]) : frh->table;
	if (tb[FRA_PROTOCOL])
		is.protocol = nla_get_u8(tb[FRA_PROTOCOL]);
	search->found |= is.priority == wanted->priority && is.table == wanted->table &&
			 is.protocol == wanted->protocol && prefix_equal(&is.from, &wanted->from) &&
			 prefix_equal(&is.to, &wanted->to);
	return 0;
}

static int probe(struct nl_sock *nl, const struct object *object, json_t **before)
{
	const struct fib_rule_hdr frh = {.family = AF_INET6};
	struct wire_rule wanted;
	struct search search = {.wanted = &wanted};
	int err = to_wire(object, &wanted);

	(void)before;
	if (!err)
		err = netlink_dump(nl, RTM_GETRULE, &frh, sizeof(frh), compare, &search);
	if (err)
		return err;
	return search.found ? OBJECT_PRESENT : OBJECT_ABSENT;
}

static int change(struct nl_sock *nl, int type, int flags, const struct object *object)
{
	struct wire_rule rule;
	struct fib_rule_hdr frh = {.family = AF_INET6, .action = FR_ACT_TO_TBL};
	struct nl_msg *msg;
	int err = to_wire(object, &rule);

	if (err)
		return err;
	frh.src_len = rule.from.len;
	frh.dst_len = rule.to.len;
	msg = netlink_message(type, flags, &frh, sizeof(frh));
	if (!msg || nla_put(msg, FRA_SRC, sizeof(rule.from.addr), &rule.from.addr) ||
	    nla_put_u32(msg, FRA_PRIORITY, rule.priority) ||
	    nla_put_u32(msg, FRA_TABLE, rule.table) ||
	    nla_put_u8(msg, FRA_PROTOCOL, rule.protocol) ||
	    (rule.to.len && nla_put(msg, FRA_DST, sizeof(rule.to.addr), &rule.to.addr))) {
		nlmsg_free(msg);
		return -ENOMEM;
	}
	return netlink_request(nl, msg, NULL, NULL);
}

static int make(struct nl_sock *nl, struct object *object)
{
	char text[OBJECT_TEXT_MAX];
	int err = change(nl, RTM_NEWRULE, NLM_F_CREATE | NLM_F_EXCL, object);

	if (err) {
		describe(object, text);
		log_error("cannot add %s: %s%s", text, netlink_reason(err),
			  err == -EAFNOSUPPORT || err == -EOPNOTSUPP
				  ? "; `default source` needs a kernel with "
				    "CONFIG_IPV6_MULTIPLE_TABLES"
				  : "");
	}
	return err;
}

static int unmake(struct nl_sock *nl, const struct object *object)
{
	char text[OBJECT_TEXT_MAX];
	int err = change(nl, RTM_DELRULE, 0, object);

	if (!err || err == -ENOENT)
		return 0;
	describe(object, text);
	log_error("cannot delete %s: %s", text, netlink_reason(err));
	return err;
}

const struct object_kind kind_rule = {
	.name = "rule",
	.identity = (const char *const[]){"priority", "from", "to", "table", NULL},
	.in_netns = true,
	.describe = describe,
	.probe = probe,
	.make = make,
	.unmake = unmake,
};

struct object *rule_object(uint32_t priority, const struct prefix *from, const struct prefix *to,
			   uint32_t table)
{
	const struct prefix anywhere = {0};
	char from_text[PREFIX_STRLEN], to_text[PREFIX_STRLEN];

	return object_new(&kind_rule,
			  json_pack("{s:I, s:s, s:s, s:I}", "priority", (json_int_t)priority,
				    "from", prefix_format(from, from_text), "to",
				    prefix_format(to ? to : &anywhere, to_text), "table",
				    (json_int_t)table));
}
