/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The stanzas of interfaces(5) into a draft: tunnels, the uplink, segments with members. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../conf_faults.h"
#include "ifaces.h"
#include "interfaces_commands.h"
#include "sources.h"

#define ONLINK_MAX_BITS 64 /* a longer prefix of a link has no room for a network of members */

static bool is_method(const struct ifaces_stanza *stanza, const char *family, const char *method)
{
	return !strcmp(stanza->family, family) && !strcmp(stanza->method, method);
}

/* Templates that are not brought up themselves configure nothing. */
static bool counts(const struct ifaces *ifaces, const struct ifaces_stanza *stanza)
{
	return !stanza->inherited || ifaces_starts(ifaces, stanza->name);
}

/* "eth0:1" is another address of eth0. */
static const char *device_of(const struct ifaces_stanza *stanza, char name[IFNAMSIZ])
{
	snprintf(name, IFNAMSIZ, "%.*s", (int)strcspn(stanza->name, ":"), stanza->name);
	return name;
}

/* The first word of a value: ifupdown knows no comments at the end of a line, but who writes one
 * means one. False when there is no such option, or (a fault) the word is too long. */
static bool first_word(struct draft *draft, const struct ifaces_option *option, char *out,
		       size_t size)
{
	size_t length;

	if (!option)
		return false;
	length = strcspn(option->value, " \t");
	if (length >= size) {
		draft_fault(draft, &option->origin, "%s %s is too long", option->name,
			    QUOTED(option->value));
		return false;
	}
	memcpy(out, option->value, length);
	out[length] = '\0';
	return true;
}

static bool read_ipv4(struct draft *draft, const struct ifaces_option *option, struct in_addr *out)
{
	char word[64];

	if (!first_word(draft, option, word, sizeof(word)))
		return false;
	if (inet_pton(AF_INET, word, out) == 1)
		return true;
	draft_fault(draft, &option->origin, "%s %s is no IPv4 address", option->name,
		    QUOTED(option->value));
	return false;
}

/* A number within what zt6.conf takes. */
static bool read_number(struct draft *draft, struct draft_lines *lines,
			const struct ifaces_option *option, uint32_t min, uint32_t max,
			uint32_t *out)
{
	char word[64], *end;
	unsigned long value;

	if (!first_word(draft, option, word, sizeof(word)))
		return false;
	value = strtoul(word, &end, 10);
	if (*end || *word < '0' || *word > '9') {
		draft_fault(draft, &option->origin, "%s %s is no number", option->name,
			    QUOTED(option->value));
		return false;
	}
	*out = (uint32_t)(value < min ? min : value > max ? max : value);
	if (*out != value)
		draft_remark(draft, lines, &option->origin,
			     "%s %s: zt6-bpf takes %u to %u, so this is %u", option->name,
			     QUOTED(option->value), min, max, *out);
	return true;
}

/* "ADDR/LEN", or "ADDR" with `netmask LEN`, or an address alone, which is one of 128 bits. */
static bool read_address(struct draft *draft, const struct ifaces_stanza *stanza,
			 struct prefix *out)
{
	const struct ifaces_option *option = ifaces_option(stanza, "address");
	char address[64], length[16], text[sizeof(address) + sizeof(length)];

	if (!first_word(draft, option, address, sizeof(address)))
		return false;
	if (strchr(address, '/'))
		snprintf(text, sizeof(text), "%s", address);
	else if (first_word(draft, ifaces_option(stanza, "netmask"), length, sizeof(length)))
		snprintf(text, sizeof(text), "%s/%s", address, length);
	else
		snprintf(text, sizeof(text), "%s/128", address);
	if (prefix_parse(text, out))
		return true;
	draft_fault(draft, &option->origin, "address %s is no IPv6 address with a length",
		    QUOTED(text));
	return false;
}

/* Tunnels */

static void require(struct draft *draft, const struct ifaces_stanza *stanza, const char *name)
{
	if (!ifaces_option(stanza, name))
		draft_fault(draft, &stanza->origin, "iface %s: missing required variable: \"%s\"",
			    stanza->name, name);
}

static void read_tunnel_default(struct draft *draft, struct draft_tunnel *tunnel,
				const struct ifaces_stanza *stanza)
{
	const struct ifaces_option *gateway = ifaces_option(stanza, "gateway");
	struct conf_tunnel *conf = &tunnel->conf;
	char word[64];

	if (!first_word(draft, gateway, word, sizeof(word)))
		return;
	if (inet_pton(AF_INET6, word, &conf->gateway) != 1) {
		draft_fault(draft, &gateway->origin, "gateway %s is no IPv6 address",
			    QUOTED(gateway->value));
		return;
	}
	conf->has_gateway = true;
	conf->default_route = DEFAULT_YES;
	draft_remark(draft, &tunnel->lines, &gateway->origin,
		     "a gateway is the default route of all packets, as here; with \"default "
		     "source\" only those from \"routed\" leave by the tunnel");
	read_number(draft, &tunnel->lines, ifaces_option(stanza, "metric"), 1, UINT32_MAX - 1,
		    &conf->metric);
}

