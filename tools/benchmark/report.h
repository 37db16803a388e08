/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef BENCH_REPORT_H
#define BENCH_REPORT_H

#include <stdbool.h>

#include "runs.h"

void report_text(const struct results *results);
int report_json(const struct results *results);

/* Says on stderr what is below its threshold or was lost; false when something is. */
bool report_check(const struct results *results);

#endif
