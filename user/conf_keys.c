/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Every section and key of the configuration, design §5.2. */
#include "conf_keys.h"

#include <arpa/inet.h>
#include <stdlib.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* NOLINTBEGIN(bugprone-macro-parentheses): parts of initialisers */
#define FIELD(type, member) \
	.offset = offsetof(struct type, member), .size = sizeof(((struct type *)0)->member)
#define VALUES(array)  .values = array, .value_count = COUNT_OF(array)
#define YES_NO         VALUES(yes_no), .expects = "yes or no"
#define SET_OR_NOT     VALUES(set_or_not), .expects = "yes or no"
#define BETWEEN(a, b)  .min = a, .max = b
#define SUBSECTION(s)  .section = &s
#define KEYS_OF(array) .keys = array, .key_count = COUNT_OF(array)
#define LIST_IN(type, array, number)                           \
	.repeats = true, .list = offsetof(struct type, array), \
	.count = offsetof(struct type, number)
/* NOLINTEND(bugprone-macro-parentheses) */

#define MINUTES 60000ULL /* in ms */

/* In bits per second. */
#define KBIT 1000ULL
#define GBIT 1000000000ULL

/* The largest metric is that of the `unreachable` route beside the members' (design §5.1). */
#define METRIC_MAX 4294967294

static const char *const yes_no[] = {[false] = "no", [true] = "yes"};
static const char *const set_or_not[] = {[TRISTATE_NO] = "no", [TRISTATE_YES] = "yes"};
static const char *const datapaths[] = {
	[DATAPATH_AUTO] = "auto",
	[DATAPATH_XDP] = "xdp",
	[DATAPATH_XDP_GENERIC] = "xdp-generic",
	[DATAPATH_TC] = "tc",
};
static const char *const default_routes[] = {
	[DEFAULT_SOURCE] = "source",
	[DEFAULT_YES] = "yes",
	[DEFAULT_NO] = "no",
};
static const char *const devices[] = {
	[DEVICE_AUTO] = "auto",
	[DEVICE_SIT] = "sit",
	[DEVICE_BPF] = "bpf",
};
static const char *const binds[] = {
	[BIND_OFF] = "off",
	[BIND_COUNT] = "count",
	[BIND_ENFORCE] = "enforce",
};
static const char *const sources[] = {
	[SOURCE_LINK_LOCAL] = "link-local",
	[SOURCE_TARGET] = "target",
};
static const char *const policies[] = {
	[CONF_POLICY_KERNEL] = "kernel",
	[CONF_POLICY_OFF] = "off",
};
static const char *const rule_sets[] = {
	[CONF_RULES_SHIPPED] = "shipped",
	[CONF_RULES_NONE] = "none",
};

/* clang-format off */

static const struct conf_key uplink_keys[] = {
	{ .name = "datapath", .read = conf_read_word, VALUES(datapaths),
	  FIELD(conf_uplink, datapath), .fallback = "auto" },
	{ .name = "vlan", .read = conf_read_number, BETWEEN(1, 4094), FIELD(conf_uplink, vlan) },
};

static const struct conf_key tunnel_keys[] = {
	{ .name = "uplink", .read = conf_read_interface, FIELD(conf_tunnel, uplink) },
	{ .name = "local", .read = conf_read_ipv4,
	  .expects = "an IPv4 address of the uplink, or auto", .keyword = "auto",
	  .keyword_flag = offsetof(struct conf_tunnel, local_auto), FIELD(conf_tunnel, local),
	  .fallback = "auto" },
	{ .name = "remote", .read = conf_read_ipv4, .expects = "the broker's IPv4 address",
	  FIELD(conf_tunnel, remote), .flags = KEY_REQUIRED },
	{ .name = "address", .read = conf_read_address,
	  .expects = "the gateway's IPv6 address and length, such as 2001:db8::2/64",
	  FIELD(conf_tunnel, address), .flags = KEY_REQUIRED },
	{ .name = "gateway", .read = conf_read_ipv6, .expects = "the broker's IPv6 address",
	  FIELD(conf_tunnel, gateway), .given = offsetof(struct conf_tunnel, has_gateway) },
	{ .name = "routed", .read = conf_read_prefixes, .min = 1, FIELD(conf_tunnel, routed),
	  .flags = KEY_LIST },
	{ .name = "ttl", .read = conf_read_number, BETWEEN(0, 255), .unit = "hops",
	  FIELD(conf_tunnel, ttl), .fallback = "255" },
	{ .name = "tos", .read = conf_read_number, BETWEEN(0, 255), .keyword = "inherit",
	  .keyword_flag = offsetof(struct conf_tunnel, tos_inherit), FIELD(conf_tunnel, tos),
	  .fallback = "0" },
	{ .name = "mtu", .read = conf_read_number, BETWEEN(1280, 1480), .unit = "bytes",
	  FIELD(conf_tunnel, mtu), .fallback = "1480" },
	{ .name = "pmtudisc", .read = conf_read_word, YES_NO, FIELD(conf_tunnel, pmtudisc),
	  .fallback = "yes" },
	{ .name = "default", .read = conf_read_word, VALUES(default_routes),
	  FIELD(conf_tunnel, default_route), .fallback = "source" },
	{ .name = "metric", .read = conf_read_number, BETWEEN(1, METRIC_MAX),
	  FIELD(conf_tunnel, metric), .fallback = "1024" },
	{ .name = "device", .read = conf_read_word, VALUES(devices), FIELD(conf_tunnel, device),
	  .fallback = "auto" },
};

