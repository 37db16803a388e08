// SPDX-License-Identifier: GPL-2.0-or-later
#include "swallow.h"

#include <stdlib.h>

#include "facts.h"

static bool is_within(const struct prefix *connected, const struct prefixes *members)
{
	for (size_t i = 0; i < members->count; i++)
		if (prefix_contains(&members->list[i], connected))
			return true;
	return false;
}

static bool swallows(const struct prefix *connected, const struct conf *conf)
{
	for (size_t i = 0; i < conf->zerotier_count; i++)
		if (is_within(connected, &conf->zerotiers[i].prefix))
			return true;
	for (size_t i = 0; i < conf->lan_count; i++)
		if (is_within(connected, &conf->lans[i].prefix))
			return true;
	return false;
}

int swallow_each(struct nl_sock *nl, const struct conf *conf, const char *tunnel,
		 void (*each)(void *arg, const char *tunnel, const struct prefix *address),
		 void *arg)
{
	unsigned int ifindex = if_nametoindex(tunnel);
	struct own_address *own = NULL;
	size_t count = 0;
	int err = ifindex ? facts_own_addresses(nl, &own, &count) : 0;

	for (size_t i = 0; i < count && !err; i++)
		if (own[i].ifindex == (int)ifindex && own[i].connected &&
		    swallows(&own[i].prefix, conf))
			each(arg, tunnel, &own[i].prefix);
	free(own);
	return err;
}
