/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `import interfaces`: ifupdown's /etc/network/interfaces. */
#include "imports.h"

#include <sys/stat.h>
#include <unistd.h>

#define UPLINK          "auto eth0\niface eth0 inet static\n address 192.0.2.80/24\n gateway 192.0.2.1\n"
#define TUNNEL_HEAD     "auto he\niface he inet6 v4tunnel\n endpoint 72.52.104.74\n"
#define TUNNEL_OF(text) UPLINK TUNNEL_HEAD " ttl 255\n address 2001:db8:f::2/64\n" text "\n"

static void the_stanza_that_the_broker_prints_becomes_a_tunnel_and_its_uplink(void **state)
{
	static const char text[] = "# The loopback network interface\n"
				   "auto lo\n"
				   "iface lo inet loopback\n"
				   "\n"
				   "allow-hotplug ens3\n"
				   "iface ens3 inet dhcp\n"
				   "\n"
				   "auto he-ipv6\n"
				   "iface he-ipv6 inet6 v4tunnel\n"
				   "        address 2001:470:811d::80\n"
				   "        netmask 64\n"
				   "        endpoint 72.52.104.74\n"
				   "        local 10.0.0.5\n"
				   "        ttl 255\n"
				   "        gateway 2001:470:811d::1\n"
				   "        post-up ip -6 route add 2001:470:811d::/48 dev "
				   "ztyou2vs2o || true\n";
	static const char expected[] =
		"uplink ens3 {\n"
		"}\n"
		"\n"
		"tunnel he-ipv6 {\n"
		"    # In place of FILE:9: \"ifdown he-ipv6\", and remove it there, before "
		"\"zt6-bpf up\".\n"
		"    # FILE:15: a gateway is the default route of all packets, as here; with "
		"\"default source\" only those from \"routed\" leave by the tunnel\n"
		"    # FILE:16: 2001:470:811d::/48 is taken for what the broker routes here\n"
		"    # FILE:9: no stanza has the local address: that it is one of ens3 is a guess; "
		"behind a NAT it must be this machine's own, or auto\n"
		"    # FILE:9: 2001:470:811d::/64, which ifupdown connects to he-ipv6, swallows "
		"members in 2001:470:811d::/48; zt6-bpf installs the address alone, so they are "
		"reached once this stanza is gone\n"
		"    local   10.0.0.5\n"
		"    remote  72.52.104.74\n"
		"    address 2001:470:811d::80/64\n"
		"    gateway 2001:470:811d::1\n"
		"    routed  2001:470:811d::/48\n"
		"    ttl     255\n"
		"    mtu     1480\n"
		"    default yes\n"
		"}\n";
	struct imported result = import_one("interfaces", text);

	(void)state;
	assert_int_equal(result.err, 0);
	assert_holds(result.out, expected);
	assert_true(result.complete);
	imported_free(&result);
}

static void options_of_a_tunnel_have_their_equivalents(void **state)
{
	static const struct reading rows[] = {
		{TUNNEL_OF(""), "    local   auto\n    remote  72.52.104.74\n", "    gateway",
		 NULL},
		{TUNNEL_OF(""), "    default no\n", NULL, NULL},
		{TUNNEL_OF(""), "# FILL IN what the broker routes here", "    routed", NULL},
		{TUNNEL_OF("local any"), "    local   auto\n", NULL, NULL},
		{TUNNEL_OF("local 192.0.2.80"), "    local   192.0.2.80\n", "guess", NULL},
		{TUNNEL_OF("mtu 1400"), "    mtu     1400\n", NULL, NULL},
		{TUNNEL_OF("mtu 1500"), "    mtu     1480\n", NULL,
		 "FILE:10: mtu \"1500\": zt6-bpf takes 1280 to 1480, so this is 1480"},
		{TUNNEL_OF("gateway 2001:db8:f::1\nmetric 512"), "    metric  512\n", NULL,
		 "FILE:10: a gateway is the default route"},
		{TUNNEL_OF("preferred-lifetime 0"), NULL, "    preferred",
		 "FILE:10: preferred-lifetime has no equivalent"},
		{TUNNEL_OF("local 192.0.2.80 # inside"), "    local   192.0.2.80\n", NULL, NULL},
		{TUNNEL_OF("down ip tunnel del he"), "tunnel he", NULL, NULL},
		{UPLINK TUNNEL_HEAD " address 2001:db8:f::2/64\n", "    ttl     0\n", NULL,
		 "FILE:6: without \"ttl\" the outer hop limit is that of the inner packet"},
		{UPLINK TUNNEL_HEAD " ttl inherit\n address 2001:db8:f::2\n", "    ttl     0\n",
		 NULL, NULL},
		{UPLINK TUNNEL_HEAD " ttl 64\n address 2001:db8:f::2\n",
		 "    address 2001:db8:f::2/128\n", NULL, NULL},
		{UPLINK
		 "iface he inet6 v4tunnel\n endpoint 192.0.2.9\n ttl 9\n address 2001:db8::2/64\n",
		 "tunnel he", NULL, "FILE:5: no \"auto\" line has he"},
	};

	(void)state;
	check_readings("interfaces", rows, COUNT_OF(rows));
}

