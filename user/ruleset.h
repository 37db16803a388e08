/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The firewall as nftables' own language: what the section `firewall` asks for, in tables of the
 * instance's own. */
#ifndef ZT6_RULESET_H
#define ZT6_RULESET_H

#include "conf.h"

#define RULESET_TABLE_MAX 64

/* Packets per second, over all members: echo requests from outside, and errors of no known flow. */
#define RULESET_ICMPV6_RATE 500

/* Writes the name of an instance's tables, the same in each family, into @table and returns it. */
const char *ruleset_table(const char *instance, char table[RULESET_TABLE_MAX]);

/**
 * ruleset_text - the definitions of the tables.
 * @table: their name
 *
 * With `rules none` just what makes the kernel track connections. Returns text to be freed; NULL when
 * memory is out. Not to be called with `policy off`, which has no rules.
 */
char *ruleset_text(const struct conf *conf, const char *table);

#endif
