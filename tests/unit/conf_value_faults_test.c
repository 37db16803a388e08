/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a wrong statement is told: its line, the offending text, what was expected, the remedy. */
#include "faults.h"

/* A statement on line 3 of a file that is valid without it, and part of the message about it. */
static const struct row {
	const char *template, *statement, *message;
} values[] = {
	{IN_UPLINK, "datapath", "\"datapath\" needs a value: auto, xdp, xdp-generic or tc"},
	{IN_UPLINK, "datapath =", "\"datapath\" needs a value: auto, xdp, xdp-generic or tc"},
	{IN_UPLINK, "datapath xpd", "datapath \"xpd\": it takes auto, xdp, xdp-generic or tc"},
	{IN_UPLINK, "datapath XDP", "datapath \"XDP\": it takes auto, xdp, xdp-generic or tc"},
	{IN_UPLINK, "datapath \"\"", "datapath \"\": it takes auto"},
	{IN_UPLINK, "datapath xdp tc", "datapath \"xdp\": \"tc\" is one too many"},
	{IN_UPLINK, "datapath xdp { }", "\"datapath\" takes no block"},
	{IN_UPLINK, "datapath \xff xdp", "\"\\xff\" (column 10) has a byte"},
	{IN_UPLINK, "vlan 0", "vlan \"0\": is out of range: it takes 1 to 4094"},
	{IN_UPLINK, "vlan 4095", "vlan \"4095\": is out of range"},
	{IN_UPLINK, "vlan none", "vlan \"none\": is not a whole number; it takes 1 to 4094"},
	{IN_UPLINK, "datapth auto", "\"datapth\": unknown key; did you mean \"datapath\"?"},
	{IN_UPLINK, "zzz auto", "\"zzz\": unknown key of \"uplink\""},
	{IN_UPLINK, "ttl 255", "\"ttl\" belongs in a \"tunnel\" section"},
	{IN_UPLINK, "autovia yes", "\"autovia\" belongs in a \"rule\" section"},
	{IN_UPLINK, "lan eth1 {\nprefix 2001:db8::/64\n}",
	 "\"lan\" is a section of its own, not a key of \"uplink\": is a \"}\" missing"},
	{IN_UPLINK, "Datapath auto", "\"Datapath\": unknown key; did you mean \"datapath\"?"},
	{IN_UPLINK, "{\ndatapath auto\n}", "\"{\" has no key before it"},

	{IN_TUNNEL, "uplink eth9",
	 "uplink \"eth9\": no section \"uplink\" has this name; did you "
	 "mean \"eth0\"?"},
	{IN_TUNNEL, "uplink he-ipv6", "uplink \"he-ipv6\": no section \"uplink\" has this name"},
	{IN_TUNNEL, "uplink a/b", "uplink \"a/b\": the name of an interface has no \"/\""},
	{IN_TUNNEL, "local 10.0.0", "local \"10.0.0\": is not an IPv4 address"},
	{IN_TUNNEL, "local 010.0.0.1", "local \"010.0.0.1\": is not an IPv4 address"},
	{IN_TUNNEL, "local 10.0.0.1/24", "local \"10.0.0.1/24\": is not an IPv4 address"},
	{IN_TUNNEL, "local 2001:db8::1", "is an IPv6 address; it takes an IPv4 address of the"},
	{IN_TUNNEL, "local 0.0.0.0", "is no address that one machine can have"},
	{IN_TUNNEL, "local 127.0.0.1", "is no address that one machine can have"},
	{IN_TUNNEL, "local 224.0.0.1", "is no address that one machine can have"},
	{IN_TUNNEL, "local 255.255.255.255", "is no address that one machine can have"},
	{IN_TUNNEL, "local 192.0.2.1", "local and remote are both 192.0.2.1"},
	{IN_TUNNEL, "gateway 2001:db8:f::2", "gateway and address are both 2001:db8:f::2"},
	{IN_TUNNEL, "gateway 2001:db8:f::1/64", "an address has no length here"},
	{IN_TUNNEL, "gateway ff02::1", "gateway \"ff02::1\": is multicast"},
	{IN_TUNNEL, "gateway ::", "gateway \"::\": is the unspecified"},
	{IN_TUNNEL, "gateway ::1", "gateway \"::1\": is the unspecified, the loopback"},
	{IN_TUNNEL, "gateway ::ffff:192.0.2.1", "is an IPv4 address mapped into IPv6"},
	{IN_TUNNEL, "gateway 192.0.2.1", "gateway \"192.0.2.1\": is not an IPv6 address"},
	{IN_TUNNEL, "routed", "\"routed\" needs a value: IPv6 prefixes, such as 2001:db8::/48"},
	{IN_TUNNEL, "routed 2001:db8::1/48",
	 "routed \"2001:db8::1/48\": has host bits: write 2001:db8::/48"},
	{IN_TUNNEL, "routed 2001:db8::", "a prefix needs a length: 2001:db8::/128 for this one"},
	{IN_TUNNEL, "routed 2001:db8::/129", "is not an IPv6 prefix: an address, \"/\", and a "},
	{IN_TUNNEL, "routed 2001:db8::/048", "of 0 to 128 without leading zeros"},
	{IN_TUNNEL, "routed 10.0.0.0/8", "routed \"10.0.0.0/8\": is not an IPv6 prefix"},
	{IN_TUNNEL, "routed ::/0", "is every address there is: name the prefix that is yours"},
	{IN_TUNNEL, "routed fe80::/64", "is link-local: it is never forwarded"},
	{IN_TUNNEL, "routed ff00::/8", "is multicast: it is never forwarded"},
	{IN_TUNNEL, "routed 2001:db8::/48, 2001:db8:1::/48", "\"2001:db8::/48,\": is not an IPv6"},
	{IN_TUNNEL, "routed 2001:db8::/48 2001:db8::/48", "2001:db8::/48 is here twice"},
	{IN_TUNNEL, "ttl 256", "ttl \"256\": is out of range: it takes 0 to 255 hops"},
	{IN_TUNNEL, "ttl 064", "ttl \"064\": has leading zeros: remove them"},
	{IN_TUNNEL, "ttl 00", "ttl \"00\": has leading zeros"},
	{IN_TUNNEL, "ttl 64x", "ttl \"64x\": is not a whole number"},
	{IN_TUNNEL, "ttl -1", "ttl \"-1\": is not a whole number"},
	{IN_TUNNEL, "ttl +1", "ttl \"+1\": is not a whole number"},
	{IN_TUNNEL, "ttl 0x40", "ttl \"0x40\": is not a whole number"},
	{IN_TUNNEL, "ttl \"\"", "ttl \"\": is not a whole number"},
	{IN_TUNNEL, "ttl inherit", "ttl \"inherit\": is not a whole number"},
	{IN_TUNNEL, "tos 256", "tos \"256\": is out of range: it takes 0 to 255, or inherit"},
	{IN_TUNNEL, "mtu 1279", "mtu \"1279\": is out of range: it takes 1280 to 1480 bytes"},
	{IN_TUNNEL, "mtu 1481", "mtu \"1481\": is out of range: it takes 1280 to 1480 bytes"},
	{IN_TUNNEL, "mtu 18446744073709552896", "is out of range: it takes 1280 to 1480 bytes"},
	{IN_TUNNEL, "pmtudisc on", "pmtudisc \"on\": it takes yes or no"},
	{IN_TUNNEL, "pmtudisc Yes", "pmtudisc \"Yes\": it takes yes or no"},
	{IN_TUNNEL, "default auto", "default \"auto\": it takes source, yes or no"},
	{IN_TUNNEL, "metric 0", "metric \"0\": is out of range: it takes 1 to 4294967294"},
	{IN_TUNNEL, "metric 4294967295", "metric \"4294967295\": is out of range"},
	{IN_TUNNEL, "device tun", "device \"tun\": it takes auto, sit or bpf"},

	{IN_ZEROTIER, "interface averyverylongname", "the name of an interface has 1 to 15"},
	{IN_ZEROTIER, "interface \"\"", "interface \"\": the name of an interface has 1 to 15"},
	{IN_ZEROTIER, "interface 0123456789abcdef", "the name of an interface has 1 to 15"},
	{IN_ZEROTIER, "interface .", "no interface can have this name"},
	{IN_ZEROTIER, "interface ..", "no interface can have this name"},
	{IN_ZEROTIER, "interface all", "it stands for settings of many"},
	{IN_ZEROTIER, "interface default", "it stands for settings of many"},
	{IN_ZEROTIER, "interface zt:0", "has no \"/\", \":\", \"%\" or blanks"},
	{IN_ZEROTIER, "interface zt%d", "has no \"/\", \":\", \"%\" or blanks"},
	{IN_ZEROTIER, "interface \"zt 0\"", "has no \"/\", \":\", \"%\" or blanks"},
	{IN_ZEROTIER, "interface eth0",
	 "zerotier \"eth0\": the interface is already a port, \"uplink\" on line 1"},
	{IN_ZEROTIER, "prefix ::/0", "is every address there is"},
	{IN_ZEROTIER, "prefix 2001:db8::/48 2001:db8::/48", "is here twice, first on line 3"},
	{IN_ZEROTIER, "allow-managed unset", "it takes yes or no"},
	{IN_ZEROTIER, "allow-global 1", "allow-global \"1\": it takes yes or no"},
	{IN_ZEROTIER, "allow-default true", "it takes yes or no"},
	{IN_ZEROTIER, "limit 50", "limit \"50\": is not a rate: it takes 64kbit to 100gbit"},
	{IN_ZEROTIER, "limit 50Mbit", "is not a rate"},
	{IN_ZEROTIER, "limit mbit", "is not a rate"},
	{IN_ZEROTIER, "limit 050mbit", "it takes 64kbit to 100gbit"},
	{IN_ZEROTIER, "limit 63kbit", "is out of range: it takes 64kbit to 100gbit"},
	{IN_ZEROTIER, "limit 101gbit", "is out of range"},
	{IN_ZEROTIER, "limit 18446744073709551615gbit", "is out of range"},
	{IN_ZEROTIER, "join auto", "join \"auto\": it takes yes or no"},
	{IN_ZEROTIER, "via", "\"via\" needs a value: a member's IPv6 address, and the prefixes"},
	{IN_ZEROTIER, "via 2001:db8::5", "the prefixes behind that member are missing"},
	{IN_ZEROTIER, "via ff02::5 2001:db8:5::/64", "via \"ff02::5\": is multicast"},
	{IN_ZEROTIER, "via 2001:db8::5 2001:db8:5::1/64", "has host bits: write 2001:db8:5::/64"},
	{IN_ZEROTIER, "via 2001:db8::5 ::/0", "is every address there is"},
	{IN_ZEROTIER, "via 2001:db8::5 2001:db8:5::/64; via 2001:db8::6 2001:db8:5::/64",
	 "2001:db8:5::/64 is here twice"},
	{IN_ZEROTIER, "bind on", "bind \"on\": it takes off, count or enforce"},

	{IN_LAN, "prefix 2001:db8::1/64", "has host bits: write 2001:db8::/64"},
	{IN_LAN, "prefix 2001:db8::/64; vlan 5000", "vlan \"5000\": is out of range"},
	{IN_LAN, "prefix 2001:db8::/64; datapath native", "it takes auto, xdp, xdp-generic or tc"},

	{IN_PROXY, "router true", "router \"true\": it takes yes or no"},
	{IN_PROXY, "timeout 500", "timeout \"500\": a duration needs a unit: 500ms (or s, m)"},
	{IN_PROXY, "timeout 0500ms", "timeout \"0500ms\": has leading zeros"},
	{IN_PROXY, "timeout 500 ms", "timeout \"500\": \"ms\" is one too many"},
	{IN_PROXY, "timeout 500us",
	 "timeout \"500us\": a duration is a whole number and ms, s or m"},
	{IN_PROXY, "timeout 0.5s", "timeout \"0.5s\": a duration is a whole number and ms, s or m"},
	{IN_PROXY, "timeout ms", "timeout \"ms\": is not a duration: it takes 10ms to 1m"},
	{IN_PROXY, "timeout 9ms", "timeout \"9ms\": is out of range: it takes 10ms to 1m"},
	{IN_PROXY, "timeout 61s", "timeout \"61s\": is out of range: it takes 10ms to 1m"},
	{IN_PROXY, "timeout 18446744073709551615m", "is out of range: it takes 10ms to 1m"},
	{IN_PROXY, "timeout 99999999999999999999999s", "is out of range: it takes 10ms to 1m"},
	{IN_PROXY, "retries 0", "retries \"0\": is out of range: it takes 1 to 100"},
	{IN_PROXY, "retries 101", "retries \"101\": is out of range"},
	{IN_PROXY, "valid 30", "valid \"30\": a duration needs a unit"},
	{IN_PROXY, "valid 99ms", "is out of range: it takes 100ms to 1440m"},
	{IN_PROXY, "valid 1441m", "is out of range: it takes 100ms to 1440m"},
	{IN_PROXY, "invalid 0s", "invalid \"0s\": is out of range: it takes 100ms to 1440m"},
	{IN_PROXY, "keepalive 5s", "keepalive \"5s\": it takes yes or no"},
	{IN_PROXY, "source linklocal", "source \"linklocal\": it takes link-local or target"},
	{IN_PROXY, "rule 2001:db8::/48", "rule \"2001:db8::/48\" needs a method"},
	{IN_PROXY, "rule 2001:db8::/48 { }", "needs a method: auto, static or iface NAME"},
	{IN_PROXY, "rule 2001:db8::1/48 { auto }", "has host bits: write 2001:db8::/48"},
	{IN_PROXY, "rule 2001:db8::1 { auto }", "a prefix needs a length: 2001:db8::1/128"},
	{IN_PROXY, "rule fe80::/10 { auto }", "is link-local"},
	{IN_PROXY, "rule ff02::/16 { auto }", "is multicast"},
	{IN_PROXY, "rule 2001:db8::/48 { auto }; ", "\";\" ends no statement: remove it"},
	{IN_PROXY, "rule 2001:db8::/48 { auto } rule 2001:db8::/48 { static }",
	 "proxy eth0: 2001:db8::/48 is here twice, first on line 3"},
	{IN_PROXY, "auto", "\"auto\" belongs in a \"rule\" section"},

	{IN_RULE, "auto no", "auto \"no\": \"auto\" takes no value"},
	{IN_RULE, "static yes", "static \"yes\": \"static\" takes no value"},
	{IN_RULE, "auto; auto", "\"auto\" is already on line 3"},
	{IN_RULE, "auto; static", "\"static\" and \"auto\" (line 3) exclude each other"},
	{IN_RULE, "iface eth1; auto", "\"auto\" and \"iface\" (line 3) exclude each other"},
	{IN_RULE, "iface", "\"iface\" needs a value: the name of an interface, or zerotier:NWID"},
	{IN_RULE, "iface eth0", "iface \"eth0\" is the port that the proxy answers on"},
	{IN_RULE, "iface eth7", "iface \"eth7\": no lan and no zerotier has this interface; did"},
	{IN_RULE, "iface eth1/64", "has no \"/\", \":\", \"%\" or blanks"},
	{IN_RULE, "iface zerotier:159924d6308e1d7f", "no lan and no zerotier has this interface"},
	{IN_RULE, "iface zerotier:1599", "a ZeroTier network has 16 hexadecimal digits"},
	{IN_RULE, "auto; autowire yes", "autowire goes only with \"iface NAME\""},
	{IN_RULE, "static; autovia yes", "autovia goes only with \"iface NAME\""},
	{IN_RULE, "auto; dad 1", "dad \"1\": it takes yes or no"},
	{IN_RULE, "atuo", "\"atuo\": unknown key; did you mean \"auto\"?"},

	{IN_FIREWALL, "policy on", "policy \"on\": it takes kernel or off"},
	{IN_FIREWALL, "rules some", "rules \"some\": it takes shipped or none"},
	{IN_FIREWALL, "allow",
	 "\"allow\" needs a value: tcp, udp, icmpv6 or protocol, then "
	 "ports"},
	{IN_FIREWALL, "allow sctp 22", "allow \"sctp\": is no protocol that can be allowed"},
	{IN_FIREWALL, "allow 22", "allow \"22\": is no protocol that can be allowed"},
	{IN_FIREWALL, "allow tcp", "allow \"tcp\": its ports are missing; all of them are 1-65535"},
	{IN_FIREWALL, "allow icmpv6 to ::/0", "its types are missing; all of them are 0-255"},
	{IN_FIREWALL, "allow tcp 0", "allow \"0\": is out of range: ports of tcp are 1 to 65535"},
	{IN_FIREWALL, "allow tcp 65536", "allow \"65536\": is out of range"},
	{IN_FIREWALL, "allow udp 1-65536", "allow \"1-65536\": is out of range"},
	{IN_FIREWALL, "allow icmpv6 256", "is out of range: types of icmpv6 are 0 to 255"},
	{IN_FIREWALL, "allow protocol 0", "numbers of protocol are 1 to 255"},
	{IN_FIREWALL, "allow protocol 6", "allow \"6\": is TCP: write \"allow tcp\""},
	{IN_FIREWALL, "allow protocol 1-50", "allow \"1-50\": 6 in it is TCP"},
	{IN_FIREWALL, "allow protocol 50, 58", "allow \"58\": is ICMPv6"},
	{IN_FIREWALL, "allow protocol 43-47", "43 in it is an extension header"},
	{IN_FIREWALL, "allow protocol 50-51", "51 in it is an extension header"},
	{IN_FIREWALL, "allow protocol esp", "allow \"esp\": is not a whole number; numbers are"},
	{IN_FIREWALL, "allow tcp 80-22", "allow \"80-22\": ends before it begins"},
	{IN_FIREWALL, "allow tcp 80-", "allow \"80-\": is not a whole number; ports are numbers"},
	{IN_FIREWALL, "allow tcp -80", "allow \"-80\": is not a whole number"},
	{IN_FIREWALL, "allow tcp 1-2-3", "allow \"1-2-3\": is not a whole number"},
	{IN_FIREWALL, "allow tcp 022", "allow \"022\": has leading zeros"},
	{IN_FIREWALL, "allow tcp ssh", "allow \"ssh\": is not a whole number; ports are numbers"},
	{IN_FIREWALL, "allow tcp ,22", "allow \",22\": a comma separates two ports"},
	{IN_FIREWALL, "allow tcp 22,", "allow \"22,\": a comma separates two ports"},
	{IN_FIREWALL, "allow tcp 22, to ::/0", "a comma separates two ports"},
	{IN_FIREWALL, "allow tcp 22,,80", "a comma separates two ports"},
	{IN_FIREWALL, "allow tcp 22 to", "allow \"to\": its prefix is missing"},
	{IN_FIREWALL, "allow tcp 22 to 2001:db8::1/64", "has host bits: write 2001:db8::/64"},
	{IN_FIREWALL, "allow tcp 22 to 192.0.2.1", "\"192.0.2.1\": is not an IPv6 prefix"},
	{IN_FIREWALL, "allow tcp 22 to ff02::1", "is multicast"},
	{IN_FIREWALL, "allow tcp 22 from ::/0 from ::/0", "allow \"from\": stands here twice"},
	{IN_FIREWALL, "allow tcp 22 to ::/0 80", "allow \"80\": is out of place"},

	{IN_LIMITS, "cache-entries 63", "is out of range: it takes 64 to 1048576"},
	{IN_LIMITS, "cache-entries 0", "is out of range"},
	{IN_LIMITS, "cache-entries 1048577", "is out of range"},
	{IN_LIMITS, "cache-entries 16k", "cache-entries \"16k\": is not a whole number"},
	{IN_LIMITS, "flows 63", "is out of range: it takes 64 to 1048576"},
	{IN_LIMITS, "flows 1048577", "is out of range"},
	{IN_LIMITS, "members 15", "is out of range: it takes 16 to 1048576"},
	{IN_LIMITS, "members 1048577", "is out of range"},
	{IN_LIMITS, "negative 0", "negative \"0\": is out of range"},
	{IN_LIMITS, "negative 1048577", "is out of range"},
	{IN_LIMITS, "unresolved-rate 0",
	 "is out of range: it takes 1 to 1000000 packets per second"},
	{IN_LIMITS, "unresolved-rate 1000001", "is out of range"},
	{IN_LIMITS, "ndp-source-rate 10000001", "is out of range"},
	{IN_LIMITS, "ndp-rate 10000001",
	 "is out of range: it takes 0 to 10000000 packets per second"},
	{IN_LIMITS, "ndp-rate 100/s", "ndp-rate \"100/s\": is not a whole number"},
	{IN_LIMITS, "ptb-rate 0", "is out of range: it takes 1 to 1000000 packets per second"},
	{IN_LIMITS, "ptb-rate 1000001", "is out of range"},
	{IN_LIMITS, "new-flow-rate 3",
	 "is out of range: it takes 4 to 10000000 packets per second"},
	{IN_LIMITS, "new-flow-rate 10000001", "is out of range"},
	{IN_LIMITS, "new-flow-rate none", "new-flow-rate \"none\": is not a whole number"},
	{IN_LIMITS, "cache 100", "\"cache\": unknown key of \"limits\""},
};

