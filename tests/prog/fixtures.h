/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Cases as make_cases.py writes them: frames in, and what is expected of each. net.py documents
 * the fields where they are made. */
#ifndef FIXTURES_H
#define FIXTURES_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "zt6_abi.h"

struct bytes {
	uint8_t *data;
	size_t length;
};

struct span {
	size_t offset, length;
};

/* How a frame ends. */
struct ending {
	unsigned int verdict; /* enum zt6_verdict, or ZT6_VERDICT_COUNT: nothing is counted */
	int action;           /* enum xdp_action, or TC_ACT_* */
	struct bytes out;     /* no data: the frame comes out as it went in */
	struct span any;      /* bytes of `out` that may be anything, but not always the same */
	bool ipv4_checksum;   /* verify that of the outer header instead of comparing it */
	bool unbound;         /* it is counted as one whose source is bound to another MAC */
};

struct expected_event {
	struct zt6_event event; /* without its port */
	const char *port;
};

/* What the agent knows of a target. */
struct told {
	struct zt6_address_key target; /* without its port */
	const char *port;
	bool verified;    /* in use; else known not to be */
	long long for_ms; /* from now on; negative: until then */
};

struct step {
	const char **commands; /* shell, run first */
	size_t command_count;
	bool bump;            /* then, as the agent would: the cache is outdated */
	unsigned int wait_ms; /* then */
	__u64 age_s;          /* then: by so much is what was heard of members older */
	const char **drained; /* then: ports of which one bucket is empty for a while */
	size_t drained_count;
	enum zt6_bucket drain;
	bool agent; /* then: there is one, last heard of `heartbeat_ms` ago */
	long long heartbeat_ms;
	struct told *told; /* then */
	size_t told_count;
	const char *forwarded_to; /* then: the kernel itself sends the frames out of there */
	const char *port;         /* NULL: the step has no frame */
	const char *counts;       /* the port that counts them: that one, or a tunnel's */
	bool tc;                  /* to the TC program behind XDP */
	struct bytes *frames;     /* each is a frame of its own, under the same expectation */
	size_t frame_count;
	size_t linear; /* bytes not in fragments; 0: as many as the kernel allows */
	/* In TC: each frame is an aggregate of so many packets with so much payload each; 0: it is not. */
	size_t segments, segment_size;
	struct ending expect;
	/* A flood: the frames, again and again, `flood` of them in all. What the port's bucket holds
	 * ends as expected, the rest in `beyond`. */
	size_t flood;
	enum zt6_bucket bucket;
	const char *limit_port; /* instead: `limit` of the members of that port ... */
	size_t limit_bytes;     /* of which each frame takes so many */
	struct ending beyond;
	bool check_events;
	struct expected_event *events;
	size_t event_count;
};

struct test_case {
	const char *name;
	bool once; /* not a second time, on the cache that the first time left */
	struct step *steps;
	size_t step_count;
	const char **cleanup; /* shell */
	size_t cleanup_count;
};

struct scenario {
	const char *name;
	const char *conf;
	const char **setup, **cleanup; /* shell, around all cases */
	size_t setup_count, cleanup_count;
	struct test_case *cases;
	size_t case_count;
};

struct fixtures {
	struct scenario *scenarios;
	size_t scenario_count;
};

/* Reads a whole file of cases, which stays in memory as long as the process. NULL, and a message
 * on stderr, when it is not as it should be. */
const struct fixtures *fixtures_load(const char *path);

#endif
