// SPDX-License-Identifier: GPL-2.0-or-later
/* `doctor`: programs that do beside us what is ours to do. */
#include "doctor.h"
#include "processes.h"

static void examine(struct doctor *doctor)
{
	struct findings *out = &doctor->findings;
	pid_t ndppd = process_find("ndppd");

	if (!ndppd)
		return;
	findings_add(out, FINDING_ERROR, "ndppd is running (process %d)", (int)ndppd);
	findings_why(out,
		     "two answer each solicitation, and ndppd also for members that have gone");
	findings_remedy(out, "run \"systemctl disable --now ndppd\"; \"zt6-bpf import ndppd "
			     "/etc/ndppd.conf\" prints its rules for our configuration");
}

const struct doctor_area doctor_programs = {
	.name = "programs",
	.examine = examine,
};
