/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A draft as a zt6.conf. */
#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "draft.h"

#define ZEROTIER_WIDTH 13 /* of the keys of a section; elsewhere they have 7 */

#define PLAIN_CHARACTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.@+"

/* A word of the file: in quotes where it holds what would end it. Names of interfaces have no quotes
 * of their own (those are a fault before). */
static void print_word(FILE *out, const char *word)
{
	bool plain = strspn(word, PLAIN_CHARACTERS) == strlen(word);

	fprintf(out, plain ? "%s" : "\"%s\"", word);
}

/* Comments hold names of files, which may hold anything. */
static void print_lines(FILE *out, const char *indent, const struct draft_lines *lines)
{
	for (const struct draft_line *line = lines->first; line; line = line->next) {
		fputs(indent, out);
		for (const char *at = line->text; *at; at++)
			fputc(*at >= ' ' && *at <= '~' ? *at : '?', out);
		fputc('\n', out);
	}
}

/* @width: of the keys of the section */
static void print_prefixes(FILE *out, int width, const char *key, const struct prefixes *set)
{
	char text[PREFIX_STRLEN];

	if (!set->count)
		return;
	fprintf(out, "    %-*s", width, key);
	for (size_t i = 0; i < set->count; i++)
		fprintf(out, " %s", prefix_format(&set->list[i], text));
	fputc('\n', out);
}

/* An empty line between sections. */
static void begin_section(FILE *out)
{
	if (ftell(out) > 0)
		fputc('\n', out);
}

static void open_section(FILE *out, const char *key, const char *name)
{
	begin_section(out);
	fprintf(out, "%s ", key);
	print_word(out, name);
	fputs(" {\n", out);
}

static void print_port(FILE *out, const char *key, const struct draft_port *port)
{
	open_section(out, key, port->name);
	print_lines(out, "    ", &port->lines);
	print_prefixes(out, 7, "prefix", &port->prefix);
	fputs("}\n", out);
}

static void print_tunnel(FILE *out, const struct draft_tunnel *tunnel)
{
	static const char *const defaults[] = {
		[DEFAULT_SOURCE] = "source",
		[DEFAULT_YES] = "yes",
		[DEFAULT_NO] = "no",
	};
	const struct conf_tunnel *conf = &tunnel->conf;
	char v4[INET_ADDRSTRLEN], v6[INET6_ADDRSTRLEN], text[PREFIX_STRLEN];

	open_section(out, "tunnel", conf->name);
	print_lines(out, "    ", &tunnel->lines);
	if (*conf->uplink) {
		fputs("    uplink  ", out);
		print_word(out, conf->uplink);
		fputc('\n', out);
	}
	fprintf(out, "    local   %s\n",
		conf->local_auto ? "auto" : inet_ntop(AF_INET, &conf->local, v4, sizeof(v4)));
	if (conf->remote.s_addr)
		fprintf(out, "    remote  %s\n", inet_ntop(AF_INET, &conf->remote, v4, sizeof(v4)));
	if (tunnel->has_address)
		fprintf(out, "    address %s\n", prefix_format(&conf->address, text));
	if (conf->has_gateway)
		fprintf(out, "    gateway %s\n",
			inet_ntop(AF_INET6, &conf->gateway, v6, sizeof(v6)));
	print_prefixes(out, 7, "routed", &conf->routed);
	fprintf(out, "    ttl     %u\n    mtu     %" PRIu32 "\n", conf->ttl, conf->mtu);
	fprintf(out, "    default %s\n", defaults[conf->default_route]);
	if (conf->metric)
		fprintf(out, "    metric  %" PRIu32 "\n", conf->metric);
	fputs("}\n", out);
}

static void print_zerotier(FILE *out, const struct draft_zerotier *zerotier)
{
	begin_section(out);
	fprintf(out, "zerotier %016" PRIx64 " {\n    %-*s ", zerotier->network, ZEROTIER_WIDTH,
		"interface");
	print_word(out, *zerotier->interface ? zerotier->interface : "auto");
	fputc('\n', out);
	print_prefixes(out, ZEROTIER_WIDTH, "prefix", &zerotier->prefix);
	print_lines(out, "    ", &zerotier->lines);
	fputs("}\n", out);
}

static void print_rule(FILE *out, const struct draft_rule *rule)
{
	char text[PREFIX_STRLEN];

	if (rule->left_out) {
		print_lines(out, "    ", &rule->lines);
		return;
	}
	fprintf(out, "    rule %s {\n", prefix_format(&rule->prefix, text));
	if (rule->method == METHOD_IFACE) {
		fputs("        iface ", out);
		print_word(out, rule->iface);
		fputc('\n', out);
	} else {
		fprintf(out, "        %s\n", rule->method == METHOD_AUTO ? "auto" : "static");
	}
	print_lines(out, "        ", &rule->lines);
	fputs("    }\n", out);
}

static void print_proxy(FILE *out, const struct draft_proxy *proxy)
{
	if (proxy->left_out) {
		begin_section(out);
		print_lines(out, "", &proxy->lines);
		return;
	}
	open_section(out, "proxy", proxy->name);
	print_lines(out, "    ", &proxy->lines);
	for (const struct draft_rule *rule = proxy->rules; rule; rule = rule->next)
		print_rule(out, rule);
	fputs("}\n", out);
}

void draft_print(const struct draft *draft, FILE *out)
{
	print_lines(out, "", &draft->head);
	for (const struct draft_port *port = draft->uplinks; port; port = port->next)
		print_port(out, "uplink", port);
	for (const struct draft_tunnel *tunnel = draft->tunnels; tunnel; tunnel = tunnel->next)
		print_tunnel(out, tunnel);
	for (const struct draft_zerotier *network = draft->zerotiers; network;
	     network = network->next)
		print_zerotier(out, network);
	for (const struct draft_port *port = draft->lans; port; port = port->next)
		print_port(out, "lan", port);
	for (const struct draft_proxy *proxy = draft->proxies; proxy; proxy = proxy->next)
		print_proxy(out, proxy);
}
