/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the service says of one network, kept up to date beside the agent's event loop.
 *
 * It runs on http.h: one more file descriptor in the agent's epoll, no thread, no child and no signal.
 * An address instead of a name is asked, so that nothing of libcurl can block. A service that hangs
 * costs a timer.
 */
#ifndef ZT6_ZEROTIER_OBSERVER_H
#define ZT6_ZEROTIER_OBSERVER_H

#include "view.h"

struct zerotier_observer;

/* 0 or -ENOMEM. */
int zerotier_observer_new(uint64_t network, struct zerotier_observer **out);

/* Readable when zerotier_observer_run() has something to do. */
int zerotier_observer_fd(const struct zerotier_observer *observer);

/* What the configuration wants of the network: a mask of enum zt6_wish. A round that finds it
 * otherwise sets it. */
void zerotier_observer_wish(struct zerotier_observer *observer, unsigned int wishes);

/* Begins a round of questions, unless one is under way. Run it once after this: a round that cannot
 * begin has ended already, and makes nothing readable. */
void zerotier_observer_ask(struct zerotier_observer *observer,
			   const struct zerotier_service *service);

/* The same where it is not known how to ask: the round ends with this error. */
void zerotier_observer_fail(struct zerotier_observer *observer, int err, const char *why);

/* Never waits. Returns whether a round has ended: then the view has changed. */
bool zerotier_observer_run(struct zerotier_observer *observer);

/* What is known: answers survive rounds that fail. Valid until the next call of _run(). */
const struct zerotier_view *zerotier_observer_view(const struct zerotier_observer *observer);

void zerotier_observer_free(struct zerotier_observer *observer);

#endif
