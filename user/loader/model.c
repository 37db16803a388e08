// SPDX-License-Identifier: GPL-2.0-or-later
#include "model.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../log.h"

#define NSEC_PER_SEC 1000000000ULL

/* Seconds: RFC 1191 §6.3 wants 10 minutes. */
#define PATH_MTU_AGE 600

static int slot_of(const struct model *model, const char *name)
{
	for (int slot = 0; slot < ZT6_MAX_PORTS; slot++)
		if (model->ports[slot].role != ZT6_ROLE_NONE &&
		    !strcmp(model->ports[slot].name, name))
			return slot;
	return -ENOENT;
}

/* A configured port, before it has a slot. */
struct wanted {
	const char *name;
	enum zt6_role role;
	enum conf_datapath datapath;
	uint16_t vlan;
};

static size_t wanted_ports(const struct conf *conf, struct wanted *out, size_t room)
{
	size_t n = 0;

	for (size_t i = 0; i < conf->uplink_count && n < room; i++)
		out[n++] = (struct wanted){conf->uplinks[i].name, ZT6_ROLE_UPLINK,
					   conf->uplinks[i].datapath, conf->uplinks[i].vlan};
	for (size_t i = 0; i < conf->tunnel_count && n < room; i++)
		out[n++] =
			(struct wanted){conf->tunnels[i].name, ZT6_ROLE_TUNNEL, DATAPATH_AUTO, 0};
	for (size_t i = 0; i < conf->zerotier_count && n < room; i++)
		out[n++] = (struct wanted){conf->zerotiers[i].interface, ZT6_ROLE_OVERLAY,
					   conf->zerotiers[i].datapath, 0};
	for (size_t i = 0; i < conf->lan_count && n < room; i++)
		out[n++] = (struct wanted){conf->lans[i].name, ZT6_ROLE_LAN, conf->lans[i].datapath,
					   conf->lans[i].vlan};
	return n;
}

/* A driver without native XDP has no ndo_xdp_xmit either and would lose frames silently. */
static uint8_t paths_of(enum zt6_role role, enum conf_datapath datapath)
{
	if (role == ZT6_ROLE_TUNNEL)
		return 0;
	switch (datapath) {
	case DATAPATH_TC:
		return ZT6_PATH_TC;
	case DATAPATH_XDP_GENERIC:
		return ZT6_PATH_XDP;
	default:
		return ZT6_PATH_XDP | ZT6_PATH_XDP_XMIT;
	}
}

static int free_slot(const struct model *model)
{
	for (int slot = 0; slot < ZT6_MAX_PORTS; slot++)
		if (model->ports[slot].role == ZT6_ROLE_NONE)
			return slot;
	return -ENOENT;
}

int model_slots(struct model *model, const struct conf *conf)
{
	struct wanted wanted[ZT6_MAX_PORTS + 1];
	size_t count = wanted_ports(conf, wanted, ZT6_MAX_PORTS + 1);
	struct model before = *model;
	bool placed[ZT6_MAX_PORTS] = {false};

	if (count > ZT6_MAX_PORTS) {
		log_error("%s: more than %d ports", conf->path, ZT6_MAX_PORTS);
		return -E2BIG;
	}
	memset(model->ports, 0, sizeof(model->ports));
	/* Twice over: those with a slot keep it before new ones take what is left. */
	for (int pass = 0; pass < 2; pass++) {
		for (size_t i = 0; i < count; i++) {
			int slot = pass ? free_slot(model) : slot_of(&before, wanted[i].name);

			if (placed[i] || slot < 0)
				continue;
			placed[i] = true;
			strncpy(model->ports[slot].name, wanted[i].name, ZT6_IFNAMSIZ - 1);
			model->ports[slot].role = wanted[i].role;
			model->ports[slot].vlan = wanted[i].vlan;
			model->datapaths[slot] = wanted[i].datapath;
			if (wanted[i].datapath == DATAPATH_XDP_GENERIC)
				model->ports[slot].flags = ZT6_PORT_XDP_GENERIC;
			model->ports[slot].paths = paths_of(wanted[i].role, wanted[i].datapath);
		}
	}
	return 0;
}

