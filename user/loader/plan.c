// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <stdio.h>
#include <string.h>

#include "plan_internal.h"
#include "tc_hook.h"
#include "../log.h"

int plan_add(struct planner *planner, struct object *object)
{
	int err = objects_add(&planner->plan->objects, object);

	if (err)
		log_error("out of memory");
	return err;
}

int plan_conf_sysctl(struct planner *planner, const char *family, const char *name, const char *key,
		     const char *value)
{
	char path[128];

	snprintf(path, sizeof(path), "net/%s/conf/%s/%s", family, name, key);
	return plan_add(planner, sysctl_object(path, value));
}

/* An interface that the configuration brings: an Ethernet, which has to be there, or may come
 * later. */
static int check_port(struct planner *planner, const char *section, const char *name, bool may_wait)
{
	struct iface_facts facts;
	int err = facts_iface(planner->nl, name, &facts);

	if (err == -ENODEV && may_wait) {
		log_warning("%s %s: no such interface yet: waiting for it (the agent brings it in "
			    "when it appears)",
			    section, name);
		return 0;
	}
	if (err) {
		log_error("%s %s: %s", section, name,
			  err == -ENODEV ? "no such interface in this network namespace (ip link "
					   "lists them)"
					 : strerror(-err));
		return err;
	}
	if (facts.type != ARPHRD_ETHER) {
		log_error("%s %s: not an Ethernet interface: a port of this role needs one with "
			  "a link layer",
			  section, name);
		return -ENOTSUP;
	}
	if (!(facts.flags & IFF_UP))
		log_warning("%s %s: the interface is down; nothing arrives before `ip link set %s "
			    "up`",
			    section, name, name);
	return 0;
}

static int check_ports(struct planner *planner)
{
	const struct conf *conf = planner->conf;
	int err = 0;

	for (size_t i = 0; i < conf->uplink_count && !err; i++)
		err = check_port(planner, "uplink", conf->uplinks[i].name, false);
	for (size_t i = 0; i < conf->zerotier_count && !err; i++)
		err = check_port(planner, "zerotier interface", conf->zerotiers[i].interface, true);
	for (size_t i = 0; i < conf->lan_count && !err; i++)
		err = check_port(planner, "lan", conf->lans[i].name, true);
	return err;
}

static int plan_allmulti(struct planner *planner)
{
	int err = 0;

	for (size_t i = 0; i < planner->conf->proxy_count && !err; i++)
		err = plan_add(planner, allmulti_object(planner->conf->proxies[i].name));
	return err;
}

/* Where filters are what TC programs are attached by, they hang under a qdisc. */
static int plan_clsact(struct planner *planner)
{
	const struct conf *conf = planner->conf;
	int err = 0;

	for (size_t i = 0; i < conf->tunnel_count && !err; i++) {
		if (!planner->tunnel_bpf[i])
			continue;
		err = plan_add(planner, clsact_object(conf->tunnels[i].name));
		if (!err)
			err = plan_add(planner, clsact_object(conf->tunnels[i].uplink));
	}
	if (tc_hook_has_tcx())
		return err;
	for (size_t i = 0; i < conf->tunnel_count && !err; i++)
		err = plan_add(planner, clsact_object(conf->tunnels[i].name));
	for (unsigned int slot = 0; slot < ZT6_MAX_PORTS && !err; slot++)
		if (planner->model->ports[slot].paths & ZT6_PATH_TC)
			err = plan_add(planner, clsact_object(planner->model->ports[slot].name));
	return err;
}

int plan_make(const char *instance, const struct conf *conf, const struct journal *journal,
	      struct nl_sock *nl, const struct model *model, bool dry_run, struct plan *out)
{
	struct planner planner = {
		.instance = instance,
		.conf = conf,
		.journal = journal,
		.nl = nl,
		.model = model,
		.dry_run = dry_run,
		.plan = out,
	};
	int err;

	*out = (struct plan){0};
	err = check_ports(&planner);
	/* Before there is a way for what it holds back. */
	if (!err)
		err = plan_firewall(&planner);
	if (!err)
		err = plan_add(&planner, bpffs_object());
	if (!err)
		err = plan_forwarding(&planner);
	if (!err)
		err = plan_gc_thresholds(&planner);
	if (!err)
		err = plan_devices(&planner);
	if (!err)
		err = plan_routes(&planner);
	if (!err)
		err = plan_defaults(&planner);
	if (!err)
		err = plan_proxies(&planner);
	if (!err)
		err = plan_allmulti(&planner);
	if (!err)
		err = plan_bpf_devices(&planner);
	if (!err)
		err = plan_conntrack(&planner);
	if (!err)
		err = plan_clsact(&planner);
	if (err)
		plan_free(out);
	return err;
}

void plan_free(struct plan *plan)
{
	objects_free(&plan->objects);
}
