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

struct harness;

struct outcome {
	int action; /* enum xdp_action */
	size_t length;
	uint8_t frame[FRAME_MAX];
};

/* New network namespace for this process, with what the shell script @topology puts into it. The
 * process stays on one CPU, so that it always meets the same part of per-CPU maps. */
int harness_open(const char *topology, struct harness **out);
void harness_close(struct harness *harness);

/* Loads the programs and fills the maps for a configuration text, in place of what was loaded. */
int harness_load(struct harness *harness, const char *conf);
void harness_unload(struct harness *harness);

/* Runs a shell command in the namespace; -EIO when its exit status is not 0. */
int harness_shell(const char *command);

/* Slot of a configured port, or -ENOENT. */
int harness_slot(const struct harness *harness, const char *port);

/* What limits a kind of packet on a port; interval_ns is 0 where nothing does. */
const struct zt6_rate *harness_rate(const struct harness *harness, unsigned int slot,
				    enum zt6_bucket bucket);

/* The i-th configured port that has an XDP program, or NULL when there are no more. */
const struct zt6_port *harness_port(const struct harness *harness, unsigned int i);

/**
 * harness_run - one frame arrives.
 * @slot: port that it arrives on
 * @linear: bytes of it that are not in fragments, or 0 for as many as the kernel allows
 *
 * -EOPNOTSUPP when the kernel cannot choose @linear (before Linux 6.18).
 */
int harness_run(struct harness *harness, unsigned int slot, const uint8_t *frame, size_t length,
		size_t linear, struct outcome *out);

/* As the agent does after a change of routes or neighbours: the route cache holds nothing. */
int harness_bump(struct harness *harness);

/* A gateway at rest: an empty route cache, full token buckets, no target handed to the agent, and
 * an agent that is alive. */
int harness_reset(struct harness *harness);

/* The agent as the programs see it: when it last went round its loop (CLOCK_MONOTONIC). */
int harness_heartbeat(struct harness *harness, __u64 ns);

/* Counters of all slots, summed over the CPUs. */
int harness_counters(struct harness *harness, struct zt6_port_counters counters[ZT6_MAX_PORTS]);

/* Takes all events that the programs left for the agent; returns how many there were (the first
 * @max of them are in @events), or a negative error. */
int harness_events(struct harness *harness, struct zt6_event *events, size_t max);

const char *verdict_name(unsigned int verdict);

#endif
