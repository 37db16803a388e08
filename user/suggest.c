/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "suggest.h"

#include <string.h>

#define SUGGEST_MAX 24 /* characters; our words are shorter */

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Optimal string alignment: insertions, deletions, substitutions and swaps of neighbours. */
static size_t edit_distance(const char *a, size_t a_length, const char *b, size_t b_length)
{
	size_t cost[SUGGEST_MAX + 1][SUGGEST_MAX + 1];

	for (size_t i = 0; i <= a_length; i++)
		cost[i][0] = i;
	for (size_t j = 0; j <= b_length; j++)
		cost[0][j] = j;
	for (size_t i = 1; i <= a_length; i++) {
		for (size_t j = 1; j <= b_length; j++) {
			size_t substitute = cost[i - 1][j - 1] + (a[i - 1] != b[j - 1]);
			size_t insert_or_delete = least(cost[i - 1][j], cost[i][j - 1]) + 1;

			cost[i][j] = least(substitute, insert_or_delete);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				cost[i][j] = least(cost[i][j], cost[i - 2][j - 2] + 1);
		}
	}
	return cost[a_length][b_length];
}

void suggestion_offer(struct suggestion *suggestion, const char *candidate)
{
	size_t length = strlen(suggestion->word), candidate_length = strlen(candidate);
	size_t distance;

	if (length < 3 || length > SUGGEST_MAX || candidate_length > SUGGEST_MAX)
		return;
	distance = edit_distance(suggestion->word, length, candidate, candidate_length);
	if (distance > 1 + length / 6)
		return;
	if (suggestion->best && distance >= suggestion->distance)
		return;
	suggestion->best = candidate;
	suggestion->distance = distance;
}
