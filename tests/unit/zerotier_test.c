/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What ZeroTier derives from the ids of networks and nodes, in both directions. */
#include "unit.h"

#include <arpa/inet.h>

#include "zerotier/derive.h"

/* One node of a network, and all that follows from the two. */
static const struct derived {
	uint64_t network, node;
	const char *rfc4193, *sixplane, *mac, *interface;
	const char *prefix, *pool_address;
} rows[] = {
	{
		/* The example of an RFC 4193 address; the pool is a whole /48. */
		.network = 0x159924d6308e1d7e,
		.node = 0x338a13b4bb,
		.rfc4193 = "fd15:9924:d630:8e1d:7e99:9333:8a13:b4bb",
		.sixplane = "fc25:1739:a833:8a13:b4bb::1",
		.mac = "7e:2e:04:23:62:9f",
		.interface = "ztyou2vs2o",
		.prefix = "2001:470:811d::/48",
		.pool_address = "2001:470:811d::33:8a13:b4bb",
	},
	{
		/* What a service reported of itself; the pool is a /64. */
		.network = 0x099113e0600a1b2c,
		.node = 0x019e304381,
		.rfc4193 = "fd09:9113:e060:a1b:2c99:9301:9e30:4381",
		.sixplane = "fc69:9b08:cc01:9e30:4381::1",
		.mac = "2e:1a:94:50:a3:92",
		.interface = "zt5hyrt62m",
		.prefix = "2001:470:811d:8::/64",
		.pool_address = "2001:470:811d:8:0:1:9e30:4381",
	},
	{
		/* 0x52 as first octet of the MAC is left to hypervisors. */
		.network = 0x8056c2e21c000050,
		.node = 0xfeffffffff,
		.rfc4193 = "fd80:56c2:e21c:0:5099:93fe:ffff:ffff",
		.sixplane = "fc9c:56c2:b2fe:ffff:ffff::1",
		.mac = "32:fe:ff:e3:1d:3d",
		.interface = "ztmjfmfysm",
		.prefix = "2001:db8::/88",
		.pool_address = "2001:db8::fe:ffff:ffff",
	},
};

static struct in6_addr addr_of(const char *text)
{
	struct in6_addr addr;

	if (inet_pton(AF_INET6, text, &addr) != 1)
		fail_msg("%s is no address", text);
	return addr;
}

static struct zerotier_pool pool_of(const char *text)
{
	struct prefix prefix;

	if (!prefix_parse(text, &prefix))
		fail_msg("%s is no prefix", text);
	return zerotier_pool_of(&prefix);
}

static void assert_addr(const struct in6_addr *addr, const char *expected)
{
	char text[INET6_ADDRSTRLEN];

	inet_ntop(AF_INET6, addr, text, sizeof(text));
	assert_string_equal(text, expected);
}

static void mac_of(const char *text, uint8_t mac[6])
{
	assert_int_equal(sscanf(text, "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx", &mac[0], &mac[1], &mac[2],
				&mac[3], &mac[4], &mac[5]),
			 6);
}

static void an_rfc4193_address_follows_from_the_ids_and_leads_back_to_them(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct in6_addr addr = zerotier_rfc4193(rows[i].network, rows[i].node);
		uint64_t network, node;

		assert_addr(&addr, rows[i].rfc4193);
		assert_true(zerotier_rfc4193_parse(&addr, &network, &node));
		assert_int_equal(network, rows[i].network);
		assert_int_equal(node, rows[i].node);
	}
}

static void addresses_of_other_forms_are_no_rfc4193_addresses(void **state)
{
	static const char *const others[] = {
		"2001:470:811d::33:8a13:b4bb",
		"fe15:9924:d630:8e1d:7e99:9333:8a13:b4bb", /* not fd */
		"fd15:9924:d630:8e1d:7e99:9433:8a13:b4bb", /* not 99 93 */
		"fd15:9924:d630:8e1d:7e99:9300::",         /* node 0 */
		"fd15:9924:d630:8e1d:7e99:93ff:8a13:b4bb", /* a reserved node */
	};
	uint64_t network = 1, node = 2;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(others); i++) {
		struct in6_addr addr = addr_of(others[i]);

		assert_false(zerotier_rfc4193_parse(&addr, &network, &node));
	}
	assert_int_equal(network, 1);
	assert_int_equal(node, 2);
}

static void a_6plane_address_follows_from_the_ids_and_its_80_leads_back(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct in6_addr addr = zerotier_6plane(rows[i].network, rows[i].node);
		uint64_t node;

		assert_addr(&addr, rows[i].sixplane);
		assert_true(zerotier_6plane_node(rows[i].network, &addr, &node));
		assert_int_equal(node, rows[i].node);

		/* The node may number what is behind it. */
		addr.s6_addr[10] = 0xaa;
		addr.s6_addr[15] = 0xbb;
		assert_true(zerotier_6plane_node(rows[i].network, &addr, &node));
		assert_int_equal(node, rows[i].node);

		assert_false(zerotier_6plane_node(rows[i].network ^ 1, &addr, &node));
		addr.s6_addr[0] = 0xfd;
		assert_false(zerotier_6plane_node(rows[i].network, &addr, &node));
	}
}

