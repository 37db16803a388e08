/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The loaded programs' twin, which `explain` lets packets run through.
 *
 * A packet leaves traces in the programs' maps: it is counted, takes a token, fills the route cache,
 * makes its sender a member seen at that MAC, hands its target to the agent, who then answers. An
 * explained packet must leave none, and no update from userspace takes them out again without losing
 * what live packets add meanwhile. So it runs, by BPF_PROG_TEST_RUN, through a second copy of the
 * same programs: loaded for the occasion, never attached nor pinned, on maps of its own that hold
 * what those of the instance hold. That the copy is one is not assumed but compared: the kernel's tag
 * is a hash of a program's instructions.
 */
#ifndef ZT6_EXPLAIN_TWIN_H
#define ZT6_EXPLAIN_TWIN_H

#include <stdbool.h>
#include <stddef.h>

#include "explain_packet.h"
#include "instance.h"
#include "loader/model.h"

struct twin;

/* What became of a packet. */
struct twin_answer {
	enum zt6_verdict verdict;
	__u8 frame[EXPLAIN_FRAME_MAX]; /* as the program left it */
	size_t length;
	bool has_route;         /* the program came as far as filling its cache */
	struct zt6_route route; /* with what */
};

/* What the agent has found out about a target, and whether it is there. */
struct twin_knowledge {
	__u64 verified_ns; /* for how long this holds yet; 0: not verified */
	__u64 absent_ns;
	bool agent_running;
};

/**
 * twin_load - load the twin of a running instance.
 * @slots: a bit for each port whose program is needed: the kernel takes its time to verify one
 *
 * Returns 0, or a negative error with a message.
 */
int twin_load(const struct instance *instance, const struct model *model, __u32 slots,
	      struct twin **out);

/**
 * twin_run - let one packet run through a port's program.
 * @slot: of the Ethernet port, one of those that were asked for
 * @from: slot that the packet comes from: of a tunnel, where it does
 * @addr: that the packet is about
 * @knowledge: out, what there is of @addr on @slot
 *
 * Every packet finds the state of the instance, and no trace of those that ran before. Returns 0, or
 * a negative error with a message: -ESTALE when another build's program is loaded on the port.
 */
int twin_run(struct twin *twin, __u32 slot, __u8 from, const union zt6_addr *addr,
	     const __u8 *frame, size_t length, struct twin_answer *out,
	     struct twin_knowledge *knowledge);

void twin_free(struct twin *twin);

#endif
