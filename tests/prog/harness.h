/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A gateway to throw frames at: the real programs and maps, filled by the loader's own code, in a
 * network namespace with the interfaces, routes and neighbours of topology.sh. Frames enter by
 * BPF_PROG_TEST_RUN; nothing is attached and nothing leaves the namespace.
 *
 * Functions return 0 or a negative error, and say on stderr what failed.
 */
#ifndef HARNESS_H
#define HARNESS_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "zt6_abi.h"

/* Jumbo frame and its Ethernet header, and room for the 20 bytes of an outer IPv4 header. */
#define FRAME_MAX 10240
/* BPF_PROG_TEST_RUN takes no frame without an Ethernet header. */
#define FRAME_MIN 14
/* Nor, for TC, one without an IP header behind that, or of more than a page less headroom. */
#define FRAME_TC_MIN 54
#define FRAME_TC_MAX 3400

struct harness;

struct outcome {
	int action; /* enum xdp_action, or TC_ACT_* */
	size_t length;
	uint8_t frame[FRAME_MAX];
};

/* New network namespace for this process, with what the shell script @topology puts into it. The
 * process stays on one CPU, so that it always meets the same part of per-CPU maps. */
int harness_open(const char *topology, struct harness **out);
void harness_close(struct harness *harness);

/* From the next harness_load() on the ports have the pipeline in TC instead of in XDP. */
void harness_use_tc(struct harness *harness);

/* Loads the programs and fills the maps for a configuration text, in place of what was loaded.
 * Where ports and limits are the same only the maps are filled anew, as a second `up` does it. */
int harness_load(struct harness *harness, const char *conf);

/* Runs a shell command in the namespace; -EIO when its exit status is not 0. */
int harness_shell(const char *command);

/* Slot of a configured port, or -ENOENT. */
int harness_slot(const struct harness *harness, const char *port);

/* All ZT6_MAX_PORTS ports by slot, and the settings, as the maps hold them. */
const struct zt6_port *harness_ports(const struct harness *harness);
const struct zt6_settings *harness_settings(const struct harness *harness);

/* Whether frames can arrive on a slot; on a tunnel's they cannot. */
bool harness_has_xdp(const struct harness *harness, unsigned int slot);

/**
 * harness_run - one frame arrives.
 * @slot: port that it arrives on
 * @linear: bytes of it that are not in fragments, or 0 for as many as the kernel allows
 *
 * -EOPNOTSUPP when the kernel cannot choose @linear (before Linux 6.18).
 */
int harness_run(struct harness *harness, unsigned int slot, const uint8_t *frame, size_t length,
		size_t linear, struct outcome *out);

/* One frame arrives at the pipeline in TC; it takes frames of FRAME_TC_MIN to FRAME_TC_MAX bytes.
 * @segments, @segment_size: of an aggregate, packets and payload bytes of each; or 0 */
int harness_run_tc_port(struct harness *harness, unsigned int slot, const uint8_t *frame,
			size_t length, size_t segments, size_t segment_size, struct outcome *out);

/* Whether a TC program takes what the pipeline passes up on a slot. */
bool harness_has_tc(const struct harness *harness, unsigned int slot);

/* The same for that program. */
int harness_run_tc(struct harness *harness, unsigned int slot, const uint8_t *frame, size_t length,
		   struct outcome *out);

/* The kernel sends a frame that came in on the slot @from out of @to: the witness sees it, and leaves it
 * as it is. -EOPNOTSUPP where none is loaded. */
int harness_witness(struct harness *harness, unsigned int from, unsigned int to,
		    const uint8_t *frame, size_t length);

/* As the agent does after a change of routes or neighbours: the route cache holds nothing. */
int harness_bump(struct harness *harness);

/* A gateway at rest: an empty route cache, full token buckets, no agent, no event for it, and
 * nothing known of any target, member or path. */
int harness_reset(struct harness *harness);

/* The agent as the programs see it: when it last went round its loop (CLOCK_MONOTONIC), or 0. */
int harness_heartbeat(struct harness *harness, __u64 ns);

/* What the agent writes down of a target: that it is in use or, not @verified, that it is not,
 * until then (CLOCK_MONOTONIC). */
int harness_tell(struct harness *harness, const struct zt6_address_key *target, bool verified,
		 __u64 until_ns);

/* A bucket of a slot's is empty, and stays so for a minute. */
int harness_drain(struct harness *harness, unsigned int slot, enum zt6_bucket bucket);

/* What was last heard of each member is so much longer ago. */
int harness_age_members(struct harness *harness, __u64 ns);

/* Now, on CLOCK_MONOTONIC. */
__u64 now_ns(void);

/* Counters of all slots, summed over the CPUs. */
int harness_counters(struct harness *harness, struct zt6_port_counters counters[ZT6_MAX_PORTS]);

/* Takes all events that the programs left for the agent; returns how many there were (the first
 * @max of them are in @events), or a negative error. */
int harness_events(struct harness *harness, struct zt6_event *events, size_t max);

const char *verdict_name(unsigned int verdict);

#endif
