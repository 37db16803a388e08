/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is measured: rates of packets, ratios of them, and the cost of a packet. */
#ifndef BENCH_RUNS_H
#define BENCH_RUNS_H

#include <stdbool.h>

#include "measure.h"

#define MAX_ROUNDS 99

/* A rate, measured once in every round. */
struct rate {
	const char *id;
	const char *title;
	double per_second[MAX_ROUNDS];
	uint64_t sent, arrived, other; /* in all rounds; none was sent where it is left out */
	bool lossless;                 /* the project promises that all arrive */
};

/* Two rates of the same round, one divided by the other. */
struct ratio {
	const char *id;
	const char *title;
	const struct rate *of, *to;
	double at_least; /* what the project promises; 0: nothing */
};

/* Time that the program takes for one packet. */
struct cost {
	const char *id;
	const char *title;
	double ns[MAX_ROUNDS];
};

/* Two costs of the same round, one divided by the other. */
struct price {
	const char *id;
	const char *title;
	const struct cost *of, *to;
	double at_most; /* what the project promises; 0: nothing */
};

struct results {
	int rounds;
	struct rate *rates;
	struct ratio *ratios;
	struct cost *costs;
	struct price *prices;
	int rate_count, ratio_count, cost_count, price_count;
};

/**
 * runs_measure - measure everything, @rounds times.
 * @scale: 1 for the usual number of packets, less for less
 */
int runs_measure(struct bench *bench, int rounds, double scale, struct results *out);

#endif
