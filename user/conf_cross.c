/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Checks across sections. A name that nothing else bears, or a section that is not there, is a
 * fault only where everything was understood (@sure): otherwise the faulty section may be it.
 */
#include "conf_keys.h"

#include <inttypes.h>
#include <linux/types.h>
#include <string.h>

#include "suggest.h"
#include "zt6_abi.h"

/* A configured port that has the name of an interface. */
struct named_port {
	const char *name;
	const char *section;
	unsigned int line;
};

struct names {
	struct named_port list[ZT6_MAX_PORTS];
	size_t count;
};

static void add_name(struct names *names, const char *name, const char *section, unsigned int line)
{
	if (*name)
		names->list[names->count++] = (struct named_port){name, section, line};
}

/* There are no more than ZT6_MAX_PORTS. */
static void list_names(const struct conf *conf, struct names *names)
{
	names->count = 0;
	for (size_t i = 0; i < conf->uplink_count; i++)
		add_name(names, conf->uplinks[i].name, "uplink", conf->uplinks[i].line);
	for (size_t i = 0; i < conf->tunnel_count; i++)
		add_name(names, conf->tunnels[i].name, "tunnel", conf->tunnels[i].line);
	for (size_t i = 0; i < conf->zerotier_count; i++)
		add_name(names, conf->zerotiers[i].interface, "zerotier",
			 conf_line(conf, "zerotier", conf->zerotiers[i].line, "interface"));
	for (size_t i = 0; i < conf->lan_count; i++)
		add_name(names, conf->lans[i].name, "lan", conf->lans[i].line);
}

static const struct named_port *find_name(const struct names *names, const char *name)
{
	for (size_t i = 0; i < names->count; i++)
		if (!strcmp(names->list[i].name, name))
			return &names->list[i];
	return NULL;
}

/* "; did you mean "NAME"?" for the nearest name, into @out of 64 bytes. */
static const char *did_you_mean(const struct names *names, const char *name, char *out)
{
	struct suggestion near = {.word = name};

	for (size_t i = 0; i < names->count; i++)
		suggestion_offer(&near, names->list[i].name);
	*out = '\0';
	if (near.best)
		snprintf(out, 64, "; did you mean \"%s\"?", near.best);
	return out;
}

static size_t count_ports(const struct conf *conf)
{
	return conf->uplink_count + conf->tunnel_count + conf->zerotier_count + conf->lan_count;
}

/* The line of the section of a port that is the first too many. */
static unsigned int line_of_port(const struct conf *conf, size_t index)
{
	static const char *const ports[] = {"uplink", "tunnel", "zerotier", "lan"};
	const struct conf_statement *top = &conf->tree->top;

	for (size_t i = 0; i < top->child_count; i++)
		for (size_t k = 0; k < sizeof(ports) / sizeof(ports[0]); k++)
			if (!strcmp(top->children[i].key, ports[k]) && !index--)
				return top->children[i].line;
	return 1;
}

static void check_names(const struct conf *conf, struct conf_faults *faults,
			const struct names *names)
{
	for (size_t i = 0; i < names->count; i++) {
		for (size_t k = 0; k < i; k++) {
			const struct named_port *first = &names->list[k], *second = &names->list[i];

			if (strcmp(first->name, second->name) != 0)
				continue;
			if (first->line > second->line) {
				first = second;
				second = &names->list[k];
			}
			faults_add(faults, second->line,
				   "%s %s: the interface is already a port, \"%s\" on line %u: "
				   "an interface has one role and one section",
				   second->section, QUOTED(second->name), first->section,
				   first->line);
			break;
		}
	}
	for (size_t i = 0; i < conf->zerotier_count; i++) {
		for (size_t k = 0; k < i; k++) {
			if (conf->zerotiers[i].network != conf->zerotiers[k].network)
				continue;
			faults_add(faults, conf->zerotiers[i].line,
				   "zerotier %016" PRIx64 ": the network already has a section, on "
				   "line %u: remove one of them",
				   conf->zerotiers[i].network, conf->zerotiers[k].line);
			break;
		}
	}
}

