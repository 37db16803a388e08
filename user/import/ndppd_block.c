/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ndppd_block.h"

#include <string.h>

#include "../conf_faults.h"
#include "../suggest.h"
#include "ndppd_values.h"

const struct ndppd_entry *ndppd_find(const struct ndppd_block *block, const char *key)
{
	const struct ndppd_entry *first = NULL;

	for (const struct ndppd_entry *at = block->entry->children; at; at = at->next) {
		if (strcmp(at->key, key) != 0)
			continue;
		if (first)
			NDPPD_REMARK(block, at,
				     "\"%s\" is already on line %u, and ndppd takes the first", key,
				     first->line);
		else
			first = at;
	}
	return first;
}

static bool is_one_of(const char *key, const char *const *keys, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!strcmp(key, keys[i]))
			return true;
	return false;
}

/* An entry without a key: most often what braces or quotes in the wrong place have left over. */
static void remark_keyless(const struct ndppd_block *block, const struct ndppd_entry *entry)
{
	if (entry->after_quotes && !strpbrk(entry->value, "{}"))
		return; /* the closing quotes of the value before */
	if (entry->has_block && !*entry->value)
		NDPPD_REMARK(block, entry,
			     "\"{\" stands on a line of its own, and ndppd ignores the block: move "
			     "it to the end of the line before");
	else
		NDPPD_REMARK(block, entry, "%s has no key, and ndppd ignores it",
			     QUOTED(entry->value));
}

void ndppd_find_unknown(const struct ndppd_block *block, const char *const *keys, size_t count)
{
	static const char *const newer[] = {"valid-ttl",     "invalid-ttl", "retrans-time",
					    "retrans-limit", "target",      "rewrite",
					    "table"};

	for (const struct ndppd_entry *at = block->entry->children; at; at = at->next) {
		struct suggestion near = {.word = at->key};

		if (is_one_of(at->key, keys, count))
			continue;
		for (size_t i = 0; i < count; i++)
			suggestion_offer(&near, keys[i]);
		if (!*at->key)
			remark_keyless(block, at);
		else if (is_one_of(at->key, newer, sizeof(newer) / sizeof(newer[0])))
			NDPPD_REMARK(block, at, "%s is a key of ndppd 1.0, which 0.2 ignores",
				     at->key);
		else if (near.best)
			NDPPD_REMARK(block, at,
				     "%s: ndppd has no such key and ignores it; \"%s\" is meant?",
				     QUOTED(at->key), near.best);
		else
			NDPPD_REMARK(block, at, "%s: ndppd has no such key here and ignores it",
				     QUOTED(at->key));
	}
}

void ndppd_remark_quotes(const struct ndppd_block *block, const struct ndppd_entry *entry)
{
	if (entry->quoted && !entry->has_block)
		NDPPD_REMARK(
			block, entry,
			"%s in quotes: ndppd takes no block \"{ }\" behind them, and reads what is "
			"in it as if it stood outside; write the name without quotes",
			QUOTED(entry->value));
}

bool ndppd_read_bool(const struct ndppd_block *block, const struct ndppd_entry *entry)
{
	bool value = ndppd_bool(entry->value);

	if (!value && ndppd_means_yes(entry->value))
		NDPPD_REMARK(
			block, entry,
			"%s %s: only \"yes\" and \"true\" are yes to ndppd, so this is no; write "
			"yes if that is meant",
			entry->key, QUOTED(entry->value));
	return value;
}

int32_t ndppd_read_number(const struct ndppd_block *block, const struct ndppd_entry *entry,
			  const char *unit, int32_t min, int32_t max)
{
	int32_t value = ndppd_int(entry->value);
	int32_t within = value < min ? min : value > max ? max : value;

	if (!ndppd_is_number(entry->value))
		NDPPD_REMARK(block, entry, "%s %s: ndppd reads %d%s", entry->key,
			     QUOTED(entry->value), value, unit);
	if (within != value)
		NDPPD_REMARK(block, entry, "%s %d%s: zt6-bpf takes %d to %d, so this is %d%s",
			     entry->key, value, unit, min, max, within, unit);
	return within;
}