static void a_pool_address_follows_from_the_node_and_leads_back_to_it(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct zerotier_pool pool = pool_of(rows[i].prefix);
		struct in6_addr addr;
		uint64_t node;

		assert_true(zerotier_pool_address(&pool, rows[i].node, &addr));
		assert_addr(&addr, rows[i].pool_address);
		assert_true(zerotier_pool_node(&pool, &addr, &node));
		assert_int_equal(node, rows[i].node);
	}
}

static void a_pool_ends_with_its_prefix(void **state)
{
	static const struct {
		const char *prefix, *start, *end;
	} pools[] = {
		{"2001:470:811d::/48", "2001:470:811d::", "2001:470:811d:ffff:ffff:ffff:ffff:ffff"},
		{"2001:db8::/88", "2001:db8::", "2001:db8::ff:ffff:ffff"},
		{"2001:db8::4/126", "2001:db8::4", "2001:db8::7"},
		{"2001:db8::1/128", "2001:db8::1", "2001:db8::1"},
		{"::/0", "::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(pools); i++) {
		struct zerotier_pool pool = pool_of(pools[i].prefix);

		assert_addr(&pool.start, pools[i].start);
		assert_addr(&pool.end, pools[i].end);
	}
}

static void a_pool_of_less_than_2_to_the_40_derives_nothing(void **state)
{
	struct zerotier_pool pool = pool_of("2001:db8::/89");
	struct in6_addr addr = addr_of("2001:db8::33:8a13:b4bb");
	uint64_t node;

	(void)state;
	assert_false(zerotier_pool_address(&pool, 0x338a13b4bb, &addr));
	assert_false(zerotier_pool_node(&pool, &addr, &node));
}

static void a_pool_need_not_begin_at_a_prefix(void **state)
{
	struct zerotier_pool pool = {
		.start = addr_of("2001:db8::ffff:0:0:100"),
		.end = addr_of("2001:db8::ffff:ffff:ffff:ffff"),
	};
	struct in6_addr addr;
	uint64_t node;

	(void)state;
	assert_true(zerotier_pool_address(&pool, 0x338a13b4bb, &addr));
	assert_addr(&addr, "2001:db8::ffff:33:8a13:b5bb");
	assert_true(zerotier_pool_node(&pool, &addr, &node));
	assert_int_equal(node, 0x338a13b4bb);
}

static void addresses_typed_by_hand_are_nobodys_derived_ones(void **state)
{
	static const char *const others[] = {
		"2001:470:811d:8::2",    /* more than 40 bits from the start */
		"2001:470:811e::1:2:3",  /* another prefix */
		"2001:470:811d::",       /* node 0 */
		"2001:470:811d::ff:0:1", /* a reserved node */
	};
	struct zerotier_pool pool = pool_of("2001:470:811d::/48");
	uint64_t node;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(others); i++) {
		struct in6_addr addr = addr_of(others[i]);

		assert_false(zerotier_pool_node(&pool, &addr, &node));
	}
}

static void a_mac_follows_from_the_ids_and_leads_back_to_the_node(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		char text[MAC_STRLEN];
		uint8_t mac[6];
		uint64_t node;

		zerotier_mac(rows[i].network, rows[i].node, mac);
		assert_string_equal(mac_format(mac, text), rows[i].mac);
		assert_true(zerotier_mac_node(rows[i].network, mac, &node));
		assert_int_equal(node, rows[i].node);
	}
}

static void a_mac_of_another_origin_is_no_nodes(void **state)
{
	static const char *const others[] = {
		"7c:2e:04:23:62:9f", /* not this network's first octet */
		"7e:1d:8e:30:d6:24", /* node 0 */
		"7e:e2:8e:30:d6:24", /* a reserved node */
	};
	uint8_t mac[6];
	uint64_t node;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(others); i++) {
		mac_of(others[i], mac);
		assert_false(zerotier_mac_node(0x159924d6308e1d7e, mac, &node));
	}
}

static void an_interface_is_named_after_its_network(void **state)
{
	char name[IFNAMSIZ];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		zerotier_interface_name(rows[i].network, name);
		assert_string_equal(name, rows[i].interface);
		assert_true(zerotier_interface_is(name, rows[i].network));
		assert_false(zerotier_interface_is(name, rows[i].network ^ 1));
		assert_false(zerotier_interface_is("eth0", rows[i].network));
	}
}

