/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The interfaces of the configured networks, and what the configuration has set over the API. */
#ifndef ZT6_ZEROTIER_FIND_H
#define ZT6_ZEROTIER_FIND_H

#include "../conf.h"

enum zerotier_found {
	ZEROTIER_FOUND,    /* the service says so */
	ZEROTIER_EXPECTED, /* the service cannot say yet; it is what it will call it */
};

/* Whether something of the section can be had of the service alone. */
bool zerotier_needs_service(const struct conf_zerotier *section);

/**
 * zerotier_find_interface - learn the name of a network's interface.
 * @section: joined first if it says `join yes`, and its allow-* set where they differ
 * @dry_run: only ask
 *
 * What is amiss is said as a warning, with what to do about it: the service may start, and the
 * controller authorise this gateway, at any time later. Takes seconds at most.
 */
enum zerotier_found zerotier_find_interface(const struct conf_zerotier *section, bool dry_run,
					    char name[IFNAMSIZ]);

/**
 * zerotier_resolve - do that for every section that needs the service, and write the names of
 * `interface auto` into the configuration.
 *
 * Returns 0, or -EEXIST with a message when the name is already another port's.
 */
int zerotier_resolve(struct conf *conf, bool dry_run);

#endif
