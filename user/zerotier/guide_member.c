/* SPDX-License-Identifier: GPL-2.0-or-later */
/* For members: join, use the routes, test, and secure. */
#include "guide.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>

struct values {
	uint64_t network;
	char gateway[INET6_ADDRSTRLEN]; /* RFC 4193 address */
	char prefix[PREFIX_STRLEN];
};

static struct values values_of(const struct zerotier_survey *survey)
{
	const struct conf_zerotier *section = survey->facts.section;
	struct in6_addr gateway = zerotier_rfc4193(section->network, survey->facts.node);
	struct values values = {.network = section->network};

	inet_ntop(AF_INET6, &gateway, values.gateway, sizeof(values.gateway));
	prefix_format(&section->prefix.list[0], values.prefix);
	return values;
}

static void print_title(const struct values *values, const char *system)
{
	printf("A member of network %016" PRIx64 " on %s: an address of %s,\n"
	       "reachable from the IPv6 Internet\n\n",
	       values->network, system, values->prefix);
}

static void print_authorise(const struct values *values, const char *show_id)
{
	printf("  2. Have the node authorised on the controller of network %016" PRIx64 ".\n"
	       "     Its id is shown by:   %s\n\n",
	       values->network, show_id);
}

/* A member's own policy, also where the gateway has one: its neighbours do not come by the gateway. */
static void print_secure(const struct zerotier_survey *survey, const char *how)
{
	puts("  6. Before you are reachable from everywhere:");
	if (guide_has_rules(survey))
		puts("     The gateway lets in what answers you, pings, and what its administrator "
		     "has\n"
		     "     allowed (\"zt6-bpf exposure\" there). Whatever listens on [::] is open "
		     "to the\n"
		     "     other members of this network.");
	else
		puts("     From here on, whatever listens on [::] is open to the whole Internet, "
		     "not only\n"
		     "     to this network, unless the gateway has rules of its own.");
	fputs(how, stdout);
}

void guide_linux(const struct zerotier_survey *survey)
{
	struct values values = values_of(survey);
	char device[IFNAMSIZ];

	zerotier_interface_name(values.network, device);
	print_title(&values, "Linux");
	printf("  1. Install zerotier-one (https://www.zerotier.com/download/), then join:\n"
	       "     sudo zerotier-cli join %016" PRIx64 "\n\n",
	       values.network);
	print_authorise(&values, "sudo zerotier-cli info");
	printf("  3. Accept the global address that the controller assigns:\n"
	       "     sudo zerotier-cli set %016" PRIx64 " allowGlobal=1\n\n",
	       values.network);
	printf("  4. Send IPv6 by this gateway; replies go the right way only with it:\n"
	       "     sudo zerotier-cli set %016" PRIx64 " allowDefault=1\n"
	       "     (where another IPv6 default route must stay, leave this out and route only "
	       "what\n"
	       "     comes from the assigned address ADDR:\n"
	       "     sudo ip -6 rule add from ADDR lookup 6466\n"
	       "     sudo ip -6 route add default dev %s table 6466 \\\n"
	       "         via %s)\n\n",
	       values.network, device, values.gateway);
	printf("  5. Test: the gateway, then the Internet:\n"
	       "     ping6 -c 3 %s\n"
	       "     ping6 -c 3 one.one.one.one\n\n",
	       values.gateway);
	print_secure(survey, "     See what listens:        ss -6 -ltunp\n"
			     "     and let in what you mean, with nftables:\n"
			     "     table ip6 members {\n"
			     "       chain in {\n"
			     "         type filter hook input priority 0; policy drop\n"
			     "         ct state established,related accept\n"
			     "         iif lo accept\n"
			     "         meta l4proto ipv6-icmp accept\n"
			     "         tcp dport 22 accept\n"
			     "       }\n"
			     "     }\n");
}

void guide_macos(const struct zerotier_survey *survey)
{
	struct values values = values_of(survey);

	print_title(&values, "macOS");
	printf("  1. Install ZeroTier One (https://www.zerotier.com/download/), then join:\n"
	       "     sudo zerotier-cli join %016" PRIx64 "\n\n",
	       values.network);
	print_authorise(&values, "sudo zerotier-cli info");
	printf("  3. Accept the global address that the controller assigns:\n"
	       "     sudo zerotier-cli set %016" PRIx64 " allowGlobal=1\n\n",
	       values.network);
	printf("  4. Send IPv6 by this gateway. \"allowDefault\" sets no IPv6 route on macOS: add "
	       "it by\n"
	       "     hand, after each start of ZeroTier:\n"
	       "     sudo route add -inet6 default %s\n"
	       "     (\"change\" instead of \"add\" where there is a default route already; "
	       "\"delete\" takes\n     it back)\n\n",
	       values.gateway);
	printf("  5. Test: the gateway, then the Internet:\n"
	       "     ping6 -c 3 %s\n"
	       "     ping6 -c 3 one.one.one.one\n\n",
	       values.gateway);
	print_secure(
		survey,
		"     See what listens:        sudo lsof -nP -i6 -sTCP:LISTEN\n"
		"     System Settings > Network > Firewall: on, with stealth mode as you like;\n"
		"     System Settings > General > Sharing: off what you do not mean to share.\n");
}

void guide_windows(const struct zerotier_survey *survey)
{
	struct values values = values_of(survey);

	print_title(&values, "Windows");
	printf("  1. Install ZeroTier One (https://www.zerotier.com/download/), then, as\n"
	       "     administrator (or by the icon in the tray: Join New Network):\n"
	       "     zerotier-cli join %016" PRIx64 "\n\n",
	       values.network);
	print_authorise(&values, "zerotier-cli info");
	printf("  3. Accept the global address that the controller assigns (tray icon > the "
	       "network >\n"
	       "     Allow Global IP):\n"
	       "     zerotier-cli set %016" PRIx64 " allowGlobal=1\n\n",
	       values.network);
	printf("  4. Send IPv6 by this gateway (tray icon > the network > Allow Default Route):\n"
	       "     zerotier-cli set %016" PRIx64 " allowDefault=1\n\n",
	       values.network);
	printf("  5. Test: the gateway, then the Internet:\n"
	       "     ping -6 -n 3 %s\n"
	       "     ping -6 -n 3 one.one.one.one\n\n",
	       values.gateway);
	print_secure(
		survey,
		"     See what listens:        netstat -ano -p TCPv6\n"
		"     Treat the network as a public one, in PowerShell as administrator:\n"
		"     Set-NetConnectionProfile -InterfaceAlias \"ZeroTier*\" -NetworkCategory "
		"Public\n"
		"     Set-NetFirewallProfile -Profile Public -Enabled True -DefaultInboundAction "
		"Block\n");
}
