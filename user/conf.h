/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The configuration as a tree of structs: what zt6.conf says, with every default filled in. */
#ifndef ZT6_CONF_H
#define ZT6_CONF_H

#include <net/if.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "addr.h"

enum conf_datapath { DATAPATH_AUTO, DATAPATH_XDP, DATAPATH_XDP_GENERIC, DATAPATH_TC };
enum conf_default { DEFAULT_SOURCE, DEFAULT_YES, DEFAULT_NO };
enum conf_device { DEVICE_AUTO, DEVICE_SIT, DEVICE_BPF };
enum conf_tristate { TRISTATE_UNSET, TRISTATE_NO, TRISTATE_YES };
enum conf_bind { BIND_OFF, BIND_COUNT, BIND_ENFORCE };
enum conf_source { SOURCE_LINK_LOCAL, SOURCE_TARGET };
enum conf_method { METHOD_NONE, METHOD_STATIC, METHOD_AUTO, METHOD_IFACE };
enum conf_policy { CONF_POLICY_KERNEL, CONF_POLICY_OFF };
enum conf_rules { CONF_RULES_SHIPPED, CONF_RULES_NONE };
enum conf_protocol { ALLOW_TCP, ALLOW_UDP, ALLOW_ICMPV6, ALLOW_PROTOCOL };

/* Every section begins with the line of its key, for messages of whoever finds fault later. */

struct conf_uplink {
	unsigned int line;
	char name[IFNAMSIZ];
	enum conf_datapath datapath;
	uint16_t vlan; /* 0: none */
};

struct conf_tunnel {
	unsigned int line;
	char name[IFNAMSIZ];
	char uplink[IFNAMSIZ]; /* resolved: never empty after conf_load() */
	bool local_auto;
	struct in_addr local; /* valid unless local_auto */
	struct in_addr remote;
	struct prefix address; /* with host bits: the address and the length written after it */
	bool has_gateway;
	struct in6_addr gateway;
	struct prefixes routed;
	uint8_t ttl; /* 0: inherit */
	uint8_t tos;
	bool tos_inherit;
	uint32_t mtu; /* bytes */
	bool pmtudisc;
	enum conf_default default_route;
	uint32_t metric;
	enum conf_device device;
};

struct conf_via {
	unsigned int line;
	struct in6_addr next_hop;
	struct prefixes prefixes;
};

struct conf_zerotier {
	unsigned int line;
	uint64_t network;         /* id */
	char interface[IFNAMSIZ]; /* empty: auto, until zerotier_resolve() */
	bool interface_auto;      /* it was, before */
	enum conf_datapath datapath;
	bool prefix_given;      /* false: the default below was computed */
	struct prefixes prefix; /* resolved: never empty after conf_load() */
	enum conf_tristate allow_managed, allow_global, allow_default;
	bool join;
	struct conf_via *via;
	size_t via_count;
	enum conf_bind bind;
	uint64_t limit; /* of each member and direction, bits per second; 0: none */
};

struct conf_lan {
	unsigned int line;
	char name[IFNAMSIZ];
	enum conf_datapath datapath;
	uint16_t vlan;
	struct prefixes prefix;
};

struct conf_rule {
	unsigned int line;
	struct prefix prefix;
	enum conf_method method;
	char iface[32]; /* of METHOD_IFACE: an interface, or "zerotier:NWID" */
	bool autowire, autovia;
	bool dad;
};

struct conf_proxy {
	unsigned int line;
	char name[IFNAMSIZ]; /* of an uplink, a lan or a zerotier interface */
	bool router;
	uint32_t timeout_ms;
	uint32_t retries;
	uint32_t valid_ms, invalid_ms;
	bool keepalive;
	bool mld; /* join the solicited-node groups of members */
	enum conf_source source;
	struct conf_rule *rules;
	size_t rule_count;
};

struct conf_ports {
	uint16_t first, last;
};

struct conf_allow {
	unsigned int line;
	enum conf_protocol protocol;
	struct conf_ports *ports; /* one or more; types of icmpv6, or protocols */
	size_t port_count;
	bool has_to, has_from;
	struct prefix to, from;
};

struct conf_limits {
	uint32_t cache_entries; /* of the route cache, per CPU */
	uint32_t flows;         /* that the fast path forwards under `policy kernel` */
	uint32_t members;
	uint32_t negative;
	bool gc_thresh;           /* the kernel shall keep as many neighbours */
	uint32_t unresolved_rate; /* packets per second and port */
	uint32_t ndp_source_rate; /* the same, of one source prefix */
	uint32_t ndp_rate;        /* packets per second and port; 0: no limit */
	uint32_t ptb_rate;        /* packets per second and port */
	uint32_t new_flow_rate;   /* packets per second and outside port */
};

struct conf_tree;

struct conf {
	char *path;
	char *text; /* @length bytes: the file as it was read; NULL: it was not from a file */
	size_t length;
	struct conf_tree *tree; /* the file as written, for the lines of its keys in messages */
	struct conf_uplink *uplinks;
	size_t uplink_count;
	struct conf_tunnel *tunnels;
	size_t tunnel_count;
	struct conf_zerotier *zerotiers;
	size_t zerotier_count;
	struct conf_lan *lans;
	size_t lan_count;
	struct conf_proxy *proxies;
	size_t proxy_count;
	enum conf_policy policy;
	enum conf_rules rules; /* of nftables, under CONF_POLICY_KERNEL */
	struct conf_allow *allows;
	size_t allow_count;
	struct conf_limits limits;
};

/**
 * conf_load - read and validate a whole configuration file.
 * @path: the file
 * @errors: where one "FILE:LINE: message" per fault goes
 * @out: the configuration; free it with conf_free()
 *
 * Returns 0, -EINVAL when the file breaks a rule (and @errors says which), or the error of
 * reading it, named in @errors as well.
 */
int conf_load(const char *path, FILE *errors, struct conf **out);

void conf_free(struct conf *conf);

#endif
