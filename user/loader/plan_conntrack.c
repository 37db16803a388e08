// SPDX-License-Identifier: GPL-2.0-or-later
/* What `policy kernel` asks of the machine (bpf/policy.h). */
#include <string.h>

#include "conntrack.h"
#include "plan_internal.h"

/* Conntrack sees one packet of an established flow in a second, and must not take those that it has
 * not seen for a hole in the window: FIN and what follows it would be INVALID. */
#define LIBERAL "net/netfilter/nf_conntrack_tcp_be_liberal"

int plan_conntrack(struct planner *planner)
{
	const struct conf *conf = planner->conf;
	char value[32];
	int err = 0;

	if (conf->policy != CONF_POLICY_KERNEL)
		return 0;
	if (!planner->dry_run)
		conntrack_load_modules();
	if (!sysctl_read(LIBERAL, value, sizeof(value)))
		err = plan_add(planner, sysctl_object(LIBERAL, "1"));
	if (err || !conntrack_has_kfuncs())
		return err;
	/* The witness hangs under them. */
	for (size_t i = 0; i < conf->uplink_count && !err; i++)
		err = plan_add(planner, clsact_object(conf->uplinks[i].name));
	for (size_t i = 0; i < conf->tunnel_count && !err; i++)
		err = plan_add(planner, clsact_object(conf->tunnels[i].name));
	for (size_t i = 0; i < conf->zerotier_count && !err; i++)
		err = plan_add(planner, clsact_object(conf->zerotiers[i].interface));
	for (size_t i = 0; i < conf->lan_count && !err; i++)
		err = plan_add(planner, clsact_object(conf->lans[i].name));
	return err;
}
