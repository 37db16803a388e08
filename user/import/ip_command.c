/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ip_command.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WORDS_MAX 48

/* Of a sit device that "ip link" makes without "ttl"; one of "ip tunnel" inherits it. */
#define LINK_TTL 64

struct words {
	const char *list[WORDS_MAX];
	size_t count, at;
};

/* Cuts the first command off. */
static char *cut_command(char **line)
{
	char *start = *line, *end = start + strcspn(start, ";&|");
	char *rest = end + strspn(end, ";&|");

	*line = *rest ? rest : NULL;
	*end = '\0';
	return start;
}

static bool is_redirection(const char *word)
{
	return !strcmp(word, ">/dev/null") || !strcmp(word, "2>/dev/null") ||
	       !strcmp(word, "2>&1") || !strcmp(word, "2>");
}

static bool is_iface_variable(const char *word)
{
	return !strcmp(word, "$IFACE") || !strcmp(word, "${IFACE}") ||
	       !strcmp(word, "\"$IFACE\"") || !strcmp(word, "%iface%");
}

/* False when a shell would make something else of a word. */
static bool split(char *command, const char *iface, struct words *words)
{
	char *rest, *word;

	*words = (struct words){0};
	for (word = strtok_r(command, " \t", &rest); word; word = strtok_r(NULL, " \t", &rest)) {
		if (*word == '#')
			break;
		if (is_redirection(word))
			continue;
		if (is_iface_variable(word))
			word = (char *)iface;
		else if (strpbrk(word, "$`\"'<>(){}*?[]\\"))
			return false;
		if (words->count == WORDS_MAX)
			return false;
		words->list[words->count++] = word;
	}
	return true;
}

/* The next word, "" at the end. */
static const char *take(struct words *words)
{
	return words->at < words->count ? words->list[words->at++] : "";
}

/* ip takes any beginning of an object's name that it knows; these are the ones that people type. */
static bool is_one_of(const char *word, const char *a, const char *b, const char *c)
{
	return !strcmp(word, a) || !strcmp(word, b) || !strcmp(word, c);
}

static bool adds(const char *word)
{
	return is_one_of(word, "add", "replace", "change") || is_one_of(word, "a", "append", "set");
}

static bool removes(const char *word)
{
	return is_one_of(word, "del", "delete", "flush") || !strcmp(word, "d");
}

/* "ADDR" or "ADDR/LEN", or "default". False when it is none of IPv6. */
static bool read_prefix(const char *word, struct prefix *out)
{
	*out = (struct prefix){.len = 128};
	if (!strcmp(word, "default")) {
		out->len = 0;
		return true;
	}
	return inet_pton(AF_INET6, word, &out->addr) == 1 || prefix_parse(word, out);
}

static bool is_ipv4(const char *word)
{
	char addr[INET_ADDRSTRLEN];
	struct in_addr in;

	snprintf(addr, sizeof(addr), "%.*s", (int)strcspn(word, "/"), word);
	return inet_pton(AF_INET, addr, &in) == 1;
}

static void set_device(struct ip_command *out, const char *name)
{
	snprintf(out->device, sizeof(out->device), "%s", name);
}

static bool read_number(const char *word, uint32_t *out)
{
	if (!*word || strspn(word, "0123456789") != strlen(word))
		return false;
	*out = (uint32_t)strtoul(word, NULL, 10);
	return true;
}

/* "tunnel add NAME mode sit remote A local B ttl N", and "link add NAME type sit ..." */
static enum ip_verb read_tunnel(struct words *words, struct ip_command *out)
{
	bool is_sit = false;

	for (const char *word = take(words); *word; word = take(words)) {
		const char *value;

		if (!strcmp(word, "pmtudisc"))
			continue;
		if (!strcmp(word, "name") || !strcmp(word, "dev")) {
			set_device(out, take(words));
			continue;
		}
		value = is_one_of(word, "mode", "type", "remote") ||
					is_one_of(word, "local", "ttl", "mtu")
				? take(words)
				: NULL;
		if (!value) {
			if (*out->device)
				return IP_NOTHING;
			set_device(out, word);
		} else if (!strcmp(word, "mode") || !strcmp(word, "type")) {
			is_sit = !strcmp(value, "sit");
		} else if (!strcmp(word, "remote")) {
			if (inet_pton(AF_INET, value, &out->remote) != 1)
				return IP_NOTHING;
		} else if (!strcmp(word, "local")) {
			out->has_local = inet_pton(AF_INET, value, &out->local) == 1;
			if (!out->has_local && strcmp(value, "any") != 0)
				return IP_NOTHING;
		} else if (!strcmp(word, "ttl")) {
			out->has_ttl = true;
			if (strcmp(value, "inherit") != 0 && !read_number(value, &out->ttl))
				return IP_NOTHING;
		} else if (!read_number(value, &out->mtu)) {
			return IP_NOTHING;
		}
	}
	return is_sit || !out->remote.s_addr ? IP_TUNNEL : IP_NOTHING;
}

/* "link set [dev] NAME up mtu N" */
static enum ip_verb read_link(struct words *words, struct ip_command *out)
{
	for (const char *word = take(words); *word; word = take(words)) {
		if (!strcmp(word, "up"))
			continue;
		if (!strcmp(word, "dev"))
			set_device(out, take(words));
		else if (!strcmp(word, "mtu")) {
			if (!read_number(take(words), &out->mtu))
				return IP_NOTHING;
		} else if (!*out->device)
			set_device(out, word);
		else
			return IP_NOTHING;
	}
	return IP_LINK;
}

static enum ip_verb read_address(struct words *words, struct ip_command *out)
{
	const char *word = take(words);

