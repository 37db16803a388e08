/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the unit tests share: cmocka with the headers that it wants before itself, and the
 * configuration parser run over a text. */
#ifndef ZT6_UNIT_H
#define ZT6_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "conf_keys.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

#define TEST_PATH "zt6.conf"

/* Parses @length bytes. @messages: all that was printed, to be freed. NULL when it is invalid. */
static inline struct conf *parse_bytes(const char *text, size_t length, char **messages)
{
	struct conf *conf = NULL;
	size_t size;
	FILE *errors = open_memstream(messages, &size);
	int err;

	assert_non_null(errors);
	err = conf_parse(TEST_PATH, text, length, errors, &conf);
	fclose(errors);
	assert_true(err == 0 || err == -22 /* EINVAL */);
	assert_int_equal(err == 0, conf != NULL);
	assert_int_equal(err == 0, **messages == '\0');
	return conf;
}

/* A text that must be valid. Free it with conf_free(). */
static inline struct conf *parse_good(const char *text)
{
	char *messages;
	struct conf *conf = parse_bytes(text, strlen(text), &messages);

	if (!conf)
		fail_msg("%s\nis refused:\n%s", text, messages);
	free(messages);
	return conf;
}

/* A text with a statement put where its "%s" is. Free it. */
static inline char *fill_in(const char *template, const char *statement)
{
	const char *gap = strstr(template, "%s");
	char *text;

	assert_non_null(gap);
	assert_true(asprintf(&text, "%.*s%s%s", (int)(gap - template), template, statement,
			     gap + 2) >= 0);
	return text;
}

/* Files that are valid with nothing, or a statement of the section, on line 3. */
#define IN_UPLINK "\nuplink eth0 {\n%s\n}\n"
#define IN_TUNNEL \
	"uplink eth0\ntunnel he-ipv6 {\n%s\nremote 192.0.2.1\naddress 2001:db8:f::2/64\n}\n"
#define IN_ZEROTIER                                         \
	"uplink eth0\nzerotier 159924d6308e1d7e {\n%s\n}\n" \
	"proxy eth0 {\nrule 2001:db8::/48 {\nauto\n}\n}\n"
#define IN_PROXY    "uplink eth0\nproxy eth0 {\n%s\n}\n"
#define IN_FIREWALL "uplink eth0\nfirewall {\n%s\n}\n"
#define IN_LIMITS   "uplink eth0\nlimits {\n%s\n}\n"
/* These need one: `prefix`, and a method. */
#define IN_LAN "\nlan eth1 {\n%s\n}\n"
#define IN_RULE                                             \
	"uplink eth0; lan eth1 { prefix 2001:db8:1::/64 } " \
	"zerotier 159924d6308e1d7e { interface zt0 }\n"     \
	"proxy eth0 { rule 2001:db8::/48 {\n%s\n} }\n"

#endif
