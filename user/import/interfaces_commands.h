/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ZT6_IMPORT_INTERFACES_COMMANDS_H
#define ZT6_IMPORT_INTERFACES_COMMANDS_H

#include "ifaces.h"

/* What the commands of a stanza do (pre-up and up: what is done when it goes down is the business of
 * zt6-bpf's own down), into the tunnels and proxies of the draft. */
void interfaces_commands(struct draft *draft, const struct ifaces_stanza *stanza);

#endif
