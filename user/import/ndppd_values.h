/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Values of ndppd.conf, as ndppd makes them out. */
#ifndef ZT6_IMPORT_NDPPD_VALUES_H
#define ZT6_IMPORT_NDPPD_VALUES_H

#include <stdbool.h>
#include <stdint.h>

#include "../addr.h"

/* yes and true, in any case, are true; everything else is not. */
bool ndppd_bool(const char *value);

/* Whether somebody who writes this means yes: "yes;", "on", "1" and the like. */
bool ndppd_means_yes(const char *value);

/* As atoi(3), but within the range of an int. */
int32_t ndppd_int(const char *value);

/* Whether a value is a whole number, and nothing else. */
bool ndppd_is_number(const char *value);

/**
 * ndppd_address - the address and length of a rule.
 *
 * Returns NULL, or in words what ndppd made of it instead of what stands there. An address that it
 * cannot read becomes ::/128.
 */
const char *ndppd_address(const char *value, struct prefix *out);

#endif
