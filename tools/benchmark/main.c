// SPDX-License-Identifier: GPL-2.0-or-later
/* The benchmark; tools/bench builds and starts it. */
#include <getopt.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "measure.h"
#include "report.h"

#define DEFAULT_ROUNDS 21

static int usage(void)
{
	fprintf(stderr,
		"usage: bench [--json] [--check] [--rounds N] [--scale F] ZT6-BPF DIRECTORY\n");
	return 2;
}

/* One CPU, and before all others on it. */
static void claim_cpu(void)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(sched_getcpu(), &set);
	sched_setaffinity(0, sizeof(set), &set);
	setpriority(PRIO_PROCESS, 0, -20);
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{"json", no_argument, NULL, 'j'},
		{"check", no_argument, NULL, 'c'},
		{"rounds", required_argument, NULL, 'r'},
		{"scale", required_argument, NULL, 's'},
		{NULL, 0, NULL, 0},
	};
	int rounds = DEFAULT_ROUNDS, option, err;
	bool json = false, check = false;
	struct results results;
	struct bench bench;
	double scale = 1;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (option) {
		case 'j':
			json = true;
			break;
		case 'c':
			check = true;
			break;
		case 'r':
			rounds = atoi(optarg);
			break;
		case 's':
			scale = atof(optarg);
			break;
		default:
			return usage();
		}
	}
	if (argc - optind != 2 || rounds < 1 || rounds > MAX_ROUNDS || scale <= 0)
		return usage();
	err = bench_open(&bench, argv[optind + 1], argv[optind]);
	if (err)
		return 1;
	claim_cpu();
	err = runs_measure(&bench, rounds, scale, &results);
	if (err)
		return 1;
	if (json)
		err = report_json(&results);
	else
		report_text(&results);
	bench_close(&bench);
	return err || (check && !report_check(&results));
}
