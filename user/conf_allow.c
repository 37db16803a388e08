/* SPDX-License-Identifier: GPL-2.0-or-later */
/* firewall { allow tcp|udp|icmpv6|protocol PORTS [to PREFIX] [from PREFIX] } */
#include "conf_keys.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "conf_lex.h"

static const struct protocol {
	const char *name;
	const char *what; /* its numbers are */
	uint16_t min, max;
} protocols[] = {
	[ALLOW_TCP] = {"tcp", "ports", 1, 65535},
	[ALLOW_UDP] = {"udp", "ports", 1, 65535},
	[ALLOW_ICMPV6] = {"icmpv6", "types", 0, 255},
	[ALLOW_PROTOCOL] = {"protocol", "numbers", 1, 255},
};

#define PROTOCOL_COUNT (sizeof(protocols) / sizeof(protocols[0]))

/* Numbers that `allow protocol` does not take: those with a word of their own, and extension headers,
 * behind which the protocol is. */
static const struct {
	uint16_t number;
	const char *remedy;
} no_protocols[] = {
	{6, "is TCP: write \"allow tcp\" and its ports"},
	{17, "is UDP: write \"allow udp\" and its ports"},
	{43, "is an extension header: what is allowed is the protocol behind it"},
	{44, "is an extension header: what is allowed is the protocol behind it"},
	{51, "is an extension header: what is allowed is the protocol behind it"},
	{58, "is ICMPv6: write \"allow icmpv6\" and its types"},
	{60, "is an extension header: what is allowed is the protocol behind it"},
};

static int check_protocols(struct conf_faults *faults, const struct conf_statement *statement,
			   const char *range, uint64_t first, uint64_t last)
{
	char number[8];

	for (size_t i = 0; i < sizeof(no_protocols) / sizeof(no_protocols[0]); i++) {
		if (no_protocols[i].number < first || no_protocols[i].number > last)
			continue;
		snprintf(number, sizeof(number), "%u", no_protocols[i].number);
		return conf_value_fault(faults, statement, range, "%s%s%s",
					first == last ? "" : number, first == last ? "" : " in it ",
					no_protocols[i].remedy);
	}
	return 0;
}

static int add_ports(struct conf_allow *allow, uint64_t first, uint64_t last)
{
	struct conf_ports *ports =
		reallocarray(allow->ports, allow->port_count + 1, sizeof(*ports));

	if (!ports)
		return -ENOMEM;
	ports[allow->port_count++] =
		(struct conf_ports){.first = (uint16_t)first, .last = (uint16_t)last};
	allow->ports = ports;
	return 0;
}

/* "22" or "6000-6010", @length bytes of a word. */
static int read_range(struct conf_faults *faults, const struct conf_statement *statement,
		      const char *text, size_t length, struct conf_allow *allow)
{
	const struct protocol *protocol = &protocols[allow->protocol];
	const char *dash = memchr(text, '-', length), *message;
	size_t first_length = dash ? (size_t)(dash - text) : length;
	char range[LEX_WORD_MAX + 1];
	uint64_t first, last;
	int err = 0;

	snprintf(range, sizeof(range), "%.*s", (int)length, text);
	message = conf_number_parse(text, first_length, &first);
	last = first;
	if (!message && dash)
		message = conf_number_parse(dash + 1, length - first_length - 1, &last);
	if (message)
		return conf_value_fault(faults, statement, range,
					"%s; %s are numbers of %u to %u, ranges such as 128-129, "
					"or several of them",
					message, protocol->what, protocol->min, protocol->max);
	if (first < protocol->min || last > protocol->max || first > protocol->max)
		return conf_value_fault(faults, statement, range,
					"is out of range: %s of %s are %u to %u", protocol->what,
					protocol->name, protocol->min, protocol->max);
	if (first > last)
		return conf_value_fault(faults, statement, range,
					"ends before it begins: write the smaller number first");
	if (allow->protocol == ALLOW_PROTOCOL)
		err = check_protocols(faults, statement, range, first, last);
	return err ? err : add_ports(allow, first, last);
}

/* The ports of one word: separated by commas, which may as well stand at its ends. @comma: whether
 * a comma is waiting for what it separates. */
