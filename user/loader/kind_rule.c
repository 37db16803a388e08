// SPDX-License-Identifier: GPL-2.0-or-later
/* `ip -6 rule from PREFIX lookup TABLE`, with our protocol number. */
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

#define NOT_SUPPRESSED UINT32_MAX /* as the kernel reports it */

struct wire_rule {
	struct prefix from;
	uint32_t priority, table, suppress;
	uint8_t protocol;
};

static void describe(const struct object *object, char text[OBJECT_TEXT_MAX])
{
	uint32_t table = object_number(object, "table");
	char name[16] = "main";

	if (table != RT_TABLE_MAIN)
		snprintf(name, sizeof(name), "%u", table);
	snprintf(text, OBJECT_TEXT_MAX, "rule priority %u from %s lookup %s%s",
		 object_number(object, "priority"), object_string(object, "from"), name,
		 json_is_true(json_object_get(object->spec, "specific_only"))
			 ? " suppress_prefixlength 0"
			 : "");
}

static int to_wire(const struct object *object, struct wire_rule *out)
{
	*out = (struct wire_rule){
		.priority = object_number(object, "priority"),
		.table = object_number(object, "table"),
		.suppress = json_is_true(json_object_get(object->spec, "specific_only"))
				    ? 0
				    : NOT_SUPPRESSED,
		.protocol = ZT6_RTPROT,
	};
	return prefix_parse(object_string(object, "from"), &out->from) ? 0 : -EBADMSG;
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
	struct wire_rule is = {.suppress = NOT_SUPPRESSED, .from.len = frh->src_len};

	if (frh->family != AF_INET6 || frh->action != FR_ACT_TO_TBL || frh->dst_len ||
	    nlmsg_parse(message, sizeof(*frh), tb, FRA_MAX, NULL))
		return 0;
	if (tb[FRA_SRC])
		nla_memcpy(&is.from.addr, tb[FRA_SRC], sizeof(is.from.addr));
	if (tb[FRA_PRIORITY])
		is.priority = nla_get_u32(tb[FRA_PRIORITY]);
	is.table = tb[FRA_TABLE] ? nla_get_u32(tb[FRA_TABLE]) : frh->table;
	if (tb[FRA_SUPPRESS_PREFIXLEN])
		is.suppress = nla_get_u32(tb[FRA_SUPPRESS_PREFIXLEN]);
	if (tb[FRA_PROTOCOL])
		is.protocol = nla_get_u8(tb[FRA_PROTOCOL]);
	search->found |= is.priority == wanted->priority && is.table == wanted->table &&
			 is.suppress == wanted->suppress && is.protocol == wanted->protocol &&
			 prefix_equal(&is.from, &wanted->from);
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
	msg = netlink_message(type, flags, &frh, sizeof(frh));
	if (!msg || nla_put(msg, FRA_SRC, sizeof(rule.from.addr), &rule.from.addr) ||
	    nla_put_u32(msg, FRA_PRIORITY, rule.priority) ||
	    nla_put_u32(msg, FRA_TABLE, rule.table) ||
	    nla_put_u8(msg, FRA_PROTOCOL, rule.protocol) ||
	    (rule.suppress != NOT_SUPPRESSED &&
	     nla_put_u32(msg, FRA_SUPPRESS_PREFIXLEN, rule.suppress))) {
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
	.identity = (const char *const[]){"priority", "from", "table", "specific_only", NULL},
	.in_netns = true,
	.describe = describe,
	.probe = probe,
	.make = make,
	.unmake = unmake,
};

struct object *rule_object(uint32_t priority, const struct prefix *from, uint32_t table,
			   bool specific_only)
{
	char text[PREFIX_STRLEN];

	return object_new(&kind_rule,
			  json_pack("{s:I, s:s, s:I, s:b}", "priority", (json_int_t)priority,
				    "from", prefix_format(from, text), "table", (json_int_t)table,
				    "specific_only", specific_only));
}
