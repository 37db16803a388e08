/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Frames that nobody would think of, made from frames that somebody did. */
#ifndef PROG_MUTATE_H
#define PROG_MUTATE_H

#include <stddef.h>
#include <stdint.h>

/* A generator of its own, so that a seed gives the same frames everywhere. Never 0. */
struct dice {
	uint64_t state;
};

/* A number below @sides. */
uint32_t roll(struct dice *dice, uint32_t sides);

/**
 * mutate - change a frame in one to four ways.
 * @frame: of @length bytes, with room for FRAME_MAX
 * @other: a frame to take a part from
 *
 * Returns the new length, at least FRAME_MIN.
 */
size_t mutate(struct dice *dice, uint8_t *frame, size_t length, const uint8_t *other,
	      size_t other_length);

#endif
