// SPDX-License-Identifier: GPL-2.0-or-later
#include "doctor.h"

#include <errno.h>
#include <netlink/socket.h>
#include <stdlib.h>
#include <string.h>

#include "../loader/netlink.h"
#include "../loader/vlan.h"
#include "../log.h"
#include "../zerotier/find.h"

static const struct doctor_area *const areas[] = {
	&doctor_instance, &doctor_kernel,   &doctor_drift,    &doctor_ports,    &doctor_tunnels,
	&doctor_routes,   &doctor_firewall, &doctor_managers, &doctor_programs, &doctor_zerotier,
};

static void examine(struct doctor *doctor, const struct doctor_area *area)
{
	struct findings *findings = &doctor->findings;
	size_t first = findings->count;

	findings->area = area->name;
	area->examine(doctor);
	for (size_t i = first; i < findings->count && area->matters; i++)
		if (!findings->list[i].why)
			findings->list[i].why = strdup(area->matters);
}

/* What is reported on the way is found again by the areas, in better order. */
static int read_quietly(struct doctor *doctor)
{
	FILE *nowhere = fopen("/dev/null", "w");

	if (!nowhere)
		return -errno;
	log_divert(nowhere);
	if (!zerotier_resolve(doctor->conf, true))
		vlan_resolve(doctor->conf);
	if (journal_load(doctor->instance->run_dir, &doctor->journal))
		doctor->journal = NULL;
	log_divert(NULL);
	fclose(nowhere);
	return 0;
}

/* Its interfaces are those of this network namespace, or mean something else. */
static bool is_here(const struct doctor *doctor)
{
	return !doctor->journal || !doctor->journal->found ||
	       doctor->journal->relation == NETNS_SAME;
}

static int read_status(struct doctor *doctor)
{
	struct status *status = malloc(sizeof(*status));

	if (!status)
		return -ENOMEM;
	doctor->status_err = status_read(doctor->instance, status);
	if (!doctor->status_err && is_here(doctor)) {
		doctor->status = status;
		return 0;
	}
	if (!doctor->status_err)
		status_free(status);
	free(status);
	return 0;
}

int doctor_examine(const struct instance *instance, struct conf *conf, struct doctor *out)
{
	int err;

	*out = (struct doctor){.instance = instance, .conf = conf};
	err = netlink_open(&out->nl);
	if (!err)
		err = read_quietly(out);
	if (!err)
		err = read_status(out);
	if (err) {
		log_error("doctor: cannot look at the machine: %s", strerror(-err));
		doctor_free(out);
		return err;
	}
	for (size_t i = 0; i < sizeof(areas) / sizeof(areas[0]); i++)
		examine(out, areas[i]);
	err = out->findings.err;
	if (err) {
		log_error("doctor: %s", strerror(-err));
		doctor_free(out);
	}
	return err;
}

void doctor_free(struct doctor *doctor)
{
	findings_free(&doctor->findings);
	model_free(&doctor->planned);
	if (doctor->status) {
		status_free(doctor->status);
		free(doctor->status);
	}
	journal_free(doctor->journal);
	nl_socket_free(doctor->nl);
	conf_free(doctor->conf);
}

const struct zt6_port *doctor_ports_of(const struct doctor *doctor)
{
	return doctor->status ? doctor->status->model.ports : doctor->planned.ports;
}

bool doctor_policy_off(const struct doctor *doctor)
{
	if (doctor->status)
		return doctor->status->model.settings.policy == ZT6_POLICY_OFF;
	return doctor->conf->policy == CONF_POLICY_OFF;
}
