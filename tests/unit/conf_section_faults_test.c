/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What sections are told that lack something, contradict each other or are not closed. */
#include "faults.h"

#define LAN(name, prefix)             "lan " name " {\nprefix " prefix "\n}\n"
#define TUNNEL(name, remote, address) "tunnel " name " {\nremote " remote "\naddress " address "\n"

static void faults_across_sections_are_told(void **state)
{
	static const struct {
		const char *text, *expect;
	} cases[] = {
		/* Nothing to do. */
		{"", "1 nothing is configured"},
		{"\n# comment\n", "1 nothing is configured"},
		{"firewall { policy off }\n", "1 nothing is configured"},
		/* Sections. */
		{"uplnk eth0\n", "1 \"uplnk\": unknown section; did you mean \"uplink\"?"},
		{"ttl 5\n", "1 \"ttl\" belongs in a \"tunnel\" section"},
		{"route-ttl 5\n", "1 \"route-ttl\": unknown section; there are uplink, tunnel,"},
		{"uplink\n", "1 \"uplink\" needs a value: the name of an interface"},
		{"uplink {\n}\n", "1 \"uplink\" needs a value: the name of an interface"},
		{"uplink eth0 eth1 {\n}\n", "1 \"eth1\" is one too many"},
		{"uplink a/b\n", "1 uplink \"a/b\": the name of an interface has no"},
		{"uplink eth0\n{\ndatapath auto\n}\n",
		 "2 \"{\" must stand on the line of its key, after \"eth0\""},
		{"uplink eth0\nlimits now {\n}\n", "2 limits \"now\": \"limits\" takes no value"},
		{"uplink eth0\nfirewall\nfirewall {\n}\n",
		 "3 \"firewall\" is already on line 2: remove one of them"},
		/* What would be listed in vain. */
		{"uplink eth0\nfirewall {\npolicy off\nallow tcp 22\n}\n",
		 "4 allow says nothing beside \"policy off\""},
		{"uplink eth0\nfirewall {\nallow tcp 22\nrules none\n}\n",
		 "3 allow says nothing beside \"rules none\""},
		{"uplink eth0\nlimits\nlimits\n", "3 \"limits\" is already on line 2"},
		{"zerotier 159924d6308e1d7\n",
		 "1 zerotier \"159924d6308e1d7\": a ZeroTier network"},
		{"zerotier 159924d6308e1d7g\n", "1 a ZeroTier network has 16 hexadecimal digits"},
		{"zerotier 0000000000000000\n", "1 a ZeroTier network has 16 hexadecimal digits"},
		/* Required keys. */
		{"uplink a\ntunnel t\n",
		 "2 tunnel \"t\" needs \"remote\": the broker's IPv4 address\n"
		 "2 tunnel \"t\" needs \"address\": the gateway's IPv6"},
		{"\nlan b {\n}\n", "2 lan \"b\" needs \"prefix\": IPv6 prefixes"},
		/* A misspelt key is not missing as well. */
		{"uplink a\ntunnel t {\nremot 192.0.2.1\naddress 2001:db8:f::2/64\n}\n",
		 "3 \"remot\": unknown key; did you mean \"remote\"?"},
		{"uplink a\ntunnel t {\nremote here\naddress 2001:db8:f::2\n}\n",
		 "3 remote \"here\": is not an IPv4 address (names are not resolved)\n"
		 "4 address \"2001:db8:f::2\": the length is missing, as in 2001:db8:f::2/64"},
		{"uplink a\ntunnel t {\nremote 192.0.2.1\naddress fe80::2/64\n}\n",
		 "4 address \"fe80::2/64\": is link-local"},
		{"uplink a\ntunnel t {\nremote 192.0.2.1\naddress ff02::2/64\n}\n",
		 "4 address \"ff02::2/64\": is multicast"},
		{"uplink a\ntunnel t {\nremote 0.1.2.3\naddress 2001:db8:f::2/264\n}\n",
		 "3 remote \"0.1.2.3\": is no address that one machine can have; it takes the "
		 "broker's\n4 address \"2001:db8:f::2/264\": is no such thing"},
		/* A tunnel's uplink. */
		{TUNNEL("t", "192.0.2.1", "2001:db8:f::2/64") "}\n",
		 "1 tunnel \"t\" has no uplink to leave by: add a section \"uplink IF\""},
		{"uplink a\nuplink b\n" TUNNEL("t", "192.0.2.1", "2001:db8:f::2/64") "}\n",
		 "3 tunnel \"t\": there are 2 uplinks: add the one that it leaves by, as in "
		 "\"upli"},
		{"uplink a\n" LAN("b", "2001:db8::/64")
			 TUNNEL("t", "192.0.2.1", "2001:db8:f::2/64") "uplink b\n}\n",
		 "8 uplink \"b\": no section \"uplink\" has this name"},
		/* Tunnels that cannot be told apart. */
		{"uplink a\n" TUNNEL("t", "192.0.2.1", "2001:db8:f::2/64") "}\n" TUNNEL(
			 "u", "192.0.2.1", "2001:db8:f::3/64") "}\n",
		 "7 tunnel \"u\" has the ends of tunnel \"t\" (line 2)"},
		{"uplink a\n" TUNNEL("t", "192.0.2.1", "2001:db8:f::2/64") "}\n" TUNNEL(
			 "u", "192.0.2.2", "2001:db8:f::2/48") "}\n",
		 "8 tunnel \"u\" has the address of tunnel \"t\" (line 2)"},
		/* Roles. */
		{"uplink a\nuplink a\n",
		 "2 uplink \"a\": the interface is already a port, \"uplink\" "
		 "on line 1: an interface has one role and one section"},
		{LAN("a", "2001:db8::/64") "uplink a\n",
		 "4 uplink \"a\": the interface is already a port, \"lan\" on line 1"},
		{"uplink a\n" TUNNEL("a", "192.0.2.1", "2001:db8:f::2/64") "}\n",
		 "2 tunnel \"a\": the interface is already a port, \"uplink\" on line 1"},
		{LAN("a", "2001:db8::/64") LAN("a", "2001:db8:1::/64"),
		 "4 lan \"a\": the interface is already a port, \"lan\" on line 1"},
		{"zerotier 159924d6308e1d7e {\nprefix 2001:db8::/64\n}\n"
		 "zerotier 159924D6308E1D7E {\nprefix 2001:db8:1::/64\n}\n",
		 "4 zerotier 159924d6308e1d7e: the network already has a section, on line 1"},
		{"zerotier 159924d6308e1d7e {\ninterface z\nprefix 2001:db8::/64\n}\n"
		 "zerotier 159924d6308e1d7f {\ninterface z\nprefix 2001:db8:1::/64\n}\n",
		 "6 zerotier \"z\": the interface is already a port, \"zerotier\" on line 2"},
		/* Proxies. */
		{"uplink eth0\nproxy eth1\n",
		 "2 proxy \"eth1\": no uplink, lan or zerotier has this "
		 "interface; did you mean \"eth0\"?"},
		{"uplink a\n" TUNNEL("t", "192.0.2.1", "2001:db8:f::2/64") "}\nproxy t\n",
		 "6 proxy \"t\": nobody solicits in a tunnel"},
		{"uplink a\nproxy a\nproxy a\n", "3 proxy \"a\" already has a section, on line 2"},
		{"uplink a\nuplink b\nproxy a {\nrule 2001:db8::/64 {\niface b\n}\n}\n",
		 "5 iface \"b\" is a port of \"uplink\": targets are behind a lan or a zerotier"},
		{"zerotier 159924d6308e1d7e {\ninterface z\nprefix 2001:db8::/64\n}\n"
		 "proxy z {\nrule 2001:db8:1::/64 {\niface zerotier:159924d6308e1d7e\n}\n}\n",
		 "7 iface \"zerotier:159924d6308e1d7e\" is the port that the proxy answers on"},
		/* The prefixes of members. */
		{"zerotier 159924d6308e1d7e\n",
		 "1 zerotier 159924d6308e1d7e has no prefix for its members: neither \"routed\""},
		{LAN("a", "2001:db8::/64") "uplink b\n" TUNNEL(
			 "t", "192.0.2.1",
			 "2001:db8:f::2/64") "routed 2001:db8::/64\n}\nzerotier 159924d6308e1d7e\n",
		 "10 zerotier 159924d6308e1d7e has no prefix left for its members: all that is"},
		{"uplink a\nproxy a {\nrule ::/0 {\nstatic\n}\n}\nzerotier 159924d6308e1d7e\n",
		 "7 zerotier 159924d6308e1d7e would have ::/0, the prefix of a rule, for its "
		 "members"},
		{"uplink b\n" TUNNEL(
			 "t", "192.0.2.1",
			 "2001:db8:f::2/64") "routed 2001:db8::/64\n}\nzerotier "
					     "159924d6308e1d7e\nzerotier 159924d6308e1d7f\n",
		 "8 zerotier 159924d6308e1d7f and zerotier 159924d6308e1d7e (line 7) would have "
		 "the "
		 "same prefixes by default: write \"prefix\" in each"},
		{"uplink b\n" TUNNEL(
			 "t", "192.0.2.1",
			 "2001:db8:f::2/64") "routed 2001:db8::/64\n}\nzerotier 159924d6308e1d7e\n"
					     "zerotier 159924d6308e1d7f {\nprefix "
					     "2001:db8::/64\n}\n",
		 "9 zerotier 159924d6308e1d7f: 2001:db8::/64 is also that of zerotier "
		 "159924d6308e1d7e (line 7): it is among those that a network has by default, so "
		 "write its \"prefix\""},
		/* Equal prefixes on two ports. */
		{LAN("a", "2001:db8::/64") LAN("b", "2001:db8:1::/64 2001:db8::/64"),
		 "5 lan b: 2001:db8::/64 is also that of lan a (line 2): a prefix is on one port"},
		{LAN("a", "2001:db8::/64") "zerotier 159924d6308e1d7e {\nprefix 2001:db8::/64\n}\n",
		 "5 zerotier 159924d6308e1d7e: 2001:db8::/64 is also that of lan a (line 2): a "
		 "prefix is on "
		 "one port only"},
		{LAN("a", "2001:db8::/64") "zerotier 159924d6308e1d7e {\nprefix 2001:db8::/48\n"
					   "via 2001:db8::1 2001:db8::/64\n}\n",
		 "6 zerotier 159924d6308e1d7e: 2001:db8::/64 is also that of lan a (line 2): a "
		 "prefix is on "
		 "one port only"},
		{"uplink a\n" TUNNEL("t", "192.0.2.1",
				     "2001:db8:f::2/64") "routed "
							 "2001:db8::/"
							 "48\n}\n" TUNNEL("u", "192.0.2.2",
									  "2001:db8:f::3/"
									  "64") "routed "
										"2001:db8:"
										"1::/48 "
										"2001:db8:"
										":/"
										"48\n}\n",
		 "10 tunnel u: 2001:db8::/48 is also that of tunnel t (line 5)"},
		/* A section of a wrong name is not missed elsewhere. */
		{"uplink a/b\nproxy a\n", "1 uplink \"a/b\""},
		/* Structure. */
		{"uplink a {\n", "1 the \"{\" after \"a\" is never closed"},
		{"uplink a\n}\n", "2 \"}\" closes nothing"},
		{"uplink \"a\n", "1 the quotes that open in column 8 are not closed"},
		{"uplink a\xc3\xa4\n", "1 \"a\\xc3\\xa4\" (column 8) has a byte"},
		/* Several, by line. */
		{"uplink a {\ndatapath x\n}\nlan b {\nvlan 0\n}\nlan b {\nprefix 1/2\n}\nnat\n",
		 "2 datapath \"x\"\n4 lan \"b\" needs \"prefix\"\n5 vlan \"0\"\n"
		 "7 lan \"b\": the interface is already a port\n8 prefix \"1/2\"\n10 \"nat\""},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++)
		assert_faults(cases[i].text, cases[i].expect);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(faults_across_sections_are_told),
	};

	return cmocka_run_group_tests_name("conf_section_faults", tests, NULL, NULL);
}