static const struct conf_key zerotier_keys[] = {
	{ .name = "interface", .read = conf_read_interface,
	  .expects = "the name of an interface, or auto", .keyword = "auto",
	  FIELD(conf_zerotier, interface), .fallback = "auto" },
	{ .name = "datapath", .read = conf_read_word, VALUES(datapaths),
	  FIELD(conf_zerotier, datapath), .fallback = "auto" },
	{ .name = "prefix", .read = conf_read_prefixes, .min = 1, FIELD(conf_zerotier, prefix),
	  .given = offsetof(struct conf_zerotier, prefix_given), .flags = KEY_LIST },
	{ .name = "allow-managed", .read = conf_read_word, SET_OR_NOT,
	  FIELD(conf_zerotier, allow_managed) },
	{ .name = "allow-global", .read = conf_read_word, SET_OR_NOT,
	  FIELD(conf_zerotier, allow_global) },
	{ .name = "allow-default", .read = conf_read_word, SET_OR_NOT,
	  FIELD(conf_zerotier, allow_default) },
	{ .name = "join", .read = conf_read_word, YES_NO, FIELD(conf_zerotier, join),
	  .fallback = "no" },
	{ .name = "via", .read = conf_read_via, .min = 1,
	  .expects = "a member's IPv6 address, and the prefixes behind it",
	  FIELD(conf_zerotier, via_count), .flags = KEY_LIST | KEY_REPEATS },
	{ .name = "bind", .read = conf_read_word, VALUES(binds), FIELD(conf_zerotier, bind),
	  .fallback = "off" },
	{ .name = "limit", .read = conf_read_rate, BETWEEN(64 * KBIT, 100 * GBIT),
	  .expects = "64kbit to 100gbit", FIELD(conf_zerotier, limit) },
};

static const struct conf_key lan_keys[] = {
	{ .name = "prefix", .read = conf_read_prefixes, .min = 1, FIELD(conf_lan, prefix),
	  .flags = KEY_LIST | KEY_REQUIRED },
	{ .name = "datapath", .read = conf_read_word, VALUES(datapaths),
	  FIELD(conf_lan, datapath), .fallback = "auto" },
	{ .name = "vlan", .read = conf_read_number, BETWEEN(1, 4094), FIELD(conf_lan, vlan) },
};

static const struct conf_key rule_keys[] = {
	{ .name = "auto", .read = conf_read_choice, .choice = METHOD_AUTO,
	  FIELD(conf_rule, method), .flags = KEY_CHOICE | KEY_ALONE },
	{ .name = "static", .read = conf_read_choice, .choice = METHOD_STATIC,
	  FIELD(conf_rule, method), .flags = KEY_CHOICE | KEY_ALONE },
	{ .name = "iface", .read = conf_read_iface,
	  .expects = "the name of an interface, or zerotier:NWID", FIELD(conf_rule, iface),
	  .flags = KEY_CHOICE },
	{ .name = "autowire", .read = conf_read_word, YES_NO, FIELD(conf_rule, autowire),
	  .fallback = "no" },
	{ .name = "autovia", .read = conf_read_word, YES_NO, FIELD(conf_rule, autovia),
	  .fallback = "no" },
	{ .name = "dad", .read = conf_read_word, YES_NO, FIELD(conf_rule, dad),
	  .fallback = "yes" },
};

static void check_rule(struct conf_faults *faults, const struct conf_statement *block,
		       const void *section);

static const struct conf_section rule_section = {
	KEYS_OF(rule_keys),
	.size = sizeof(struct conf_rule),
	LIST_IN(conf_proxy, rules, rule_count),
	.check = check_rule,
};