static void ids_are_read_whole_or_not_at_all(void **state)
{
	static const char *const networks[] = {
		"",
		"159924d6308e1d7",
		"159924d6308e1d7e0",
		"159924d6308e1d7g",
		" 59924d6308e1d7e",
		"0x9924d6308e1d7e",
		"-59924d6308e1d7e",
		"159924d6308e1d7e ",
	};
	static const char *const nodes[] = {
		"", "338a13b4b", "338a13b4bb0", "0x8a13b4bb", "0000000000", "ff00000001",
	};
	uint64_t id;

	(void)state;
	assert_true(zerotier_network_parse("159924D6308e1d7e", &id));
	assert_int_equal(id, 0x159924d6308e1d7e);
	assert_true(zerotier_node_parse("338a13b4bb", &id));
	assert_int_equal(id, 0x338a13b4bb);
	for (size_t i = 0; i < COUNT_OF(networks); i++)
		assert_false(zerotier_network_parse(networks[i], &id));
	for (size_t i = 0; i < COUNT_OF(nodes); i++)
		assert_false(zerotier_node_parse(nodes[i], &id));
	assert_int_equal(id, 0x338a13b4bb);
}

static void a_networks_controller_is_in_its_id(void **state)
{
	(void)state;
	assert_int_equal(zerotier_controller_node(0x159924d6308e1d7e), 0x159924d630);
}

static void the_node_of_an_address_is_found_by_whatever_rule_made_it(void **state)
{
	static const struct {
		const char *addr;
		uint64_t node; /* 0: nothing tells */
	} addrs[] = {
		{"fd15:9924:d630:8e1d:7e99:9333:8a13:b4bb", 0x338a13b4bb},
		{"fc25:1739:a833:8a13:b4bb::1", 0x338a13b4bb},
		{"2001:470:811d::33:8a13:b4bb", 0x338a13b4bb},
		{"2001:470:811d:8:0:33:8a13:b4bb", 0x338a13b4bb}, /* of another pool */
		{"fd15:9924:d630:8e1d:7d99:9333:8a13:b4bb", 0},   /* of another network */
		{"2001:470:811d::ff:0:1", 0},                     /* no node has such an id */
		{"2001:470:811d::", 0},
		{"2001:db8::33:8a13:b4bb", 0},              /* outside */
		{"2001:db8:1::33:8a13:b4bb", 0},            /* too narrow for ids */
		{"fe80::7c2e:4ff:fe23:629f", 0x338a13b4bb}, /* its MAC, as a MAC only */
	};
	const uint64_t network = 0x159924d6308e1d7e;
	struct prefix list[2];
	const struct prefixes members = {.list = list, .count = 2};

	(void)state;
	assert_true(prefix_parse("2001:470:811d::/48", &list[0]));
	assert_true(prefix_parse("2001:db8:1::/96", &list[1]));
	for (size_t i = 0; i < COUNT_OF(addrs); i++) {
		struct in6_addr addr = addr_of(addrs[i].addr);
		bool is_local = IN6_IS_ADDR_LINKLOCAL(&addr);
		uint8_t mac[6], expected[6];
		uint64_t node = 0;

		assert_int_equal(zerotier_derived_node(network, &members, &addr, &node),
				 addrs[i].node && !is_local);
		if (addrs[i].node && !is_local)
			assert_int_equal(node, addrs[i].node);
		assert_int_equal(zerotier_derived_mac(network, &members, &addr, mac),
				 addrs[i].node != 0);
		if (!addrs[i].node)
			continue;
		zerotier_mac(network, addrs[i].node, expected);
		assert_memory_equal(mac, expected, sizeof(mac));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_rfc4193_address_follows_from_the_ids_and_leads_back_to_them),
		cmocka_unit_test(addresses_of_other_forms_are_no_rfc4193_addresses),
		cmocka_unit_test(a_6plane_address_follows_from_the_ids_and_its_80_leads_back),
		cmocka_unit_test(a_pool_address_follows_from_the_node_and_leads_back_to_it),
		cmocka_unit_test(a_pool_ends_with_its_prefix),
		cmocka_unit_test(a_pool_of_less_than_2_to_the_40_derives_nothing),
		cmocka_unit_test(a_pool_need_not_begin_at_a_prefix),
		cmocka_unit_test(addresses_typed_by_hand_are_nobodys_derived_ones),
		cmocka_unit_test(a_mac_follows_from_the_ids_and_leads_back_to_the_node),
		cmocka_unit_test(a_mac_of_another_origin_is_no_nodes),
		cmocka_unit_test(an_interface_is_named_after_its_network),
		cmocka_unit_test(ids_are_read_whole_or_not_at_all),
		cmocka_unit_test(a_networks_controller_is_in_its_id),
		cmocka_unit_test(the_node_of_an_address_is_found_by_whatever_rule_made_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
