/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is an uplink, what a lan, and what is left to be filled in: once all files are read. */
#include <stdio.h>
#include <string.h>

#include "draft.h"

/* Rules */

static bool same_method(const struct draft_rule *one, const struct draft_rule *other)
{
	return one->method == other->method && !strcmp(one->iface, other->iface);
}

/* ndppd has all rules that match answer or ask; here it is the longest. Of two for the same prefix a
 * static one has the last word, for it answers at once. */
static void merge_rule(struct draft *draft, struct draft_rule *first, struct draft_rule *rule)
{
	char text[PREFIX_STRLEN];

	prefix_format(&rule->prefix, text);
	if (!prefix_equal(&first->prefix, &rule->prefix)) {
		if (!same_method(first, rule))
			draft_remark(
				draft, &rule->lines, &rule->origin,
				"rule %s overlaps that of %s:%u: ndppd goes by both, zt6-bpf by "
				"the longer",
				text, first->origin.path, first->origin.line);
		return;
	}
	if (rule->method == METHOD_STATIC && first->method != METHOD_STATIC) {
		draft_remark(
			draft, &rule->lines, &rule->origin,
			"takes the place of the rule of %s:%u for the same prefix: ndppd answers "
			"by this at once",
			first->origin.path, first->origin.line);
		first->left_out = true;
		return;
	}
	draft_remark(draft, &rule->lines, &rule->origin,
		     "rule %s is left out: there is one for the same prefix, of %s:%u%s", text,
		     first->origin.path, first->origin.line,
		     same_method(first, rule) ? "" : ", and only one of them can hold");
	rule->left_out = true;
}

static void merge_rules(struct draft *draft, struct draft_proxy *proxy)
{
	for (struct draft_rule *rule = proxy->rules; rule; rule = rule->next)
		for (struct draft_rule *first = proxy->rules; first != rule; first = first->next)
			if (!first->left_out && !rule->left_out &&
			    (prefix_contains(&first->prefix, &rule->prefix) ||
			     prefix_contains(&rule->prefix, &first->prefix)))
				merge_rule(draft, first, rule);
}

/* Roles */

static bool is_inside(const struct draft *draft, const char *name)
{
	return draft_find_lan(draft, name) || draft_find_zerotier(draft, name);
}

static bool has_lan_prefix(const struct draft *draft, const struct prefix *prefix)
{
	for (const struct draft_port *lan = draft->lans; lan; lan = lan->next)
		for (size_t i = 0; i < lan->prefix.count; i++)
			if (prefix_equal(&lan->prefix.list[i], prefix))
				return true;
	for (const struct draft_zerotier *network = draft->zerotiers; network;
	     network = network->next)
		for (size_t i = 0; i < network->prefix.count; i++)
			if (prefix_equal(&network->prefix.list[i], prefix))
				return true;
	return false;
}

/* Members with a prefix (::/0: with any) are behind an interface. */
static void add_members(struct draft *draft, const char *name, const struct prefix *prefix,
			const struct origin *origin)
{
	struct draft_zerotier *network = draft_find_zerotier(draft, name);
	bool known = is_inside(draft, name);
	struct draft_port *lan;
	char text[PREFIX_STRLEN];

	if (network) {
		/* Without a prefix it gets those of all rules, and all that is routed here. */
		if (network->prefix.count && prefix->len)
			draft_prefix(draft, &network->prefix, prefix);
		return;
	}
	lan = draft_lan(draft, name, origin);
	if (!lan)
		return;
	if (!known)
		draft_comment(
			draft, &lan->lines,
			"Members on %s send from these alone (BCP 38): add what else lives there.",
			name);
	if (!known && draft_is_zerotier_name(name))
		draft_remark(
			draft, &lan->lines, origin,
			"%s is an interface of ZeroTier: better than this is its network's own "
			"section (add \"zerotier JSON\" to the import)",
			name);
	if (!prefix->len)
		return;
	if (!has_lan_prefix(draft, prefix))
		draft_prefix(draft, &lan->prefix, prefix);
	else if (!lan->prefix.count)
		draft_remark(draft, &lan->lines, origin,
			     "%s is already the prefix of another port: which of the two has it?",
			     prefix_format(prefix, text));
}

static void resolve_inside(struct draft *draft, const struct draft_owned *inside)
{
	if (!draft_find_uplink(draft, inside->name) && !draft_find_tunnel(draft, inside->name))
		add_members(draft, inside->name, &inside->prefix, &inside->origin);
}

/* A rule that asks where no members are, or on the very port that it answers on. */
static bool is_astray(struct draft *draft, const struct draft_proxy *proxy, struct draft_rule *rule)
{
	const char *what = NULL;

	if (!strcmp(rule->iface, proxy->name))
		what = "is the interface of the proxy itself";
	else if (draft_find_tunnel(draft, rule->iface))
		what = "is a tunnel, in which nobody is asked";
	else if (draft_find_uplink(draft, rule->iface))
		what = "is an uplink: what members ask for out there, the gateway answers by "
		       "itself where it is the gateway's own";
	if (!what)
		return false;
	draft_remark(draft, &rule->lines, &rule->origin, "the rule is left out: iface %s %s",
		     rule->iface, what);
	rule->left_out = true;
	return true;
}

