/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `import ndppd`: what ndppd 0.2.5 makes of a file, and what of it is in ours. */
#include "imports.h"

#define IN_PROXY_OF(text) "proxy eth0 {\n" text "\n rule 2001:db8:48::/48 { auto }\n}\n"
#define IN_RULE_OF(text)  "proxy eth0 {\n rule 2001:db8:48::/48 {\n" text "\n }\n}\n"

static void a_file_as_people_post_it_becomes_an_uplink_a_lan_and_a_proxy(void **state)
{
	static const char text[] = "# /etc/ndppd.conf of a small hoster's machine\n"
				   "route-ttl 30000\n"
				   "\n"
				   "proxy ens3 {\n"
				   "   router yes\n"
				   "   timeout 500   \n"
				   "   ttl 60000\n"
				   "   rule 2001:db8:48:7::/64 {\n"
				   "      iface br0 # the containers\n"
				   "   }\n"
				   "   rule 2001:db8:48::/56 { auto }\n"
				   "}\n";
	static const char expected[] =
		"# In place of ndppd with FILE: \"systemctl disable --now ndppd\" before "
		"\"zt6-bpf up\".\n"
		"# FILE:2: route-ttl has no equivalent and needs none: the kernel tells the agent "
		"of changes at once\n"
		"# New here: to members comes only what a section \"firewall\" allows, see "
		"zt6.conf(5);\n"
		"# with \"rules none\" in it your own rules of nftables decide, as before.\n"
		"\n"
		"uplink ens3 {\n"
		"}\n"
		"\n"
		"lan br0 {\n"
		"    # Members on br0 send from these alone (BCP 38): add what else lives there.\n"
		"    prefix  2001:db8:48:7::/64\n"
		"}\n"
		"\n"
		"proxy ens3 {\n"
		"    router  yes\n"
		"    valid   60s\n"
		"    invalid 60s\n"
		"    timeout 500ms\n"
		"    rule 2001:db8:48:7::/64 {\n"
		"        iface br0\n"
		"    }\n"
		"    rule 2001:db8:48::/56 {\n"
		"        auto\n"
		"        # FILE:11: rule 2001:db8:48::/56 overlaps that of FILE:8: ndppd goes by "
		"both, zt6-bpf by the longer\n"
		"    }\n"
		"}\n";
	struct imported result = import_one("ndppd", text);

	(void)state;
	assert_int_equal(result.err, 0);
	assert_string_equal(result.out, expected);
	assert_true(result.complete);
	imported_free(&result);
}

static void options_have_their_equivalents(void **state)
{
	static const struct reading rows[] = {
		{IN_PROXY_OF(""), "uplink eth0 {\n}\n", "router", NULL},
		{IN_PROXY_OF("router yes"), "    router  yes\n", NULL, NULL},
		{IN_PROXY_OF("router TRUE"), "    router  yes\n", NULL, NULL},
		{IN_PROXY_OF("router no"), "    router  no\n", NULL, NULL},
		{IN_PROXY_OF("timeout 250"), "    timeout 250ms\n", NULL, NULL},
		{IN_PROXY_OF("timeout = 2000"), "    timeout 2s\n", NULL, NULL},
		{IN_PROXY_OF("ttl 1500"), "    valid   1500ms\n    invalid 1500ms\n", NULL, NULL},
		{IN_PROXY_OF("deadtime 5000"), "    valid   30s\n    invalid 5s\n", NULL,
		 "FILE:2: deadtime: ndppd 0.2.5 does not act on this"},
		{IN_PROXY_OF("ttl 60000\ndeadtime 5000"), "    valid   60s\n    invalid 5s\n", NULL,
		 "FILE:3: deadtime"},
		{IN_PROXY_OF("retries 5"), "    retries 5\n", NULL, "FILE:2: retries: ndppd 0.2.5"},
		{IN_PROXY_OF("keepalive yes"), "    keepalive yes\n", NULL, NULL},
		{IN_PROXY_OF("keepalive no"), "    keepalive no\n", NULL, "FILE:2: keepalive"},
		{IN_PROXY_OF("promiscuous no"), NULL, "promisc", NULL},
		{IN_PROXY_OF("promiscuous yes"), "# FILE:2: promiscuous", "    promiscuous",
		 "FILE:2: promiscuous has no equivalent"},
		{"address-ttl 5\n" IN_PROXY_OF(""), "# FILE:1: address-ttl", NULL,
		 "FILE:1: address-ttl has no equivalent"},
		{IN_RULE_OF("static"), "        static\n", NULL, NULL},
		{IN_RULE_OF("iface eth1"), "        iface eth1\n", "autowire", NULL},
		{IN_RULE_OF("iface eth1\nautovia yes"), "        autovia yes\n", NULL,
		 "FILE:4: autovia: ndppd 0.2.5"},
		{IN_RULE_OF("auto\nautovia yes"), "        auto\n", "        autovia",
		 "FILE:4: autovia: only a rule with iface"},
		{"proxy eth0 {\nautowire yes\nrule 2001:db8::/64 { iface eth1 }\n"
		 "rule 2001:db8:1::/64 { auto } }\n",
		 "        iface eth1\n        autowire yes\n", "auto\n        autowire",
		 "FILE:2: autowire: ndppd 0.2.5"},
	};

	(void)state;
	check_readings("ndppd", rows, COUNT_OF(rows));
}

