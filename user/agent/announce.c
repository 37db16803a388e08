// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Unsolicited advertisements to the link outside (RFC 4861 §7.2.6) when a member appears, when it has
 * moved, and when the port was away: neighbours that had given the target up, or knew another gateway,
 * find it at once. All hosts of the link read each of them, hence the rate.
 */
#include <errno.h>
#include <string.h>

#include "../advertise.h"
#include "../log.h"
#include "agent.h"
#include "zt6_na.h"

/* Over all ports; what has no turn in a second has one in the next. */
#define ANNOUNCEMENTS_PER_SECOND 100

void announce_target(struct agent *agent, struct target *target)
{
	static const union zt6_addr nobody;
	const struct zt6_port *port = &agent->model.ports[target->key.port];
	int err;

	target->unannounced = true;
	if (!agent->announcements_left || !port->ifindex)
		return;
	agent->announcements_left--;
	err = advertise_send(agent->packets, port, &target->key.addr, &nobody, NULL,
			     ZT6_NA_OVERRIDE);
	/* A full queue, or a port that is down: it comes up with another notice. */
	target->unannounced = err == -ENOBUFS;
	if (err)
		log_info("%s: an announcement could not be sent: %s", port->name, strerror(-err));
}

void announce_port(struct agent *agent, unsigned int slot)
{
	struct target *target;

	TAILQ_FOREACH(target, &agent->targets.verified, entry)
	if (target->key.port == slot)
		target->unannounced = true;
}

void announce_tick(struct agent *agent)
{
	struct target *target;

	agent->announcements_left = ANNOUNCEMENTS_PER_SECOND;
	TAILQ_FOREACH(target, &agent->targets.verified, entry)
	if (target->unannounced && agent->announcements_left)
		announce_target(agent, target);
}
