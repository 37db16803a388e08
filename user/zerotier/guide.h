/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What to type or click, with the values of this gateway. */
#ifndef ZT6_ZEROTIER_GUIDE_H
#define ZT6_ZEROTIER_GUIDE_H

#include "survey.h"

/* Each prints to stdout; the id of the gateway's node must be known. */
void guide_controller(const struct zerotier_survey *survey);
void guide_linux(const struct zerotier_survey *survey);
void guide_macos(const struct zerotier_survey *survey);
void guide_windows(const struct zerotier_survey *survey);

/* Whether the gateway's configuration has the shipped rules stand before the members. */
bool guide_has_rules(const struct zerotier_survey *survey);

#endif