static void values_are_read_as_ndppd_reads_them_and_what_is_odd_is_told(void **state)
{
	static const struct reading rows[] = {
		{IN_PROXY_OF("router yes;"), "    router  no\n", NULL,
		 "FILE:2: router \"yes;\": only \"yes\" and \"true\" are yes to ndppd"},
		{IN_PROXY_OF("router on"), "    router  no\n", NULL, "FILE:2: router \"on\""},
		{IN_PROXY_OF("router"), "    router  no\n", NULL, NULL},
		{IN_PROXY_OF("timeout 500;"), "    timeout 500ms\n", NULL,
		 "FILE:2: timeout \"500;\": ndppd reads 500ms"},
		{IN_PROXY_OF("ttl 30s"), "    valid   100ms\n", NULL,
		 "FILE:2: ttl 30ms: zt6-bpf takes 100 to 86400000, so this is 100ms"},
		{IN_PROXY_OF("ttl -1"), "    valid   100ms\n", NULL, "FILE:2: ttl -1ms"},
		{IN_PROXY_OF("ttl 99999999999999999999"), "    valid   86400s\n", NULL,
		 "FILE:2: ttl 2147483647ms"},
		{IN_PROXY_OF("retries many"), "    retries 1\n", NULL, "ndppd reads 0"},
		{IN_PROXY_OF("router no\nrouter yes"), "    router  no\n", NULL,
		 "FILE:3: \"router\" is already on line 2, and ndppd takes the first"},
		{IN_PROXY_OF("Router no"), NULL, "    router", "\"router\" is meant?"},
		{IN_PROXY_OF("valid-ttl 5"), NULL, "    valid",
		 "FILE:2: valid-ttl is a key of ndppd 1.0"},
		{IN_PROXY_OF("autovia yes"), NULL, "    autovia",
		 "FILE:2: \"autovia\": ndppd has no such key"},
		{IN_RULE_OF("auto no"), "        auto\n", NULL,
		 "FILE:3: auto \"no\": to ndppd the word alone counts"},
		{IN_RULE_OF("auto;"), "        auto\n", NULL, NULL},
		{IN_RULE_OF("iface \"eth1\""), "        iface eth1\n", NULL, NULL},
		{"proxy eth0 { rule 2001:db8::1/64{static}}", "rule 2001:db8::/64 {", NULL,
		 "FILE:1: rule \"2001:db8::1/64\" is all of 2001:db8::/64"},
		{"proxy eth0 { rule 2001:db8::5 {static}}", "rule 2001:db8::5/128 {", NULL, NULL},
		{"proxy eth0 { rule 2001:db8::/ {static}}", "rule ::/0 {", NULL,
		 "which ndppd makes /0: every address"},
		{"proxy eth0 { rule 2001:db8::/999 {static}}", "rule 2001:db8::/128 {", NULL,
		 "which ndppd makes /128"},
		{"proxy eth0 { rule 2001:db8::/64; {static}}", "rule 2001:db8::/128 {", NULL,
		 "which makes it /128"},
		{"proxy eth0 { rule ::ffff:192.0.2.1/64 {static}}", NULL, "    rule ",
		 "FILE:1: rule \"::ffff:192.0.2.1/64\" is left out"},
		{"proxy eth0 { rule fe80::/64 {static}}", NULL, "    rule ",
		 "FILE:1: rule \"fe80::/64\" is left out"},
		{"proxy eth0 { rule ::/0 {auto}}", "rule ::/0 {", NULL, NULL},
		{"proxy eth0", "proxy eth0 {\n", NULL, "FILE:1: proxy \"eth0\" has no rule"},
	};

	(void)state;
	check_readings("ndppd", rows, COUNT_OF(rows));
}

