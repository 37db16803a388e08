/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Telling the broker where the near end of a tunnel is. */
#ifndef ZT6_BROKER_UPDATE_H
#define ZT6_BROKER_UPDATE_H

#include "../conf.h"
#include "../instance.h"
#include "credentials.h"

/**
 * broker_update - tell the broker this machine's endpoint, when there is a reason to.
 * @force: there is one, whatever earlier runs have left
 *
 * Reasons are: the first run since boot, another address of the uplink or other credentials, a
 * failure some time ago, and silence of the tunnel's far end. What the broker has refused for good is
 * not asked again. Returns 0 also when there was no reason, or a negative error with a message.
 */
int broker_update(const struct instance *instance, const struct conf_tunnel *tunnel,
		  const struct broker_login *login, bool force);

#endif
