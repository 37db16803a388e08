/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What valid files mean: every key, its default and the ends of its range. */
#include "unit.h"

#include <arpa/inet.h>

typedef uint64_t get_fn(const struct conf *conf);

#define GET(name, expression)                      \
	static uint64_t name(const struct conf *c) \
	{                                          \
		return (uint64_t)(expression);     \
	}

GET(uplink_datapath, c->uplinks[0].datapath)
GET(uplink_vlan, c->uplinks[0].vlan)
GET(tunnel_local_auto, c->tunnels[0].local_auto)
GET(tunnel_local, ntohl(c->tunnels[0].local.s_addr))
GET(tunnel_has_gateway, c->tunnels[0].has_gateway)
GET(tunnel_routed, c->tunnels[0].routed.count)
GET(tunnel_ttl, c->tunnels[0].ttl)
GET(tunnel_tos, c->tunnels[0].tos)
GET(tunnel_tos_inherit, c->tunnels[0].tos_inherit)
GET(tunnel_mtu, c->tunnels[0].mtu)
GET(tunnel_pmtudisc, c->tunnels[0].pmtudisc)
GET(tunnel_default, c->tunnels[0].default_route)
GET(tunnel_metric, c->tunnels[0].metric)
GET(tunnel_device, c->tunnels[0].device)
GET(tunnel_uplink_is_eth0, !strcmp(c->tunnels[0].uplink, "eth0"))
GET(zt_auto, !*c->zerotiers[0].interface)
GET(zt_is_ztabc, !strcmp(c->zerotiers[0].interface, "ztabc"))
GET(zt_datapath, c->zerotiers[0].datapath)
GET(zt_prefix_given, c->zerotiers[0].prefix_given)
GET(zt_prefixes, c->zerotiers[0].prefix.count)
GET(zt_managed, c->zerotiers[0].allow_managed)
GET(zt_global, c->zerotiers[0].allow_global)
GET(zt_default, c->zerotiers[0].allow_default)
GET(zt_join, c->zerotiers[0].join)
GET(zt_limit, (long long)c->zerotiers[0].limit)
GET(zt_via_count, c->zerotiers[0].via_count)
GET(zt_bind, c->zerotiers[0].bind)
GET(lan_datapath, c->lans[0].datapath)
GET(lan_vlan, c->lans[0].vlan)
GET(lan_prefixes, c->lans[0].prefix.count)
GET(proxy_router, c->proxies[0].router)
GET(proxy_timeout, c->proxies[0].timeout_ms)
GET(proxy_retries, c->proxies[0].retries)
GET(proxy_valid, c->proxies[0].valid_ms)
GET(proxy_invalid, c->proxies[0].invalid_ms)
GET(proxy_keepalive, c->proxies[0].keepalive)
GET(proxy_mld, c->proxies[0].mld)
GET(proxy_source, c->proxies[0].source)
GET(rule_method, c->proxies[0].rules[0].method)
GET(rule_is_eth1, !strcmp(c->proxies[0].rules[0].iface, "eth1"))
GET(rule_is_network, !strcmp(c->proxies[0].rules[0].iface, "zerotier:159924d6308e1d7e"))
GET(rule_autowire, c->proxies[0].rules[0].autowire)
GET(rule_autovia, c->proxies[0].rules[0].autovia)
GET(rule_dad, c->proxies[0].rules[0].dad)
GET(policy, c->policy)
GET(rule_set, c->rules)
GET(allow_count, c->allow_count)
GET(allow_protocol, c->allows[0].protocol)
GET(allow_port_count, c->allows[0].port_count)
GET(allow_first, c->allows[0].ports[0].first)
GET(allow_last, c->allows[0].ports[c->allows[0].port_count - 1].last)
GET(allow_has_to, c->allows[0].has_to)
GET(allow_has_from, c->allows[0].has_from)
GET(allow_to_len, c->allows[0].to.len)
GET(allow_from_len, c->allows[0].from.len)
GET(cache_entries, c->limits.cache_entries)
GET(flows, c->limits.flows)
GET(members, c->limits.members)
GET(negative, c->limits.negative)
GET(gc_thresh, c->limits.gc_thresh)
GET(unresolved_rate, c->limits.unresolved_rate)
GET(ndp_source_rate, c->limits.ndp_source_rate)
GET(ndp_rate, c->limits.ndp_rate)
GET(ptb_rate, c->limits.ptb_rate)
GET(new_flow_rate, c->limits.new_flow_rate)