static void comments_blanks_and_braces_are_where_ndppd_has_them(void **state)
{
	static const struct reading rows[] = {
		{"/* proxy eth9 { */ proxy eth0{rule 2001:db8::/64{auto}}", "uplink eth0", "eth9",
		 NULL},
		{"proxy eth0 { // rule\n rule 2001:db8::/64 { # x }\n auto }\n}", "        auto\n",
		 NULL, NULL},
		{"/*/ proxy eth0 { rule 2001:db8::/64 { auto } }", "uplink eth0", NULL, NULL},
		{"proxy eth0 { rule 2001:db8::/64 { auto } } /* open\nproxy eth1 {", "uplink eth0",
		 "eth1", NULL},
		{"proxy eth0#x { rule 2001:db8::/64 { auto } }", "uplink \"eth0#x\" {", NULL, NULL},
		{"proxy eth0\n{\n rule 2001:db8::/64 { auto }\n}\n", "proxy eth0 {", "rule ",
		 "FILE:2: \"{\" stands on a line of its own"},
		{"proxy eth0 { rule 2001:db8::/64 { auto } } }\nproxy eth1 { }\n", "uplink eth0",
		 "eth1", "FILE:1: \"}\" closes nothing: ndppd reads no further"},
		{"proxy \"eth0\" {\n rule 2001:db8::/64 { auto }\n}\n", "uplink eth0", "rule 2001",
		 "FILE:1: \"eth0\" in quotes: ndppd takes no block"},
		{"\r\nproxy eth0 {\r\n rule 2001:db8::/64 {\r\n auto\r\n }\r\n}\r\n",
		 "        auto\n", NULL, NULL},
	};

	(void)state;
	check_readings("ndppd", rows, COUNT_OF(rows));
}

static void what_ndppd_does_not_start_with_is_refused(void **state)
{
	static const struct refusal rows[] = {
		{"\nproxy {\n}\n", "FILE:2: proxy \"\" has no interface"},
		{"proxy eth0; {\n}\n", "FILE:1: proxy \"eth0;\""},
		{"proxy far-too-long-a-name {\n}\n", "FILE:1: \"far-too-long-a-name\""},
		{"proxy eth0 {\n rule { auto }\n}\n", "FILE:2: a rule has no prefix"},
		{IN_RULE_OF(""), "FILE:2: rule \"2001:db8:48::/48\" has none of auto, static"},
		{IN_RULE_OF("auto\nstatic"), "FILE:2: rule \"2001:db8:48::/48\" has more than one"},
		{IN_RULE_OF("auto; iface eth1"), "has more than one"},
		{IN_RULE_OF("iface"), "FILE:3: iface \"\""},
		{IN_RULE_OF("iface eth1;"), "FILE:3: iface \"eth1;\""},
		{"proxy eth0 {\n rule 2001:db8::/64 {\n auto\n", "FILE:2: the \"{\" after"},
		{"\xef\xbb\xbfproxy eth0 {\n}\n", "FILE:1: \"\\xef\" is no printable ASCII"},
		{"proxy eth0 {\n router\xc2\xa0yes\n}\n", "FILE:2: \"\\xc2\""},
		{"{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{", "FILE:1: blocks are nested too"},
	};

	(void)state;
	check_refusals("ndppd", rows, COUNT_OF(rows));
}

static void all_faults_are_told_up_to_a_number(void **state)
{
	char *text = NULL;
	size_t size, lines = 0;
	FILE *stream = open_memstream(&text, &size);
	struct imported result;

	(void)state;
	for (int i = 0; i < 50; i++)
		fputs("proxy {\n}\n", stream);
	fclose(stream);
	result = import_one("ndppd", text);
	assert_int_equal(result.err, -EINVAL);
	for (const char *at = result.errors; *at; at++)
		lines += *at == '\n';
	assert_int_equal(lines, 20);
	imported_free(&result);
	free(text);
}

