// SPDX-License-Identifier: GPL-2.0-or-later
#include "report.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* The value below which @part of all are. */
static double quantile(const double *values, int count, double part)
{
	double sorted[MAX_ROUNDS];

	memcpy(sorted, values, count * sizeof(*values));
	qsort(sorted, count, sizeof(*sorted), compare);
	return sorted[(int)(part * (count - 1) + 0.5)];
}

static double median(const double *values, int count)
{
	return quantile(values, count, 0.5);
}

/* The rates of one round are measured within a second of one another: what disturbs the machine
 * for longer disturbs both. */
static double ratio_quantile(const struct ratio *ratio, int rounds, double part)
{
	double values[MAX_ROUNDS];

	for (int i = 0; i < rounds; i++)
		values[i] = ratio->to->per_second[i] > 0
				    ? ratio->of->per_second[i] / ratio->to->per_second[i]
				    : 0;
	return quantile(values, rounds, part);
}

static double price_quantile(const struct price *price, int rounds, double part)
{
	double values[MAX_ROUNDS];

	for (int i = 0; i < rounds; i++)
		values[i] = price->to->ns[i] > 0 ? price->of->ns[i] / price->to->ns[i] : 0;
	return quantile(values, rounds, part);
}

static uint64_t lost(const struct rate *rate)
{
	return rate->sent > rate->arrived ? rate->sent - rate->arrived : 0;
}

void report_text(const struct results *results)
{
	struct utsname system;

	uname(&system);
	printf("Linux %s, %ld CPUs; medians of %d rounds; everything on one CPU, the generator "
	       "and\n"
	       "the counting included. A rate into the TAP is that of frames put into its queue, "
	       "in\n"
	       "bursts that it holds; the reading is not timed.\n\n",
	       system.release, sysconf(_SC_NPROCESSORS_ONLN), results->rounds);
	printf("%-52s %12s %12s\n", "packets per second", "rate", "lost");
	for (int i = 0; i < results->rate_count; i++) {
		const struct rate *rate = &results->rates[i];

		if (!rate->sent)
			continue;
		printf("  %-50s %12.0f %11.2f%%\n", rate->title,
		       median(rate->per_second, results->rounds), 100.0 * lost(rate) / rate->sent);
	}
	printf("\n%-52s %12s %12s   %s\n", "ratios", "ratio", "at least", "half of all rounds");
	for (int i = 0; i < results->ratio_count; i++) {
		const struct ratio *ratio = &results->ratios[i];

		printf("  %-50s %12.3f", ratio->title, ratio_quantile(ratio, results->rounds, 0.5));
		if (ratio->at_least > 0)
			printf(" %12.2f", ratio->at_least);
		else
			printf(" %12s", "");
		printf("   %.3f to %.3f\n", ratio_quantile(ratio, results->rounds, 0.25),
		       ratio_quantile(ratio, results->rounds, 0.75));
	}
	printf("\n%-52s %12s\n", "nanoseconds per packet, above an empty program", "ns");
	for (int i = 0; i < results->cost_count; i++)
		printf("  %-50s %12.1f\n", results->costs[i].title,
		       median(results->costs[i].ns, results->rounds));
	printf("\n%-52s %12s %12s   %s\n", "prices", "ratio", "at most", "half of all rounds");
	for (int i = 0; i < results->price_count; i++) {
		const struct price *price = &results->prices[i];

		printf("  %-50s %12.3f", price->title, price_quantile(price, results->rounds, 0.5));
		if (price->at_most > 0)
			printf(" %12.2f", price->at_most);
		else
			printf(" %12s", "");
		printf("   %.3f to %.3f\n", price_quantile(price, results->rounds, 0.25),
		       price_quantile(price, results->rounds, 0.75));
	}
}

int report_json(const struct results *results)
{
	json_t *rates = json_object(), *ratios = json_object(), *costs = json_object();
	json_t *prices = json_object();
	json_t *all;
	int err;

	for (int i = 0; i < results->rate_count; i++) {
		const struct rate *rate = &results->rates[i];

		if (!rate->sent)
			continue;
		json_object_set_new(rates, rate->id,
				    json_pack("{s:f, s:I, s:I, s:I}", "per_second",
					      median(rate->per_second, results->rounds), "sent",
					      (json_int_t)rate->sent, "arrived",
					      (json_int_t)rate->arrived, "other",
					      (json_int_t)rate->other));
	}
	for (int i = 0; i < results->ratio_count; i++) {
		const struct ratio *ratio = &results->ratios[i];

		json_object_set_new(ratios, ratio->id,
				    json_pack("{s:f, s:f, s:f, s:f}", "ratio",
					      ratio_quantile(ratio, results->rounds, 0.5), "low",
					      ratio_quantile(ratio, results->rounds, 0.25), "high",
					      ratio_quantile(ratio, results->rounds, 0.75),
					      "at_least", ratio->at_least));
	}
	for (int i = 0; i < results->cost_count; i++)
		json_object_set_new(costs, results->costs[i].id,
				    json_real(median(results->costs[i].ns, results->rounds)));
	for (int i = 0; i < results->price_count; i++) {
		const struct price *price = &results->prices[i];

		json_object_set_new(prices, price->id,
				    json_pack("{s:f, s:f, s:f, s:f}", "ratio",
					      price_quantile(price, results->rounds, 0.5), "low",
					      price_quantile(price, results->rounds, 0.25), "high",
					      price_quantile(price, results->rounds, 0.75),
					      "at_most", price->at_most));
	}
	all = json_pack("{s:i, s:i, s:o, s:o, s:o, s:o}", "schema", 1, "rounds", results->rounds,
			"rates", rates, "ratios", ratios, "ns_per_packet", costs, "prices", prices);
	err = all && !json_dumpf(all, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(6)) ? 0
										       : -ENOMEM;
	putchar('\n');
	json_decref(all);
	return err;
}

bool report_check(const struct results *results)
{
	bool good = true;

	for (int i = 0; i < results->rate_count; i++) {
		const struct rate *rate = &results->rates[i];

		if (!rate->lossless || !lost(rate))
			continue;
		fprintf(stderr, "bench: %s: %llu of %llu are missing\n", rate->title,
			(unsigned long long)lost(rate), (unsigned long long)rate->sent);
		good = false;
	}
	for (int i = 0; i < results->ratio_count; i++) {
		const struct ratio *ratio = &results->ratios[i];
		double value = ratio_quantile(ratio, results->rounds, 0.5);

		if (value >= ratio->at_least)
			continue;
		fprintf(stderr, "bench: %s: %.3f, which is less than %.2f\n", ratio->title, value,
			ratio->at_least);
		good = false;
	}
	for (int i = 0; i < results->price_count; i++) {
		const struct price *price = &results->prices[i];
		double value = price_quantile(price, results->rounds, 0.5);

		if (price->at_most <= 0 || value <= price->at_most)
			continue;
		fprintf(stderr, "bench: %s: %.3f, which is more than %.2f\n", price->title, value,
			price->at_most);
		good = false;
	}
	return good;
}