static void resolve_uplink(struct conf *conf, struct conf_faults *faults,
			   struct conf_tunnel *tunnel, bool sure)
{
	struct names uplinks = {0};
	char hint[64];

	for (size_t i = 0; i < conf->uplink_count; i++)
		add_name(&uplinks, conf->uplinks[i].name, "uplink", conf->uplinks[i].line);

	if (!*tunnel->uplink && uplinks.count == 1) {
		memcpy(tunnel->uplink, conf->uplinks[0].name, sizeof(tunnel->uplink));
	} else if (!sure) {
		return;
	} else if (!uplinks.count) {
		faults_add(faults, tunnel->line,
			   "tunnel %s has no uplink to leave by: add a section \"uplink IF\"",
			   QUOTED(tunnel->name));
	} else if (!*tunnel->uplink) {
		faults_add(faults, tunnel->line,
			   "tunnel %s: there are %zu uplinks: add the one that it leaves by, as in "
			   "\"uplink %s\"",
			   QUOTED(tunnel->name), uplinks.count, uplinks.list[0].name);
	} else if (!find_name(&uplinks, tunnel->uplink)) {
		faults_add(faults, conf_line(conf, "tunnel", tunnel->line, "uplink"),
			   "uplink %s: no section \"uplink\" has this name%s",
			   QUOTED(tunnel->uplink), did_you_mean(&uplinks, tunnel->uplink, hint));
	}
}

/* Whether packets of the two tunnels could not be told apart. */
static bool same_ends(const struct conf_tunnel *a, const struct conf_tunnel *b)
{
	return a->remote.s_addr && a->remote.s_addr == b->remote.s_addr &&
	       a->local_auto == b->local_auto && a->local.s_addr == b->local.s_addr &&
	       !strcmp(a->uplink, b->uplink);
}

static void check_tunnels(struct conf *conf, struct conf_faults *faults, bool sure)
{
	for (size_t i = 0; i < conf->tunnel_count; i++) {
		struct conf_tunnel *tunnel = &conf->tunnels[i];

		resolve_uplink(conf, faults, tunnel, sure);
		for (size_t k = 0; k < i; k++) {
			const struct conf_tunnel *other = &conf->tunnels[k];

			if (same_ends(tunnel, other))
				faults_add(faults,
					   conf_line(conf, "tunnel", tunnel->line, "remote"),
					   "tunnel %s has the ends of tunnel %s (line %u): two "
					   "tunnels differ in local or remote",
					   QUOTED(tunnel->name), QUOTED(other->name), other->line);
			if (!IN6_IS_ADDR_UNSPECIFIED(&tunnel->address.addr) &&
			    IN6_ARE_ADDR_EQUAL(&tunnel->address.addr, &other->address.addr))
				faults_add(faults,
					   conf_line(conf, "tunnel", tunnel->line, "address"),
					   "tunnel %s has the address of tunnel %s (line %u): each "
					   "has one of its own",
					   QUOTED(tunnel->name), QUOTED(other->name), other->line);
		}
	}
}

/* The interface behind `iface zerotier:NWID`, empty for `auto`; NULL without such a network. */
static const char *network_interface(const struct conf *conf, const char *iface)
{
	char name[sizeof(conf->proxies->rules->iface)];

	for (size_t i = 0; i < conf->zerotier_count; i++) {
		snprintf(name, sizeof(name), "zerotier:%016" PRIx64, conf->zerotiers[i].network);
		if (!strcmp(name, iface))
			return conf->zerotiers[i].interface;
	}
	return NULL;
}

