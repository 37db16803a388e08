/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ZT6_BROKER_IMPORT_HE_H
#define ZT6_BROKER_IMPORT_HE_H

#include "../instance.h"

/* Prints the section of the tunnel of Hurricane Electric's that arguments[0] is the id of. Returns
 * an exit status. */
int import_he(const struct instance *instance, char **arguments);

#endif
