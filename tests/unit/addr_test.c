/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include <arpa/inet.h>

static struct prefix prefix_of(const char *text)
{
	struct prefix prefix = {0};

	if (!prefix_parse(text, &prefix))
		fail_msg("%s is not read as a prefix", text);
	return prefix;
}

static void text_is_read_as_a_prefix_and_written_back(void **state)
{
	static const struct {
		const char *text, *written;
	} rows[] = {
		{"::/0", "::/0"},
		{"2001:db8::/32", "2001:db8::/32"},
		{"2001:0DB8:0:0::1/128", "2001:db8::1/128"},
		{"2001:db8::80/64", "2001:db8::80/64"},
		{"64:ff9b::192.0.2.33/96", "64:ff9b::c000:221/96"},
		{"1111:2222:3333:4444:5555:6666:255.255.255.255/128",
		 "1111:2222:3333:4444:5555:6666:ffff:ffff/128"},
	};
	char text[PREFIX_STRLEN];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct prefix prefix = prefix_of(rows[i].text);

		assert_string_equal(prefix_format(&prefix, text), rows[i].written);
	}
}

static void anything_else_is_no_prefix_and_leaves_the_output_alone(void **state)
{
	static const char *const rows[] = {
		"",
		"/",
		"/64",
		"2001:db8::",
		"2001:db8::/",
		"2001:db8::/129",
		"2001:db8::/1000",
		"2001:db8::/18446744073709551680",
		"2001:db8::/064",
		"2001:db8::/00",
		"2001:db8::/+4",
		"2001:db8::/-1",
		"2001:db8::/ 4",
		"2001:db8::/64 ",
		" 2001:db8::/64",
		"2001:db8::/64/64",
		"2001:db8::/6x",
		"2001:db8:::/64",
		"2001:db8::g/64",
		"12001:db8::/64",
		"192.0.2.0/24",
		"1:2:3:4:5:6:7:8:9/64",
		"1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa/64",
	};
	struct prefix untouched, prefix;

	(void)state;
	memset(&untouched, 0xa5, sizeof(untouched));
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		prefix = untouched;
		if (prefix_parse(rows[i], &prefix))
			fail_msg("%s is read as a prefix", rows[i]);
		assert_memory_equal(&prefix, &untouched, sizeof(prefix));
	}
}

static void host_bits_are_those_after_the_length(void **state)
{
	static const struct {
		const char *text, *network;
	} rows[] = {
		{"2001:db8:ffff:ffff:ffff:ffff:ffff:ffff/0", "::/0"},
		{"ffff::/1", "8000::/1"},
		{"2001:db8:ffff::/47", "2001:db8:fffe::/47"},
		{"2001:db8:ffff::/48", "2001:db8:ffff::/48"},
		{"2001:db8:0:8::80/64", "2001:db8:0:8::/64"},
		{"2001:db8::ff/121", "2001:db8::80/121"},
		{"2001:db8::1/127", "2001:db8::/127"},
		{"2001:db8::1/128", "2001:db8::1/128"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct prefix prefix = prefix_of(rows[i].text);
		struct prefix network = prefix_network(&prefix);
		char text[PREFIX_STRLEN];

		assert_string_equal(prefix_format(&network, text), rows[i].network);
		assert_int_equal(prefix_has_host_bits(&prefix), !prefix_equal(&prefix, &network));
		assert_false(prefix_has_host_bits(&network));
	}
}

static void a_prefix_contains_itself_and_what_lies_in_it(void **state)
{
	static const struct {
		const char *outer, *inner;
		bool contains;
	} rows[] = {
		{"::/0", "2001:db8::/32", true},
		{"::/0", "::/0", true},
		{"2001:db8::/32", "::/0", false},
		{"2001:db8::/48", "2001:db8::/48", true},
		{"2001:db8::/48", "2001:db8:0:ffff::/64", true},
		{"2001:db8:0:ffff::/64", "2001:db8::/48", false},
		{"2001:db8::/48", "2001:db8:1::/64", false},
		{"2001:db8::/47", "2001:db8:1::/64", true},
		{"2001:db8::5/128", "2001:db8::5/128", true},
		{"2001:db8::5/128", "2001:db8::4/128", false},
		/* Host bits of the outer prefix do not count. */
		{"2001:db8::80/64", "2001:db8::1/128", true},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct prefix outer = prefix_of(rows[i].outer), inner = prefix_of(rows[i].inner);

		if (prefix_contains(&outer, &inner) != rows[i].contains)
			fail_msg("%s contains %s", rows[i].outer, rows[i].inner);
		if (inner.len == 128)
			assert_int_equal(prefix_contains_addr(&outer, &inner.addr),
					 rows[i].contains);
	}
}

static void equal_prefixes_have_equal_lengths(void **state)
{
	struct prefix a = prefix_of("2001:db8::/48"), b = prefix_of("2001:db8::/64");

	(void)state;
	assert_true(prefix_equal(&a, &a));
	assert_false(prefix_equal(&a, &b));
	b = prefix_of("2001:db8:1::/48");
	assert_false(prefix_equal(&a, &b));
}

static void a_set_of_prefixes_grows_and_is_freed(void **state)
{
	struct prefixes set = {0};
	struct prefix prefix = prefix_of("2001:db8::/64");

	(void)state;
	for (unsigned int i = 0; i < 100; i++) {
		prefix.addr.s6_addr[7] = (uint8_t)i;
		assert_int_equal(prefixes_add(&set, &prefix), 0);
	}
	assert_int_equal(set.count, 100);
	assert_int_equal(set.list[42].addr.s6_addr[7], 42);
	prefixes_free(&set);
	assert_int_equal(set.count, 0);
	assert_null(set.list);
}

static void a_mac_is_written_in_lower_case_hex(void **state)
{
	const uint8_t mac[6] = {0x02, 0xAB, 0x00, 0x0f, 0xff, 0x10};
	char text[MAC_STRLEN];

	(void)state;
	assert_string_equal(mac_format(mac, text), "02:ab:00:0f:ff:10");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_is_read_as_a_prefix_and_written_back),
		cmocka_unit_test(anything_else_is_no_prefix_and_leaves_the_output_alone),
		cmocka_unit_test(host_bits_are_those_after_the_length),
		cmocka_unit_test(a_prefix_contains_itself_and_what_lies_in_it),
		cmocka_unit_test(equal_prefixes_have_equal_lengths),
		cmocka_unit_test(a_set_of_prefixes_grows_and_is_freed),
		cmocka_unit_test(a_mac_is_written_in_lower_case_hex),
	};

	return cmocka_run_group_tests_name("addr", tests, NULL, NULL);
}
