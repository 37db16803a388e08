/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `import zerotier`, and files of several kinds that become one configuration. */
#include "imports.h"

#define OWN "fd15:9924:d630:8e1d:7e99:9301:2345:6789"

/* An element of `zerotier-cli -j listnetworks`. */
#define NETWORK(flags, addresses, routes)                                                 \
	"{\n \"id\": \"159924d6308e1d7e\", \"nwid\": \"159924d6308e1d7e\",\n"             \
	" \"portDeviceName\": \"ztyou2vs2o\", \"status\": \"OK\", \"mtu\": 2800,\n" flags \
	" \"assignedAddresses\": [" addresses "],\n \"routes\": [" routes "]\n}\n"
#define FLAGS "\"allowManaged\": true, \"allowGlobal\": true, \"allowDefault\": false,\n"
#define ROUTE "{\"target\": \"2001:470:811d::/48\", \"via\": null, \"flags\": 0}"
#define ROUTES                                                     \
	ROUTE ", {\"target\": \"10.147.17.0/24\", \"via\": null}," \
	      "{\"target\": \"::/0\", \"via\": \"" OWN "\"},"      \
	      "{\"target\": \"2001:470:811d:20::/60\", \"via\": "  \
	      "\"fd15:9924:d630:8e1d:7e99:9333:8a13:b4bb\"}"
#define ADDRESSES "\"" OWN "/88\", \"2001:470:811d::1:2345:6789/48\", \"10.147.17.9/24\""

static void a_network_becomes_a_section_with_what_it_has(void **state)
{
	static const char expected[] =
		"zerotier 159924d6308e1d7e {\n"
		"    interface     ztyou2vs2o\n"
		"    prefix        2001:470:811d::/48\n"
		"    allow-managed yes\n"
		"    allow-global  yes\n"
		"    allow-default no\n"
		"    via           fd15:9924:d630:8e1d:7e99:9333:8a13:b4bb 2001:470:811d:20::/60\n"
		"}\n";
	/* GET /network, and GET /network/ID. */
	static const char *const texts[] = {
		"[" NETWORK(FLAGS, ADDRESSES, ROUTES) "]",
		NETWORK(FLAGS, ADDRESSES, ROUTES),
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(texts); i++) {
		struct imported result = import_one("zerotier", texts[i]);

		assert_int_equal(result.err, 0);
		assert_string_equal(result.out, expected);
		assert_string_equal(result.errors, "");
		imported_free(&result);
	}
}

static void what_is_odd_about_a_network_is_told(void **state)
{
	static const struct reading rows[] = {
		{NETWORK("\"allowManaged\": true, \"allowGlobal\": true, \"allowDefault\": true,",
			 ADDRESSES, ROUTE),
		 "    allow-default yes\n", NULL,
		 "FILE:2: network 159924d6308e1d7e: allow-default is of no use"},
		{NETWORK("\"allowManaged\": true, \"allowGlobal\": false,", ADDRESSES, ROUTE),
		 "    allow-global  no\n", NULL, "without allow-managed and allow-global"},
		/* Without a route: of the address. */
		{NETWORK(FLAGS, ADDRESSES, ""), "    prefix        2001:470:811d::/48\n", NULL,
		 NULL},
		{NETWORK(FLAGS, "", ""), "# FILL IN the public addresses of members", "    prefix",
		 "zt6.conf (as printed):1: zerotier 159924d6308e1d7e has no prefix"},
		{"[{\"id\":\"159924d6308e1d7e\",\"status\":\"ACCESS_DENIED\",\"portDeviceName\":"
		 "\"\","
		 "\"allowManaged\":true,\"allowGlobal\":true,\"routes\":[" ROUTE "]}]",
		 "    interface     auto\n", NULL, "its status is ACCESS_DENIED"},
		{"[" NETWORK(FLAGS, ADDRESSES, ROUTE) "," NETWORK(FLAGS, ADDRESSES, ROUTE) "]",
		 "zerotier 159924d6308e1d7e {", NULL,
		 "FILE:2: network 159924d6308e1d7e is there already, from FILE:2"},
	};

	(void)state;
	check_readings("zerotier", rows, COUNT_OF(rows));
}

static void what_is_no_list_of_networks_is_refused(void **state)
{
	static const struct refusal rows[] = {
		{"[\n{\"id\": \"159924d6308e1d7e\",\n}]", "FILE:3: this is no JSON, from column"},
		{"", "FILE:1: this is no JSON"},
		{"200 listnetworks <nwid> <name> <mac> <status> <type> <dev> <ZT assigned ips>\n",
		 "FILE:1: this is the table for people: \"zerotier-cli -j listnetworks\""},
		{"[1]", "FILE:1: this is no list of networks"},
		{"{\"address\": \"0123456789\", \"online\": true}", "this is no list of networks"},
		{"[\n\n{\"id\": \"159924d6308e1d7e\"}]", "FILE:3: zerotier-one answers without the "
							 "status"},
		{"[{\"id\": \"159924d6308e1d7e\", \"status\": \"OK\", \"portDeviceName\": "
		 "\"a/b\"}]",
		 "FILE:1: zerotier-one answers without a usable name"},
	};

	(void)state;
	check_refusals("zerotier", rows, COUNT_OF(rows));
}

