/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What would happen to a packet: the programs' own verdict, and the facts that it follows from. */
#ifndef ZT6_EXPLAIN_H
#define ZT6_EXPLAIN_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

#include "explain_facts.h"
#include "explain_twin.h"

/* Every port natively, every proxied port also with a solicitation. */
#define EXPLAIN_MAX_CASES (2 * ZT6_MAX_PORTS)

enum explain_kind {
	EXPLAIN_PACKET,       /* UDP to the address */
	EXPLAIN_SOLICITATION, /* a Neighbour Solicitation for it */
};

struct explain_question {
	union zt6_addr dst;
	union zt6_addr src; /* when has_src is set; else one is assumed */
	bool has_src;
	int slot; /* the port that it comes from, or -1: wherever it may */
};

/* One packet on one port. */
struct explain_case {
	enum explain_kind kind;
	__u8 port;   /* slot that it comes from: the tunnel's for what comes out of 6in4 */
	__u8 device; /* slot of the Ethernet port whose program sees it */
	union zt6_addr src;
	bool src_assumed;
	const struct model_rule *rule;    /* of a solicitation: longest match, or NULL */
	const struct model_prefix *owner; /* of the source: longest match, or NULL */
	struct kernel_route route;
	struct kernel_neighbour neighbour; /* that the route leads to */
	struct twin_knowledge knowledge;   /* of a solicitation's target */
	struct twin_answer answer;
};

struct explanation {
	union zt6_addr dst;
	const struct model_prefix *owner; /* of dst: longest match, or NULL */
	struct explain_case cases[EXPLAIN_MAX_CASES];
	size_t count;
};

/**
 * explain - find out what happens to packets.
 * @model: of the instance, as running_read() gives it; @out points into it
 * @out: nothing to free
 *
 * Returns 0, also when no port is there that such a packet could come in by (out->count), or a
 * negative error with a message.
 */
int explain(const struct instance *instance, const struct model *model, struct nl_sock *nl,
	    const struct explain_question *question, struct explanation *out);

#endif
