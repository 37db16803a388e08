// SPDX-License-Identifier: GPL-2.0-or-later
/* `doctor`: what the ZeroTier networks lack. Of an instance that is up `status` has said it. */
#include "../zerotier/find.h"
#include "../zerotier/survey.h"
#include "doctor.h"

static void examine(struct doctor *doctor)
{
	const struct conf *conf = doctor->conf;

	for (size_t i = 0; i < conf->zerotier_count && !doctor->status; i++) {
		const struct conf_zerotier *section = &conf->zerotiers[i];
		struct findings found = {0};
		struct zerotier_survey survey;

		if (zerotier_survey(conf, section, &survey))
			continue;
		zerotier_survey_findings(&survey, zerotier_needs_service(section), &found);
		findings_append(&doctor->findings, &found, FINDING_WARNING);
		findings_free(&found);
		zerotier_survey_free(&survey);
	}
}

const struct doctor_area doctor_zerotier = {
	.name = "zerotier",
	.matters = ZEROTIER_MATTERS,
	.examine = examine,
};