static const struct conf_key proxy_keys[] = {
	{ .name = "router", .read = conf_read_word, YES_NO, FIELD(conf_proxy, router),
	  .fallback = "yes" },
	{ .name = "timeout", .read = conf_read_duration, BETWEEN(10, 1 * MINUTES),
	  FIELD(conf_proxy, timeout_ms), .fallback = "500ms" },
	{ .name = "retries", .read = conf_read_number, BETWEEN(1, 100),
	  FIELD(conf_proxy, retries), .fallback = "3" },
	{ .name = "valid", .read = conf_read_duration, BETWEEN(100, 1440 * MINUTES),
	  FIELD(conf_proxy, valid_ms), .fallback = "30s" },
	{ .name = "invalid", .read = conf_read_duration, BETWEEN(100, 1440 * MINUTES),
	  FIELD(conf_proxy, invalid_ms), .fallback = "30s" },
	{ .name = "keepalive", .read = conf_read_word, YES_NO, FIELD(conf_proxy, keepalive),
	  .fallback = "yes" },
	{ .name = "mld", .read = conf_read_word, YES_NO, FIELD(conf_proxy, mld),
	  .fallback = "no" },
	{ .name = "source", .read = conf_read_word, VALUES(sources), FIELD(conf_proxy, source),
	  .fallback = "link-local" },
	{ .name = "rule", .read = conf_read_prefix, .min = 0, FIELD(conf_rule, prefix),
	  .flags = KEY_REPEATS, SUBSECTION(rule_section) },
};

static const struct conf_key firewall_keys[] = {
	{ .name = "policy", .read = conf_read_word, VALUES(policies), FIELD(conf, policy),
	  .fallback = "kernel" },
	{ .name = "rules", .read = conf_read_word, VALUES(rule_sets), FIELD(conf, rules),
	  .fallback = "shipped" },
	{ .name = "allow", .read = conf_read_allow,
	  .expects = "tcp, udp, icmpv6 or protocol, then ports (types, numbers), as in \"tcp 22 to 2001:db8::5\"",
	  FIELD(conf, allow_count), .flags = KEY_LIST | KEY_REPEATS },
};

/* The defaults are for a machine of 1 GB; the greatest values are for one that has nothing else
 * to do. None may be 0 but ndp-rate: state without a bound is not to be had. */
static const struct conf_key limits_keys[] = {
	{ .name = "cache-entries", .read = conf_read_number, BETWEEN(64, 1 << 20),
	  FIELD(conf, limits.cache_entries), .fallback = "16384" },
	{ .name = "flows", .read = conf_read_number, BETWEEN(64, 1 << 20),
	  FIELD(conf, limits.flows), .fallback = "16384" },
	{ .name = "members", .read = conf_read_number, BETWEEN(16, 1 << 20),
	  FIELD(conf, limits.members), .fallback = "4096" },
	{ .name = "negative", .read = conf_read_number, BETWEEN(16, 1 << 20),
	  FIELD(conf, limits.negative), .fallback = "4096" },
	{ .name = "gc-thresh", .read = conf_read_word, YES_NO, FIELD(conf, limits.gc_thresh),
	  .fallback = "no" },
	{ .name = "unresolved-rate", .read = conf_read_number, BETWEEN(1, 1000000),
	  .unit = "packets per second", FIELD(conf, limits.unresolved_rate), .fallback = "100" },
	{ .name = "ndp-source-rate", .read = conf_read_number, BETWEEN(0, 10000000),
	  .unit = "packets per second", FIELD(conf, limits.ndp_source_rate), .fallback = "0" },
	{ .name = "ndp-rate", .read = conf_read_number, BETWEEN(0, 10000000),
	  .unit = "packets per second", FIELD(conf, limits.ndp_rate), .fallback = "0" },
	{ .name = "ptb-rate", .read = conf_read_number, BETWEEN(1, 1000000),
	  .unit = "packets per second", FIELD(conf, limits.ptb_rate), .fallback = "1000" },
	{ .name = "new-flow-rate", .read = conf_read_number, BETWEEN(4, 10000000),
	  .unit = "packets per second", FIELD(conf, limits.new_flow_rate), .fallback = "20000" },
};

/* clang-format on */

