/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guide.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>

static void print_pools(const struct conf_zerotier *section)
{
	char text[PREFIX_STRLEN], start[INET6_ADDRSTRLEN], end[INET6_ADDRSTRLEN];

	for (size_t i = 0; i < section->prefix.count; i++) {
		struct zerotier_pool pool = zerotier_pool_of(&section->prefix.list[i]);
		struct in6_addr example;

		inet_ntop(AF_INET6, &pool.start, start, sizeof(start));
		inet_ntop(AF_INET6, &pool.end, end, sizeof(end));
		printf("     %s - %s\n", start, end);
		if (zerotier_pool_address(&pool, 0x0123456789, &example))
			printf("       (node 0123456789 would get %s)\n",
			       inet_ntop(AF_INET6, &example, text, sizeof(text)));
		else
			printf("       (too small for addresses that follow from the node's id: "
			       "they "
			       "are random)\n");
	}
}

static void print_settings(const struct zerotier_survey *survey)
{
	const struct conf_zerotier *section = survey->facts.section;
	struct in6_addr gateway = zerotier_rfc4193(section->network, survey->facts.node);
	char text[PREFIX_STRLEN];

	printf("What network %016" PRIx64 " must have on its controller, node %010" PRIx64
	       " (my.zerotier.com,\nor your own)\n\n",
	       section->network, zerotier_controller_node(section->network));
	printf("  1. Members: authorise this gateway, node %010" PRIx64 ", and every member.\n",
	       survey->facts.node);
	puts("     Nobody needs \"allow Ethernet bridging\" for this.\n");
	puts("  2. Managed routes:");
	for (size_t i = 0; i < section->prefix.count; i++)
		printf("     %-40s  via (leave empty)\n",
		       prefix_format(&section->prefix.list[i], text));
	printf("     %-40s  via %s\n\n", "::/0", inet_ntop(AF_INET6, &gateway, text, sizeof(text)));
	puts("  3. IPv6 auto-assign:");
	puts("     \"ZeroTier RFC 4193\" on: the next hop of ::/0 is such an address");
	puts("     \"Auto-assign from range\" on:");
	print_pools(section);
	puts("");
	puts("  4. Before members are reachable from everywhere:");
	if (guide_has_rules(survey))
		puts("     This gateway lets in what answers them, pings, and what \"allow\" lists "
		     "in "
		     "its\n"
		     "     configuration: \"zt6-bpf exposure\" shows it.\n");
	else
		puts("     A rule set of yours on this gateway, or one on each member: \"zt6-bpf "
		     "guide\n"
		     "     linux\" and the others say how.\n");
}

static void print_findings(const struct findings *findings)
{
	puts("As it is\n");
	for (size_t i = 0; i < findings->count; i++) {
		const struct finding *finding = &findings->list[i];

		printf("  %-8s %s\n", finding_severity_name(finding->severity), finding->what);
		if (finding->remedy)
			printf("           -> %s\n", finding->remedy);
	}
}

bool guide_has_rules(const struct zerotier_survey *survey)
{
	const struct conf *conf = survey->facts.conf;

	return conf->policy == CONF_POLICY_KERNEL && conf->rules == CONF_RULES_SHIPPED;
}

void guide_controller(const struct zerotier_survey *survey)
{
	struct findings findings = {0};

	print_settings(survey);
	zerotier_survey_findings(survey, true, &findings);
	print_findings(&findings);
	findings_free(&findings);
}