/* What a v4tunnel does not set is as ip(8) leaves it. */
static void read_tunnel_numbers(struct draft *draft, struct draft_tunnel *tunnel,
				const struct ifaces_stanza *stanza)
{
	const struct ifaces_option *ttl = ifaces_option(stanza, "ttl");
	const struct ifaces_option *lifetime = ifaces_option(stanza, "preferred-lifetime");
	uint32_t value = 0;

	if (!ttl)
		draft_remark(draft, &tunnel->lines, &stanza->origin,
			     "without \"ttl\" the outer hop limit is that of the inner packet: 0 "
			     "here; 255 is usual");
	else if (strcmp(ttl->value, "inherit") != 0)
		read_number(draft, &tunnel->lines, ttl, 0, 255, &value);
	tunnel->conf.ttl = (uint8_t)value;
	read_number(draft, &tunnel->lines, ifaces_option(stanza, "mtu"), 1280, 1480,
		    &tunnel->conf.mtu);
	if (lifetime)
		draft_remark(draft, &tunnel->lines, &lifetime->origin,
			     "preferred-lifetime has no equivalent: the address is preferred for "
			     "ever");
}

static void import_tunnel(struct draft *draft, const struct ifaces *ifaces,
			  const struct ifaces_stanza *stanza)
{
	const struct ifaces_option *local = ifaces_option(stanza, "local");
	struct draft_tunnel *tunnel;

	if (draft_find_tunnel(draft, stanza->name)) {
		draft_fault(draft, &stanza->origin, "tunnel %s is there already",
			    QUOTED(stanza->name));
		return;
	}
	require(draft, stanza, "address");
	require(draft, stanza, "endpoint");
	tunnel = draft_tunnel(draft, stanza->name, &stanza->origin);
	if (!tunnel)
		return;
	draft_comment(
		draft, &tunnel->lines,
		"In place of %s:%u: \"ifdown %s\", and remove it there, before \"zt6-bpf up\".",
		stanza->origin.path, stanza->origin.line, stanza->name);
	if (!ifaces_starts(ifaces, stanza->name))
		draft_remark(draft, &tunnel->lines, &stanza->origin,
			     "no \"auto\" line has %s: ifupdown does not start it at boot, zt6-bpf "
			     "will",
			     stanza->name);
	read_ipv4(draft, ifaces_option(stanza, "endpoint"), &tunnel->conf.remote);
	if (local && strcmp(local->value, "any") != 0)
		tunnel->conf.local_auto = !read_ipv4(draft, local, &tunnel->conf.local);
	tunnel->has_address = read_address(draft, stanza, &tunnel->conf.address);
	read_tunnel_default(draft, tunnel, stanza);
	read_tunnel_numbers(draft, tunnel, stanza);
}

/* Uplinks */

/* The address of a static stanza, or 0.0.0.0. */
static struct in_addr ipv4_of(const struct ifaces_stanza *stanza)
{
	const struct ifaces_option *option = ifaces_option(stanza, "address");
	struct in_addr addr = {0};
	char word[INET_ADDRSTRLEN];

	if (!option || !is_method(stanza, "inet", "static"))
		return addr;
	snprintf(word, sizeof(word), "%.*s", (int)strcspn(option->value, "/ \t"), option->value);
	if (inet_pton(AF_INET, word, &addr) != 1)
		addr.s_addr = 0;
	return addr;
}

/* How well a stanza suits to be that of the interface that a tunnel leaves by. */
static unsigned int uplink_rank(const struct ifaces_stanza *stanza, struct in_addr local)
{
	struct in_addr own = ipv4_of(stanza);

	if (local.s_addr && own.s_addr == local.s_addr)
		return 4;
	if (is_method(stanza, "inet", "static") && ifaces_option(stanza, "gateway"))
		return 3;
	if (is_method(stanza, "inet", "dhcp"))
		return 2;
	return is_method(stanza, "inet6", "static") && ifaces_option(stanza, "gateway") ? 1 : 0;
}

static const struct ifaces_stanza *find_uplink(const struct ifaces *ifaces, struct in_addr local)
{
	const struct ifaces_stanza *best = NULL;
	unsigned int best_rank = 0;

	for (const struct ifaces_stanza *at = ifaces->stanzas; at; at = at->next) {
		unsigned int rank = counts(ifaces, at) ? uplink_rank(at, local) : 0;

		if (rank > best_rank) {
			best = at;
			best_rank = rank;
		}
	}
	return best;
}