static void check_tunnel(struct conf_faults *faults, const struct conf_statement *block,
			 const void *section)
{
	const struct conf_tunnel *tunnel = section;
	char text[INET6_ADDRSTRLEN];

	if (tunnel->remote.s_addr && tunnel->local.s_addr == tunnel->remote.s_addr)
		faults_add(faults, conf_tree_child(block, "local")->line,
			   "tunnel %s: local and remote are both %s: remote is the broker's end, "
			   "local is this machine's own address on the uplink, or auto",
			   tunnel->name, inet_ntop(AF_INET, &tunnel->remote, text, sizeof(text)));
	if (!IN6_IS_ADDR_UNSPECIFIED(&tunnel->gateway) &&
	    IN6_ARE_ADDR_EQUAL(&tunnel->gateway, &tunnel->address.addr))
		faults_add(faults, conf_tree_child(block, "gateway")->line,
			   "tunnel %s: gateway and address are both %s: gateway is the broker's "
			   "end, address is this machine's",
			   tunnel->name, inet_ntop(AF_INET6, &tunnel->gateway, text, sizeof(text)));
}

static void check_rule(struct conf_faults *faults, const struct conf_statement *block,
		       const void *section)
{
	const struct conf_rule *rule = section;
	static const char *const only_iface[] = {"autowire", "autovia"};
	const bool set[] = {rule->autowire, rule->autovia};

	for (size_t i = 0; i < COUNT_OF(only_iface); i++)
		if (set[i] && (rule->method == METHOD_AUTO || rule->method == METHOD_STATIC))
			faults_add(faults, conf_tree_child(block, only_iface[i])->line,
				   "%s goes only with \"iface NAME\": with auto or static there is "
				   "no one interface to wire",
				   only_iface[i]);
}

static void release_tunnel(void *section)
{
	struct conf_tunnel *tunnel = section;

	prefixes_free(&tunnel->routed);
}

static void release_zerotier(void *section)
{
	struct conf_zerotier *zerotier = section;

	prefixes_free(&zerotier->prefix);
	for (size_t i = 0; i < zerotier->via_count; i++)
		prefixes_free(&zerotier->via[i].prefixes);
	free(zerotier->via);
}

static void release_lan(void *section)
{
	struct conf_lan *lan = section;

	prefixes_free(&lan->prefix);
}

static void release_firewall(void *section)
{
	struct conf *conf = section;

	for (size_t i = 0; i < conf->allow_count; i++)
		free(conf->allows[i].ports);
	free(conf->allows);
}

/* clang-format off */

static const struct conf_section uplink_section = {
	KEYS_OF(uplink_keys), .size = sizeof(struct conf_uplink),
	LIST_IN(conf, uplinks, uplink_count),
};
static const struct conf_section tunnel_section = {
	KEYS_OF(tunnel_keys), .size = sizeof(struct conf_tunnel),
	LIST_IN(conf, tunnels, tunnel_count), .check = check_tunnel, .release = release_tunnel,
};
static const struct conf_section zerotier_section = {
	KEYS_OF(zerotier_keys), .size = sizeof(struct conf_zerotier),
	LIST_IN(conf, zerotiers, zerotier_count), .release = release_zerotier,
};
static const struct conf_section lan_section = {
	KEYS_OF(lan_keys), .size = sizeof(struct conf_lan),
	LIST_IN(conf, lans, lan_count), .release = release_lan,
};
static const struct conf_section proxy_section = {
	KEYS_OF(proxy_keys), .size = sizeof(struct conf_proxy),
	LIST_IN(conf, proxies, proxy_count),
};
static const struct conf_section firewall_section = {
	KEYS_OF(firewall_keys), .size = sizeof(struct conf), .release = release_firewall,
};
static const struct conf_section limits_section = {
	KEYS_OF(limits_keys), .size = sizeof(struct conf),
};

static const struct conf_key top_keys[] = {
	{ .name = "uplink", .read = conf_read_interface, FIELD(conf_uplink, name),
	  .flags = KEY_REPEATS, SUBSECTION(uplink_section) },
	{ .name = "tunnel", .read = conf_read_interface, FIELD(conf_tunnel, name),
	  .flags = KEY_REPEATS, SUBSECTION(tunnel_section) },
	{ .name = "zerotier", .read = conf_read_network, FIELD(conf_zerotier, network),
	  .flags = KEY_REPEATS, SUBSECTION(zerotier_section) },
	{ .name = "lan", .read = conf_read_interface, FIELD(conf_lan, name),
	  .flags = KEY_REPEATS, SUBSECTION(lan_section) },
	{ .name = "proxy", .read = conf_read_interface, FIELD(conf_proxy, name),
	  .flags = KEY_REPEATS, SUBSECTION(proxy_section) },
	{ .name = "firewall", .flags = KEY_ALONE, SUBSECTION(firewall_section) },
	{ .name = "limits", .flags = KEY_ALONE, SUBSECTION(limits_section) },
};

const struct conf_section conf_top = { KEYS_OF(top_keys), .size = sizeof(struct conf) };

/* clang-format on */