static const struct row {
	const char *template, *statement;
	get_fn *get;
	uint64_t expect;
} rows[] = {
	{IN_UPLINK, "", uplink_datapath, DATAPATH_AUTO},
	{IN_UPLINK, "datapath auto", uplink_datapath, DATAPATH_AUTO},
	{IN_UPLINK, "datapath xdp", uplink_datapath, DATAPATH_XDP},
	{IN_UPLINK, "datapath = xdp-generic", uplink_datapath, DATAPATH_XDP_GENERIC},
	{IN_UPLINK, "datapath \"tc\";", uplink_datapath, DATAPATH_TC},
	{IN_UPLINK, "", uplink_vlan, 0},
	{IN_UPLINK, "vlan 1", uplink_vlan, 1},
	{IN_UPLINK, "vlan 4094", uplink_vlan, 4094},

	{IN_TUNNEL, "", tunnel_uplink_is_eth0, true},
	{IN_TUNNEL, "uplink eth0", tunnel_uplink_is_eth0, true},
	{IN_TUNNEL, "", tunnel_local_auto, true},
	{IN_TUNNEL, "local auto", tunnel_local_auto, true},
	{IN_TUNNEL, "local 10.0.0.1", tunnel_local_auto, false},
	{IN_TUNNEL, "local 10.0.0.1", tunnel_local, 0x0a000001},
	{IN_TUNNEL, "", tunnel_has_gateway, false},
	{IN_TUNNEL, "gateway 2001:db8:f::1", tunnel_has_gateway, true},
	{IN_TUNNEL, "gateway fe80::1", tunnel_has_gateway, true},
	{IN_TUNNEL, "", tunnel_routed, 0},
	{IN_TUNNEL, "routed 2001:db8::/48 2001:db8:1::/48", tunnel_routed, 2},
	{IN_TUNNEL, "", tunnel_ttl, 255},
	{IN_TUNNEL, "ttl 0", tunnel_ttl, 0},
	{IN_TUNNEL, "ttl 255", tunnel_ttl, 255},
	{IN_TUNNEL, "", tunnel_tos, 0},
	{IN_TUNNEL, "", tunnel_tos_inherit, false},
	{IN_TUNNEL, "tos 255", tunnel_tos, 255},
	{IN_TUNNEL, "tos 0", tunnel_tos_inherit, false},
	{IN_TUNNEL, "tos inherit", tunnel_tos_inherit, true},
	{IN_TUNNEL, "", tunnel_mtu, 1480},
	{IN_TUNNEL, "mtu 1280", tunnel_mtu, 1280},
	{IN_TUNNEL, "mtu 1480", tunnel_mtu, 1480},
	{IN_TUNNEL, "", tunnel_pmtudisc, true},
	{IN_TUNNEL, "pmtudisc no", tunnel_pmtudisc, false},
	{IN_TUNNEL, "pmtudisc yes", tunnel_pmtudisc, true},
	{IN_TUNNEL, "", tunnel_default, DEFAULT_SOURCE},
	{IN_TUNNEL, "default source", tunnel_default, DEFAULT_SOURCE},
	{IN_TUNNEL, "default yes", tunnel_default, DEFAULT_YES},
	{IN_TUNNEL, "default no", tunnel_default, DEFAULT_NO},
	{IN_TUNNEL, "", tunnel_metric, 1024},
	{IN_TUNNEL, "metric 1", tunnel_metric, 1},
	{IN_TUNNEL, "metric 4294967294", tunnel_metric, 4294967294},
	{IN_TUNNEL, "", tunnel_device, DEVICE_AUTO},
	{IN_TUNNEL, "device auto", tunnel_device, DEVICE_AUTO},
	{IN_TUNNEL, "device sit", tunnel_device, DEVICE_SIT},
	{IN_TUNNEL, "device bpf", tunnel_device, DEVICE_BPF},

	{IN_ZEROTIER, "", zt_auto, true},
	{IN_ZEROTIER, "interface auto", zt_auto, true},
	{IN_ZEROTIER, "interface ztabc", zt_is_ztabc, true},
	{IN_ZEROTIER, "", zt_datapath, DATAPATH_AUTO},
	{IN_ZEROTIER, "datapath xdp", zt_datapath, DATAPATH_XDP},
	{IN_ZEROTIER, "", zt_prefix_given, false},
	{IN_ZEROTIER, "", zt_prefixes, 1},
	{IN_ZEROTIER, "prefix 2001:db8:5::/48", zt_prefix_given, true},
	{IN_ZEROTIER, "prefix 2001:db8:5::/48 2001:db8:6::/48 2001:db8:6::/64", zt_prefixes, 3},
	{IN_ZEROTIER, "", zt_managed, TRISTATE_UNSET},
	{IN_ZEROTIER, "allow-managed yes", zt_managed, TRISTATE_YES},
	{IN_ZEROTIER, "allow-managed no", zt_managed, TRISTATE_NO},
	{IN_ZEROTIER, "", zt_global, TRISTATE_UNSET},
	{IN_ZEROTIER, "allow-global yes", zt_global, TRISTATE_YES},
	{IN_ZEROTIER, "", zt_default, TRISTATE_UNSET},
	{IN_ZEROTIER, "allow-default no", zt_default, TRISTATE_NO},
	{IN_ZEROTIER, "", zt_limit, 0},
	{IN_ZEROTIER, "limit 64kbit", zt_limit, 64000},
	{IN_ZEROTIER, "limit 50mbit", zt_limit, 50000000},
	{IN_ZEROTIER, "limit 100gbit", zt_limit, 100000000000},
	{IN_ZEROTIER, "", zt_join, false},
	{IN_ZEROTIER, "join yes", zt_join, true},
	{IN_ZEROTIER, "", zt_via_count, 0},
	{IN_ZEROTIER, "via 2001:db8::5 2001:db8:0:5::/64 2001:db8:0:6::/64", zt_via_count, 1},
	{IN_ZEROTIER, "via fd00::5 2001:db8:5::/64; via fd00::6 2001:db8:6::/64", zt_via_count, 2},
	{IN_ZEROTIER, "", zt_bind, BIND_OFF},
	{IN_ZEROTIER, "bind off", zt_bind, BIND_OFF},
	{IN_ZEROTIER, "bind count", zt_bind, BIND_COUNT},
	{IN_ZEROTIER, "bind enforce", zt_bind, BIND_ENFORCE},

	{IN_LAN, "prefix 2001:db8::/64", lan_prefixes, 1},
	{IN_LAN, "prefix 2001:db8::/64 2001:db8:0:1::/64", lan_prefixes, 2},
	{IN_LAN, "prefix 2001:db8::/64", lan_datapath, DATAPATH_AUTO},
	{IN_LAN, "prefix 2001:db8::/64; datapath tc", lan_datapath, DATAPATH_TC},
	{IN_LAN, "prefix 2001:db8::/64", lan_vlan, 0},
	{IN_LAN, "prefix 2001:db8::/64; vlan 10", lan_vlan, 10},

	{IN_PROXY, "", proxy_router, true},
	{IN_PROXY, "router no", proxy_router, false},
	{IN_PROXY, "", proxy_timeout, 500},
	{IN_PROXY, "timeout 10ms", proxy_timeout, 10},
	{IN_PROXY, "timeout 1m", proxy_timeout, 60000},
	{IN_PROXY, "timeout 2s", proxy_timeout, 2000},
	{IN_PROXY, "", proxy_retries, 3},
	{IN_PROXY, "retries 1", proxy_retries, 1},
	{IN_PROXY, "retries 100", proxy_retries, 100},
	{IN_PROXY, "", proxy_valid, 30000},
	{IN_PROXY, "valid 100ms", proxy_valid, 100},
	{IN_PROXY, "valid 1440m", proxy_valid, 86400000},
	{IN_PROXY, "", proxy_invalid, 30000},
	{IN_PROXY, "invalid 5s", proxy_invalid, 5000},
	{IN_PROXY, "", proxy_keepalive, true},
	{IN_PROXY, "keepalive no", proxy_keepalive, false},
	{IN_PROXY, "", proxy_mld, false},
	{IN_PROXY, "mld yes", proxy_mld, true},
	{IN_PROXY, "", proxy_source, SOURCE_LINK_LOCAL},
	{IN_PROXY, "source link-local", proxy_source, SOURCE_LINK_LOCAL},
	{IN_PROXY, "source target", proxy_source, SOURCE_TARGET},

	{IN_RULE, "auto", rule_method, METHOD_AUTO},
	{IN_RULE, "static", rule_method, METHOD_STATIC},
	{IN_RULE, "iface eth1", rule_method, METHOD_IFACE},
	{IN_RULE, "iface eth1", rule_is_eth1, true},
	{IN_RULE, "iface zt0", rule_method, METHOD_IFACE},
	{IN_RULE, "iface zerotier:159924d6308e1d7e", rule_is_network, true},
	{IN_RULE, "iface zerotier:159924D6308E1D7E", rule_is_network, true},
	{IN_RULE, "auto", rule_autowire, false},
	{IN_RULE, "auto; autowire no; autovia no", rule_autowire, false},
	{IN_RULE, "iface eth1; autowire yes", rule_autowire, true},
	{IN_RULE, "auto", rule_autovia, false},
	{IN_RULE, "autovia yes; iface eth1", rule_autovia, true},
	{IN_RULE, "auto", rule_dad, true},
	{IN_RULE, "auto; dad no", rule_dad, false},

	{IN_FIREWALL, "", policy, CONF_POLICY_KERNEL},
	{IN_FIREWALL, "policy kernel", policy, CONF_POLICY_KERNEL},
	{IN_FIREWALL, "policy off", policy, CONF_POLICY_OFF},
	{IN_FIREWALL, "", rule_set, CONF_RULES_SHIPPED},
	{IN_FIREWALL, "rules shipped", rule_set, CONF_RULES_SHIPPED},
	{IN_FIREWALL, "rules none", rule_set, CONF_RULES_NONE},
	{IN_FIREWALL, "", allow_count, 0},
	{IN_FIREWALL, "allow tcp 22; allow udp 53", allow_count, 2},
	{IN_FIREWALL, "allow tcp 22", allow_protocol, ALLOW_TCP},
	{IN_FIREWALL, "allow udp 1-65535", allow_protocol, ALLOW_UDP},
	{IN_FIREWALL, "allow udp 1-65535", allow_last, 65535},
	{IN_FIREWALL, "allow udp 65535", allow_first, 65535},
	{IN_FIREWALL, "allow icmpv6 0-255", allow_protocol, ALLOW_ICMPV6},
	{IN_FIREWALL, "allow icmpv6 0-255", allow_last, 255},
	{IN_FIREWALL, "allow protocol 47 50", allow_protocol, ALLOW_PROTOCOL},
	{IN_FIREWALL, "allow protocol 61-255", allow_last, 255},
	{IN_FIREWALL, "allow tcp 22", allow_first, 22},
	{IN_FIREWALL, "allow tcp 22", allow_last, 22},
	{IN_FIREWALL, "allow tcp 22,80,6000-6010", allow_port_count, 3},
	{IN_FIREWALL, "allow tcp 22,80,6000-6010", allow_last, 6010},
	{IN_FIREWALL, "allow tcp 22 80 443 8080", allow_port_count, 4},
	{IN_FIREWALL, "allow tcp 22, 80 ,443 , 8080,9 to ::/0", allow_port_count, 5},
	{IN_FIREWALL, "allow tcp 22", allow_has_to, false},
	{IN_FIREWALL, "allow tcp 22", allow_has_from, false},
	{IN_FIREWALL, "allow tcp 22 to 2001:db8::5", allow_has_to, true},
	{IN_FIREWALL, "allow tcp 22 to 2001:db8::5", allow_to_len, 128},
	{IN_FIREWALL, "allow tcp 22 to 2001:db8::/48 from 2001:db8:1::/56", allow_to_len, 48},
	{IN_FIREWALL, "allow tcp 22 to 2001:db8::/48 from 2001:db8:1::/56", allow_from_len, 56},
	{IN_FIREWALL, "allow tcp 22 from ::/0 to 2001:db8::/48", allow_has_from, true},
	{IN_FIREWALL, "allow tcp 22 from ::/0 to 2001:db8::/48", allow_to_len, 48},

	{IN_LIMITS, "", cache_entries, 16384},
	{IN_LIMITS, "cache-entries 64", cache_entries, 64},
	{IN_LIMITS, "cache-entries 1048576", cache_entries, 1048576},
	{IN_LIMITS, "", flows, 16384},
	{IN_LIMITS, "flows 64", flows, 64},
	{IN_LIMITS, "flows 1048576", flows, 1048576},
	{IN_LIMITS, "", members, 4096},
	{IN_LIMITS, "members 16", members, 16},
	{IN_LIMITS, "members 1048576", members, 1048576},
	{IN_LIMITS, "", negative, 4096},
	{IN_LIMITS, "negative 16", negative, 16},
	{IN_LIMITS, "", gc_thresh, false},
	{IN_LIMITS, "gc-thresh yes", gc_thresh, true},
	{IN_LIMITS, "negative 1048576", negative, 1048576},
	{IN_LIMITS, "", unresolved_rate, 100},
	{IN_LIMITS, "unresolved-rate 1", unresolved_rate, 1},
	{IN_LIMITS, "unresolved-rate 1000000", unresolved_rate, 1000000},
	{IN_LIMITS, "", ptb_rate, 1000},
	{IN_LIMITS, "ptb-rate 1", ptb_rate, 1},
	{IN_LIMITS, "ptb-rate 1000000", ptb_rate, 1000000},
	{IN_LIMITS, "", new_flow_rate, 20000},
	{IN_LIMITS, "new-flow-rate 4", new_flow_rate, 4},
	{IN_LIMITS, "new-flow-rate 10000000", new_flow_rate, 10000000},
	{IN_LIMITS, "", ndp_rate, 0},
	{IN_LIMITS, "", ndp_source_rate, 0},
	{IN_LIMITS, "ndp-source-rate 10000000", ndp_source_rate, 10000000},
	{IN_LIMITS, "ndp-rate 0", ndp_rate, 0},
	{IN_LIMITS, "ndp-rate 10000000", ndp_rate, 10000000},
	/* Sections that are not written have their defaults. */
	{"uplink eth0\n%s", "", policy, CONF_POLICY_KERNEL},
	{"uplink eth0\n%s", "", cache_entries, 16384},
	{"uplink eth0\n%s", "", unresolved_rate, 100},
};