static void choose_uplink(struct draft *draft, const struct ifaces *ifaces,
			  struct draft_tunnel *tunnel)
{
	struct in_addr local = tunnel ? tunnel->conf.local : (struct in_addr){0};
	const struct ifaces_stanza *stanza = find_uplink(ifaces, local);
	char name[IFNAMSIZ];

	if (!stanza)
		return;
	draft_uplink(draft, device_of(stanza, name), &stanza->origin);
	if (!tunnel)
		return;
	snprintf(tunnel->conf.uplink, sizeof(tunnel->conf.uplink), "%s", name);
	if (local.s_addr && ipv4_of(stanza).s_addr != local.s_addr)
		draft_remark(draft, &tunnel->lines, &tunnel->origin,
			     "no stanza has the local address: that it is one of %s is a guess; "
			     "behind a NAT it must be this machine's own, or auto",
			     name);
}

/* Prefixes on a link */

static bool is_global(const struct prefix *prefix)
{
	return prefix->addr.s6_addr[0] >> 5 == 1; /* 2000::/3 */
}

/* The prefix of an `inet6 static` stanza that can be that of members; false when there is none. */
static bool read_network(struct draft *draft, const struct ifaces_stanza *stanza,
			 struct prefix *network)
{
	struct prefix address;

	if (!is_method(stanza, "inet6", "static") || !read_address(draft, stanza, &address))
		return false;
	*network = prefix_network(&address);
	return is_global(network) && network->len < 128;
}

/* With a gateway on the link: the router there takes all of the prefix to be on it. */
static void import_onlink(struct draft *draft, const struct ifaces_stanza *stanza)
{
	struct prefix network;
	char name[IFNAMSIZ];

	if (!ifaces_option(stanza, "gateway") || !read_network(draft, stanza, &network) ||
	    network.len > ONLINK_MAX_BITS)
		return;
	draft_uplink(draft, device_of(stanza, name), &stanza->origin);
	draft_onlink(draft, name, &network, &stanza->origin);
}

/* Whether members may have a prefix of their own: beside a tunnel, or as a part of a link's. */
static bool can_be_members(const struct draft *draft, const struct prefix *network)
{
	for (const struct draft_owned *at = draft->onlinks; at; at = at->next)
		if (network->len > at->prefix.len && prefix_contains(&at->prefix, network))
			return true;
	return draft->tunnels;
}

/* Without a gateway: a segment that this machine is the router of. */
static void import_segment(struct draft *draft, const struct ifaces_stanza *stanza)
{
	char name[IFNAMSIZ], text[PREFIX_STRLEN];
	struct prefix network;
	struct draft_port *lan;

	device_of(stanza, name);
	if (ifaces_option(stanza, "gateway") || draft_find_uplink(draft, name) ||
	    draft_find_tunnel(draft, name) || !read_network(draft, stanza, &network) ||
	    !can_be_members(draft, &network))
		return;
	lan = draft_lan(draft, name, &stanza->origin);
	if (!lan)
		return;
	draft_remark(draft, &lan->lines, &stanza->origin,
		     "%s has public addresses and no gateway: taken for a segment with members in "
		     "%s; remove the section if it is not",
		     name, prefix_format(&network, text));
	draft_prefix(draft, &lan->prefix, &network);
}

static void import_stanza(struct draft *draft, const struct ifaces *ifaces,
			  const struct ifaces_stanza *stanza)
{
	if (is_method(stanza, "inet6", "v4tunnel"))
		import_tunnel(draft, ifaces, stanza);
	else if (is_method(stanza, "inet6", "6to4") || is_method(stanza, "inet6", "tunnel"))
		draft_remark(draft, &draft->head, &stanza->origin,
			     "iface %s inet6 %s has no equivalent: zt6-bpf's tunnels are 6in4 with "
			     "one remote end",
			     stanza->name, stanza->method);
}

void import_interfaces(struct draft *draft, const char *path, char *text, size_t length)
{
	struct ifaces ifaces = {0};
	const struct ifaces_stanza *at;

	ifaces_read(draft, path, text, length, &ifaces);
	for (at = ifaces.stanzas; at; at = at->next)
		if (counts(&ifaces, at))
			import_stanza(draft, &ifaces, at);
	for (at = ifaces.stanzas; at; at = at->next)
		if (counts(&ifaces, at))
			interfaces_commands(draft, at);
	for (struct draft_tunnel *tunnel = draft->tunnels; tunnel; tunnel = tunnel->next)
		if (!*tunnel->conf.uplink)
			choose_uplink(draft, &ifaces, tunnel);
	if (!draft->tunnels)
		choose_uplink(draft, &ifaces, NULL);
	for (at = ifaces.stanzas; at; at = at->next)
		if (counts(&ifaces, at))
			import_onlink(draft, at);
	for (at = ifaces.stanzas; at; at = at->next)
		if (counts(&ifaces, at))
			import_segment(draft, at);
	ifaces_free(&ifaces);
}