static void nothing_is_not_taken_for_something(void **state)
{
	static const struct input inputs[] = {
		{"zerotier", "FILE", "[]"},
		{"ndppd", "FILE", "# proxy eth0 { }\n"},
		{"interfaces", "FILE", "auto lo\niface lo inet loopback\n"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(inputs); i++) {
		struct imported result = import_all(&inputs[i], 1);

		assert_int_equal(result.err, -ENODATA);
		assert_holds(result.errors, "there is nothing in it that a gateway does\n");
		imported_free(&result);
	}
}

static const struct input ndppd = {
	"ndppd", "ndppd.conf",
	"proxy eth0 {\n router no\n rule 2001:db8:48::/64 {\n  iface ztyou2vs2o\n }\n}\n"};
static const struct input interfaces = {
	"interfaces", "interfaces",
	"auto eth0 he-ipv6\n"
	"iface eth0 inet static\n address 192.0.2.80/24\n gateway 192.0.2.1\n"
	"iface eth0 inet6 static\n address 2001:db8:48::80/48\n gateway fe80::1\n"
	"iface he-ipv6 inet6 v4tunnel\n address 2001:470:811d::80/64\n endpoint 72.52.104.74\n"
	" ttl 255\n gateway 2001:470:811d::1\n"};
static const struct input zerotier = {"zerotier", "networks.json",
				      "[" NETWORK(FLAGS, ADDRESSES, ROUTE) "]"};

static void files_of_all_kinds_become_one_configuration(void **state)
{
	static const char *const parts[] = {
		"uplink eth0 {\n}\n",
		"# routed  2001:470:811d::/48\n",
		"    # interfaces:8: 2001:470:811d::/64, which ifupdown connects to he-ipv6, "
		"swallows "
		"members in 2001:470:811d::/48",
		"    interface     ztyou2vs2o\n    prefix        2001:470:811d::/48 "
		"2001:db8:48::/64\n",
		"proxy eth0 {\n    router  no\n    rule 2001:db8:48::/64 {\n        iface "
		"ztyou2vs2o\n",
	};
	/* Whatever their order. */
	const struct input orders[][3] = {
		{ndppd, interfaces, zerotier},
		{zerotier, interfaces, ndppd},
		{interfaces, zerotier, ndppd},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(orders); i++) {
		struct imported result = import_all(orders[i], 3);

		assert_true(result.complete);
		for (size_t k = 0; k < COUNT_OF(parts); k++)
			assert_holds(result.out, parts[k]);
		assert_lacks(result.out, "lan ");
		imported_free(&result);
	}
}

static void a_proxy_in_a_tunnel_is_left_out(void **state)
{
	const struct input inputs[] = {
		{"ndppd", "n", "proxy he-ipv6 { rule 2001:db8:48::/64 { auto } }\n"},
		interfaces,
	};
	struct imported result = import_all(inputs, 2);

	(void)state;
	assert_true(result.complete);
	assert_holds(result.out, "\n# n:1: proxy he-ipv6 is left out: it is a tunnel");
	assert_lacks(result.out, "\nproxy");
	imported_free(&result);
}

static void a_fault_in_one_file_prints_nothing_of_any(void **state)
{
	const struct input inputs[] = {ndppd, {"interfaces", "bad", "iface eth0\n"}, zerotier};
	struct imported result = import_all(inputs, 3);

	(void)state;
	assert_int_equal(result.err, -EINVAL);
	assert_string_equal(result.out, "");
	assert_string_equal(result.errors, "bad:1: iface \"eth0\" needs an address family and a "
					   "method, or a template to inherit them from\n");
	imported_free(&result);
}

static void names_of_files_do_not_end_comments(void **state)
{
	struct imported result = import_all(
		&(struct input){"ndppd", "a\nuplink evil {\n}\n#\x1b[2J",
				"route-ttl 5\nproxy eth0 { rule 2001:db8::/64 { auto } }"},
		1);

	(void)state;
	assert_true(result.complete);
	assert_lacks(result.out, "\nuplink evil");
	assert_lacks(result.out, "\x1b");
	imported_free(&result);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_network_becomes_a_section_with_what_it_has),
		cmocka_unit_test(what_is_odd_about_a_network_is_told),
		cmocka_unit_test(what_is_no_list_of_networks_is_refused),
		cmocka_unit_test(nothing_is_not_taken_for_something),
		cmocka_unit_test(files_of_all_kinds_become_one_configuration),
		cmocka_unit_test(a_proxy_in_a_tunnel_is_left_out),
		cmocka_unit_test(a_fault_in_one_file_prints_nothing_of_any),
		cmocka_unit_test(names_of_files_do_not_end_comments),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