static int read_ports_word(struct conf_faults *faults, const struct conf_statement *statement,
			   const char *word, struct conf_allow *allow, bool *comma)
{
	const char *at = word;
	size_t length;
	int err;

	while (*at) {
		if (*at == ',') {
			if (*comma || !allow->port_count)
				return conf_value_fault(faults, statement, word,
							"a comma separates two %s",
							protocols[allow->protocol].what);
			*comma = true;
			at++;
			continue;
		}
		length = strcspn(at, ",");
		err = read_range(faults, statement, at, length, allow);
		if (err)
			return err;
		*comma = false;
		at += length;
	}
	return 0;
}

static bool is_direction(const char *word)
{
	return !strcmp(word, "to") || !strcmp(word, "from");
}

/* Words from @next up to "to" or "from"; moves @next behind them. */
static int read_ports(struct conf_faults *faults, const struct conf_statement *statement,
		      size_t *next, struct conf_allow *allow)
{
	const struct protocol *protocol = &protocols[allow->protocol];
	bool comma = false;
	int err;

	for (; *next < statement->word_count && !is_direction(statement->words[*next]); (*next)++) {
		err = read_ports_word(faults, statement, statement->words[*next], allow, &comma);
		if (err)
			return err;
	}
	if (comma)
		return conf_value_fault(faults, statement, statement->words[*next - 1],
					"a comma separates two %s", protocol->what);
	if (!allow->port_count)
		return conf_value_fault(faults, statement, protocol->name,
					"its %s are missing; all of them are %u-%u", protocol->what,
					protocol->min, protocol->max);
	return 0;
}

/* "to PREFIX" or "from PREFIX" at @at; an address stands for itself alone. */
static int read_direction(struct conf_faults *faults, const struct conf_statement *statement,
			  size_t at, struct conf_allow *allow)
{
	const char *direction = statement->words[at], *word;
	bool to = !strcmp(direction, "to");
	bool *given = to ? &allow->has_to : &allow->has_from;
	struct prefix *prefix = to ? &allow->to : &allow->from;
	char host[LEX_WORD_MAX + sizeof("/128")];
	struct in6_addr addr;

	if (!is_direction(direction))
		return conf_value_fault(faults, statement, direction,
					"is out of place: after the ports come \"to PREFIX\" and "
					"\"from PREFIX\"");
	if (*given)
		return conf_value_fault(faults, statement, direction,
					"stands here twice: write one allow for each prefix");
	if (at + 1 == statement->word_count)
		return conf_value_fault(faults, statement, direction, "its prefix is missing");
	word = statement->words[at + 1];
	snprintf(host, sizeof(host), "%s/128", word);
	*given = true;
	return conf_prefix_parse(faults, statement,
				 inet_pton(AF_INET6, word, &addr) == 1 ? host : word, 0, prefix);
}

static int read_allow(struct conf_faults *faults, const struct conf_statement *statement,
		      struct conf_allow *allow)
{
	const char *word = statement->words[0];
	unsigned int protocol = 0;
	size_t next = 1;
	int err;

	while (protocol < PROTOCOL_COUNT && strcmp(word, protocols[protocol].name) != 0)
		protocol++;
	if (protocol == PROTOCOL_COUNT)
		return conf_value_fault(faults, statement, word,
					"is no protocol that can be allowed: tcp, udp, icmpv6, or "
					"protocol and its number");
	allow->protocol = protocol;
	err = read_ports(faults, statement, &next, allow);
	while (!err && next < statement->word_count) {
		err = read_direction(faults, statement, next, allow);
		next += 2;
	}
	return err;
}

int conf_read_allow(struct conf_faults *faults, const struct conf_key *key __attribute__((unused)),
		    const struct conf_statement *statement, void *section)
{
	struct conf *conf = section;
	struct conf_allow *list;

	list = reallocarray(conf->allows, conf->allow_count + 1, sizeof(*list));
	if (!list)
		return -ENOMEM;
	conf->allows = list;
	list[conf->allow_count] = (struct conf_allow){.line = statement->line};
	return read_allow(faults, statement, &list[conf->allow_count++]);
}
