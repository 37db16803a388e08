// SPDX-License-Identifier: GPL-2.0-or-later
/* `status`: the proxy rules. */
#include <stdio.h>
#include <string.h>

#include "addr.h"
#include "status_parts.h"

static const char *method_name(const struct zt6_rule *rule)
{
	static const char *const names[] = {
		[ZT6_METHOD_STATIC] = "static",
		[ZT6_METHOD_AUTO] = "auto",
		[ZT6_METHOD_IFACE] = "iface",
	};

	return names[rule->method];
}

static const char *rule_prefix(const struct model_rule *rule, char text[PREFIX_STRLEN])
{
	struct prefix prefix = {.len = rule->key.prefixlen - 32};

	memcpy(&prefix.addr, rule->key.addr, sizeof(prefix.addr));
	return prefix_format(&prefix, text);
}

static json_t *json(const struct status *status)
{
	json_t *rules = json_array();

	for (size_t i = 0; i < status->model.rule_count; i++) {
		const struct model_rule *rule = &status->model.rules[i];
		char text[PREFIX_STRLEN];

		json_array_append_new(rules, json_pack("{s:s, s:s, s:s, s:b}", "port",
						       status->model.ports[rule->key.port].name,
						       "prefix", rule_prefix(rule, text), "method",
						       method_name(&rule->value), "dad",
						       !!(rule->value.flags & ZT6_RULE_DAD)));
	}
	return rules;
}

static void print(const struct status *status)
{
	const struct model *model = &status->model;
	char text[PREFIX_STRLEN];

	for (size_t i = 0; i < model->rule_count; i++)
		printf(STATUS_COLUMN "%-15s  %s %s\n", "rule",
		       model->ports[model->rules[i].key.port].name,
		       rule_prefix(&model->rules[i], text), method_name(&model->rules[i].value));
}

const struct status_part status_rules = {
	.key = "rules",
	.json = json,
	.print = print,
};