static void check_iface(const struct conf *conf, struct conf_faults *faults,
			const struct names *names, const struct conf_proxy *proxy,
			const struct conf_rule *rule, bool sure)
{
	const struct named_port *port = find_name(names, rule->iface);
	const char *interface = network_interface(conf, rule->iface);
	char hint[64];

	if (!strcmp(interface ? interface : rule->iface, proxy->name))
		faults_add(faults, conf_line(conf, "rule", rule->line, "iface"),
			   "iface %s is the port that the proxy answers on: name the one that the "
			   "targets are behind",
			   QUOTED(rule->iface));
	else if (port && strcmp(port->section, "lan") != 0 &&
		 strcmp(port->section, "zerotier") != 0)
		faults_add(faults, conf_line(conf, "rule", rule->line, "iface"),
			   "iface %s is a port of \"%s\": targets are behind a lan or a zerotier",
			   QUOTED(rule->iface), port->section);
	else if (!port && !interface && sure)
		faults_add(faults, conf_line(conf, "rule", rule->line, "iface"),
			   "iface %s: no lan and no zerotier has this interface%s (for a network: "
			   "\"iface zerotier:NWID\")",
			   QUOTED(rule->iface), did_you_mean(names, rule->iface, hint));
}

static void check_proxies(const struct conf *conf, struct conf_faults *faults,
			  const struct names *names, bool sure)
{
	const struct conf_proxy *proxied[ZT6_MAX_PORTS] = {0};
	char hint[64];

	for (size_t i = 0; i < conf->proxy_count && !faults->overflow; i++) {
		const struct conf_proxy *proxy = &conf->proxies[i];
		const struct named_port *port = find_name(names, proxy->name);

		if (!port && sure)
			faults_add(faults, proxy->line,
				   "proxy %s: no uplink, lan or zerotier has this interface%s",
				   QUOTED(proxy->name), did_you_mean(names, proxy->name, hint));
		else if (port && !strcmp(port->section, "tunnel"))
			faults_add(faults, proxy->line,
				   "proxy %s: nobody solicits in a tunnel: name an uplink, lan or "
				   "zerotier interface",
				   QUOTED(proxy->name));
		else if (port && proxied[port - names->list])
			faults_add(faults, proxy->line,
				   "proxy %s already has a section, on line %u: put the rules of "
				   "both into one",
				   QUOTED(proxy->name), proxied[port - names->list]->line);
		else if (port)
			proxied[port - names->list] = proxy;

		for (size_t k = 0; k < proxy->rule_count && !faults->overflow; k++)
			if (proxy->rules[k].method == METHOD_IFACE)
				check_iface(conf, faults, names, proxy, &proxy->rules[k], sure);
	}
}

/* What is listed and not enforced would be believed to be all that is open. */
static void check_firewall(const struct conf *conf, struct conf_faults *faults)
{
	for (size_t i = 0; i < conf->allow_count && !faults->overflow; i++) {
		if (conf->policy == CONF_POLICY_OFF)
			faults_add(
				faults, conf->allows[i].line,
				"allow says nothing beside \"policy off\", which lets everything "
				"in: remove one of them");
		else if (conf->rules == CONF_RULES_NONE)
			faults_add(faults, conf->allows[i].line,
				   "allow says nothing beside \"rules none\": list it in your own "
				   "rules of nftables, or remove \"rules none\"");
	}
}

int conf_cross_check(struct conf *conf, struct conf_faults *faults)
{
	size_t ports = count_ports(conf);
	bool sure = !faults->count;
	struct names names;

	if (!ports && sure)
		faults_add(faults, 1,
			   "nothing is configured: there is no uplink, tunnel, zerotier or lan");
	if (conf->tunnel_count > ZT6_MAX_TUNNELS)
		faults_add(faults, conf->tunnels[ZT6_MAX_TUNNELS].line,
			   "tunnel %s is one too many: an instance has %d at most",
			   QUOTED(conf->tunnels[ZT6_MAX_TUNNELS].name), ZT6_MAX_TUNNELS);
	if (ports > ZT6_MAX_PORTS) {
		faults_add(faults, line_of_port(conf, ZT6_MAX_PORTS),
			   "one port too many: uplinks, tunnels, zerotiers and lans are %d at most",
			   ZT6_MAX_PORTS);
		return 0;
	}
	list_names(conf, &names);
	check_names(conf, faults, &names);
	check_tunnels(conf, faults, sure);
	check_proxies(conf, faults, &names, sure);
	check_firewall(conf, faults);
	return conf_prefixes_check(conf, faults, sure);
}
