// SPDX-License-Identifier: GPL-2.0-or-later
/* `status`: who forwards. */
#include <stdio.h>

#include "status_parts.h"

/* In JSON, and in words. */
static const char *forwarder(const struct status *status, const char **words)
{
	const struct zt6_settings *settings = &status->model.settings;

	if (settings->policy == ZT6_POLICY_OFF) {
		*words = "the fast path, everything that may come from where it does";
		return "fast-path";
	}
	if (settings->flags & ZT6_SETTINGS_WITNESS) {
		*words = "the fast path, flows that conntrack holds as established; the kernel, "
			 "the rest";
		return "established-flows";
	}
	*words = "the kernel, everything: it lets no program ask its conntrack";
	return "kernel";
}

static json_t *json(const struct status *status)
{
	const char *words;

	return json_string(forwarder(status, &words));
}

static void print(const struct status *status)
{
	const char *words;

	forwarder(status, &words);
	printf(STATUS_COLUMN "%s\n", "forwards", words);
}

const struct status_part status_policy = {
	.key = "forwarding",
	.json = json,
	.print = print,
};
