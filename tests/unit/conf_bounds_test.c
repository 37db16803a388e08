/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files of too much: of faults, so that not all are told, and of what the maps can hold. */
#include "faults.h"

static size_t count_lines(const char *text)
{
	size_t lines = 0;

	for (; *text; text++)
		lines += *text == '\n';
	return lines;
}

/* A repeated statement, as often as fits into @size bytes. */
static char *repeat(const char *head, const char *statement, size_t size, const char *tail)
{
	char *text = malloc(strlen(head) + size + strlen(tail) + 1), *end = text;
	size_t length = strlen(statement);

	assert_non_null(text);
	end = stpcpy(end, head);
	for (size_t used = 0; used + length <= size; used += length)
		end = stpcpy(end, statement);
	strcpy(end, tail);
	return text;
}

static void messages_are_bounded(void **state)
{
	static const struct {
		const char *head, *statement, *tail;
	} floods[] = {
		{"uplink a {\n", "zzz\n", "}\n"},
		{"", "nat\n", ""},
		{"", ";", ""},
		{"", "a\xff\n", ""},
		{"", "uplink a\n", ""},
		{"", "uplink a/b{}", ""},
		{"", "limits;", ""},
		{"uplink a\n", "proxy a\n", ""},
		{"uplink a\n", "proxy b\n", ""},
		{"uplink a\nproxy a {\n", "rule ::/0{auto}\n", "}\n"},
		{"uplink a\nproxy a {\n", "rule ::/0\n", "}\n"},
		{"uplink a\nproxy a {\n", "rule 2::/16{iface b}\n", "}\n"},
		{"lan a { prefix", " 1::/64", "}\n"},
		{"lan a { prefix", " 1::1/64", "}\n"},
		{"uplink a\nfirewall {\n", "allow tcp\n", "}\n"},
		{"uplink a\nfirewall {\npolicy off\n", "allow tcp 1\n", "}\n"},
		{"zerotier 159924d6308e1d7e {\nprefix 1::/64\n", "via 1::1 2::/64\n", "}\n"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(floods); i++) {
		char *text = repeat(floods[i].head, floods[i].statement, 100000, floods[i].tail);
		char *messages;
		struct conf *conf = parse_bytes(text, strlen(text), &messages);

		assert_null(conf);
		if (count_lines(messages) > 21 || strlen(messages) > 21 * 600)
			fail_msg("%s gives %zu lines", floods[i].statement, count_lines(messages));
		free(messages);
		free(text);
	}
}

static void twenty_faults_are_told_and_that_there_are_more(void **state)
{
	char *text, *messages;

	(void)state;
	for (size_t faults = 19; faults <= 22; faults++) {
		text = repeat("", "nat\n", faults * 4, "");
		parse_bytes(text, strlen(text), &messages);
		assert_int_equal(count_lines(messages), faults > 20 ? 21 : faults);
		assert_int_equal(strstr(messages, TEST_PATH ": there is more; correct these 20 "
							    "faults first\n") != NULL,
				 faults > 20);
		free(messages);
		free(text);
	}
}

static void what_the_maps_cannot_hold_is_refused(void **state)
{
	char *text;

	(void)state;
	/* Ports, tunnels, rules, prefixes: one more than there may be. */
	text = calloc(1, 1 << 20);
	for (unsigned int i = 0; i <= 16; i++)
		sprintf(text + strlen(text), "uplink e%u\n", i);
	assert_faults(text, "17 one port too many: uplinks, tunnels, zerotiers and lans are 16");

	strcpy(text, "uplink a\n");
	for (unsigned int i = 1; i <= 9; i++)
		sprintf(text + strlen(text),
			"tunnel t%u { remote 192.0.2.%u; address 2001:db8:f::%u/64 }\n", i, i, i);
	assert_faults(text, "10 tunnel \"t9\" is one too many: an instance has 8 at most");

	strcpy(text, "uplink a\nproxy a {\n");
	for (unsigned int i = 1; i <= 4097; i++)
		sprintf(text + strlen(text), "rule 2001:db8:%x::/64 { auto }\n", i);
	strcat(text, "}\n");
	assert_faults(text, "4099 too many rules: 4096 at most, in all proxies");

	strcpy(text, "uplink a\nlan b {\nprefix");
	for (unsigned int i = 1; i <= 2049; i++)
		sprintf(text + strlen(text), " 2001:db8:%x::/64", i);
	strcat(text, "\n}\n");
	assert_faults(text, "3 too many prefixes: 2048 at most, in all zerotier and lan sections");
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(messages_are_bounded),
		cmocka_unit_test(twenty_faults_are_told_and_that_there_are_more),
		cmocka_unit_test(what_the_maps_cannot_hold_is_refused),
	};

	return cmocka_run_group_tests_name("conf_bounds", tests, NULL, NULL);
}
