/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "find.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "../log.h"
#include "advice.h"

/* After joining, the interface is there at once on an idle machine. */
#define DEVICE_TRIES       10
#define DEVICE_INTERVAL_MS 200

static void warn(const struct conf_zerotier *section, const struct findings *findings)
{
	for (size_t i = 0; i < findings->count; i++)
		if (findings->list[i].severity != FINDING_OK)
			log_warning("zerotier %016" PRIx64 ": %s: %s", section->network,
				    findings->list[i].what, findings->list[i].remedy);
}

/* Whether a flag is configured and not yet as configured. */
static bool differs(enum conf_tristate wanted, bool is)
{
	return wanted != TRISTATE_UNSET && (wanted == TRISTATE_YES) != is;
}

static bool needs_setting(const struct conf_zerotier *section, const struct zerotier_network *is)
{
	return differs(section->allow_managed, is->allow_managed) ||
	       differs(section->allow_global, is->allow_global) ||
	       differs(section->allow_default, is->allow_default);
}

static const bool *flag(enum conf_tristate wanted)
{
	static const bool no = false, yes = true;

	if (wanted == TRISTATE_UNSET)
		return NULL;
	return wanted == TRISTATE_YES ? &yes : &no;
}

static int set(const struct zerotier_service *service, const struct conf_zerotier *section,
	       struct zerotier_network *network, char *why)
{
	const struct zerotier_flags flags = {
		.allow_managed = flag(section->allow_managed),
		.allow_global = flag(section->allow_global),
		.allow_default = flag(section->allow_default),
	};

	zerotier_network_free(network);
	return zerotier_set_network(service, section->network, &flags, network, why);
}

static void await_device(const struct zerotier_service *service, struct zerotier_network *network,
			 char *why)
{
	const struct timespec interval = {.tv_nsec = DEVICE_INTERVAL_MS * 1000000L};
	int err = 0;

	for (int i = 0; i < DEVICE_TRIES && !err && !*network->device; i++) {
		uint64_t id = network->id;

		nanosleep(&interval, NULL);
		zerotier_network_free(network);
		err = zerotier_get_network(service, id, network, why);
	}
}

/* Asks and sets; 0, or an error with words. -ENOENT: not joined. */
static int settle(const struct zerotier_service *service, const struct conf_zerotier *section,
		  bool dry_run, struct zerotier_network *network, char *why)
{
	int err = zerotier_get_network(service, section->network, network, why);
	bool joined = false;

	if (err == -ENOENT && section->join && !dry_run) {
		log_info("zerotier %016" PRIx64 ": joining", section->network);
		err = set(service, section, network, why);
		joined = true;
	} else if (!err && !dry_run && needs_setting(section, network)) {
		err = set(service, section, network, why);
	}
	if (!err && joined)
		await_device(service, network, why);
	return err;
}

enum zerotier_found zerotier_find_interface(const struct conf_zerotier *section, bool dry_run,
					    char name[IFNAMSIZ])
{
	struct zerotier_network network = {.id = section->network};
	struct zerotier_service service;
	struct zerotier_node node = {0};
	struct findings findings = {0};
	char why[ZEROTIER_WHY_MAX];
	int err = zerotier_service_open(&service, why);

	if (!err)
		err = settle(&service, section, dry_run, &network, why);
	if (err == -ENOENT && *service.token) {
		if (section->join)
			log_info("zerotier %016" PRIx64 ": would join", section->network);
		else
			zerotier_advise_join(section->network, &findings);
	} else if (!err) {
		if (network.status == ZEROTIER_ACCESS_DENIED)
			zerotier_get_node(&service, &node, why);
		zerotier_advise(&network, node.id, &findings);
	} else {
		log_warning("zerotier %016" PRIx64 ": %s", section->network, why);
	}
	warn(section, &findings);
	findings_free(&findings);
	zerotier_node_free(&node);
	zerotier_service_close(&service);

	snprintf(name, IFNAMSIZ, "%s", err ? "" : network.device);
	zerotier_network_free(&network);
	if (*name)
		return ZEROTIER_FOUND;
	if (!zerotier_devicemap(section->network, name))
		zerotier_interface_name(section->network, name);
	return ZEROTIER_EXPECTED;
}

/* Who else has the name: the section's key, or NULL. */
static const char *owner_of(const struct conf *conf, const struct conf_zerotier *besides,
			    const char *name)
{
	for (size_t i = 0; i < conf->uplink_count; i++)
		if (!strcmp(conf->uplinks[i].name, name))
			return "uplink";
	for (size_t i = 0; i < conf->tunnel_count; i++)
		if (!strcmp(conf->tunnels[i].name, name))
			return "tunnel";
	for (size_t i = 0; i < conf->lan_count; i++)
		if (!strcmp(conf->lans[i].name, name))
			return "lan";
	for (size_t i = 0; i < conf->zerotier_count; i++)
		if (&conf->zerotiers[i] != besides && !strcmp(conf->zerotiers[i].interface, name))
			return "zerotier";
	return NULL;
}

bool zerotier_needs_service(const struct conf_zerotier *section)
{
	return !*section->interface || section->interface_auto || section->join ||
	       section->allow_managed != TRISTATE_UNSET ||
	       section->allow_global != TRISTATE_UNSET || section->allow_default != TRISTATE_UNSET;
}

static int resolve_section(struct conf *conf, struct conf_zerotier *section, bool dry_run)
{
	bool automatic = !*section->interface;
	enum zerotier_found found;
	char name[IFNAMSIZ];
	const char *owner;

	if (!zerotier_needs_service(section))
		return 0;
	found = zerotier_find_interface(section, dry_run, name);
	if (!automatic)
		return 0;
	owner = owner_of(conf, section, name);
	if (owner) {
		log_error("%s:%u: zerotier %016" PRIx64 ": its interface %s is already that of a "
			  "section %s: one port has one role, remove one of the two",
			  conf->path, section->line, section->network, name, owner);
		return -EEXIST;
	}
	if (found == ZEROTIER_EXPECTED)
		log_warning("zerotier %016" PRIx64 ": taking its interface to be %s until "
			    "zerotier-one can say (or write \"interface NAME\")",
			    section->network, name);
	else
		log_info("zerotier %016" PRIx64 ": its interface is %s", section->network, name);
	snprintf(section->interface, sizeof(section->interface), "%s", name);
	section->interface_auto = true;
	return 0;
}

int zerotier_resolve(struct conf *conf, bool dry_run)
{
	int err = 0;

	for (size_t i = 0; i < conf->zerotier_count && !err; i++)
		err = resolve_section(conf, &conf->zerotiers[i], dry_run);
	return err;
}