static void of_rules_that_meet_one_holds(void **state)
{
	static const struct reading rows[] = {
		{"proxy eth0 {\nrule 2001:db8::/64 { auto }\nrule 2001:db8::/64 { static }\n}\n",
		 "        static\n", "        auto\n",
		 "FILE:3: takes the place of the rule of FILE:2"},
		{"proxy eth0 {\nrule 2001:db8::/64 { auto }\nrule 2001:db8::/64 { auto }\n}\n",
		 "        auto\n", NULL, "FILE:3: rule 2001:db8::/64 is left out"},
		{"proxy eth0 {\nrule 2001:db8::/64 { iface eth1 }\n"
		 "rule 2001:db8::/64 { iface eth2 }\n}\n",
		 "iface eth1", "iface eth2", "and only one of them can hold"},
		{"proxy eth0 {\nrule 2001:db8::/64 { auto }\nrule 2001:db8::/80 { static }\n}\n",
		 "rule 2001:db8::/80", NULL, "FILE:3: rule 2001:db8::/80 overlaps that of FILE:2"},
		{"proxy eth0 {\nrule 2001:db8::/64 { auto }\nrule 2001:db8::/80 { auto }\n}\n",
		 "rule 2001:db8::/80", NULL, NULL},
	};

	(void)state;
	check_readings("ndppd", rows, COUNT_OF(rows));
}

static void interfaces_get_a_role(void **state)
{
	static const struct reading rows[] = {
		/* Both ways: the second proxy is on the inside. */
		{"proxy eth0 { rule 2001:db8:1::/64 { iface eth1 } }\n"
		 "proxy eth1 { rule 2001:db8:2::/64 { iface eth0 } }\n",
		 "lan eth1 {\n    # Members on eth1 send from these alone (BCP 38): add what else "
		 "lives "
		 "there.\n    prefix  2001:db8:1::/64\n",
		 "uplink eth1", "FILE:2: the rule is left out: iface eth0 is an uplink"},
		{"proxy eth1 { rule 2001:db8:2::/64 { iface eth1 } }\n", "uplink eth1", "lan eth",
		 "FILE:1: the rule is left out: iface eth1 is the interface of the proxy itself"},
		{"proxy eth0 { rule 2001:db8:1::/64 { iface ztyou2vs2o } }\n", "lan ztyou2vs2o {",
		 NULL, "FILE:1: ztyou2vs2o is an interface of ZeroTier"},
		{"proxy eth0 { rule ::/0 { iface eth1 } }\n", "# prefix  2001:db8:1::/64", NULL,
		 "the configuration is not complete"},
		{"proxy eth0 { rule 2001:db8:1::/64 { iface eth1 } }\n"
		 "proxy eth2 { rule 2001:db8:1::/64 { iface eth3 } }\n",
		 "    # FILE:2: 2001:db8:1::/64 is already the prefix of another port", NULL,
		 "zt6.conf (as printed):"},
	};

	(void)state;
	check_readings("ndppd", rows, COUNT_OF(rows));
}

static void a_second_section_of_a_proxy_joins_the_first(void **state)
{
	static const struct reading rows[] = {
		{"proxy eth0 { rule 2001:db8:1::/64 { auto } }\n"
		 "proxy eth0 {\nrouter no\nrule 2001:db8:2::/64 { auto } }\n",
		 "rule 2001:db8:2::/64", "    router",
		 "FILE:3: router \"no\": the proxy has another section"},
	};

	(void)state;
	check_readings("ndppd", rows, COUNT_OF(rows));
}

static void more_rules_than_a_gateway_takes_are_refused(void **state)
{
	char *text = NULL;
	size_t size;
	FILE *stream = open_memstream(&text, &size);
	struct imported result;

	(void)state;
	fputs("proxy eth0 {\n", stream);
	for (int i = 0; i < 5000; i++)
		fprintf(stream, "rule 2001:db8::%x { static }\n", i);
	fputs("}\n", stream);
	fclose(stream);
	result = import_one("ndppd", text);
	assert_int_equal(result.err, -EINVAL);
	assert_string_equal(result.errors, "FILE:4098: too many rules: a gateway takes 4096\n");
	imported_free(&result);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_as_people_post_it_becomes_an_uplink_a_lan_and_a_proxy),
		cmocka_unit_test(options_have_their_equivalents),
		cmocka_unit_test(values_are_read_as_ndppd_reads_them_and_what_is_odd_is_told),
		cmocka_unit_test(comments_blanks_and_braces_are_where_ndppd_has_them),
		cmocka_unit_test(what_ndppd_does_not_start_with_is_refused),
		cmocka_unit_test(all_faults_are_told_up_to_a_number),
		cmocka_unit_test(of_rules_that_meet_one_holds),
		cmocka_unit_test(interfaces_get_a_role),
		cmocka_unit_test(a_second_section_of_a_proxy_joins_the_first),
		cmocka_unit_test(more_rules_than_a_gateway_takes_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
