// SPDX-License-Identifier: GPL-2.0-or-later
/* `status`: targets under rules, and the kernel's room for neighbours. */
#include <stdio.h>

#include "map_batch.h"
#include "status_parts.h"

/* A table that is so full, in percent, forgets neighbours that are in use. */
#define NEARLY_FULL 90

struct unexpired {
	uint64_t now_ns;
	long long count;
};

static int count_verified(void *arg, const void *key, const void *value)
{
	const struct zt6_verified *entry = value;
	struct unexpired *unexpired = arg;

	(void)key;
	unexpired->count += entry->expires_ns > unexpired->now_ns;
	return 0;
}

static int count_negative(void *arg, const void *key, const void *value)
{
	struct unexpired *unexpired = arg;

	(void)key;
	unexpired->count += *(const __u64 *)value > unexpired->now_ns;
	return 0;
}

static long long count(const struct status *status, const char *map, size_t value_size,
		       map_each_fn *each)
{
	struct unexpired unexpired = {.now_ns = status->now_ns};

	map_each(status->instance->pin_dir, map, sizeof(struct zt6_address_key), value_size, each,
		 &unexpired);
	return unexpired.count;
}

/* Both files exist in the initial network namespace only, as the table does. */
static void read_kernel(struct status_targets *targets)
{
	FILE *limit = fopen("/proc/sys/net/ipv6/neigh/default/gc_thresh3", "re");
	FILE *table = fopen("/proc/net/stat/ndisc_cache", "re");
	unsigned int entries;

	targets->kernel_most = targets->kernel_entries = -1;
	if (limit && fscanf(limit, "%lld", &targets->kernel_most) != 1)
		targets->kernel_most = -1;
	/* A line of titles, then one for each CPU, which begins with the same total. */
	if (table && fscanf(table, "%*[^\n] %x", &entries) == 1)
		targets->kernel_entries = entries;
	if (limit)
		fclose(limit);
	if (table)
		fclose(table);
}

static void read(struct status *status)
{
	struct status_targets *targets = &status->targets;

	targets->verified = count(status, "verified", sizeof(struct zt6_verified), count_verified);
	targets->negative = count(status, "negative", sizeof(__u64), count_negative);
	read_kernel(targets);
}

static void judge(struct status *status)
{
	const struct status_targets *targets = &status->targets;

	if (targets->kernel_most > 0 &&
	    targets->kernel_entries * 100 >= targets->kernel_most * NEARLY_FULL) {
		findings_add(&status->findings, FINDING_ERROR,
			     "the kernel has %lld neighbours and keeps %lld at most (gc_thresh3)",
			     targets->kernel_entries, targets->kernel_most);
		findings_remedy(&status->findings,
				"set \"gc-thresh yes\" in limits, or raise it: sysctl -w "
				"net.ipv6.neigh.default.gc_thresh3=%lld",
				targets->kernel_most * 4);
	}
}

static json_t *number_or_null(long long number)
{
	return number < 0 ? json_null() : json_integer(number);
}

static json_t *json(const struct status *status)
{
	const struct status_targets *targets = &status->targets;

	return json_pack("{s:I, s:I, s:i, s:o, s:o}", "verified", (json_int_t)targets->verified,
			 "negative", (json_int_t)targets->negative, "pending",
			 status->agent_running ? (int)status->agent.pending : 0,
			 "kernel_neighbours", number_or_null(targets->kernel_entries),
			 "kernel_neighbours_max", number_or_null(targets->kernel_most));
}

static void print(const struct status *status)
{
	const struct status_targets *targets = &status->targets;

	printf(STATUS_COLUMN "%lld verified, %lld absent, %u being asked for", "targets",
	       targets->verified, targets->negative,
	       status->agent_running ? status->agent.pending : 0);
	if (targets->kernel_most >= 0 && targets->kernel_entries >= 0)
		printf("; the kernel has %lld of at most %lld neighbours", targets->kernel_entries,
		       targets->kernel_most);
	putchar('\n');
}

const struct status_part status_targets = {
	.key = "targets",
	.matters = "it forgets members that are in use to learn others",
	.read = read,
	.judge = judge,
	.json = json,
	.print = print,
};
