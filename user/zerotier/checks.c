/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "checks.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Members that are named in a finding; of the rest there is a number. */
#define NAMED_MAX 4

static const char *addr_text(const struct in6_addr *addr, char text[INET6_ADDRSTRLEN])
{
	inet_ntop(AF_INET6, addr, text, INET6_ADDRSTRLEN);
	return text;
}

/* Where this machine is the controller, its settings are newer than what it has sent out. */
static const struct zerotier_routes *managed_routes(const struct zerotier_facts *facts)
{
	if (facts->controller)
		return &facts->controller->routes;
	return facts->network && facts->network->status == ZEROTIER_OK ? &facts->network->routes
								       : NULL;
}

static bool is_member_addr(const struct conf_zerotier *section, const struct in6_addr *addr)
{
	for (size_t i = 0; i < section->prefix.count; i++)
		if (prefix_contains_addr(&section->prefix.list[i], addr))
			return true;
	return false;
}

static void check_prefix_route(const struct zerotier_routes *routes, const struct prefix *prefix,
			       struct findings *out)
{
	char text[PREFIX_STRLEN], via[INET6_ADDRSTRLEN];

	prefix_format(prefix, text);
	for (size_t i = 0; i < routes->count; i++) {
		const struct zerotier_route *route = &routes->list[i];

		if (!route->has_via && route->target.len &&
		    prefix_contains(&route->target, prefix)) {
			findings_add(out, FINDING_OK, "members take %s to be on the network", text);
			return;
		}
		if (route->has_via && prefix_equal(&route->target, prefix)) {
			findings_add(out, FINDING_ERROR,
				     "the controller's route for %s has a next hop, %s: members do "
				     "not take each other to be on the network",
				     text, addr_text(&route->via, via));
			findings_remedy(
				out,
				"on the controller, replace the route %s via %s by one with "
				"\"via\" left empty",
				text, via);
			return;
		}
	}
	findings_add(out, FINDING_ERROR,
		     "the controller has no route for %s: it assigns no addresses of it, and no "
		     "member can use one",
		     text);
	findings_remedy(out, "on the controller, add the managed route %s with \"via\" left empty",
			text);
}

static bool is_own(const struct zerotier_network *network, const struct in6_addr *addr)
{
	for (size_t i = 0; network && i < network->assigned.count; i++)
		if (IN6_ARE_ADDR_EQUAL(&network->assigned.list[i].addr, addr))
			return true;
	return false;
}

static void check_default_route(const struct zerotier_facts *facts,
				const struct zerotier_routes *routes, struct findings *out)
{
	struct in6_addr gateway = zerotier_rfc4193(facts->section->network, facts->node);
	char text[INET6_ADDRSTRLEN], other[INET6_ADDRSTRLEN];
	const struct zerotier_route *found = NULL;

	addr_text(&gateway, text);
	for (size_t i = 0; i < routes->count; i++) {
		const struct zerotier_route *route = &routes->list[i];

		if (route->target.len)
			continue;
		found = route;
		if (route->has_via && (IN6_ARE_ADDR_EQUAL(&route->via, &gateway) ||
				       is_own(facts->network, &route->via))) {
			findings_add(out, FINDING_OK,
				     "members with allowDefault send ::/0 here (%s)",
				     addr_text(&route->via, other));
			return;
		}
	}
	if (!found) {
		findings_add(out, FINDING_ERROR,
			     "the controller has no route ::/0: members cannot answer to the "
			     "Internet");
		findings_remedy(out, "on the controller, add the managed route ::/0 via %s", text);
		return;
	}
	if (found->has_via)
		findings_add(out, FINDING_ERROR,
			     "members send ::/0 to %s, which is not this gateway",
			     addr_text(&found->via, other));
	else
		findings_add(out, FINDING_ERROR,
			     "the controller's route ::/0 has no next hop: members look for the "
			     "whole Internet inside the network");
	findings_remedy(out, "on the controller, make it ::/0 via %s", text);
}

static void check_rfc4193(const struct zerotier_facts *facts, struct findings *out)
{
	struct in6_addr gateway = zerotier_rfc4193(facts->section->network, facts->node);
	char text[INET6_ADDRSTRLEN];
	bool on;

	if (facts->controller)
		on = facts->controller->rfc4193;
	else if (facts->network && facts->network->status == ZEROTIER_OK)
		on = is_own(facts->network, &gateway);
	else
		return;
	addr_text(&gateway, text);
	if (on) {
		findings_add(out, FINDING_OK, "nodes have RFC 4193 addresses; this gateway's is %s",
			     text);
		return;
	}
	findings_add(out, FINDING_ERROR,
		     "nodes get no RFC 4193 addresses: %s, the members' next hop, is nobody's",
		     text);
	findings_remedy(out, "on the controller, under IPv6 auto-assign, switch on \"ZeroTier RFC "
			     "4193\" (v6AssignMode: rfc4193)");
}

static void check_flags(const struct zerotier_network *network, struct findings *out)
{
	if (!network->allow_managed) {
		findings_add(
			out, FINDING_ERROR,
			"allowManaged is off on this gateway: zerotier-one gives the interface "
			"neither addresses nor routes, so that members find no next hop here");
		findings_remedy(out,
				"write \"allow-managed yes\" and run \"zt6-bpf reload\", or run "
				"\"zerotier-cli set %016" PRIx64 " allowManaged=1\"",
				network->id);
	}
	if (network->allow_default) {
		findings_add(out, FINDING_WARNING,
			     "allowDefault is on on this gateway: it is for members; here it gains "
			     "nothing and can take the machine's own IPv4 default route");
		findings_remedy(out,
				"write \"allow-default no\" and run \"zt6-bpf reload\", or run "
				"\"zerotier-cli set %016" PRIx64 " allowDefault=0\"",
				network->id);
	}
}

