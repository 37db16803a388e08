/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the Internet can open of members, by the rules that are loaded. */
#ifndef ZT6_EXPOSURE_H
#define ZT6_EXPOSURE_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>

#include "addr.h"
#include "firewall.h"
#include "loader/model.h"

enum exposure_extent {
	EXPOSURE_LISTED,     /* what the shipped rules list */
	EXPOSURE_OTHERS,     /* what the administrator's own rules let in: not known here */
	EXPOSURE_EVERYTHING, /* nothing holds anything back */
};

/* Ports of tcp or udp, types of icmpv6, or protocols by their numbers. */
struct exposure_opening {
	const char *protocol; /* as in the configuration */
	unsigned int first, last;
	struct prefix from;
};

struct exposure_openings {
	struct exposure_opening *list;
	size_t count;
};

enum exposure_extent exposure_extent(const struct firewall *firewall, bool policy_off);

/* Why it is so, in one sentence; "" when there is nothing to say. */
#define EXPOSURE_REMARK 400
const char *exposure_remark(const struct firewall *firewall, bool policy_off,
			    char text[EXPOSURE_REMARK]);

/**
 * exposure_openings - what the shipped rules let in to a member.
 * @out: to be freed with exposure_free(); of the texts in it @firewall is the owner
 *
 * ICMPv6 errors are left out: they open nothing. Returns 0 or -ENOMEM.
 */
int exposure_openings(const struct firewall *firewall, const struct in6_addr *member,
		      struct exposure_openings *out);

void exposure_free(struct exposure_openings *openings);

/* The slot of the port behind which members of this address are; ZT6_NO_PORT when it is in none of
 * their prefixes, or the gateway's own. */
unsigned int exposure_port(const struct model *model, const struct in6_addr *member);

#endif
