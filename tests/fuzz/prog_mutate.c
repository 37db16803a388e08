// SPDX-License-Identifier: GPL-2.0-or-later
#include "prog_mutate.h"

#include <string.h>

#include "../prog/harness.h"
#include "prog_oracle.h"

/* Frames longer than this are made by hand (cases_*.py), not by chance: they cost time. */
#define GROW_MAX 600

uint32_t roll(struct dice *dice, uint32_t sides)
{
	/* xorshift64* */
	dice->state ^= dice->state >> 12;
	dice->state ^= dice->state << 25;
	dice->state ^= dice->state >> 27;
	return (dice->state * 0x2545f4914f6cdd1dULL >> 32) % sides;
}

static void write_interesting(struct dice *dice, uint8_t *at, size_t room)
{
	static const uint16_t values[] = {0,      1,      7,      8,      20,     39,     40,
					  41,     58,     60,     0x7fff, 0x8000, 0x8100, 0x86dd,
					  0x0800, 0x88a8, 0xff02, 0xfe80, 0x2001, 0xfffe, 0xffff};
	uint16_t value = values[roll(dice, sizeof(values) / sizeof(*values))];

	at[0] = value >> 8;
	if (room > 1)
		at[1] = value;
}

/* Where headers are, rather than in the payload. */
static size_t somewhere(struct dice *dice, size_t length)
{
	return roll(dice, length > 110 && roll(dice, 4) ? 110 : length);
}

static size_t insert(struct dice *dice, uint8_t *frame, size_t length)
{
	size_t at = somewhere(dice, length), count = 1 + roll(dice, 24);

	if (length + count > FRAME_MAX)
		return length;
	memmove(frame + at + count, frame + at, length - at);
	for (size_t i = 0; i < count; i++)
		frame[at + i] = roll(dice, 256);
	return length + count;
}

static size_t remove_some(struct dice *dice, uint8_t *frame, size_t length)
{
	size_t at = somewhere(dice, length), count = 1 + roll(dice, 24);

	if (at + count > length || length - count < FRAME_MIN)
		return length;
	memmove(frame + at, frame + at + count, length - at - count);
	return length - count;
}

static size_t grow(struct dice *dice, uint8_t *frame, size_t length)
{
	size_t count = 1 + roll(dice, GROW_MAX);

	if (length + count > FRAME_MAX)
		return length;
	for (size_t i = 0; i < count; i++)
		frame[length + i] = roll(dice, 256);
	return length + count;
}

/* The beginning of one frame, the end of the other. */
static size_t splice(struct dice *dice, uint8_t *frame, size_t length, const uint8_t *other,
		     size_t other_length)
{
	size_t at = somewhere(dice, length < other_length ? length : other_length);

	memcpy(frame + at, other + at, other_length - at);
	return other_length;
}

static size_t change(struct dice *dice, uint8_t *frame, size_t length, const uint8_t *other,
		     size_t other_length)
{
	size_t at = somewhere(dice, length);

	switch (roll(dice, 10)) {
	case 0:
	case 1:
		frame[at] ^= 1 << roll(dice, 8);
		return length;
	case 2:
		frame[at] = roll(dice, 256);
		return length;
	case 3:
	case 4:
		write_interesting(dice, frame + at, length - at);
		return length;
	case 5:
		return insert(dice, frame, length);
	case 6:
		return remove_some(dice, frame, length);
	case 7:
		return grow(dice, frame, length);
	case 8:
		return FRAME_MIN + roll(dice, length - FRAME_MIN + 1);
	default:
		return splice(dice, frame, length, other, other_length);
	}
}

size_t mutate(struct dice *dice, uint8_t *frame, size_t length, const uint8_t *other,
	      size_t other_length)
{
	uint8_t mac[6];

	memcpy(mac, frame, sizeof(mac));
	for (uint32_t i = roll(dice, 4) + 1; i > 0; i--)
		length = change(dice, frame, length, other, other_length);
	/* Most shall get beyond the first checks. */
	if (roll(dice, 8))
		memcpy(frame, mac, sizeof(mac));
	if (roll(dice, 2))
		oracle_repair(frame, length);
	return length;
}
