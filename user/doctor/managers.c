// SPDX-License-Identifier: GPL-2.0-or-later
/* `doctor`: managers of interfaces that take away what others have made. */
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include "doctor.h"
#include "networkd_conf.h"
#include "processes.h"

/* What NetworkManager notes of each device, by its index. */
#define NM_DEVICES "/run/NetworkManager/devices"

/* Rules are made for `default source` alone. */
static bool has_rules(const struct conf *conf)
{
	for (size_t i = 0; i < conf->tunnel_count; i++)
		if (conf->tunnels[i].default_route == DEFAULT_SOURCE)
			return true;
	return false;
}

static void judge_networkd(struct doctor *doctor)
{
	struct findings *out = &doctor->findings;
	struct networkd_conf networkd;

	if (!process_find("systemd-networkd"))
		return;
	networkd_conf_read(&networkd);
	networkd.foreign_rules &= has_rules(doctor->conf);
	if (!networkd.foreign_routes && !networkd.foreign_rules)
		return;
	findings_add(out, FINDING_WARNING, "systemd-networkd takes away %s%s%s of others",
		     networkd.foreign_routes ? "routes" : "",
		     networkd.foreign_routes && networkd.foreign_rules ? " and " : "",
		     networkd.foreign_rules ? "routing rules" : "");
	findings_why(out, "when it starts again, after an upgrade for instance, ours are gone with "
			  "them");
	findings_remedy(out, "write \"[Network]\", \"ManageForeignRoutes=no\" and "
			     "\"ManageForeignRoutingPolicyRules=no\", a line each, into "
			     "/etc/systemd/networkd.conf.d/zt6-bpf.conf; then \"systemctl restart "
			     "systemd-networkd\" and \"zt6-bpf reload\"");
}

/* Whether it has a profile in force on the device; of one that it only watches it notes none. */
static bool is_managed(const char *name)
{
	bool managed = false, active = false;
	char path[64], line[256];
	FILE *file;

	snprintf(path, sizeof(path), NM_DEVICES "/%u", if_nametoindex(name));
	file = fopen(path, "re");
	while (file && fgets(line, sizeof(line), file)) {
		managed |= !strncmp(line, "managed=true", strlen("managed=true"));
		active |= !strncmp(line, "connection-uuid=", strlen("connection-uuid="));
	}
	if (file)
		fclose(file);
	return managed && active;
}

/* An uplink may be managed: it is the overlay and the tunnel that are nobody else's. */
static void judge_network_manager(struct doctor *doctor)
{
	const struct zt6_port *ports = doctor_ports_of(doctor);
	struct findings *out = &doctor->findings;

	if (!process_find("NetworkManager"))
		return;
	for (unsigned int slot = 0; slot < ZT6_MAX_PORTS; slot++) {
		const char *name = ports[slot].name;

		if ((ports[slot].role != ZT6_ROLE_OVERLAY && ports[slot].role != ZT6_ROLE_TUNNEL) ||
		    !is_managed(name))
			continue;
		findings_add(out, FINDING_WARNING, "NetworkManager has a profile in force on %s",
			     name);
		findings_why(out,
			     "it takes addresses and routes that are not in the profile off the "
			     "interface");
		findings_remedy(
			out,
			"write \"[keyfile]\" and \"unmanaged-devices=interface-name:%s\", a "
			"line each, into /etc/NetworkManager/conf.d/zt6-bpf.conf; then "
			"\"systemctl reload NetworkManager\" and \"zt6-bpf reload\"",
			name);
	}
}

static void examine(struct doctor *doctor)
{
	judge_networkd(doctor);
	judge_network_manager(doctor);
}

const struct doctor_area doctor_managers = {
	.name = "managers",
	.examine = examine,
};