static void lines_are_put_together_as_ifupdown_does(void **state)
{
	static const struct reading rows[] = {
		{TUNNEL_OF("  # mtu 1300\n\n   mtu \\\n  1400"), "    mtu     1400\n", NULL, NULL},
		{TUNNEL_OF("mtu 1400\n# a comment \\\nlocal 192.0.2.80"),
		 "    local   192.0.2.80\n", NULL, NULL},
		{TUNNEL_OF("mtu 1400\n\\"), "    mtu     1400\n", NULL, NULL},
		{TUNNEL_OF("\tmtu\t1400  \r"), "    mtu     1400\n", NULL, NULL},
		{"auto eth0 /h*\niface eth0 inet dhcp\niface he inet6 v4tunnel\n endpoint "
		 "192.0.2.9\n"
		 " ttl 9\n address 2001:db8::2/64",
		 "tunnel he", NULL, NULL},
		{"iface six inet6 v4tunnel\n ttl 200\n endpoint 192.0.2.9\nauto he eth0\n"
		 "iface he inet6 inherits six\n address 2001:db8::2/64\niface eth0 inet dhcp\n",
		 "tunnel he {", "tunnel six", NULL},
		{"mapping eth0\n script /bin/x\n map home\n" UPLINK, "uplink eth0", NULL,
		 "FILE:1: mapping \"eth0\" is not followed"},
		{UPLINK "iface tun0 inet6 6to4\n local 192.0.2.80\n", "uplink eth0", "tunnel tun0",
		 "FILE:5: iface tun0 inet6 6to4 has no equivalent"},
		{"no-auto-down eth0\nno-scripts eth0\nrename a=b\n" UPLINK, "uplink eth0", NULL,
		 NULL},
		{UPLINK "iface x inet6 manual surplus\n", "uplink eth0", NULL,
		 "FILE:5: iface \"x\": \"surplus\" is not understood"},
	};

	(void)state;
	check_readings("interfaces", rows, COUNT_OF(rows));
}

static void what_ifupdown_refuses_is_refused(void **state)
{
	static const struct refusal rows[] = {
		{"address 192.0.2.1\n", "FILE:1: \"address\": misplaced option"},
		{"auto eth0\n mtu 5\n", "FILE:2: \"mtu\": misplaced option"},
		{"iface eth0 inet static\n address\n",
		 "FILE:2: \"address\": option with empty value"},
		{"iface eth0 inet7 static\n",
		 "FILE:1: \"inet7\": unknown address family; did you mean"},
		{"iface eth0 inet6 v4tunel\n",
		 "FILE:1: \"v4tunel\": unknown method of inet6; did you "
		 "mean \"v4tunnel\"?"},
		{"iface eth0\n", "FILE:1: iface \"eth0\" needs an address family"},
		{"iface eth0 inet sttaic\n", "FILE:1: \"sttaic\": unknown method of inet; did you "
					     "mean \"static\"?"},
		{"iface a inet6 inherits\n", "FILE:1: \"inherits\": unknown method of inet6"},
		{"iface a inet6 static inherits b\n", "FILE:1: iface \"a\": there is no \"b\""},
		{"iface a inet manual\niface a inet6 static inherits a\n", "FILE:2: iface \"a\""},
		{UPLINK "iface he inet6 v4tunnel\n endpoint 192.0.2.9\n",
		 "FILE:5: iface he: missing required variable: \"address\""},
		{UPLINK "iface he inet6 v4tunnel\n address 2001:db8::2/64\n",
		 "FILE:5: iface he: missing required variable: \"endpoint\""},
		{TUNNEL_OF("local 192.0.2.800"),
		 "FILE:10: local \"192.0.2.800\" is no IPv4 address"},
		{TUNNEL_OF("gateway fe80"), "FILE:10: gateway \"fe80\" is no IPv6 address"},
		{TUNNEL_OF("ttl 5x") "auto he2\niface he2 inet6 v4tunnel\n endpoint he.net\n",
		 "endpoint \"he.net\" is no IPv4 address"},
		{TUNNEL_OF("mtu big"), "FILE:10: mtu \"big\" is no number"},
		{UPLINK TUNNEL_HEAD "address 2001:db8::2/200\n",
		 "FILE:8: address \"2001:db8::2/200\""},
		{UPLINK "iface a-name-that-is-too-long inet6 v4tunnel\n endpoint 192.0.2.9\n"
			"address 2001:db8::2/64\n",
		 "FILE:5: \"a-name-that-is-too-long\""},
	};

	(void)state;
	check_refusals("interfaces", rows, COUNT_OF(rows));
}