static bool pool_is_inside(const struct zerotier_pool *pool, const struct prefixes *prefixes)
{
	for (size_t i = 0; i < prefixes->count; i++)
		if (prefix_contains_addr(&prefixes->list[i], &pool->start) &&
		    prefix_contains_addr(&prefixes->list[i], &pool->end))
			return true;
	return false;
}

static void remedy_pool(const struct conf_zerotier *section, struct findings *out)
{
	struct zerotier_pool pool = zerotier_pool_of(&section->prefix.list[0]);
	char start[INET6_ADDRSTRLEN], end[INET6_ADDRSTRLEN];

	findings_remedy(out, "on the controller, let IPv6 addresses be assigned from %s - %s",
			addr_text(&pool.start, start), addr_text(&pool.end, end));
}

static void check_pools(const struct zerotier_facts *facts, struct findings *out)
{
	const struct zerotier_controller *controller = facts->controller;
	char start[INET6_ADDRSTRLEN], end[INET6_ADDRSTRLEN];

	if (!controller->pool_count || !controller->pool_assignment) {
		findings_add(
			out, FINDING_WARNING,
			"the controller assigns no IPv6 addresses by itself: each member's must "
			"be typed there");
		remedy_pool(facts->section, out);
	}
	for (size_t i = 0; i < controller->pool_count; i++) {
		const struct zerotier_pool *pool = &controller->pools[i];

		addr_text(&pool->start, start);
		addr_text(&pool->end, end);
		if (pool_is_inside(pool, &facts->section->prefix)) {
			findings_add(out, FINDING_OK, "addresses are assigned from %s - %s", start,
				     end);
			continue;
		}
		findings_add(
			out, FINDING_ERROR,
			"the controller's pool %s - %s is not inside the members' prefix: this "
			"gateway does not route what it assigns",
			start, end);
		remedy_pool(facts->section, out);
	}
}

/* Whether a member has an address of the prefix; the first one that is of no prefix of ours. */
static bool member_has_address(const struct conf_zerotier *section,
			       const struct zerotier_member *member, const struct in6_addr **stray)
{
	bool has = false;

	*stray = NULL;
	for (size_t i = 0; i < member->addresses.count; i++) {
		const struct in6_addr *addr = &member->addresses.list[i].addr;

		if (is_member_addr(section, addr))
			has = true;
		else if (!IN6_IS_ADDR_V4MAPPED(addr) && (addr->s6_addr[0] & 0xfe) != 0xfc &&
			 !*stray)
			*stray = addr;
	}
	return has;
}

static void check_members(const struct zerotier_facts *facts, struct findings *out)
{
	const struct zerotier_controller *controller = facts->controller;
	size_t strays = 0, bare = 0, members = 0;
	char text[INET6_ADDRSTRLEN];

	for (size_t i = 0; i < controller->member_count; i++) {
		const struct zerotier_member *member = &controller->members[i];
		const struct in6_addr *stray;
		bool has = member_has_address(facts->section, member, &stray);

		if (!member->authorized || member->node == facts->node)
			continue;
		members++;
		if (stray && strays++ < NAMED_MAX) {
			findings_add(out, FINDING_WARNING,
				     "member %010" PRIx64
				     " has %s, which is not inside the members' "
				     "prefix: nothing outside reaches it there",
				     member->node, addr_text(stray, text));
			findings_remedy(out, "on the controller, take the address from the member");
		}
		if (!has && bare++ < NAMED_MAX) {
			findings_add(out, FINDING_WARNING,
				     "member %010" PRIx64 " has no address of the members' prefix",
				     member->node);
			findings_remedy(out, "on the controller, assign it one");
		}
	}
	if (strays > NAMED_MAX || bare > NAMED_MAX)
		findings_add(out, FINDING_WARNING,
			     "in all, %zu members have foreign addresses and %zu have none of the "
			     "members' prefix",
			     strays, bare);
	if (!strays && !bare)
		findings_add(out, FINDING_OK, "%zu members, all with addresses of the prefix",
			     members);
	if (controller->truncated)
		findings_add(out, FINDING_UNKNOWN, "only the first %d members were looked at",
			     ZEROTIER_MEMBERS_MAX);
}

void zerotier_check(const struct zerotier_facts *facts, struct findings *out)
{
	const struct zerotier_routes *routes = managed_routes(facts);

	for (size_t i = 0; routes && i < facts->section->prefix.count; i++)
		check_prefix_route(routes, &facts->section->prefix.list[i], out);
	if (routes && facts->node)
		check_default_route(facts, routes, out);
	if (facts->node)
		check_rfc4193(facts, out);
	if (facts->network && facts->network->status == ZEROTIER_OK)
		check_flags(facts->network, out);
	if (facts->controller) {
		check_pools(facts, out);
		check_members(facts, out);
	} else {
		findings_add(out, FINDING_UNKNOWN,
			     "the pool and the members' addresses: the controller, node %010" PRIx64
			     ", is not this machine",
			     zerotier_controller_node(facts->section->network));
		findings_remedy(out, "compare there with the list above");
	}
	zerotier_check_paths(facts, out);
}
