/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What came out against what was expected; differences are explained on stderr. */
#ifndef COMPARE_H
#define COMPARE_H

#include "fixtures.h"
#include "harness.h"

void print_bytes(const char *title, const uint8_t *data, size_t length);

/* Whether the frame that came out is the expected one, byte for byte. */
bool check_bytes(const struct ending *ending, const struct bytes *in, const struct outcome *got);

/* The verdict that went up on a port, or ZT6_VERDICT_COUNT when none or several did. */
unsigned int counted(const struct zt6_port_counters *before, const struct zt6_port_counters *after);

/* Whether the counters of all ports, changed in @before to what they should be, say what they may:
 * one frame received on @slot, under one verdict, and nothing elsewhere.
 * @packets: that it stands for
 * @unbound: its source is bound to another MAC than it came from, and that is said as well */
bool check_counters(struct zt6_port_counters *before, const struct zt6_port_counters *after,
		    unsigned int slot, unsigned int verdict, const struct bytes *frame,
		    size_t packets, bool unbound);

#endif
