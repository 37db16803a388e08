// SPDX-License-Identifier: GPL-2.0-or-later
/* `doctor`: rules of others that the fast path goes past, or that hold members' packets back. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../firewall.h"
#include "doctor.h"

/* Whether somebody who wrote the table has thought of one of our interfaces. */
static bool names_a_port(const char *listing, const struct zt6_port *ports)
{
	char quoted[IFNAMSIZ + 2];

	for (unsigned int slot = 0; slot < ZT6_MAX_PORTS; slot++) {
		if (ports[slot].role != ZT6_ROLE_OVERLAY && ports[slot].role != ZT6_ROLE_LAN)
			continue;
		snprintf(quoted, sizeof(quoted), "\"%s\"", ports[slot].name);
		if (strstr(listing, quoted))
			return true;
	}
	return strstr(listing, "\"zt*\"");
}

/* Of a chain "FAMILY TABLE CHAIN" of nftables; false where its rules cannot be read. */
static bool overlooks_us(const struct nft_chain *chain, const struct zt6_port *ports)
{
	char family[16], table[128], command[192], *listing = NULL;
	bool overlooks;

	if (sscanf(chain->name, "%15s %127s", family, table) != 2 || !strcmp(family, "ip6tables"))
		return false;
	snprintf(command, sizeof(command), "list table %s %s", family, table);
	if (nft_run(command, &listing, NULL))
		return false;
	overlooks = !names_a_port(listing, ports);
	free(listing);
	return overlooks;
}

static void judge_chain(struct doctor *doctor, const struct nft_chain *chain)
{
	struct findings *out = &doctor->findings;

	if (!chain->drops)
		return;
	if (chain->has_rules && !overlooks_us(chain, doctor_ports_of(doctor)))
		return;
	if (chain->has_rules)
		findings_add(out, FINDING_WARNING,
			     "%s drops what its rules do not accept, and none of them names an "
			     "interface of members",
			     chain->name);
	else
		findings_add(out, FINDING_ERROR, "%s drops every forwarded packet", chain->name);
	findings_why(out, "a packet must pass all chains: members' connections do not come about");
	if (!strncmp(chain->name, "ip6tables ", strlen("ip6tables ")))
		findings_remedy(out, "run \"ip6tables -I FORWARD -i INTERFACE -j ACCEPT\" and the "
				     "same with -o for the members' interface, or \"ip6tables -P "
				     "FORWARD ACCEPT\": what may come in the shipped rules say");
	else
		findings_remedy(
			out,
			"accept the members' interface: \"nft insert rule %s iifname "
			"INTERFACE accept\" and the same with oifname: what may come in the "
			"shipped rules say",
			chain->name);
}

static void judge_bypass(struct findings *out, const struct firewall *firewall)
{
	char names[256];

	if (!firewall_others_filter(firewall))
		return;
	findings_add(out, FINDING_WARNING, "policy off: the fast path goes past the rules in %s",
		     firewall_chain_names(firewall, names, sizeof(names)));
	findings_why(out, "what they would drop comes through");
	findings_remedy(out,
			"set \"policy kernel\" in the section firewall, or take the rules away "
			"if they are not meant");
}

static void judge_nothing(struct findings *out, const struct firewall *firewall)
{
	if (firewall_others_filter(firewall))
		return;
	findings_add(out, FINDING_WARNING,
		     "rules none, and there are none for what is forwarded: everything comes in");
	findings_why(out, "the Internet reaches every port of every member");
	findings_remedy(out, "set \"rules shipped\" in the section firewall, or load your own; "
			     "\"policy off\" says that it is meant so");
}

static void examine(struct doctor *doctor)
{
	bool own_rules = !doctor_policy_off(doctor) && doctor->conf->rules == CONF_RULES_NONE;
	struct firewall firewall;

	if (firewall_read(doctor->instance, &firewall))
		return;
	if (!firewall.chains_err && doctor_policy_off(doctor))
		judge_bypass(&doctor->findings, &firewall);
	else if (!firewall.chains_err && own_rules)
		judge_nothing(&doctor->findings, &firewall);
	for (size_t i = 0; i < firewall.chain_count && !doctor_policy_off(doctor); i++)
		judge_chain(doctor, &firewall.chains[i]);
	firewall_free(&firewall);
}

const struct doctor_area doctor_firewall = {
	.name = "firewall",
	.examine = examine,
};
