/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Keys that this version cannot act on stop `up`, unless they hold their defaults. */
#include "unit.h"

#include <errno.h>

/* All that conf_unbuilt() says of a valid text. Free it. */
static char *unbuilt_of(const char *text, int *err)
{
	struct conf *conf = parse_good(text);
	char *messages;
	size_t size;
	FILE *errors = open_memstream(&messages, &size);

	*err = conf_unbuilt(conf, errors);
	fclose(errors);
	conf_free(conf);
	return messages;
}

static void what_is_built_may_be_set(void **state)
{
	static const struct {
		const char *template, *statement;
	} rows[] = {
		{IN_UPLINK, ""},
		{IN_UPLINK, "datapath auto"},
		{IN_UPLINK, "datapath xdp"},
		{IN_UPLINK, "datapath xdp-generic"},
		{IN_TUNNEL, "local 10.0.0.1; gateway fe80::1; ttl 0; tos inherit; mtu 1280; "
			    "pmtudisc no; default yes; metric 5; device bpf; routed 2001:db8::/48"},
		{IN_ZEROTIER, "interface zt0; datapath xdp; prefix 2001:db8:1::/48"},
		{IN_ZEROTIER, "interface zt0; join no; bind off"},
		{IN_ZEROTIER, "interface zt0; via fd00::1 2001:db8:7::/64; bind count"},
		{IN_ZEROTIER, "interface zt0; bind enforce"},
		{IN_ZEROTIER, "interface auto; join yes"},
		{IN_ZEROTIER, "allow-managed yes; allow-global yes; allow-default no"},
		{IN_LAN, "prefix 2001:db8::/64; datapath xdp-generic"},
		{IN_PROXY, "router no; source target"},
		{IN_PROXY, "timeout 1s; retries 4; valid 31s; invalid 1s; keepalive no"},
		{IN_RULE, "auto; autowire no; autovia no; dad no"},
		{IN_RULE, "static"},
		{IN_RULE, "iface eth1"},
		{IN_RULE, "iface eth1; autowire yes; autovia yes"},
		{IN_FIREWALL, "policy kernel; rules none"},
		{IN_FIREWALL, "rules shipped; allow tcp 22; allow icmpv6 144 from ::/0"},
		{IN_FIREWALL, "policy off"},
		{IN_LIMITS, "members 16; negative 16"},
		{IN_LIMITS, "cache-entries 64; unresolved-rate 5; ndp-rate 5; ptb-rate 5"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		char *text = fill_in(rows[i].template, rows[i].statement), *messages;
		int err;

		messages = unbuilt_of(text, &err);
		if (err || *messages)
			fail_msg("%s gives\n%s", rows[i].statement, messages);
		free(messages);
		free(text);
	}
}

static void what_is_not_built_is_told_with_its_line_and_a_remedy(void **state)
{
	static const struct {
		const char *template, *statement, *message;
	} rows[] = {
		{IN_UPLINK, "datapath tc",
		 "uplink: \"datapath tc\" is not built in this version: use "
		 "auto, xdp or xdp-generic"},
		{IN_UPLINK, "vlan 5", "uplink: \"vlan 5\" is not built in this version: remove it"},
		{IN_ZEROTIER, "interface zt0; datapath tc", "zerotier: \"datapath tc\""},
		{IN_LAN, "prefix 2001:db8::/64; datapath tc", "lan: \"datapath tc\""},
		{IN_LAN, "prefix 2001:db8::/64; vlan 5", "lan: \"vlan 5\""},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		char *text = fill_in(rows[i].template, rows[i].statement), *messages;
		int err;

		messages = unbuilt_of(text, &err);
		assert_int_equal(err, -EOPNOTSUPP);
		if (strncmp(messages, TEST_PATH ":3: ", strlen(TEST_PATH ":3: ")) ||
		    !strstr(messages, rows[i].message) ||
		    strchr(messages, '\n') != messages + strlen(messages) - 1)
			fail_msg("%s gives\n%s", rows[i].statement, messages);
		free(messages);
		free(text);
	}
}

static void several_are_told_by_line(void **state)
{
	int err;
	char *messages =
		unbuilt_of("uplink a {\nvlan 1\n}\nlan b {\nprefix 2001:db8::/64\nvlan 7\n}\n"
			   "proxy b {\nrule 2001:db8:1::/64 {\nauto\n}\n"
			   "rule 2001:db8:2::/64 {\nstatic\n}\n"
			   "rule 2001:db8:3::/64 {\niface c\n}\n}\n"
			   "lan c {\nprefix 2001:db8:4::/64\ndatapath tc\nvlan 8\n}\n",
			   &err);
	static const unsigned int expect[] = {2, 6, 21, 22};
	const char *at = messages;
	unsigned int line;

	(void)state;
	assert_int_equal(err, -EOPNOTSUPP);
	for (size_t i = 0; i < COUNT_OF(expect); i++, at = strchr(at, '\n') + 1) {
		assert_int_equal(sscanf(at, TEST_PATH ":%u:", &line), 1);
		assert_int_equal(line, expect[i]);
	}
	assert_string_equal(at, "");
	free(messages);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_built_may_be_set),
		cmocka_unit_test(what_is_not_built_is_told_with_its_line_and_a_remedy),
		cmocka_unit_test(several_are_told_by_line),
	};

	return cmocka_run_group_tests_name("conf_unbuilt", tests, NULL, NULL);
}
