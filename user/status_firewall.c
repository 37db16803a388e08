// SPDX-License-Identifier: GPL-2.0-or-later
/* `status`: whether the rules that hold inward packets back are in force. */
#include <stdio.h>
#include <string.h>

#include "status_parts.h"

#define NAMES_MAX 256

static bool policy_off(const struct status *status)
{
	return status->model.settings.policy == ZT6_POLICY_OFF;
}

static void read(struct status *status)
{
	firewall_read(status->instance, &status->firewall);
}

static void release(struct status *status)
{
	firewall_free(&status->firewall);
}

static void judge(struct status *status)
{
	const char *table = status->firewall.table;

	switch (status->firewall.state) {
	case FIREWALL_GONE:
		findings_add(
			&status->findings, FINDING_ERROR,
			"table %s of nftables has been removed: what is not listed may come in",
			table);
		findings_why(&status->findings, "nothing holds the Internet back from the members");
		findings_remedy(&status->findings, "run \"zt6-bpf reload\"");
		break;
	case FIREWALL_CHANGED:
		findings_add(&status->findings, FINDING_ERROR,
			     "table %s of nftables has been changed by somebody", table);
		findings_why(&status->findings,
			     "what comes in is not what the configuration lists");
		findings_remedy(&status->findings, "\"zt6-bpf reload\" puts it back");
		break;
	default:
		break;
	}
}

static const char *rules_name(const struct status *status)
{
	if (policy_off(status))
		return "off";
	return status->firewall.own_rules ? "none" : "shipped";
}

static json_t *json(const struct status *status)
{
	const struct firewall *firewall = &status->firewall;
	json_t *chains = json_array();

	for (size_t i = 0; i < firewall->chain_count; i++)
		json_array_append_new(chains, json_string(firewall->chains[i].name));
	return json_pack("{s:s, s:s, s:s, s:i, s:o, s:b}", "rules", rules_name(status), "table",
			 firewall->table, "state", firewall_state_name(firewall->state), "allowed",
			 (int)json_array_size(firewall->allows), "other_forward_chains", chains,
			 "bypassed", policy_off(status) && firewall_others_filter(firewall));
}

static void print(const struct status *status)
{
	const struct firewall *firewall = &status->firewall;
	char names[NAMES_MAX];

	firewall_chain_names(firewall, names, sizeof(names));
	printf(STATUS_COLUMN, "firewall");
	if (policy_off(status))
		printf("everything comes in%s%s\n",
		       *names ? ": the fast path goes past the rules in " : "", names);
	else if (firewall->own_rules)
		printf("rules none; %s%s\n",
		       *names ? "yours decide: "
			      : "nftables has no forward rules: everything comes in",
		       names);
	else
		printf("rules shipped, table %s %s, %zu allowed%s%s\n", firewall->table,
		       firewall_state_name(firewall->state), json_array_size(firewall->allows),
		       *names ? "; besides rules of yours: " : "", names);
}

const struct status_part status_firewall = {
	.key = "firewall",
	.read = read,
	.release = release,
	.judge = judge,
	.json = json,
	.print = print,
};