static void commands_are_recognised_or_told(void **state)
{
	static const struct reading rows[] = {
		{TUNNEL_OF("up ip -6 route add ::/0 dev he"), "    default yes\n", NULL, NULL},
		{TUNNEL_OF("up ip route add 2000::/3 dev $IFACE metric 20"),
		 "    default yes\n    metric  20\n", NULL, NULL},
		{TUNNEL_OF("up ip -6 route add default via 2001:db8:f::1 dev he table 6"),
		 "    gateway 2001:db8:f::1\n", "default yes", NULL},
		{TUNNEL_OF("up ip -6 r add default dev he table 6\n"
			   "up ip -6 rule add from 2001:db8:48::/48 lookup 6"),
		 "    default source\n", NULL, "FILE:11: 2001:db8:48::/48 is taken for what"},
		{TUNNEL_OF("up ip -6 rule add from 2001:db8:48::/48 table 6"),
		 "    routed  2001:db8:48::/48\n", NULL, "FILE:10: 2001:db8:48::/48 is taken"},
		{TUNNEL_OF("up /sbin/ip -6 route add unreachable 2001:db8:48::/48 dev lo"),
		 "    routed  2001:db8:48::/48\n", NULL, "FILE:10: 2001:db8:48::/48 is taken"},
		{TUNNEL_OF("post-up ip route add 2001:db8:48::/48 via fe80::1 dev br0"),
		 "    routed  2001:db8:48::/48\n", NULL, "FILE:10: 2001:db8:48::/48 is taken"},
		{TUNNEL_OF("up ip -6 route add 2001:db8:48::/48 dev br0"),
		 "add what else lives there.\n    prefix  2001:db8:48::/48\n", NULL,
		 "FILE:10: 2001:db8:48::/48 is taken"},
		{TUNNEL_OF("up ip -6 route add 2001:db8:48::/48 dev eth0"),
		 "    routed  2001:db8:48::/48\n", "lan eth", "FILE:10: 2001:db8:48::/48 is taken"},
		{TUNNEL_OF("up ip link set he mtu 1400 && ip tunnel change he ttl 64"),
		 "    ttl     64\n    mtu     1400\n", NULL, NULL},
		{TUNNEL_OF("up ip -6 addr add 2001:db8:f::3/64 dev he"),
		 "    address 2001:db8:f::2/64\n", NULL, "FILE:10: a second address of the tunnel"},
		{TUNNEL_OF("up ip -6 route add 2001:db8:99::/48 dev he"), NULL,
		 "routed  2001:db8:99", "FILE:10: a route through the tunnel that is no default"},
		{TUNNEL_OF("up ip6tables -A FORWARD -i he -j ACCEPT"), "tunnel he", NULL,
		 "FILE:10: up \"ip6tables -A FORWARD -i he -j ACCEPT\" is not understood"},
		{TUNNEL_OF("up ip -6 route add $(cat /etc/prefix) dev br0"), "tunnel he", NULL,
		 "FILE:10: up \"ip -6 route add $(cat /etc/prefix) dev br0\" is not understood"},
		{TUNNEL_OF("up sysctl -w net.ipv6.conf.all.forwarding=1"), "tunnel he", NULL, NULL},
		{TUNNEL_OF("up echo 1 > /proc/sys/net/ipv6/conf/all/forwarding"), "tunnel he", NULL,
		 NULL},
		{TUNNEL_OF("up ip route add default via 192.0.2.1 || true"), "    default no\n",
		 NULL, NULL},
		{"iface he inet6 v4tunnel\n ttl 9\n endpoint 192.0.2.9\n address 2001:db8:f::2/64\n"
		 "auto eth0 he\niface eth0 inet dhcp\n"
		 " up ip -6 route add 2001:db8:48::/48 dev br0\n",
		 "    routed  2001:db8:48::/48\n", NULL, "FILE:7: 2001:db8:48::/48 is taken"},
	};

	(void)state;
	check_readings("interfaces", rows, COUNT_OF(rows));
}

