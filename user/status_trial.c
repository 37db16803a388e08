// SPDX-License-Identifier: GPL-2.0-or-later
/* `status`: whether what is up will go back to what was before. */
#include <inttypes.h>
#include <stdio.h>

#include "status_parts.h"
#include "trial.h"

static void judge(struct status *status)
{
	int64_t left = trial_seconds_left(status->instance);

	if (left < 0)
		return;
	findings_add(&status->findings, FINDING_WARNING,
		     "what is up is on trial: all goes back to the state before in %" PRId64 " s",
		     left);
	findings_why(&status->findings, "nobody has confirmed \"zt6-bpf up --try\"");
	findings_remedy(&status->findings, "run \"zt6-bpf confirm\" to keep it");
}

static json_t *json(const struct status *status)
{
	int64_t left = trial_seconds_left(status->instance);

	return left < 0 ? json_null() : json_pack("{s:I}", "seconds_left", (json_int_t)left);
}

static void print(const struct status *status)
{
	int64_t left = trial_seconds_left(status->instance);

	if (left >= 0)
		printf(STATUS_COLUMN "back to the state before in %" PRId64
				     " s, unless \"zt6-bpf confirm\" comes first\n",
		       "trial", left);
}

const struct status_part status_trial = {
	.key = "trial",
	.judge = judge,
	.json = json,
	.print = print,
};
