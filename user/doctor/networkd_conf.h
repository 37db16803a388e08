/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ZT6_DOCTOR_NETWORKD_CONF_H
#define ZT6_DOCTOR_NETWORKD_CONF_H

#include <stdbool.h>

/* What systemd-networkd does with what others have made; both are on unless its files say otherwise. */
struct networkd_conf {
	bool foreign_routes, foreign_rules;
};

/* Reads networkd.conf and its drop-ins as networkd.conf(5) has it. */
void networkd_conf_read(struct networkd_conf *out);

#endif
