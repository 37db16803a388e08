/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which rules of nftables stand between the Internet and the members of an instance that is up: our
 * own, as `up` loaded them, and the administrator's. */
#ifndef ZT6_FIREWALL_H
#define ZT6_FIREWALL_H

#include <jansson.h>

#include "instance.h"
#include "loader/nft.h"
#include "ruleset.h"

enum firewall_state {
	FIREWALL_NONE,    /* `up` has loaded no table */
	FIREWALL_LOADED,  /* the kernel has it as it was loaded */
	FIREWALL_CHANGED, /* somebody has changed it since */
	FIREWALL_GONE,    /* somebody has removed it */
	FIREWALL_UNKNOWN, /* the kernel does not tell */
};

struct firewall {
	char table[RULESET_TABLE_MAX];
	bool own_rules; /* the administrator's, under `rules none` */
	enum firewall_state state;
	json_t *allows; /* what is listed: [{protocol, ports: [[first, last]], to, from}] */
	struct nft_chain *chains; /* of others that see forwarded IPv6 packets */
	size_t chain_count;
	int chains_err; /* why they are not known; 0: they are */
};

/**
 * firewall_read - look at the tables of an instance, and at those of others.
 * @out: to be freed with firewall_free()
 *
 * What cannot be read is noted in @out. Returns 0, or the error of reading the journal, with a
 * message.
 */
int firewall_read(const struct instance *instance, struct firewall *out);

/* Whether somebody else's chain may drop a forwarded packet. */
bool firewall_others_filter(const struct firewall *firewall);

/* Writes the names of others' chains that have rules, separated by commas, into @text and returns
 * it. */
const char *firewall_chain_names(const struct firewall *firewall, char *text, size_t size);

/* Says as a warning, after `up`, where rules do not hold what one might expect of them. */
void firewall_warn(const struct instance *instance, bool policy_off);

void firewall_free(struct firewall *firewall);

/* "none", "loaded", "changed", "gone", "unknown" */
const char *firewall_state_name(enum firewall_state state);

#endif