/* Where ndppd listens is an uplink, unless it is known, or named by a rule before, to be inside. */
static void resolve_proxy(struct draft *draft, struct draft_proxy *proxy)
{
	bool inside = is_inside(draft, proxy->name) || draft_is_zerotier_name(proxy->name);

	if (draft_find_tunnel(draft, proxy->name)) {
		draft_remark(draft, &proxy->lines, &proxy->origin,
			     "proxy %s is left out: it is a tunnel, in which nobody is asked",
			     proxy->name);
		proxy->left_out = true;
		return;
	}
	if (!inside)
		draft_uplink(draft, proxy->name, &proxy->origin);
	merge_rules(draft, proxy);
	for (struct draft_rule *rule = proxy->rules; rule; rule = rule->next)
		if (rule->method == METHOD_IFACE && !rule->left_out &&
		    !is_astray(draft, proxy, rule))
			add_members(draft, rule->iface, &rule->prefix, &rule->origin);
	if (inside && !is_inside(draft, proxy->name))
		draft_lan(draft, proxy->name, &proxy->origin);
}

/* Without a tunnel members have the addresses of the link, and nobody else answers for them. */
static void add_onlink(struct draft *draft, const struct draft_owned *onlink)
{
	struct draft_proxy *proxy;
	struct draft_rule *rule;
	char text[PREFIX_STRLEN];

	if (draft->tunnels || draft_find_proxy(draft, onlink->name))
		return;
	proxy = draft_proxy(draft, onlink->name, &onlink->origin);
	rule = proxy ? draft_rule(draft, proxy, &onlink->prefix, &onlink->origin) : NULL;
	if (!rule)
		return;
	rule->method = METHOD_AUTO;
	draft_remark(
		draft, &proxy->lines, &onlink->origin,
		"%s is on the link of %s: this answers for those of its addresses that the "
		"kernel routes elsewhere, to members with a longer prefix than that; remove it "
		"where there are none",
		prefix_format(&onlink->prefix, text), onlink->name);
}

/* Gaps */

static void fill_lans(struct draft *draft)
{
	for (struct draft_port *lan = draft->lans; lan; lan = lan->next) {
		if (lan->prefix.count)
			continue;
		draft_comment(draft, &lan->lines,
			      "FILL IN the members' addresses on %s, and remove the first \"#\":",
			      lan->name);
		draft_comment(draft, &lan->lines, "prefix  2001:db8:1::/64");
		draft->incomplete = true;
	}
}

static bool has_candidates(const struct draft *draft)
{
	for (const struct draft_tunnel *tunnel = draft->tunnels; tunnel; tunnel = tunnel->next)
		if (tunnel->conf.routed.count)
			return true;
	for (const struct draft_proxy *proxy = draft->proxies; proxy; proxy = proxy->next)
		for (const struct draft_rule *rule = proxy->rules; rule; rule = rule->next)
			if (!proxy->left_out && !rule->left_out && rule->prefix.len)
				return true;
	return false;
}

static void fill_zerotiers(struct draft *draft)
{
	bool has_default = has_candidates(draft) && draft->zerotiers && !draft->zerotiers->next;

	for (struct draft_zerotier *network = draft->zerotiers; network; network = network->next) {
		if (network->prefix.count || has_default)
			continue;
		draft_comment(
			draft, &network->lines,
			"FILL IN the public addresses of members, and remove the first \"#\":");
		draft_comment(draft, &network->lines, "prefix  2001:db8:1::/64");
		draft->incomplete = true;
	}
}

/* The first prefix that a network says its members have; NULL: none does. */
static const struct prefix *first_members(const struct draft *draft)
{
	for (const struct draft_zerotier *network = draft->zerotiers; network;
	     network = network->next)
		if (network->prefix.count)
			return network->prefix.list;
	return NULL;
}

