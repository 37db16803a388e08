/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which way each port's packets go: XDP, TC or both, by what its driver can do. */
#ifndef ZT6_DATAPATH_H
#define ZT6_DATAPATH_H

#include "model.h"

/**
 * datapath_choose - set `paths` and `why` of all ports but tunnels.
 * @model: with slots and datapaths as configured
 * @pin_dir: what runs there already stays as it is, as far as the configuration lets it; NULL: nothing
 * @dry_run: do not even try whether a driver takes a program
 *
 * A port whose interface is away is taken to be able to do everything. Returns 0, or -errno with a
 * message.
 */
int datapath_choose(struct model *model, const char *pin_dir, bool dry_run);

#define DATAPATH_REASON_MAX 128

/* In words, why a port does not run as it would at best; NULL when it does, or when the configuration
 * says so. @room: for the words */
const char *datapath_reason(const struct zt6_port *port, char room[DATAPATH_REASON_MAX]);

#endif
