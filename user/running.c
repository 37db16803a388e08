// SPDX-License-Identifier: GPL-2.0-or-later
#include "running.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "loader/journal.h"
#include "loader/maps.h"
#include "log.h"
#include "pins.h"
#include "stats.h"

static int read_model(const struct instance *instance, struct model *out)
{
	const char *dir = instance->pin_dir;
	struct map_fds fds = {
		.settings = pin_open_map(dir, "settings", sizeof(struct zt6_settings)),
		.ports = pin_open_map(dir, "ports", sizeof(struct zt6_port)),
		.prefixes = pin_open_map(dir, "prefixes", sizeof(struct zt6_prefix)),
		.rules = pin_open_map(dir, "rules", sizeof(struct zt6_rule)),
		.bindings = pin_open_map(dir, "bindings", sizeof(struct zt6_binding)),
	};
	int used[] = {fds.settings, fds.ports, fds.prefixes, fds.rules, fds.bindings};
	int err = 0;

	for (size_t i = 0; i < sizeof(used) / sizeof(*used) && !err; i++)
		if (used[i] < 0)
			err = used[i];
	if (!err)
		err = maps_read(&fds, out);
	if (!err && out->settings.schema != ZT6_SCHEMA)
		err = -EPROTO;
	for (size_t i = 0; i < sizeof(used) / sizeof(*used); i++)
		if (used[i] >= 0)
			close(used[i]);
	return err;
}

/* Addresses, interfaces and neighbours of another namespace would be taken for the instance's. */
static int check_namespace(const struct instance *instance)
{
	struct journal *journal;
	int status = EXIT_DONE;

	if (journal_load(instance->run_dir, &journal))
		return EXIT_FAILED;
	if (journal->found && journal->relation != NETNS_SAME) {
		log_error("instance \"%s\" is up in another network namespace (net:[%" PRIu64
			  "]): enter it first (lsns -t net finds it; nsenter --net=FILE)",
			  instance->name, journal->netns.inode);
		status = EXIT_FAILED;
	}
	journal_free(journal);
	return status;
}

int running_read(const struct instance *instance, struct model *out)
{
	int err, status;

	memset(out, 0, sizeof(*out));
	err = read_model(instance, out);
	status = err ? stats_explain_error(instance, err) : check_namespace(instance);
	if (status)
		model_free(out);
	return status;
}

bool port_is_inside(const struct zt6_port *port)
{
	return port->role == ZT6_ROLE_OVERLAY || port->role == ZT6_ROLE_LAN;
}