static void a_wrong_value_is_told_on_its_line(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(values); i++) {
		char *text, *expect;

		text = fill_in(values[i].template, values[i].statement);
		assert_true(asprintf(&expect, "3 %s", values[i].message) > 0);
		assert_faults(text, expect);
		free(text);
		free(expect);
	}
}

/* Every scalar may stand once; the message names where it stood first. */
static void a_scalar_stands_once(void **state)
{
	static const struct {
		const char *template, *statement;
	} scalars[] = {
		{IN_UPLINK, "datapath auto"},
		{IN_UPLINK, "vlan 5"},
		{IN_TUNNEL, "uplink eth0"},
		{IN_TUNNEL, "local auto"},
		{IN_TUNNEL, "gateway fe80::1"},
		{IN_TUNNEL, "routed 2001:db8::/48"},
		{IN_TUNNEL, "ttl 64"},
		{IN_TUNNEL, "tos 0"},
		{IN_TUNNEL, "mtu 1280"},
		{IN_TUNNEL, "pmtudisc no"},
		{IN_TUNNEL, "default no"},
		{IN_TUNNEL, "metric 5"},
		{IN_TUNNEL, "device bpf"},
		{IN_ZEROTIER, "interface zt0"},
		{IN_ZEROTIER, "datapath auto"},
		{IN_ZEROTIER, "prefix 2001:db8::/48"},
		{IN_ZEROTIER, "allow-global no"},
		{IN_ZEROTIER, "allow-managed no"},
		{IN_ZEROTIER, "join no"},
		{IN_ZEROTIER, "allow-default no"},
		{IN_ZEROTIER, "bind off"},
		{IN_LAN, "prefix 2001:db8::/64"},
		{IN_PROXY, "router no"},
		{IN_PROXY, "timeout 1s"},
		{IN_PROXY, "retries 3"},
		{IN_PROXY, "valid 1s"},
		{IN_PROXY, "invalid 1s"},
		{IN_PROXY, "keepalive no"},
		{IN_PROXY, "source target"},
		{IN_RULE, "auto"},
		{IN_RULE, "static"},
		{IN_RULE, "iface eth1"},
		{IN_FIREWALL, "policy off"},
		{IN_LIMITS, "cache-entries 64"},
		{IN_LIMITS, "flows 64"},
		{IN_LIMITS, "members 64"},
		{IN_LIMITS, "negative 64"},
		{IN_LIMITS, "ndp-rate 64"},
		{IN_LIMITS, "ndp-source-rate 64"},
		{IN_LIMITS, "ptb-rate 64"},
		{IN_LIMITS, "new-flow-rate 64"},
		{IN_LIMITS, "unresolved-rate 64"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(scalars); i++) {
		const char *statement = scalars[i].statement;
		char *twice, *text, *expect;

		assert_true(asprintf(&twice, "%s\n\n%s", statement, statement) > 0);
		assert_true(asprintf(&expect, "5 \"%.*s\" is already on line 3: ",
				     (int)strcspn(statement, " "), statement) > 0);
		text = fill_in(scalars[i].template, twice);
		assert_faults(text, expect);
		free(text);
		free(twice);
		free(expect);
	}
}

static void two_faults_of_one_statement_are_both_told(void **state)
{
	(void)state;
	assert_faults(
		"uplink a\ntunnel t {\nremote 192.0.2.1\naddress 2001:db8:f::2/64\n"
		"routed x 2001:db8::/48 2001:db8::1/48\n}\n",
		"5 routed \"x\": is not an IPv6 prefix\n5 routed \"2001:db8::1/48\": has host");
	assert_faults("uplink a\nzerotier 159924d6308e1d7e {\nvia x y\n}\n",
		      "3 via \"x\": is not an IPv6 address\n3 via \"y\": is not an IPv6 prefix");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_wrong_value_is_told_on_its_line),
		cmocka_unit_test(a_scalar_stands_once),
		cmocka_unit_test(two_faults_of_one_statement_are_both_told),
	};

	return cmocka_run_group_tests_name("conf_value_faults", tests, NULL, NULL);
}