int model_add_prefix(struct model *model, const struct in6_addr *addr, uint8_t len, uint8_t port,
		     bool own)
{
	struct model_prefix entry = {
		.key.prefixlen = len,
		.value = {.port = port, .own = own},
	};
	struct model_prefix *grown;

	memcpy(entry.key.addr, addr, sizeof(entry.key.addr));
	for (size_t i = 0; i < model->prefix_count; i++) {
		if (!memcmp(&model->prefixes[i].key, &entry.key, sizeof(entry.key))) {
			if (own)
				model->prefixes[i].value = entry.value;
			return 0;
		}
	}
	grown = reallocarray(model->prefixes, model->prefix_count + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	grown[model->prefix_count++] = entry;
	model->prefixes = grown;
	return 0;
}

static int add_prefixes(struct model *model, const struct prefixes *set, uint8_t port)
{
	int err = 0;

	for (size_t i = 0; i < set->count && !err; i++)
		err = model_add_prefix(model, &set->list[i].addr, set->list[i].len, port, false);
	return err;
}

static int add_members(struct model *model, const struct conf_zerotier *zerotier)
{
	int slot = slot_of(model, zerotier->interface);
	int err = add_prefixes(model, &zerotier->prefix, slot);

	for (size_t i = 0; i < zerotier->via_count && !err; i++)
		err = add_prefixes(model, &zerotier->via[i].prefixes, slot);
	return err;
}

/* The address of an interface that its errors have as their source, or NULL: the first one in the
 * kernel's order, a unique local one (RFC 4193) only where there is no other. */
static const struct own_address *usable_address(const struct own_address *own, size_t count,
						__u32 ifindex)
{
	const struct own_address *local = NULL;

	for (size_t i = 0; i < count; i++) {
		if (!own[i].usable || (__u32)own[i].ifindex != ifindex)
			continue;
		if ((own[i].prefix.addr.s6_addr[0] & 0xfe) != 0xfc)
			return &own[i];
		if (!local)
			local = &own[i];
	}
	return local;
}

void model_error_sources(struct model *model, const struct own_address *own, size_t count)
{
	const struct own_address *of_tunnel = NULL, *found;

	for (__u32 i = 0; i < model->settings.tunnel_count && !of_tunnel; i++)
		of_tunnel = usable_address(
			own, count,
			model->ports[model->settings.tunnels[i].port % ZT6_MAX_PORTS].ifindex);
	for (int slot = 0; slot < ZT6_MAX_PORTS; slot++) {
		struct zt6_port *port = &model->ports[slot];

		memset(&port->error_source, 0, sizeof(port->error_source));
		if (port->role == ZT6_ROLE_NONE || !port->ifindex)
			continue;
		found = usable_address(own, count, port->ifindex);
		if (!found && (port->role == ZT6_ROLE_OVERLAY || port->role == ZT6_ROLE_LAN))
			found = of_tunnel;
		if (found)
			memcpy(&port->error_source, &found->prefix.addr,
			       sizeof(port->error_source));
	}
}

/* To whom each address belongs: ourselves, the tunnels' far ends, members, and for the rest of a
 * routed prefix nobody. */
static int fill_prefixes(struct model *model, const struct conf *conf, struct nl_sock *nl)
{
	struct own_address *own = NULL;
	size_t own_count = 0;
	int err;

	err = facts_own_addresses(nl, &own, &own_count);
	if (err) {
		log_error("cannot read this machine's addresses: %s", strerror(-err));
		return err;
	}
	for (size_t i = 0; i < own_count && !err; i++)
		err = model_add_prefix(model, &own[i].prefix.addr, 128, ZT6_NO_PORT, true);
	model_error_sources(model, own, own_count);
	free(own);
	for (size_t i = 0; i < conf->tunnel_count && !err; i++)
		if (conf->tunnels[i].has_gateway)
			err = model_add_prefix(model, &conf->tunnels[i].gateway, 128,
					       slot_of(model, conf->tunnels[i].name), false);
	for (size_t i = 0; i < conf->zerotier_count && !err; i++)
		err = add_members(model, &conf->zerotiers[i]);
	for (size_t i = 0; i < conf->lan_count && !err; i++)
		err = add_prefixes(model, &conf->lans[i].prefix,
				   slot_of(model, conf->lans[i].name));
	for (size_t i = 0; i < conf->tunnel_count && !err; i++)
		err = add_prefixes(model, &conf->tunnels[i].routed, ZT6_NO_PORT);
	return err;
}

/* "NAME" or "zerotier:NWID" of a rule, as a slot. */
static int rule_slot(const struct model *model, const struct conf *conf, const char *iface)
{
	const char *network = strncmp(iface, "zerotier:", 9) ? NULL : iface + 9;

	if (!network)
		return slot_of(model, iface);
	for (size_t i = 0; i < conf->zerotier_count; i++)
		if (strtoull(network, NULL, 16) == conf->zerotiers[i].network)
			return slot_of(model, conf->zerotiers[i].interface);
	return -ENOENT;
}

static int add_rule(struct model *model, const struct conf *conf, const struct conf_rule *rule,
		    int slot)
{
	static const __u8 methods[] = {
		[METHOD_STATIC] = ZT6_METHOD_STATIC,
		[METHOD_AUTO] = ZT6_METHOD_AUTO,
		[METHOD_IFACE] = ZT6_METHOD_IFACE,
	};
	struct model_rule *grown =
		reallocarray(model->rules, model->rule_count + 1, sizeof(*grown));
	struct model_rule entry = {
		.key = {.prefixlen = 32 + rule->prefix.len, .port = slot},
		.value =
			{
				.method = methods[rule->method],
				.flags = (rule->dad ? ZT6_RULE_DAD : 0) |
					 (rule->autowire ? ZT6_RULE_AUTOWIRE : 0) |
					 (rule->autovia ? ZT6_RULE_AUTOVIA : 0),
				.iface = ZT6_NO_PORT,
			},
	};

	if (!grown)
		return -ENOMEM;
	model->rules = grown;
	memcpy(entry.key.addr, &rule->prefix.addr, sizeof(entry.key.addr));
	if (rule->method == METHOD_IFACE)
		entry.value.iface = rule_slot(model, conf, rule->iface);
	grown[model->rule_count++] = entry;
	return 0;
}

static int fill_proxies(struct model *model, const struct conf *conf)
{
	for (size_t i = 0; i < conf->proxy_count; i++) {
		const struct conf_proxy *proxy = &conf->proxies[i];
		int slot = slot_of(model, proxy->name);
		struct zt6_port *port;

		if (slot < 0)
			return slot;
		port = &model->ports[slot];
		port->flags |= ZT6_PORT_PROXY;
		if (proxy->router)
			port->flags |= ZT6_PORT_ROUTER;
		if (proxy->source == SOURCE_TARGET)
			port->flags |= ZT6_PORT_SOURCE_TARGET;
		if (proxy->keepalive)
			port->flags |= ZT6_PORT_KEEPALIVE;
		port->proxy = (struct zt6_proxy){
			.timeout_ms = proxy->timeout_ms,
			.retries = proxy->retries,
			.valid_ms = proxy->valid_ms,
			.invalid_ms = proxy->invalid_ms,
			.flags = proxy->mld ? ZT6_PROXY_MLD : 0,
		};
		if (port->ifindex && !(port->na_source.halves[0] | port->na_source.halves[1])) {
			log_error("%s: no link-local address to advertise from; give it one or set "
				  "net.ipv6.conf.%s.addr_gen_mode=0",
				  port->name, port->name);
			return -EADDRNOTAVAIL;
		}
		for (size_t k = 0; k < proxy->rule_count; k++) {
			int err = add_rule(model, conf, &proxy->rules[k], slot);

			if (err)
				return err;
		}
	}
	return 0;
}

static struct zt6_rate rate_of(uint32_t per_second)
{
	struct zt6_rate rate = {0};

	if (!per_second)
		return rate;
	rate.interval_ns = NSEC_PER_SEC / per_second;
	/* A burst is one second's worth. */
	rate.burst_ns = NSEC_PER_SEC - rate.interval_ns;
	return rate;
}

/* A burst is an eighth of a second's worth, or what a window of TCP begins with. */
#define MEMBER_BURST_NS  (NSEC_PER_SEC / 8)
#define MEMBER_BURST_KIB 64

static struct zt6_member_rate member_rate_of(uint64_t bits_per_second)
{
	struct zt6_member_rate rate = {0};

	if (!bits_per_second)
		return rate;
	rate.ns_per_kib = (__u32)(1024ULL * 8 * NSEC_PER_SEC / bits_per_second);
	rate.burst_ns = (__u64)rate.ns_per_kib * MEMBER_BURST_KIB;
	if (rate.burst_ns < MEMBER_BURST_NS)
		rate.burst_ns = MEMBER_BURST_NS;
	return rate;
}

/* Of the packets of newcomers one member may be sent this part, so that a flood of one of them leaves
 * the others some. */
#define NEW_TO_ONE 4

/* Look-ups in the kernel's table for destinations that nobody knows of, for each that may make the
 * kernel ask for a neighbour: by default about a hundredth of a processor. */
#define ASKED_PER_UNRESOLVED 100

/* All members may be strangers at once: when the gateway has just come up. */
static struct zt6_rate asked_rate_of(const struct conf_limits *limits)
{
	struct zt6_rate rate = rate_of(limits->unresolved_rate * ASKED_PER_UNRESOLVED);
	__u64 all_ns = rate.interval_ns * limits->members;

	if (rate.burst_ns < all_ns)
		rate.burst_ns = all_ns;
	return rate;
}

static int fill_port(struct zt6_port *port, const struct conf_limits *limits, struct nl_sock *nl,
		     bool *is_tun)
{
	struct iface_facts facts;
	int err = facts_iface(nl, port->name, &facts);

	port->rates[ZT6_BUCKET_UNRESOLVED] = rate_of(limits->unresolved_rate);
	port->rates[ZT6_BUCKET_TUNNEL] = rate_of(limits->unresolved_rate);
	port->rates[ZT6_BUCKET_DEFERRED] = rate_of(limits->unresolved_rate);
	port->rates[ZT6_BUCKET_NDP] = rate_of(limits->ndp_rate);
	port->rates[ZT6_BUCKET_SOLICITOR] = rate_of(limits->ndp_source_rate);
	port->rates[ZT6_BUCKET_TOO_BIG] = rate_of(limits->ptb_rate);
	port->rates[ZT6_BUCKET_NEW] = rate_of(limits->new_flow_rate);
	port->rates[ZT6_BUCKET_NEW_TUNNEL] = rate_of(limits->new_flow_rate);
	port->rates[ZT6_BUCKET_NEW_TO_ONE] = rate_of(limits->new_flow_rate / NEW_TO_ONE);
	port->rates[ZT6_BUCKET_ASKED] = asked_rate_of(limits);
	if (err == -ENODEV && (port->role == ZT6_ROLE_OVERLAY || port->role == ZT6_ROLE_LAN))
		return 0;
	if (err) {
		log_error("%s: %s", port->name,
			  err == -ENODEV ? "no such interface" : strerror(-err));
		return err;
	}
	port->ifindex = facts.ifindex;
	port->mtu = facts.mtu;
	memcpy(port->mac, facts.mac, sizeof(port->mac));
	if (facts.has_link_local)
		memcpy(&port->na_source, &facts.link_local, sizeof(port->na_source));
	/* The kernel calls a TAP so too. */
	*is_tun = port->role == ZT6_ROLE_TUNNEL && !strcmp(facts.kind, "tun");
	/* What the kernel's own tunnel takes out of 6in4 need not go through the rest of it. */
	if (port->role == ZT6_ROLE_TUNNEL && !*is_tun)
		port->paths = ZT6_PATH_TC;
	return 0;
}

static int fill_tunnel(struct model *model, const struct conf_tunnel *conf, size_t index,
		       struct nl_sock *nl)
{
	struct zt6_tunnel *tunnel = &model->settings.tunnels[index];
	int slot = slot_of(model, conf->name), uplink = slot_of(model, conf->uplink);
	struct in_addr local = conf->local;
	int err;

	if (slot < 0 || uplink < 0)
		return -ENOENT;
	if (conf->local_auto) {
		err = facts_ipv4_address(nl, model->ports[uplink].ifindex, &local);
		if (err) {
			log_error("%s: %s has no IPv4 address for \"local auto\": %s", conf->name,
				  conf->uplink, strerror(-err));
			return err;
		}
	}
	*tunnel = (struct zt6_tunnel){
		.local = local.s_addr,
		.remote = conf->remote.s_addr,
		.mtu = conf->mtu,
		.ttl = conf->ttl,
		.tos = conf->tos,
		.flags = (conf->pmtudisc ? ZT6_TUNNEL_DF : 0) |
			 (conf->ttl ? 0 : ZT6_TUNNEL_INHERIT_TTL) |
			 (conf->tos_inherit ? ZT6_TUNNEL_INHERIT_TOS : 0) |
			 (conf->local_auto ? ZT6_TUNNEL_LOCAL_AUTO : 0) |
			 (model->tunnel_bpf[slot] ? ZT6_TUNNEL_BPF : 0),
		.port = slot,
		.uplink = uplink,
	};
	model->ports[slot].tunnel = index;
	model->ports[slot].mtu = conf->mtu;
	return 0;
}

/* All prefixes of a network, those behind its members too. */
static int list_members(struct prefixes *members, const struct conf_zerotier *zerotier)
{
	int err = 0;

	for (size_t i = 0; i < zerotier->prefix.count && !err; i++)
		err = prefixes_add(members, &zerotier->prefix.list[i]);
	for (size_t i = 0; i < zerotier->via_count && !err; i++)
		for (size_t k = 0; k < zerotier->via[i].prefixes.count && !err; k++)
			err = prefixes_add(members, &zerotier->via[i].prefixes.list[k]);
	return err;
}

/* Where the source decides routes, it is part of the cache's key. */
static int fill_source_routed(struct model *model, const struct conf *conf, struct nl_sock *nl)
{
	struct prefixes members = {0};
	bool inside, outside;
	int err = 0;

	for (size_t i = 0; i < conf->zerotier_count && !err; i++)
		err = list_members(&members, &conf->zerotiers[i]);
	for (size_t i = 0; i < conf->lan_count && !err; i++)
		for (size_t k = 0; k < conf->lans[i].prefix.count && !err; k++)
			err = prefixes_add(&members, &conf->lans[i].prefix.list[k]);
	if (!err)
		err = facts_source_routed(nl, &members, &inside, &outside);
	prefixes_free(&members);
	if (err) {
		log_error("cannot read this machine's rules and routes: %s", strerror(-err));
		return err;
	}
	for (int slot = 0; slot < ZT6_MAX_PORTS; slot++) {
		struct zt6_port *port = &model->ports[slot];
		bool is_inside = port->role == ZT6_ROLE_OVERLAY || port->role == ZT6_ROLE_LAN;

		if (is_inside ? inside : outside)
			port->flags |= ZT6_PORT_SOURCE_ROUTED;
	}
	return 0;
}

/* How long a path MTU is believed: as long as the kernel's own. */
static __u64 path_mtu_age_ns(void)
{
	FILE *file = fopen("/proc/sys/net/ipv4/route/mtu_expires", "re");
	unsigned int seconds = 0;

	if (file) {
		if (fscanf(file, "%u", &seconds) != 1)
			seconds = 0;
		fclose(file);
	}
	return (seconds ? seconds : PATH_MTU_AGE) * NSEC_PER_SEC;
}

/* The tick of the running kernel: the coarse clock advances once per jiffy. */
static uint32_t kernel_hz(void)
{
	struct timespec tick;

	if (clock_getres(CLOCK_MONOTONIC_COARSE, &tick) || tick.tv_sec || !tick.tv_nsec)
		return 100;
	return (NSEC_PER_SEC + tick.tv_nsec / 2) / tick.tv_nsec;
}

static uint32_t power_of_two(uint32_t at_least)
{
	uint32_t power = 1;

	while (power < at_least)
		power <<= 1;
	return power;
}

int model_fill(struct model *model, const struct conf *conf, struct nl_sock *nl)
{
	int err = 0;

	model->settings = (struct zt6_settings){
		.schema = ZT6_SCHEMA,
		.policy = conf->policy == CONF_POLICY_OFF ? ZT6_POLICY_OFF : ZT6_POLICY_KERNEL,
		.cache_sets = power_of_two((conf->limits.cache_entries + ZT6_WAYS - 1) / ZT6_WAYS),
		.jiffies_per_sec = kernel_hz(),
		.tunnel_count = conf->tunnel_count,
		.flags = ZT6_SETTINGS_TRAFFIC,
		.path_mtu_age_ns = path_mtu_age_ns(),
	};
	if (conf->policy != CONF_POLICY_OFF && conf->rules == CONF_RULES_SHIPPED)
		model->settings.flags |= ZT6_SETTINGS_BROKERS_ONLY;
	/* Both directions of each flow. */
	model->settings.flow_sets =
		model->settings.policy == ZT6_POLICY_OFF
			? 1
			: power_of_two((2 * conf->limits.flows + ZT6_WAYS - 1) / ZT6_WAYS);
	model->members = conf->limits.members;
	model->negative = conf->limits.negative;
	for (size_t i = 0; i < conf->zerotier_count; i++) {
		int slot = slot_of(model, conf->zerotiers[i].interface);

		if (slot < 0)
			continue;
		model->ports[slot].network = conf->zerotiers[i].network;
		model->ports[slot].limit = member_rate_of(conf->zerotiers[i].limit);
		if (conf->zerotiers[i].limit)
			model->settings.flags |= ZT6_SETTINGS_MEMBER_LIMITS;
	}
	for (int slot = 0; slot < ZT6_MAX_PORTS && !err; slot++)
		if (model->ports[slot].role != ZT6_ROLE_NONE)
			err = fill_port(&model->ports[slot], &conf->limits, nl,
					&model->tunnel_bpf[slot]);
	for (size_t i = 0; i < conf->tunnel_count && !err; i++)
		err = fill_tunnel(model, &conf->tunnels[i], i, nl);
	if (!err)
		err = fill_prefixes(model, conf, nl);
	if (!err)
		err = model_add_bindings(model, conf);
	if (!err)
		err = fill_proxies(model, conf);
	if (!err)
		err = fill_source_routed(model, conf, nl);
	return err;
}

const struct model_prefix *model_owner(const struct model *model, const union zt6_addr *addr)
{
	const struct model_prefix *best = NULL;
	struct in6_addr inside;

	memcpy(&inside, addr, sizeof(inside));
	for (size_t i = 0; i < model->prefix_count; i++) {
		const struct model_prefix *candidate = &model->prefixes[i];
		struct prefix prefix = {.len = (uint8_t)candidate->key.prefixlen};

		memcpy(&prefix.addr, candidate->key.addr, sizeof(prefix.addr));
		if (prefix_contains_addr(&prefix, &inside) &&
		    (!best || candidate->key.prefixlen > best->key.prefixlen))
			best = candidate;
	}
	return best;
}

void model_free(struct model *model)
{
	free(model->prefixes);
	free(model->rules);
	free(model->bindings);
	model->prefixes = NULL;
	model->rules = NULL;
	model->bindings = NULL;
	model->prefix_count = model->rule_count = model->binding_count = 0;
}
