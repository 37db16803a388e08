// SPDX-License-Identifier: GPL-2.0-or-later
/* `status`: the agent. */
#include <stdio.h>

#include "status_parts.h"

static void judge(struct status *status)
{
	bool verifies = false;

	for (size_t i = 0; i < status->model.rule_count; i++)
		verifies |= status->model.rules[i].value.method != ZT6_METHOD_STATIC;
	if (status->agent_running)
		return;
	findings_add(&status->findings, verifies ? FINDING_ERROR : FINDING_WARNING,
		     "the agent is not running%s",
		     verifies ? ": targets that the kernel does not know yet stay unanswered" : "");
	findings_why(&status->findings,
		     "nobody follows interfaces that come back, members whose MAC changes, the "
		     "tunnel's health and what ZeroTier's service says");
	findings_remedy(&status->findings,
			"run \"systemctl restart zt6-bpf-agent@%s\", or \"zt6-bpf agent\"",
			status->instance->name);
}

static json_t *json(const struct status *status)
{
	json_t *age = status->heartbeat_age_ns == UINT64_MAX
			      ? json_null()
			      : json_integer((json_int_t)(status->heartbeat_age_ns / 1000000));

	return json_pack("{s:b, s:o}", "running", status->agent_running, "heartbeat_age_ms", age);
}

static void print(const struct status *status)
{
	if (status->heartbeat_age_ns == UINT64_MAX)
		printf(STATUS_COLUMN "not running\n", "agent");
	else
		printf(STATUS_COLUMN "%s, last heard of %.1f s ago\n", "agent",
		       status->agent_running ? "running" : "not running",
		       (double)status->heartbeat_age_ns / 1e9);
}

const struct status_part status_agent = {
	.key = "agent",
	.judge = judge,
	.json = json,
	.print = print,
};
