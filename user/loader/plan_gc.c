// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * How many neighbours the kernel keeps (net.ipv6.neigh.default.gc_thresh1..3): more members than that,
 * and it forgets some to learn others. The values are of the initial network namespace and bound all.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "plan_internal.h"
#include "../conf_tree.h"
#include "../log.h"

#define GC_PATH(n) "net/ipv6/neigh/default/gc_thresh" #n

/* Of `limits members`: none of them is collected; what is asked for in vain has room beside them. */
static const struct {
	const char *path;
	uint32_t factor;
} thresholds[] = {
	{GC_PATH(1), 1},
	{GC_PATH(2), 2},
	{GC_PATH(3), 4},
};

static int read_number(const char *path, unsigned long *number)
{
	char text[32];
	int err = sysctl_read(path, text, sizeof(text));

	if (!err)
		*number = strtoul(text, NULL, 10);
	return err;
}

/* Up to what is needed; what is higher is left alone, unless an earlier `up` has set it. */
static int raise_threshold(struct planner *planner, size_t i)
{
	unsigned long needed = (unsigned long)planner->conf->limits.members * thresholds[i].factor;
	unsigned long current = 0;
	struct object *object;
	char value[24];

	snprintf(value, sizeof(value), "%lu", needed);
	object = sysctl_object(thresholds[i].path, value);
	if (object && !read_number(thresholds[i].path, &current) && current > needed &&
	    !objects_find(&planner->journal->objects, object)) {
		object_free(object);
		return 0;
	}
	return plan_add(planner, object);
}

int plan_gc_thresholds(struct planner *planner)
{
	const struct conf *conf = planner->conf;
	bool given = conf->tree && conf_tree_find(conf->tree, "limits", 0, "members");
	unsigned long most;
	int err = read_number(GC_PATH(3), &most);

	if (err) {
		if (conf->limits.gc_thresh)
			log_warning("limits: gc-thresh: the kernel's limits of neighbours are set "
				    "in the initial network namespace only, and this is another: "
				    "see that " GC_PATH(3) " is %u there",
				    conf->limits.members * thresholds[2].factor);
		return 0;
	}
	if (!conf->limits.gc_thresh) {
		if (given && most < conf->limits.members)
			log_warning("limits: %u members, but the kernel keeps %lu neighbours at "
				    "most (" GC_PATH(3) "): set \"gc-thresh yes\" in limits, or "
							"raise it",
				    conf->limits.members, most);
		return 0;
	}
	for (size_t i = 0; i < sizeof(thresholds) / sizeof(*thresholds) && !err; i++)
		err = raise_threshold(planner, i);
	return err;
}
