/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `vlan N` in the configuration: the port is the kernel's VLAN device above the interface. */
#ifndef ZT6_VLAN_H
#define ZT6_VLAN_H

#include "../conf.h"

/**
 * vlan_resolve - put the VLAN device's name in the place of the parent's, wherever the configuration
 * means that port.
 *
 * Addresses and routes of a VLAN are on that device, and so are the programs: the kernel takes the
 * tag off before they see a frame, and puts it on behind them. Returns 0, or -errno with a message:
 * -ENODEV when there is no such device.
 */
int vlan_resolve(struct conf *conf);

/**
 * vlan_is_hidden - whether VLAN devices are above the interface, whose tags it takes off before XDP
 * sees a frame.
 *
 * To XDP such frames look like its own. Without VLAN devices nothing with a tag is let in. Returns 1,
 * 0 or -errno.
 */
int vlan_is_hidden(const char *name);

#endif