static void fill_tunnels(struct draft *draft)
{
	const struct prefix *members = first_members(draft);
	char text[PREFIX_STRLEN] = "2001:db8:1::/48";

	if (members)
		prefix_format(members, text);
	for (struct draft_tunnel *tunnel = draft->tunnels; tunnel; tunnel = tunnel->next) {
		struct draft_lines *lines = &tunnel->lines;

		if (!tunnel->conf.remote.s_addr || !tunnel->has_address) {
			draft_comment(draft, lines, "FILL IN the %s of the tunnel",
				      tunnel->has_address
					      ? "\"remote\" (the broker's IPv4 address)"
					      : "\"address\" of this end, and \"remote\"");
			draft->incomplete = true;
		}
		if (draft->uplinks && draft->uplinks->next && !*tunnel->conf.uplink) {
			draft_comment(draft, lines,
				      "FILL IN which of the uplinks it leaves by, as in:");
			draft_comment(draft, lines, "uplink  %s", draft->uplinks->name);
			draft->incomplete = true;
		}
		if (tunnel->conf.routed.count)
			continue;
		draft_comment(draft, lines,
			      "FILL IN what the broker routes here, and remove the first \"#\"%s:",
			      members ? " if it is this" : "");
		draft_comment(draft, lines, "routed  %s", text);
	}
	if (draft->tunnels && !draft->uplinks) {
		draft_comment(draft, &draft->head,
			      "FILL IN the interface towards the IPv4 Internet, as in:");
		draft_comment(draft, &draft->head, "uplink eth0 {");
		draft_comment(draft, &draft->head, "}");
		draft->incomplete = true;
	}
}

/* Somebody must be inside. */
static void fill_members(struct draft *draft)
{
	if (draft->lans || draft->zerotiers || (!draft->uplinks && !draft->tunnels))
		return;
	draft_comment(draft, &draft->head,
		      "FILL IN where the members are: a section \"zerotier NWID\" (zt6-bpf import "
		      "... zerotier JSON prints it)");
	draft_comment(draft, &draft->head,
		      "or \"lan IF\". Until then nobody is behind this gateway.");
}

/* Neither ndppd nor a tunnel of ifupdown's keeps anything out. */
static void tell_of_firewall(struct draft *draft)
{
	if (!draft->proxies && !draft->tunnels)
		return;
	draft_comment(draft, &draft->head,
		      "New here: to members comes only what a section \"firewall\" allows, see "
		      "zt6.conf(5);");
	draft_comment(draft, &draft->head,
		      "with \"rules none\" in it your own rules of nftables decide, as before.");
}

/* Overlaps (design §4.4) */

/* Whether a connected prefix of the tunnel's takes packets that are for members. */
static void warn_overlap(struct draft *draft, struct draft_tunnel *tunnel,
			 const struct prefix *members)
{
	struct prefix connected = prefix_network(&tunnel->conf.address);
	char own[PREFIX_STRLEN], theirs[PREFIX_STRLEN];

	if (connected.len == 128 ||
	    (!prefix_contains(&connected, members) && !prefix_contains(members, &connected)))
		return;
	draft_remark(draft, &tunnel->lines, &tunnel->origin,
		     "%s, which ifupdown connects to %s, swallows members in %s; zt6-bpf installs "
		     "the address alone, so they are reached once this stanza is gone",
		     prefix_format(&connected, own), tunnel->conf.name,
		     prefix_format(members, theirs));
}

static void find_overlaps(struct draft *draft, struct draft_tunnel *tunnel)
{
	struct prefixes seen = {0};

	for (size_t i = 0; i < tunnel->conf.routed.count; i++)
		draft_prefix(draft, &seen, &tunnel->conf.routed.list[i]);
	for (const struct draft_zerotier *network = draft->zerotiers; network;
	     network = network->next)
		for (size_t i = 0; i < network->prefix.count; i++)
			draft_prefix(draft, &seen, &network->prefix.list[i]);
	for (const struct draft_port *lan = draft->lans; lan; lan = lan->next)
		for (size_t i = 0; i < lan->prefix.count; i++)
			draft_prefix(draft, &seen, &lan->prefix.list[i]);
	for (const struct draft_proxy *proxy = draft->proxies; proxy; proxy = proxy->next)
		for (const struct draft_rule *rule = proxy->rules; rule; rule = rule->next)
			if (rule->prefix.len && !proxy->left_out && !rule->left_out)
				draft_prefix(draft, &seen, &rule->prefix);
	for (size_t i = 0; i < seen.count; i++)
		warn_overlap(draft, tunnel, &seen.list[i]);
	prefixes_free(&seen);
}

void draft_resolve(struct draft *draft)
{
	for (const struct draft_owned *onlink = draft->onlinks; onlink; onlink = onlink->next)
		add_onlink(draft, onlink);
	for (const struct draft_owned *inside = draft->insides; inside; inside = inside->next)
		resolve_inside(draft, inside);
	for (struct draft_proxy *proxy = draft->proxies; proxy; proxy = proxy->next)
		resolve_proxy(draft, proxy);
	for (struct draft_tunnel *tunnel = draft->tunnels; tunnel; tunnel = tunnel->next) {
		if (tunnel->has_address)
			find_overlaps(draft, tunnel);
		/* Which of several is only known where a file says so. */
		if (!draft->uplinks || !draft->uplinks->next)
			*tunnel->conf.uplink = '\0';
	}
	fill_lans(draft);
	fill_zerotiers(draft);
	fill_tunnels(draft);
	fill_members(draft);
	tell_of_firewall(draft);
}
