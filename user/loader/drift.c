// SPDX-License-Identifier: GPL-2.0-or-later
#include "drift.h"

#include "facts.h"

static bool is_waiting(struct nl_sock *nl, const struct object *object, char device[IF_NAMESIZE])
{
	unsigned int flags;

	device[0] = '\0';
	if (!object_device(object, device))
		return false;
	return facts_flags(nl, device, &flags) || (object->kind->needs_up && !(flags & IFF_UP));
}

void drift_each(const struct journal *journal, struct nl_sock *nl,
		void (*each)(void *arg, const struct drift *drift), void *arg)
{
	for (size_t i = 0; i < journal->objects.count; i++) {
		struct drift drift = {.object = journal->objects.list[i]};
		json_t *before = NULL;
		int state;

		if (is_waiting(nl, drift.object, drift.device))
			continue;
		state = drift.object->kind->probe(nl, drift.object, &before);
		json_decref(before);
		if (state != OBJECT_ABSENT && state != OBJECT_OTHER)
			continue;
		drift.state = (enum object_state)state;
		drift.object->kind->describe(drift.object, drift.text);
		each(arg, &drift);
	}
}
