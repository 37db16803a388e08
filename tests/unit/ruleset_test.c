/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rules of nftables that follow from a configuration, word for word. */
#include "unit.h"

#include "ruleset.h"

#define GATEWAY                                                                \
	"uplink eth0\n"                                                        \
	"tunnel he-ipv6 { remote 72.52.104.74; address 2001:470:811d::80/64; " \
	"routed 2001:470:811d::/48; mtu 1472 }\n"                              \
	"zerotier 159924d6308e1d7e { interface zt0 }\n"                        \
	"lan eth1 { prefix 2001:470:811d:10::/64 }\n"

#define INSIDE  "{ \"zt0\", \"eth1\" }"
#define MEMBERS "{ 2001:470:811d::/48 }"

#define BORROWED                                                                                   \
	"\t\tip6 saddr { fc25:1739:a800::/40, fd15:9924:d630:8e1d:7e99:9300::/88 } counter drop\n" \
	"\t\tip6 saddr " MEMBERS " fib saddr oifname " INSIDE " counter drop\n"

#define ECHO                                                                            \
	"\t\ticmpv6 type echo-request limit rate 500/second burst 500 packets accept\n" \
	"\t\ticmpv6 type echo-request counter drop\n"
#define RELATED                                         \
	"\t\tct state related icmpv6 type 1-4 accept\n" \
	"\t\tct state related meta l4proto != ipv6-icmp accept\n"
#define ERRORS                                                                      \
	"\t\ticmpv6 type . icmpv6 code { 1 . 0-255, 2 . 0-255, 3 . 0-1, 4 . 0-2 } " \
	"limit rate 500/second burst 500 packets accept\n"

static char *text_of(const char *conf_text)
{
	char table[RULESET_TABLE_MAX];
	struct conf *conf = parse_good(conf_text);
	char *text = ruleset_text(conf, ruleset_table("default", table));

	assert_non_null(text);
	conf_free(conf);
	return text;
}

static void the_whole_set_of_a_gateway(void **state)
{
	char *text = text_of(GATEWAY "firewall { allow tcp 22 to 2001:470:811d::5; "
				     "allow udp 60000-61000; "
				     "allow icmpv6 144-147 from 2001:db8:1::/48 }\n");

	(void)state;
	assert_string_equal(
		text, "table ip6 zt6-default {\n"
		      "\tchain forward {\n"
		      "\t\ttype filter hook forward priority filter; policy accept;\n"
		      "\t\tiifname { \"he-ipv6\" } tcp flags & (syn | rst) == syn "
		      "tcp option maxseg size set 1412\n"
		      "\t\toifname { \"he-ipv6\" } tcp flags & (syn | rst) == syn "
		      "tcp option maxseg size set 1412\n"
		      "\t\tiifname " INSIDE " goto outward\n" BORROWED "\t\toifname " INSIDE
		      " goto inward\n"
		      "\t\toifname != { \"eth0\", \"he-ipv6\" } ip6 daddr " MEMBERS " goto inward\n"
		      "\t}\n"
		      "\tchain outward {\n"
		      "\t\trt type 0 counter drop\n"
		      "\t\ticmpv6 type 133-138 counter drop\n"
		      "\t}\n"
		      "\tchain inward {\n"
		      "\t\tip6 daddr != " MEMBERS " counter drop\n"
		      "\t\trt type 0 counter drop\n"
		      "\t\ticmpv6 type 133-138 counter drop\n" ECHO RELATED
		      "\t\tct state established ct direction reply accept\n"
		      "\t\tct state established ct status expected accept\n" ERRORS
		      "\t\tip6 saddr 2001:db8:1::/48 icmpv6 type { 144-147 } accept\n"
		      "\t\tct state invalid counter drop\n"
		      "\t\tip6 daddr 2001:470:811d::5/128 tcp dport { 22 } accept\n"
		      "\t\tudp dport { 60000-61000 } accept\n"
		      "\t\tcounter drop\n"
		      "\t}\n"
		      "\tchain input {\n"
		      "\t\ttype filter hook input priority filter; policy accept;\n"
		      "\t\tiifname { \"he-ipv6\" } goto gateway\n"
		      "\t\tiifname { \"eth0\" } ip6 daddr " MEMBERS
		      " fib daddr type local fib daddr . iif type != local goto gateway\n"
		      "\t}\n"
		      "\tchain gateway {\n" BORROWED ECHO RELATED
		      "\t\tct state established accept\n" ERRORS
		      "\t\ticmpv6 type { 135, 136 } ip6 hoplimit 255 accept\n"
		      "\t\ticmpv6 type { 130-132, 143 } ip6 hoplimit 1 accept\n"
		      "\t\tudp dport 9993 accept\n"
		      "\t\ttcp flags & (fin | syn | rst | ack) != syn accept\n"
		      "\t\tip6 daddr 2001:470:811d::5/128 tcp dport { 22 } accept\n"
		      "\t\tcounter drop\n"
		      "\t}\n"
		      "}\n"
		      "table ip zt6-default {\n"
		      "\tchain input {\n"
		      "\t\ttype filter hook input priority filter; policy accept;\n"
		      "\t\tiifname { \"eth0\" } ip protocol 41 ip saddr != { 72.52.104.74 } "
		      "counter drop\n"
		      "\t}\n"
		      "}\n");
	free(text);
}

