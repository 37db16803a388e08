/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ZT6_MODEL_REFRESH_H
#define ZT6_MODEL_REFRESH_H

#include "model.h"

/**
 * model_refresh - bring a model that was read from the maps up to date with the kernel.
 *
 * Interfaces (index, MAC, MTU, link-local address), our own addresses, and whether the source
 * decides routes. What the configuration says is not touched. 0 or a negative error.
 */
int model_refresh(struct model *model, struct nl_sock *nl);

#endif