static void a_tunnel_made_by_commands_is_one(void **state)
{
	static const char text[] =
		UPLINK "auto he-ipv6\n"
		       "iface he-ipv6 inet6 manual\n"
		       "  pre-up ip tunnel add $IFACE mode sit remote 72.52.104.74 local "
		       "192.0.2.80 ttl 250\n"
		       "  up ip link set dev $IFACE up mtu 1472\n"
		       "  up ip -6 addr add 2001:470:1f04:57::2/64 dev $IFACE\n"
		       "  up ip -6 route add ::/0 via 2001:470:1f04:57::1 dev $IFACE\n"
		       "  down ip tunnel del he-ipv6\n";
	static const char *const parts[] = {
		"tunnel he-ipv6 {\n",
		"    local   192.0.2.80\n    remote  72.52.104.74\n"
		"    address 2001:470:1f04:57::2/64\n    gateway 2001:470:1f04:57::1\n",
		"    ttl     250\n    mtu     1472\n    default yes\n",
	};
	struct imported result = import_one("interfaces", text);

	(void)state;
	assert_true(result.complete);
	for (size_t i = 0; i < COUNT_OF(parts); i++)
		assert_holds(result.out, parts[i]);
	imported_free(&result);
}

static void interfaces_get_a_role(void **state)
{
	static const struct reading rows[] = {
		/* The one with the tunnel's local address, before the one with a gateway. */
		{UPLINK
		 "auto eth2\niface eth2 inet static\n address 198.51.100.2\n netmask "
		 "255.255.255.0\n"
		 "iface he inet6 v4tunnel\n address 2001:db8::2/64\n endpoint 192.0.2.9\n ttl 9\n"
		 " local 198.51.100.2\nauto he\n",
		 "uplink eth2 {", "uplink eth0", NULL},
		{"iface eth0:1 inet static\n address 192.0.2.80/24\n gateway 192.0.2.1\n",
		 "uplink eth0 {", NULL, NULL},
		{TUNNEL_OF("iface eth1 inet6 static\n address 2001:db8:48:1::1/64"),
		 "lan eth1 {\n    # FILE:10: eth1 has public addresses and no gateway", NULL,
		 "FILE:10: eth1"},
		{TUNNEL_OF("iface eth1 inet6 static\n address fd00::1/64"), "tunnel he", "lan eth",
		 NULL},
		{UPLINK "iface eth0 inet6 static\n address 2001:db8:48::80\n netmask 48\n"
			" gateway fe80::1\n",
		 "    rule 2001:db8:48::/48 {\n        auto\n", NULL,
		 "FILE:5: 2001:db8:48::/48 is on the link of eth0"},
		{UPLINK "iface eth0 inet6 static\n address 2001:db8:48::80/128\n gateway fe80::1\n",
		 "uplink eth0", "proxy", NULL},
		/* A part of the link's prefix, on a bridge that is written before the link. */
		{"iface br0 inet6 static\n address 2001:db8:48::1/80\n" UPLINK
		 "iface eth0 inet6 static\n address 2001:db8:48::80/64\n gateway fe80::1\n",
		 "    prefix  2001:db8:48::/80\n", NULL,
		 "FILE:1: br0 has public addresses and no gateway"},
		{"iface br0 inet6 static\n address 2001:db8:49::1/80\n" UPLINK
		 "iface eth0 inet6 static\n address 2001:db8:48::80/64\n gateway fe80::1\n",
		 "uplink eth0", "lan br0", "FILE:7: 2001:db8:48::/64 is on the link of eth0"},
		{UPLINK " up ip -6 neigh add proxy 2001:db8:48::5 dev eth0\n",
		 "    rule 2001:db8:48::5/128 {\n        static\n", NULL, NULL},
	};

	(void)state;
	check_readings("interfaces", rows, COUNT_OF(rows));
}

static void a_tunnel_without_an_uplink_says_what_to_fill_in(void **state)
{
	struct imported result =
		import_one("interfaces", TUNNEL_HEAD " ttl 9\n address 2001:db8:f::2/64\n");

	(void)state;
	assert_false(result.complete);
	assert_holds(result.out, "# FILL IN the interface towards the IPv4 Internet");
	assert_holds(result.errors, "zt6.conf (as printed):9: tunnel \"he\" has no uplink");
	imported_free(&result);
}

