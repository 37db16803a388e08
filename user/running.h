/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A running instance, for commands that look at it from outside. */
#ifndef ZT6_RUNNING_H
#define ZT6_RUNNING_H

#include "instance.h"
#include "loader/model.h"

/**
 * running_read - read what the programs of an instance go by: settings, ports, prefixes, rules.
 * @out: to be freed with model_free()
 *
 * Returns EXIT_DONE. Otherwise an exit status, with a message: EXIT_NOT_UP, or EXIT_FAILED, also
 * when the instance is in another network namespace, where its interfaces mean something else.
 */
int running_read(const struct instance *instance, struct model *out);

/* Whether members live on such a port. */
bool port_is_inside(const struct zt6_port *port);

#endif
