// SPDX-License-Identifier: GPL-2.0-or-later
/* `doctor`: what others have done to a tunnel that is up: its room, and the addresses on it. */
#include <stdio.h>
#include <string.h>

#include "../loader/facts.h"
#include "../loader/swallow.h"
#include "doctor.h"

#define OUTER_HEADER 20 /* IPv4 without options */

static void judge_room(struct doctor *doctor, const struct conf_tunnel *tunnel)
{
	struct findings *out = &doctor->findings;
	struct iface_facts uplink;

	if (facts_iface(doctor->nl, tunnel->uplink, &uplink) ||
	    tunnel->mtu + OUTER_HEADER <= uplink.mtu)
		return;
	findings_add(out, FINDING_ERROR,
		     "tunnel %s: mtu %u is too large: %s carries %u bytes by now, less %d for the "
		     "outer header",
		     tunnel->name, tunnel->mtu, tunnel->uplink, uplink.mtu, OUTER_HEADER);
	findings_why(out, "large packets are lost: connections begin and then hang");
	findings_remedy(out,
			"set \"mtu %u\" in its section and at the broker, and run \"zt6-bpf "
			"reload\"; or \"ip link set dev %s mtu %u\"",
			uplink.mtu - OUTER_HEADER, tunnel->uplink, tunnel->mtu + OUTER_HEADER);
}

/* The check of a network's paths may have found the route already. */
static bool is_known(const struct findings *findings, const char *tunnel,
		     const struct prefix *address)
{
	struct prefix network = prefix_network(address);
	char route[PREFIX_STRLEN + 64], text[PREFIX_STRLEN];

	snprintf(route, sizeof(route), "the route %s dev %s takes members' packets",
		 prefix_format(&network, text), tunnel);
	for (size_t i = 0; i < findings->count; i++)
		if (!strncmp(findings->list[i].what, route, strlen(route)))
			return true;
	return false;
}

static void on_swallow(void *arg, const char *tunnel, const struct prefix *address)
{
	struct findings *out = arg;
	char text[PREFIX_STRLEN];

	if (is_known(out, tunnel, address))
		return;
	findings_add(out, FINDING_WARNING,
		     "tunnel %s: %s, which is on the interface beside ours, has the kernel send "
		     "packets for all members in that prefix into the tunnel",
		     tunnel, prefix_format(address, text));
	findings_why(out, "this is how \"the whole prefix does not work, a part of it does\" comes "
			  "about");
	findings_remedy(out,
			"run \"ip -6 address change %s dev %s noprefixroute\", and write so where "
			"the address is configured",
			text, tunnel);
}

static void examine(struct doctor *doctor)
{
	const struct conf *conf = doctor->conf;

	/* Before, `up` says so itself. */
	for (size_t i = 0; i < conf->tunnel_count && doctor->status; i++) {
		judge_room(doctor, &conf->tunnels[i]);
		swallow_each(doctor->nl, conf, conf->tunnels[i].name, on_swallow,
			     &doctor->findings);
	}
}

const struct doctor_area doctor_tunnels = {
	.name = "tunnels",
	.examine = examine,
};
