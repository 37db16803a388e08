// SPDX-License-Identifier: GPL-2.0-or-later
/* The rules of nftables. `policy off` has none: the fast path would not obey them. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "nft.h"
#include "plan_internal.h"
#include "../log.h"
#include "../ruleset.h"

static const char *const rules_names[] = {
	[CONF_RULES_SHIPPED] = "shipped",
	[CONF_RULES_NONE] = "none",
};

/* Its language has no way to write these in a name. */
static int check_name(const char *name)
{
	if (!strpbrk(name, "\"\\"))
		return 0;
	log_error("interface %s: nftables cannot match this name: rename the interface, or set "
		  "\"rules none\" in the section firewall",
		  name);
	return -EINVAL;
}

static int check_names(const struct conf *conf)
{
	int err = 0;

	for (size_t i = 0; i < conf->uplink_count && !err; i++)
		err = check_name(conf->uplinks[i].name);
	for (size_t i = 0; i < conf->tunnel_count && !err; i++)
		err = check_name(conf->tunnels[i].name);
	for (size_t i = 0; i < conf->zerotier_count && !err; i++)
		err = check_name(conf->zerotiers[i].interface);
	for (size_t i = 0; i < conf->lan_count && !err; i++)
		err = check_name(conf->lans[i].name);
	return err;
}

/* Whether there are rules to load: 1, 0, or -errno with a message. Never without what would hold
 * inward packets back. */
static int check_kernel(const struct planner *planner)
{
	int supported = nft_supported();

	if (supported > 0 || (planner->dry_run && supported == -EPERM))
		return 1;
	if (supported) {
		log_error("cannot ask the kernel for nftables: %s", strerror(-supported));
		return supported;
	}
	if (planner->conf->rules == CONF_RULES_NONE) {
		log_warning("this kernel has no nftables (CONFIG_NF_TABLES): only rules of yours "
			    "that ask for the state of connections have it kept, without which the "
			    "kernel forwards every packet");
		return 0;
	}
	log_error("this kernel has no nftables (CONFIG_NF_TABLES) to hold back what is not "
		  "listed: load its module nf_tables, or, in the section firewall, set \"rules "
		  "none\" if rules of your own do, or \"policy off\" to let everything in");
	return -EOPNOTSUPP;
}

static json_t *allow_json(const struct conf_allow *allow)
{
	static const char *const protocols[] = {
		[ALLOW_TCP] = "tcp",
		[ALLOW_UDP] = "udp",
		[ALLOW_ICMPV6] = "icmpv6",
		[ALLOW_PROTOCOL] = "protocol",
	};
	char to[PREFIX_STRLEN] = "::/0", from[PREFIX_STRLEN] = "::/0";
	json_t *ports = json_array();

	for (size_t i = 0; i < allow->port_count; i++)
		json_array_append_new(
			ports, json_pack("[i, i]", allow->ports[i].first, allow->ports[i].last));
	if (allow->has_to)
		prefix_format(&allow->to, to);
	if (allow->has_from)
		prefix_format(&allow->from, from);
	return json_pack("{s:s, s:o, s:s, s:s}", "protocol", protocols[allow->protocol], "ports",
			 ports, "to", to, "from", from);
}

static json_t *allows_json(const struct conf *conf)
{
	json_t *allows = json_array();

	for (size_t i = 0; i < conf->allow_count; i++)
		json_array_append_new(allows, allow_json(&conf->allows[i]));
	return allows;
}

int plan_firewall(struct planner *planner)
{
	const struct conf *conf = planner->conf;
	char table[RULESET_TABLE_MAX], *text;
	int err;

	if (conf->policy == CONF_POLICY_OFF)
		return 0;
	err = check_names(conf);
	if (!err)
		err = check_kernel(planner);
	if (err <= 0)
		return err;
	text = ruleset_text(conf, ruleset_table(planner->instance, table));
	err = plan_add(planner,
		       text ? nft_object(table, rules_names[conf->rules], text, allows_json(conf))
			    : NULL);
	free(text);
	return err;
}