static void rules_none_only_has_connections_tracked(void **state)
{
	char *text = text_of(GATEWAY "firewall { rules none }\n");

	(void)state;
	assert_string_equal(text, "table ip6 zt6-default {\n"
				  "\tchain forward {\n"
				  "\t\ttype filter hook forward priority filter; policy accept;\n"
				  "\t\tct state invalid counter\n"
				  "\t}\n"
				  "}\n");
	free(text);
}

/* A part of the text, of a gateway with other sections. */
static void parts(void **state)
{
	static const struct {
		const char *conf, *part;
	} rows[] = {
		{GATEWAY "firewall { allow tcp 90, 22 80-85,84-89 23 }\n",
		 "\t\ttcp dport { 22-23, 80-90 } accept\n"},
		{GATEWAY "firewall { allow udp 1-65535 to ::/0 from ::/0 }\n",
		 "\t\tudp dport { 1-65535 } accept\n"},
		{GATEWAY "firewall { allow udp 53 to 2001:db8::/32 from 2001:db8:1::7 }\n",
		 "\t\tip6 saddr 2001:db8:1::7/128 ip6 daddr 2001:db8::/32 udp dport { 53 } "
		 "accept\n"},
		{GATEWAY "firewall { allow icmpv6 0-255 }\n", "\t\ticmpv6 type { 0-255 } accept\n"},
		{GATEWAY "firewall { allow protocol 49-50, 132 to 2001:470:811d::5 }\n",
		 "\t\tip6 daddr 2001:470:811d::5/128 meta l4proto { 49-50, 132 } accept\n"},
		/* Prefixes of members that overlap, and one that is given twice. */
		{"uplink eth0; zerotier 159924d6308e1d7e { interface zt0; "
		 "prefix 2001:db8:1:2::/64 2001:db8:2::/48 }\n"
		 "lan eth1 { prefix 2001:db8:1::/48 2001:db8:2:1::/64 }\n",
		 "ip6 daddr { 2001:db8:2::/48, 2001:db8:1::/48 } goto inward\n"},
		/* Behind a member. */
		{"uplink eth0; zerotier 159924d6308e1d7e { interface zt0; prefix 2001:db8:1::/48; "
		 "via 2001:db8:1::1 2001:db8:2::/64 }\n",
		 "ip6 daddr { 2001:db8:1::/48, 2001:db8:2::/64 } goto inward\n"},
		/* A name that ends with a star stands for itself. */
		{"uplink eth0; lan \"eth*\" { prefix 2001:db8:1::/48 }\n",
		 "\t\toifname { \"eth\\*\" } goto inward\n"},
		/* Two tunnels over one uplink, and another one. */
		{"uplink eth0; uplink eth1\n"
		 "tunnel a { uplink eth0; remote 192.0.2.1; address 2001:db8:a::2/64 }\n"
		 "tunnel b { uplink eth0; remote 192.0.2.2; address 2001:db8:b::2/64 }\n"
		 "tunnel c { uplink eth1; remote 192.0.2.3; address 2001:db8:c::2/64 }\n",
		 "\t\tiifname { \"eth0\" } ip protocol 41 ip saddr != { 192.0.2.1, 192.0.2.2 } "
		 "counter drop\n"
		 "\t\tiifname { \"eth1\" } ip protocol 41 ip saddr != { 192.0.2.3 } counter "
		 "drop\n"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		char *text = text_of(rows[i].conf);

		if (!strstr(text, rows[i].part))
			fail_msg("%s\nlacks\n%s\nin\n%s", rows[i].conf, rows[i].part, text);
		free(text);
	}
}

static void what_names_no_destination_does_not_open_the_gateway(void **state)
{
	char *text = text_of(GATEWAY "firewall { allow tcp 22 }\n");
	char *gateway = strstr(text, "chain gateway");

	(void)state;
	assert_non_null(strstr(text, "tcp dport { 22 } accept"));
	assert_non_null(gateway);
	assert_null(strstr(gateway, "dport { 22 }"));
	free(text);
}

/* While the overlay's name is not known, its members are protected by their prefix. */
static void an_overlay_without_a_name_is_protected_by_its_prefix(void **state)
{
	char *text = text_of("uplink eth0\nzerotier 159924d6308e1d7e { prefix 2001:db8::/48 }\n");

	(void)state;
	assert_null(strstr(text, "goto outward"));
	assert_non_null(strstr(text, "\t\toifname != { \"eth0\" } ip6 daddr { 2001:db8::/48 } goto "
				     "inward\n"));
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_whole_set_of_a_gateway),
		cmocka_unit_test(rules_none_only_has_connections_tracked),
		cmocka_unit_test(parts),
		cmocka_unit_test(what_names_no_destination_does_not_open_the_gateway),
		cmocka_unit_test(an_overlay_without_a_name_is_protected_by_its_prefix),
	};

	return cmocka_run_group_tests_name("ruleset", tests, NULL, NULL);
}