static void every_key_has_its_default_and_takes_its_range(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		char *text = fill_in(rows[i].template, rows[i].statement);
		struct conf *conf = parse_good(text);
		uint64_t value = rows[i].get(conf);

		if (value != rows[i].expect)
			fail_msg("row %zu, \"%s\": %llu instead of %llu", i, rows[i].statement,
				 (unsigned long long)value, (unsigned long long)rows[i].expect);
		conf_free(conf);
		free(text);
	}
}

static void assert_prefixes(const struct prefixes *set, const char *expect)
{
	char text[PREFIX_STRLEN], all[512] = "";

	for (size_t i = 0; i < set->count; i++) {
		strcat(all, i ? " " : "");
		strcat(all, prefix_format(&set->list[i], text));
	}
	assert_string_equal(all, expect);
}

static void sections_keep_their_names_lines_and_addresses(void **state)
{
	struct conf *conf = parse_good("# T1, T2 and T3\n"
				       "uplink eth0 {\n}\n"
				       "uplink eth0.7\n"
				       "tunnel he-ipv6 {\n"
				       "\tuplink eth0\n"
				       "\tlocal 10.1.2.3\n"
				       "\tremote 72.52.104.74\n"
				       "\taddress 2001:470:811d::80/64\n"
				       "\tgateway 2001:470:811d::1\n"
				       "\trouted 2001:470:811d::/48\n"
				       "}\n"
				       "zerotier 159924D6308E1D7E {\n"
				       "\tprefix 2001:470:811d::/48\n"
				       "\n"
				       "\tvia 2001:470:811d::5 2001:470:811d:5::/64\n"
				       "}\n"
				       "lan 0123456789abcde {\n"
				       "\tprefix 2001:470:811d:10::/64\n"
				       "}\n"
				       "proxy eth0 {\n"
				       "\n"
				       "\trule 2001:db8:48::/48 {\n"
				       "\t\tauto\n"
				       "\t}\n"
				       "\trule 2001:db8:49::/48 {\n"
				       "\t\tstatic\n"
				       "\t}\n"
				       "}\n"
				       "firewall {\n"
				       "\n"
				       "\tallow tcp 22\n"
				       "}\n");
	const struct conf_tunnel *tunnel = &conf->tunnels[0];
	const struct conf_zerotier *zerotier = &conf->zerotiers[0];
	char text[INET6_ADDRSTRLEN], prefix[PREFIX_STRLEN];

	(void)state;
	assert_string_equal(conf->path, TEST_PATH);
	assert_int_equal(conf->uplink_count, 2);
	assert_string_equal(conf->uplinks[0].name, "eth0");
	assert_int_equal(conf->uplinks[0].line, 2);
	assert_string_equal(conf->uplinks[1].name, "eth0.7");
	assert_int_equal(conf->uplinks[1].line, 4);

	assert_int_equal(conf->tunnel_count, 1);
	assert_int_equal(tunnel->line, 5);
	assert_string_equal(tunnel->name, "he-ipv6");
	assert_string_equal(tunnel->uplink, "eth0");
	assert_string_equal(inet_ntop(AF_INET, &tunnel->local, text, sizeof(text)), "10.1.2.3");
	assert_string_equal(inet_ntop(AF_INET, &tunnel->remote, text, sizeof(text)),
			    "72.52.104.74");
	assert_string_equal(prefix_format(&tunnel->address, prefix), "2001:470:811d::80/64");
	assert_string_equal(inet_ntop(AF_INET6, &tunnel->gateway, text, sizeof(text)),
			    "2001:470:811d::1");
	assert_prefixes(&tunnel->routed, "2001:470:811d::/48");

	assert_int_equal(conf->zerotier_count, 1);
	assert_int_equal(zerotier->line, 13);
	assert_true(zerotier->network == 0x159924d6308e1d7e);
	assert_prefixes(&zerotier->prefix, "2001:470:811d::/48");
	assert_int_equal(zerotier->via_count, 1);
	assert_int_equal(zerotier->via[0].line, 16);
	assert_string_equal(inet_ntop(AF_INET6, &zerotier->via[0].next_hop, text, sizeof(text)),
			    "2001:470:811d::5");
	assert_prefixes(&zerotier->via[0].prefixes, "2001:470:811d:5::/64");

	assert_int_equal(conf->lan_count, 1);
	assert_int_equal(conf->lans[0].line, 18);
	assert_string_equal(conf->lans[0].name, "0123456789abcde");

	assert_int_equal(conf->proxy_count, 1);
	assert_string_equal(conf->proxies[0].name, "eth0");
	assert_int_equal(conf->proxies[0].line, 21);
	assert_int_equal(conf->proxies[0].rule_count, 2);
	assert_int_equal(conf->proxies[0].rules[0].line, 23);
	assert_int_equal(conf->proxies[0].rules[1].line, 26);
	assert_string_equal(prefix_format(&conf->proxies[0].rules[1].prefix, prefix),
			    "2001:db8:49::/48");

	assert_int_equal(conf->allow_count, 1);
	assert_int_equal(conf->allows[0].line, 32);
	conf_free(conf);
}

