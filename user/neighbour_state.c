// SPDX-License-Identifier: GPL-2.0-or-later
#include "neighbour_state.h"

#include <linux/neighbour.h>
#include <stddef.h>

bool neighbour_is_usable(uint16_t nud)
{
	return nud &
	       (NUD_PERMANENT | NUD_NOARP | NUD_REACHABLE | NUD_PROBE | NUD_DELAY | NUD_STALE);
}

const char *neighbour_state_name(uint16_t nud)
{
	static const struct {
		uint16_t state;
		const char *name;
	} names[] = {
		{NUD_PERMANENT, "permanent"},   {NUD_NOARP, "noarp"},
		{NUD_REACHABLE, "reachable"},   {NUD_PROBE, "probe"},
		{NUD_DELAY, "delay"},           {NUD_STALE, "stale"},
		{NUD_INCOMPLETE, "incomplete"}, {NUD_FAILED, "failed"},
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (nud & names[i].state)
			return names[i].name;
	return "none";
}