static void the_tunnels_prefix_that_swallows_members_is_named(void **state)
{
	static const struct reading rows[] = {
		{TUNNEL_OF("up ip -6 route add 2001:db8:f::/48 dev br0"), NULL, NULL,
		 "FILE:6: 2001:db8:f::/64, which ifupdown connects to he, swallows members in "
		 "2001:db8:f::/48"},
		{TUNNEL_OF("up ip -6 route add 2001:db8:f:0:1::/80 dev br0"), NULL, NULL,
		 "swallows members in 2001:db8:f:0:1::/80"},
	};
	struct imported apart =
		import_one("interfaces", TUNNEL_OF("up ip -6 route add 2001:db8:48::/48 dev br0"));

	(void)state;
	check_readings("interfaces", rows, COUNT_OF(rows));
	assert_lacks(apart.errors, "swallows");
	imported_free(&apart);
}

/* Files that refer to files */

static char folder[] = "/tmp/zt6-import-XXXXXX";

static void put(const char *name, const char *text)
{
	char path[128];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = fopen(path, "we");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static int make_folder(void **state)
{
	char path[128];

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/d", folder);
	assert_int_equal(mkdir(path, 0700), 0);
	put("d/eth0", UPLINK);
	put("d/he.cfg", TUNNEL_HEAD " ttl 9\n address 2001:db8:f::2/64\n");
	put("d/bad.txt", "iface eth9\n");
	put("self", UPLINK "source self self\n");
	return 0;
}

static int remove_folder(void **state)
{
	static const char *const names[] = {"d/eth0", "d/he.cfg", "d/bad.txt", "self"};
	char path[128];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
		unlink(path);
	}
	snprintf(path, sizeof(path), "%s/d", folder);
	rmdir(path);
	return rmdir(folder);
}

/* A file of the folder, with @text in it. */
static struct imported import_in_folder(const char *text)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/interfaces", folder);
	return import_all(&(struct input){"interfaces", path, text}, 1);
}

static void files_that_a_file_refers_to_are_read(void **state)
{
	struct imported result = import_in_folder("source d/*.cfg /nowhere/*\n"
						  "source-directory d\n");
	struct imported missing = import_in_folder("source d/nothing\nsource d\n" UPLINK);
	struct imported command = import_in_folder("source $(touch /tmp/zt6-never)\n" UPLINK);

	(void)state;
	assert_true(result.complete);
	assert_holds(result.out, "uplink eth0 {");
	assert_holds(result.out, "tunnel he {");
	assert_holds(result.out, "/d/he.cfg:2: \"ifdown he\"");
	assert_holds(missing.errors, "/interfaces:1: \"");
	assert_holds(missing.errors, "/d/nothing\" is not there, and ifupdown goes on");
	assert_holds(missing.errors, "/interfaces:2: ");
	assert_holds(command.errors, "is not followed");
	assert_int_equal(access("/tmp/zt6-never", F_OK), -1);
	imported_free(&result);
	imported_free(&missing);
	imported_free(&command);
}

static void a_fault_of_such_a_file_has_its_name(void **state)
{
	struct imported result = import_in_folder("source d/bad*\n");

	(void)state;
	assert_int_equal(result.err, -EINVAL);
	assert_holds(result.errors, "/d/bad.txt:1: iface \"eth9\" needs");
	imported_free(&result);
}

static void files_that_refer_to_each_other_end(void **state)
{
	struct imported result = import_in_folder("source self\n");

	(void)state;
	assert_int_equal(result.err, -EINVAL);
	assert_holds(result.errors, "/self: files refer to each other without an end");
	imported_free(&result);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_stanza_that_the_broker_prints_becomes_a_tunnel_and_its_uplink),
		cmocka_unit_test(options_of_a_tunnel_have_their_equivalents),
		cmocka_unit_test(lines_are_put_together_as_ifupdown_does),
		cmocka_unit_test(what_ifupdown_refuses_is_refused),
		cmocka_unit_test(commands_are_recognised_or_told),
		cmocka_unit_test(a_tunnel_made_by_commands_is_one),
		cmocka_unit_test(interfaces_get_a_role),
		cmocka_unit_test(a_tunnel_without_an_uplink_says_what_to_fill_in),
		cmocka_unit_test(the_tunnels_prefix_that_swallows_members_is_named),
		cmocka_unit_test(files_that_a_file_refers_to_are_read),
		cmocka_unit_test(a_fault_of_such_a_file_has_its_name),
		cmocka_unit_test(files_that_refer_to_each_other_end),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
