/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tunnel_info.h"

#include <arpa/inet.h>
#include <errno.h>
#include <expat.h>
#include <stdio.h>
#include <string.h>

/* <tunnels><tunnel id="N"><serverv4>...</serverv4> ... */
#define DEPTH_TUNNEL 2
#define DEPTH_FIELD  3
#define VALUE_MAX    80

/* The length of the link between broker and client, which the broker leaves out. */
#define LINK_BITS 64

enum field { SERVER_V4, CLIENT_V4, SERVER_V6, CLIENT_V6, ROUTED_64, ROUTED_48, FIELD_COUNT };

static const char *const fields[FIELD_COUNT] = {
	[SERVER_V4] = "serverv4", [CLIENT_V4] = "clientv4", [SERVER_V6] = "serverv6",
	[CLIENT_V6] = "clientv6", [ROUTED_64] = "routed64", [ROUTED_48] = "routed48",
};

struct reader {
	XML_Parser parser;
	const char *tunnel;
	unsigned int depth;
	bool inside, found;
	enum field field; /* FIELD_COUNT: none that matters */
	char values[FIELD_COUNT][VALUE_MAX];
};

static void on_start(void *arg, const XML_Char *name, const XML_Char **attributes)
{
	struct reader *reader = arg;

	reader->depth++;
	if (reader->depth == DEPTH_TUNNEL && !strcmp(name, "tunnel")) {
		for (; *attributes; attributes += 2)
			if (!strcmp(attributes[0], "id"))
				reader->inside = !strcmp(attributes[1], reader->tunnel);
		reader->found |= reader->inside;
	}
	if (reader->depth != DEPTH_FIELD || !reader->inside)
		return;
	for (reader->field = 0; reader->field < FIELD_COUNT; reader->field++)
		if (!strcmp(name, fields[reader->field]))
			return;
}

static void on_end(void *arg, const XML_Char *name)
{
	struct reader *reader = arg;

	(void)name;
	reader->field = FIELD_COUNT;
	if (reader->depth-- == DEPTH_TUNNEL)
		reader->inside = false;
}

/* Texts come in pieces; one that is too long for an address is cut, and is none then. */
static void on_text(void *arg, const XML_Char *text, int length)
{
	struct reader *reader = arg;
	char *value;
	size_t used;

	if (reader->field == FIELD_COUNT)
		return;
	value = reader->values[reader->field];
	used = strlen(value);
	for (int i = 0; i < length && used < VALUE_MAX - 1; i++)
		if (!strchr(" \t\r\n", text[i]))
			value[used++] = text[i];
}

/* No entities: nothing that a few addresses need. */
static void on_doctype(void *arg, const XML_Char *name, const XML_Char *system,
		       const XML_Char *public, int internal)
{
	struct reader *reader = arg;

	(void)name, (void)system, (void)public, (void)internal;
	XML_StopParser(reader->parser, XML_FALSE);
}

static int read_xml(struct reader *reader, const char *xml, size_t length)
{
	XML_Parser parser = XML_ParserCreate(NULL);
	enum XML_Status status;

	if (!parser)
		return -ENOMEM;
	reader->parser = parser;
	XML_SetUserData(parser, reader);
	XML_SetElementHandler(parser, on_start, on_end);
	XML_SetCharacterDataHandler(parser, on_text);
	XML_SetStartDoctypeDeclHandler(parser, on_doctype);
	status = XML_Parse(parser, xml, (int)length, XML_TRUE);
	XML_ParserFree(parser);
	return status == XML_STATUS_OK ? 0 : -EPROTO;
}

/* Some write the length with the address, some do not. */
static bool client_parse(const char *text, struct prefix *out)
{
	if (strchr(text, '/'))
		return prefix_parse(text, out);
	out->len = LINK_BITS;
	return inet_pton(AF_INET6, text, &out->addr) == 1;
}

static int read_values(char values[FIELD_COUNT][VALUE_MAX], struct tunnel_info *out,
		       const char **why)
{
	static const enum field routed[] = {ROUTED_64, ROUTED_48};
	char *slash = strchr(values[SERVER_V6], '/');
	struct prefix prefix;

	if (slash)
		*slash = '\0';
	if (inet_pton(AF_INET, values[SERVER_V4], &out->server_v4) != 1) {
		*why = "it has no serverv4 address";
		return -EPROTO;
	}
	if (inet_pton(AF_INET6, values[SERVER_V6], &out->server_v6) != 1) {
		*why = "it has no serverv6 address";
		return -EPROTO;
	}
	if (!client_parse(values[CLIENT_V6], &out->client_v6)) {
		*why = "it has no clientv6 address";
		return -EPROTO;
	}
	if (inet_pton(AF_INET, values[CLIENT_V4], &out->client_v4) != 1)
		out->client_v4.s_addr = 0;
	for (size_t i = 0; i < sizeof(routed) / sizeof(*routed); i++) {
		const char *text = values[routed[i]];

		if (!*text)
			continue;
		if (!prefix_parse(text, &prefix) || prefix_has_host_bits(&prefix)) {
			*why = "a routed prefix of it is none";
			return -EPROTO;
		}
		if (prefixes_add(&out->routed, &prefix))
			return -ENOMEM;
	}
	return 0;
}

int tunnel_info_parse(const char *xml, size_t length, const char *tunnel, struct tunnel_info *out,
		      const char **why)
{
	struct reader reader = {.tunnel = tunnel, .field = FIELD_COUNT};
	int err = read_xml(&reader, xml, length);

	*out = (struct tunnel_info){0};
	*why = "it is not the XML that describes tunnels";
	if (err)
		return err;
	if (!reader.found) {
		*why = "there is no such tunnel";
		return -ENOENT;
	}
	err = read_values(reader.values, out, why);
	if (err)
		tunnel_info_free(out);
	return err;
}

void tunnel_info_free(struct tunnel_info *info)
{
	prefixes_free(&info->routed);
}
