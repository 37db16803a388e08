/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "checks.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <linux/rtnetlink.h>
#include <string.h>

/* All addresses that a pool derives from node ids are in as many from its start. */
#define DERIVED_BITS (128 - ZEROTIER_NODE_BITS)

static const char *overlay_of(const struct zerotier_facts *facts)
{
	if (facts->network && *facts->network->device)
		return facts->network->device;
	return facts->section->interface;
}

/* Addresses at the start of a pool that the route takes: an example of them. */
static bool takes_derived(const struct kernel_route *route, const struct in6_addr *start,
			  struct in6_addr *example)
{
	const struct prefix derived = {.addr = *start, .len = DERIVED_BITS};

	/* A single address is nobody's unless it is known to be. */
	if (route->destination.len == 128 || (!prefix_contains_addr(&route->destination, start) &&
					      !prefix_contains(&derived, &route->destination)))
		return false;
	*example =
		prefix_contains_addr(&route->destination, start) ? *start : route->destination.addr;
	return true;
}

/* Whether somebody lives where the route leads; where the controller cannot be asked, the pool is
 * taken to begin with the prefix. */
static bool takes_members(const struct zerotier_facts *facts, const struct kernel_route *route,
			  const struct prefix *prefix, struct in6_addr *example)
{
	const struct zerotier_controller *controller = facts->controller;

	if (!controller)
		return takes_derived(route, &prefix->addr, example);
	for (size_t i = 0; i < controller->member_count; i++)
		for (size_t k = 0; k < controller->members[i].addresses.count; k++) {
			*example = controller->members[i].addresses.list[k].addr;
			if (prefix_contains_addr(&route->destination, example))
				return true;
		}
	for (size_t i = 0; i < controller->pool_count; i++)
		if (takes_derived(route, &controller->pools[i].start, example))
			return true;
	return false;
}

static void report_swallow(const struct zerotier_facts *facts, const struct kernel_route *route,
			   const struct prefix *prefix, struct findings *out)
{
	char text[PREFIX_STRLEN], members[PREFIX_STRLEN], example[INET6_ADDRSTRLEN];
	const char *device = *route->device ? route->device : "another interface";
	struct in6_addr addr;

	prefix_format(&route->destination, text);
	prefix_format(prefix, members);
	if (!takes_members(facts, route, prefix, &addr)) {
		if (route->destination.len == 128)
			return;
		findings_add(
			out, FINDING_OK,
			"%s of %s leaves by %s: no member lives there; keep it out of the pool",
			text, members, device);
		return;
	}
	inet_ntop(AF_INET6, &addr, example, sizeof(example));
	findings_add(
		out, FINDING_ERROR,
		"the route %s dev %s takes members' packets, those to %s for instance: this is "
		"how \"the whole %s does not work, a part of it does\" comes about",
		text, device, example, members);
	if (route->protocol == RTPROT_KERNEL)
		findings_remedy(
			out,
			"let zt6-bpf make the interface of that address, or give the address "
			"\"noprefixroute\" and run \"ip -6 route del %s dev %s\"",
			text, device);
	else
		findings_remedy(out,
				"run \"ip -6 route del %s dev %s\", or keep the pool and the "
				"members out of %s",
				text, device, text);
}

/* What is in the way of packets to members on this machine itself. */
static void check_swallow(const struct zerotier_facts *facts, struct findings *out)
{
	const struct prefixes *prefixes = &facts->section->prefix;
	const char *overlay = overlay_of(facts);
	size_t before = out->count;

	for (size_t i = 0; i < prefixes->count; i++)
		for (size_t k = 0; k < facts->routes->count; k++) {
			const struct kernel_route *route = &facts->routes->list[k];

			if (route->destination.len > prefixes->list[i].len &&
			    prefix_contains(&prefixes->list[i], &route->destination) &&
			    strcmp(route->device, overlay) != 0)
				report_swallow(facts, route, &prefixes->list[i], out);
		}
	if (out->count == before)
		findings_add(out, FINDING_OK, "no route of this machine is in the members' way");
}

static bool is_of_tunnel(const struct conf_tunnel *tunnel, const struct in6_addr *addr)
{
	if (IN6_ARE_ADDR_EQUAL(&tunnel->address.addr, addr))
		return true;
	for (size_t i = 0; i < tunnel->routed.count; i++)
		if (prefix_contains_addr(&tunnel->routed.list[i], addr))
			return true;
	return false;
}

static void remedy_blacklist(const char *device, struct findings *out)
{
	findings_remedy(out,
			"in %s/local.conf write {\"settings\": {\"interfacePrefixBlacklist\": "
			"[\"%s\"]}} and restart zerotier-one",
			zerotier_home(), device);
}

/* ZeroTier inside 6in4 inside the uplink: larger packets, a detour, and no network at all when the
 * tunnel depends on it. */
static void check_own_traffic(const struct zerotier_facts *facts, struct findings *out)
{
	const struct conf *conf = facts->conf;
	char text[INET6_ADDRSTRLEN];

	for (size_t t = 0; t < conf->tunnel_count; t++) {
		const struct conf_tunnel *tunnel = &conf->tunnels[t];
		bool found = false;

		for (size_t i = 0; facts->service && i < facts->service->listening.count; i++) {
			const struct in6_addr *addr = &facts->service->listening.list[i].addr;

			if (found || !is_of_tunnel(tunnel, addr))
				continue;
			found = true;
			inet_ntop(AF_INET6, addr, text, sizeof(text));
			findings_add(out, FINDING_WARNING,
				     "zerotier-one talks to its peers from %s too: ZeroTier's own "
				     "traffic would run through tunnel %s",
				     text, tunnel->name);
			remedy_blacklist(tunnel->name, out);
		}
		for (size_t i = 0; i < facts->outlet_count && !found; i++) {
			const struct zerotier_outlet *outlet = &facts->outlets[i];

			if (strcmp(outlet->device, tunnel->name) != 0)
				continue;
			found = true;
			inet_ntop(AF_INET6, &outlet->addr, text, sizeof(text));
			findings_add(out, FINDING_WARNING,
				     "ZeroTier's own traffic runs through tunnel %s: to node "
				     "%010" PRIx64 " at %s",
				     tunnel->name, outlet->node, text);
			remedy_blacklist(tunnel->name, out);
		}
	}
	for (size_t i = 0; i < facts->outlet_count; i++) {
		const struct zerotier_outlet *outlet = &facts->outlets[i];

		if (!*overlay_of(facts) || strcmp(outlet->device, overlay_of(facts)) != 0)
			continue;
		inet_ntop(AF_INET6, &outlet->addr, text, sizeof(text));
		findings_add(out, FINDING_ERROR,
			     "ZeroTier's own traffic to node %010" PRIx64
			     " at %s would run through the "
			     "network itself, %s: a loop",
			     outlet->node, text, outlet->device);
		findings_remedy(
			out,
			"in %s/local.conf write {\"physical\": {\"%s/128\": {\"blacklist\": "
			"true}}} and restart zerotier-one",
			zerotier_home(), text);
		return;
	}
}

void zerotier_check_paths(const struct zerotier_facts *facts, struct findings *out)
{
	if (facts->routes && *overlay_of(facts))
		check_swallow(facts, out);
	check_own_traffic(facts, out);
}
