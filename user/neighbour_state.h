/* SPDX-License-Identifier: GPL-2.0-or-later */
/* States of the kernel's neighbours (NUD_*, <linux/neighbour.h>). */
#ifndef ZT6_NEIGHBOUR_STATE_H
#define ZT6_NEIGHBOUR_STATE_H

#include <stdbool.h>
#include <stdint.h>

/* Whether packets are sent to a neighbour in this state. */
bool neighbour_is_usable(uint16_t nud);

/* In the words of `ip neighbour`, but in small letters; "none" without a state. */
const char *neighbour_state_name(uint16_t nud);

#endif