	if (is_ipv4(word))
		return IP_HARMLESS;
	if (!read_prefix(word, &out->prefix))
		return IP_NOTHING;
	for (word = take(words); *word; word = take(words)) {
		if (!strcmp(word, "dev"))
			set_device(out, take(words));
		else if (strcmp(word, "nodad") != 0)
			return IP_NOTHING;
	}
	return IP_ADDRESS;
}

/* @v6: -6 was given; without it "default" is that of IPv4, unless the next hop says otherwise. */
static enum ip_verb read_route(struct words *words, struct ip_command *out, bool v6)
{
	const char *word = take(words);

	out->rejects = is_one_of(word, "unreachable", "blackhole", "prohibit");
	if (out->rejects || !strcmp(word, "unicast"))
		word = take(words);
	if (is_ipv4(word))
		return IP_HARMLESS;
	if (!read_prefix(word, &out->prefix))
		return IP_NOTHING;
	v6 |= strcmp(word, "default") != 0;
	for (word = take(words); *word; word = take(words)) {
		if (!strcmp(word, "dev")) {
			set_device(out, take(words));
		} else if (!strcmp(word, "via")) {
			const char *gateway = take(words);

			if (is_ipv4(gateway))
				return IP_HARMLESS;
			out->has_gateway = inet_pton(AF_INET6, gateway, &out->gateway) == 1;
			if (!out->has_gateway &&
			    inet_pton(AF_INET6, take(words), &out->gateway) != 1)
				return IP_NOTHING;
			out->has_gateway = true;
		} else if (!strcmp(word, "metric")) {
			if (!read_number(take(words), &out->metric))
				return IP_NOTHING;
		} else if (!strcmp(word, "table")) {
			out->has_table = strcmp(take(words), "main") != 0;
		} else if (!strcmp(word, "src") || !strcmp(word, "proto")) {
			take(words);
		} else if (strcmp(word, "onlink") != 0) {
			return IP_NOTHING;
		}
	}
	out->rejects |= !strcmp(out->device, "lo");
	return v6 || out->has_gateway ? IP_ROUTE : IP_HARMLESS;
}

static enum ip_verb read_rule(struct words *words, struct ip_command *out)
{
	bool has_from = false;

	for (const char *word = take(words); *word; word = take(words)) {
		const char *value = take(words);

		if (!strcmp(word, "from"))
			has_from = read_prefix(value, &out->prefix);
		else if (is_one_of(word, "table", "lookup", "t"))
			out->has_table = true;
		else if (!is_one_of(word, "pref", "priority", "prio"))
			return IP_NOTHING;
	}
	return has_from && out->has_table ? IP_RULE : IP_NOTHING;
}

/* "neigh add proxy ADDR dev NAME" */
static enum ip_verb read_neighbour(struct words *words, struct ip_command *out)
{
	if (strcmp(take(words), "proxy") != 0 || !read_prefix(take(words), &out->prefix) ||
	    out->prefix.len != 128 || strcmp(take(words), "dev") != 0)
		return IP_NOTHING;
	set_device(out, take(words));
	return *out->device && words->at == words->count ? IP_PROXY : IP_NOTHING;
}

static enum ip_verb read_ip(struct words *words, struct ip_command *out)
{
	const char *object = take(words), *action;
	bool v4 = false, v6 = false;

	while (*object == '-') {
		const char *family = object + 1;

		if (is_one_of(family, "f", "family", "-family"))
			family = take(words);
		v4 |= !strcmp(family, "4") || !strcmp(family, "inet");
		v6 |= !strcmp(family, "6") || !strcmp(family, "inet6");
		object = take(words);
	}
	action = take(words);
	if (v4 || removes(action))
		return IP_HARMLESS;
	if (!adds(action))
		return IP_NOTHING;
	if (is_one_of(object, "tunnel", "tun", "tu"))
		return read_tunnel(words, out);
	if (is_one_of(object, "link", "l", "li")) {
		if (strcmp(action, "add") != 0)
			return read_link(words, out);
		out->has_ttl = true;
		out->ttl = LINK_TTL;
		return read_tunnel(words, out);
	}
	if (is_one_of(object, "address", "addr", "a"))
		return read_address(words, out);
	if (is_one_of(object, "route", "ro", "r"))
		return read_route(words, out, v6);
	if (is_one_of(object, "rule", "ru", "rul"))
		return read_rule(words, out);
	return is_one_of(object, "neighbour", "neigh", "neighbor") ? read_neighbour(words, out)
								   : IP_NOTHING;
}

/* What `up` sets itself. */
static bool is_forwarding(const char *text)
{
	return (strstr(text, "ipv6") && strstr(text, "forwarding")) || strstr(text, "proxy_ndp");
}

void ip_command_next(char **line, const char *iface, struct ip_command *out)
{
	char *command = cut_command(line);
	bool forwards = is_forwarding(command);
	struct words words;
	const char *name, *slash;

	*out = (struct ip_command){.verb = IP_NOTHING};
	if (!split(command, iface, &words)) {
		out->verb = forwards ? IP_FORWARD : IP_NOTHING;
		return;
	}
	name = take(&words);
	slash = strrchr(name, '/');
	name = slash ? slash + 1 : name;
	if (!*name || is_one_of(name, "true", ":", "sleep") ||
	    is_one_of(name, "exit", "modprobe", "logger"))
		out->verb = IP_HARMLESS;
	else if (!strcmp(name, "ip"))
		out->verb = read_ip(&words, out);
	else if (is_one_of(name, "sysctl", "echo", "sysctl.sh") && forwards)
		out->verb = IP_FORWARD;
}
