/* SPDX-License-Identifier: GPL-2.0-or-later */
/* "Did you mean ...?": the known word nearest to a misspelt one. */
#ifndef ZT6_SUGGEST_H
#define ZT6_SUGGEST_H

#include <stddef.h>

struct suggestion {
	const char *word; /* as misspelt */
	const char *best; /* the nearest candidate so far; NULL while none is near */
	size_t distance;
};

/* Keeps @candidate when it is near to the word, and nearer than those before it. */
void suggestion_offer(struct suggestion *suggestion, const char *candidate);

#endif
