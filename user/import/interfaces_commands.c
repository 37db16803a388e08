/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The commands that people write behind `up`: what they do to tunnels, members' routes and proxies. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../conf_faults.h"
#include "interfaces_commands.h"
#include "ip_command.h"

struct command {
	struct draft *draft;
	const struct ifaces_option *option;
	const struct ip_command *ip;
};

#define REMARK(command, lines, ...) \
	draft_remark((command)->draft, lines, &(command)->option->origin, __VA_ARGS__)

/* The tunnel of a command's interface; for what names another, or none, the only one there is. */
static struct draft_tunnel *tunnel_of(const struct command *command)
{
	struct draft_tunnel *tunnel = draft_find_tunnel(command->draft, command->ip->device);

	if (!tunnel && command->draft->tunnels && !command->draft->tunnels->next)
		tunnel = command->draft->tunnels;
	return tunnel;
}

static void add_tunnel(const struct command *command)
{
	struct draft_tunnel *tunnel = draft_find_tunnel(command->draft, command->ip->device);
	const struct ip_command *ip = command->ip;

	if (!tunnel && !ip->remote.s_addr)
		return;
	if (!tunnel)
		tunnel = draft_tunnel(command->draft, ip->device, &command->option->origin);
	if (!tunnel)
		return;
	if (ip->remote.s_addr)
		tunnel->conf.remote = ip->remote;
	if (ip->has_local) {
		tunnel->conf.local = ip->local;
		tunnel->conf.local_auto = false;
	}
	if (ip->has_ttl)
		tunnel->conf.ttl = (uint8_t)ip->ttl;
	if (ip->mtu)
		tunnel->conf.mtu = ip->mtu;
}

/* False when it is not about a tunnel: then it stays where it is. */
static bool set_link(const struct command *command)
{
	struct draft_tunnel *tunnel = draft_find_tunnel(command->draft, command->ip->device);

	if (tunnel && command->ip->mtu)
		tunnel->conf.mtu = command->ip->mtu;
	return tunnel;
}

static bool add_address(const struct command *command)
{
	struct draft_tunnel *tunnel = draft_find_tunnel(command->draft, command->ip->device);

	if (!tunnel)
		return false;
	if (tunnel->has_address) {
		REMARK(command, &tunnel->lines,
		       "a second address of the tunnel has no equivalent: keep the command");
		return true;
	}
	tunnel->conf.address = command->ip->prefix;
	tunnel->has_address = true;
	return true;
}

static void add_default(const struct command *command, struct draft_tunnel *tunnel)
{
	const struct ip_command *ip = command->ip;

	tunnel->conf.default_route = ip->has_table ? DEFAULT_SOURCE : DEFAULT_YES;
	if (ip->has_gateway) {
		tunnel->conf.gateway = ip->gateway;
		tunnel->conf.has_gateway = true;
	}
	if (ip->metric)
		tunnel->conf.metric = ip->metric;
}

/* What is routed inside, or nowhere, is what somebody routes here. */
static void add_routed(const struct command *command, struct draft_tunnel *tunnel)
{
	struct prefix network = prefix_network(&command->ip->prefix);
	char text[PREFIX_STRLEN];

	draft_prefix(command->draft, &tunnel->conf.routed, &network);
	if (command->ip->verb == IP_ROUTE && *command->ip->device && !command->ip->rejects)
		draft_inside(command->draft, command->ip->device, &network,
			     &command->option->origin);
	REMARK(command, &tunnel->lines, "%s is taken for what the broker routes here",
	       prefix_format(&network, text));
}

static bool add_route(const struct command *command)
{
	struct draft_tunnel *own = draft_find_tunnel(command->draft, command->ip->device);
	struct draft_tunnel *tunnel = tunnel_of(command);
	const struct prefix *prefix = &command->ip->prefix;
	bool is_default = prefix->len <= 3; /* 2000::/3 is all of the Internet */

	if (own && is_default)
		add_default(command, own);
	else if (own && prefix->len < 128)
		REMARK(command, &own->lines,
		       "a route through the tunnel that is no default has no equivalent: keep the "
		       "command");
	else if (!own && tunnel && !is_default && (*command->ip->device || command->ip->rejects) &&
		 !draft_prefix_fault(prefix))
		add_routed(command, tunnel);
	else if (!own)
		return false;
	return true;
}

static bool add_source_rule(const struct command *command)
{
	struct draft_tunnel *tunnel = tunnel_of(command);

	if (!tunnel || !command->ip->prefix.len)
		return false;
	if (command->ip->prefix.len < 128)
		add_routed(command, tunnel);
	return true;
}

static void add_proxy(const struct command *command)
{
	const struct ip_command *ip = command->ip;
	struct draft_proxy *proxy =
		draft_proxy(command->draft, ip->device, &command->option->origin);
	struct draft_rule *rule =
		proxy ? draft_rule(command->draft, proxy, &ip->prefix, &command->option->origin)
		      : NULL;

	if (rule)
		rule->method = METHOD_STATIC;
}

/* Whether there is an equivalent, or nothing to be said. */
static bool apply(const struct command *command)
{
	switch (command->ip->verb) {
	case IP_TUNNEL:
		add_tunnel(command);
		return true;
	case IP_LINK:
		return set_link(command);
	case IP_ADDRESS:
		return add_address(command);
	case IP_ROUTE:
		return add_route(command);
	case IP_RULE:
		return add_source_rule(command);
	case IP_PROXY:
		add_proxy(command);
		return true;
	case IP_HARMLESS:
	case IP_FORWARD:
		return true;
	case IP_NOTHING:
		break;
	}
	return false;
}

/* Of other interfaces than tunnels, whose stanzas stay, only what could matter is worth a word. */
static void remark_unknown(const struct command *command, const struct ifaces_stanza *stanza)
{
	struct draft_tunnel *tunnel = draft_find_tunnel(command->draft, stanza->name);

	if (tunnel)
		REMARK(command, &tunnel->lines, "%s %s is not understood: do by hand what it does",
		       command->option->name, QUOTED(command->option->value));
	else if (command->ip->verb != IP_LINK && command->ip->verb != IP_ADDRESS)
		REMARK(command, &command->draft->head,
		       "%s %s has no part in this file: keep it in its stanza if it is needed",
		       command->option->name, QUOTED(command->option->value));
}

static void read_commands(struct draft *draft, const struct ifaces_stanza *stanza,
			  const struct ifaces_option *option)
{
	char *copy = strdup(option->value), *line = copy;
	struct ip_command ip;
	struct command command = {draft, option, &ip};
	bool understood = true;

	if (!copy) {
		draft->err = -ENOMEM;
		return;
	}
	while (line) {
		ip_command_next(&line, stanza->name, &ip);
		if (!apply(&command) && understood) {
			remark_unknown(&command, stanza);
			understood = false;
		}
	}
	free(copy);
}

void interfaces_commands(struct draft *draft, const struct ifaces_stanza *stanza)
{
	for (const struct ifaces_option *at = stanza->options; at; at = at->next)
		if (!strcmp(at->name, "up") || !strcmp(at->name, "pre-up"))
			read_commands(draft, stanza, at);
}
