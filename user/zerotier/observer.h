/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the service says of one network, kept up to date beside the agent's event loop.
 *
 * It runs on http.h: one more file descriptor in the agent's epoll, no thread, no child and no signal.
 * An address instead of a name is asked, so that nothing of libcurl can block; the files of the home
 * folder are a few bytes. A service that hangs costs a timer.
 */
#ifndef ZT6_ZEROTIER_OBSERVER_H
#define ZT6_ZEROTIER_OBSERVER_H

#include "api.h"

struct zerotier_view {
	struct zerotier_node node;
	struct zerotier_network network;
	struct zerotier_peers peers;
	bool known;                 /* the three above hold an answer, perhaps an old one */
	uint64_t read_ns;           /* CLOCK_MONOTONIC of that answer */
	int err;                    /* of the last round: 0, or like those of api.h */
	char why[ZEROTIER_WHY_MAX]; /* of err */
};

struct zerotier_observer;

/* 0 or -ENOMEM. */
int zerotier_observer_new(uint64_t network, struct zerotier_observer **out);

/* Readable when zerotier_observer_run() has something to do. */
int zerotier_observer_fd(const struct zerotier_observer *observer);

/* Begins a round of questions, unless one is under way. Run it once after this: a round that cannot
 * begin has ended already, and makes nothing readable. */
void zerotier_observer_ask(struct zerotier_observer *observer);

/* Never waits. Returns whether a round has ended: then the view has changed. */
bool zerotier_observer_run(struct zerotier_observer *observer);

/* What is known: answers survive rounds that fail. Valid until the next call of _run(). */
const struct zerotier_view *zerotier_observer_view(const struct zerotier_observer *observer);

void zerotier_observer_free(struct zerotier_observer *observer);

#endif