#define TUNNEL(name, remote, address, rest) \
	"tunnel " name " { remote " remote "; address " address "; " rest " }\n"

static void members_have_what_is_routed_or_proxied_less_the_lans(void **state)
{
	static const struct {
		const char *text, *prefixes;
	} cases[] = {
		{"uplink a\n" TUNNEL(
			 "t", "192.0.2.1", "2001:db8:f::2/64",
			 "routed 2001:db8::/48 2001:db8:1::/64") "zerotier 159924d6308e1d7e\n",
		 "2001:db8::/48 2001:db8:1::/64"},
		{"uplink a\nproxy a { rule 2001:db8:2::/48 { auto } rule 2001:db8:1::/48 { static "
		 "} }\n"
		 "zerotier 159924d6308e1d7e\n",
		 "2001:db8:1::/48 2001:db8:2::/48"},
		/* Each once; those of two lengths both. */
		{"uplink a\n" TUNNEL(
			 "t", "192.0.2.1", "2001:db8:f::2/64",
			 "routed 2001:db8::/48 2001:db8:1::/64") "proxy a { rule 2001:db8::/48 { "
								 "auto } rule 2001:db8::/56 { auto "
								 "} }\n"
								 "zerotier 159924d6308e1d7e\n",
		 "2001:db8::/48 2001:db8::/56 2001:db8:1::/64"},
		/* Less those that are a lan's, not those that a lan has a part of. */
		{"uplink a\n" TUNNEL(
			 "t", "192.0.2.1", "2001:db8:f::2/64",
			 "routed 2001:db8::/48 2001:db8:1::/64") "lan b { prefix 2001:db8:1::/64 "
								 "2001:db8:0:7::/64 }\n"
								 "zerotier 159924d6308e1d7e\n",
		 "2001:db8::/48"},
		{"uplink a\n" TUNNEL("t", "192.0.2.1", "2001:db8:f::2/64", "routed 2001:db8::/48")
			 TUNNEL("u", "192.0.2.2", "2001:db8:f::3/64",
				"routed 2001:db8:1::/48") "zerotier 159924d6308e1d7e { prefix "
							  "2001:db8:5::/64 }\n",
		 "2001:db8:5::/64"},
		/* A member may route what is among the members' prefixes. */
		{"uplink a\n" TUNNEL("t", "192.0.2.1", "2001:db8:f::2/64",
				     "routed 2001:db8::/48") "zerotier 159924d6308e1d7e { via "
							     "2001:db8::5 2001:db8::/48 }\n",
		 "2001:db8::/48"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct conf *conf = parse_good(cases[i].text);

		assert_prefixes(&conf->zerotiers[0].prefix, cases[i].prefixes);
		conf_free(conf);
	}
}

static void what_is_allowed_stays_allowed(void **state)
{
	static const char *const texts[] = {
		/* Blocks are optional, and may be on one line. */
		"uplink eth0",
		"uplink eth0 {}",
		"uplink=eth0{datapath=xdp}",
		"lan eth1 { prefix 2001:db8::/64 }",
		/* Prefixes of different lengths on two ports: the longest match decides. */
		"lan a { prefix 2001:db8::/64 }\nlan b { prefix 2001:db8::/48 }",
		/* One prefix under the rules of two proxies. */
		"uplink a\nuplink b\nproxy a { rule 2001:db8::/48 { auto } }\n"
		"proxy b { rule 2001:db8::/48 { auto } }",
		/* Everything may be answered for, as in many an ndppd.conf. */
		"uplink a\nproxy a { rule ::/0 { static } }",
		/* A proxy on a lan and on a zerotier interface. */
		"lan a { prefix 2001:db8::/64 }\nproxy a\n"
		"zerotier 159924d6308e1d7e { interface zt0; prefix 2001:db8:1::/64 }\nproxy zt0",
		/* Two tunnels that differ in their local address only. */
		"uplink a\n" TUNNEL("t", "192.0.2.1", "2001:db8:f::2/64", "local 10.0.0.1")
			TUNNEL("u", "192.0.2.1", "2001:db8:f::3/64", "local 10.0.0.2"),
		/* Two uplinks, each tunnel names its own. */
		"uplink a\nuplink b\n" TUNNEL("t", "192.0.2.1", "2001:db8:f::2/64", "uplink a")
			TUNNEL("u", "192.0.2.1", "2001:db8:f::3/64", "uplink b"),
		/* Non-ASCII in comments. */
		"uplink a # f\xc3\xbcr alle",
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(texts); i++)
		conf_free(parse_good(texts[i]));
}

static void as_many_ports_as_the_maps_take(void **state)
{
	char text[4096] = "";
	struct conf *conf;

	(void)state;
	for (unsigned int i = 0; i < 8; i++)
		sprintf(text + strlen(text),
			"uplink e%u\n" TUNNEL("t%u", "192.0.2.1", "2001:db8:f::%u/64",
					      "uplink e%u"),
			i, i, i + 1, i);
	conf = parse_good(text);
	assert_int_equal(conf->uplink_count + conf->tunnel_count, 16);
	conf_free(conf);
}

/* Roff has "\\-" for a dash, and fonts around it. */
static void assert_in_manual(const char *manual, const char *word)
{
	char escaped[128] = "", *to = escaped;

	for (; *word; word++) {
		if (*word == '-')
			*to++ = '\\';
		*to++ = *word;
	}
	*to = '\0';
	if (!strstr(manual, escaped))
		fail_msg("%s is not in man/zt6.conf.5", escaped);
}

static void assert_section_in_manual(const char *manual, const struct conf_section *section)
{
	for (size_t i = 0; i < section->key_count; i++) {
		const struct conf_key *key = &section->keys[i];

		assert_in_manual(manual, key->name);
		if (key->fallback)
			assert_in_manual(manual, key->fallback);
		for (size_t k = 0; k < key->value_count; k++)
			if (key->values[k])
				assert_in_manual(manual, key->values[k]);
		if (key->section)
			assert_section_in_manual(manual, key->section);
	}
}

static void every_key_is_in_the_manual(void **state)
{
	FILE *file = fopen("man/zt6.conf.5", "r");
	char manual[32768];
	size_t length;

	(void)state;
	assert_non_null(file);
	length = fread(manual, 1, sizeof(manual) - 1, file);
	fclose(file);
	assert_true(length < sizeof(manual) - 1);
	manual[length] = '\0';
	assert_section_in_manual(manual, &conf_top);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_key_has_its_default_and_takes_its_range),
		cmocka_unit_test(sections_keep_their_names_lines_and_addresses),
		cmocka_unit_test(members_have_what_is_routed_or_proxied_less_the_lans),
		cmocka_unit_test(what_is_allowed_stays_allowed),
		cmocka_unit_test(as_many_ports_as_the_maps_take),
		cmocka_unit_test(every_key_is_in_the_manual),
	};

	return cmocka_run_group_tests_name("conf_values", tests, NULL, NULL);
}
