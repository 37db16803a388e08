/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "observer.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/types.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../http.h"
#include "zt6_abi.h"

/* In this order. A network that is as configured needs no settling; only a controller on this machine
 * has something to say of its members, and that takes a request for each: not in every round. */
enum step {
	STEP_NODE,
	STEP_NETWORK,
	STEP_SETTLE,
	STEP_PEERS,
	STEP_CONTROLLER,
	STEP_MEMBER_LIST,
	STEP_MEMBER,
	STEP_END
};

#define CONTROLLER_ROUNDS 5

struct zerotier_observer {
	uint64_t network;
	unsigned int wishes;
	struct http *http;
	struct zerotier_service service; /* during a round */
	enum step step;
	size_t member; /* of STEP_MEMBER: index in next.controller */
	bool asking, ended;
	unsigned int controller_in; /* rounds until the controller is asked again */
	struct zerotier_view view;  /* complete rounds only */
	struct zerotier_view next;  /* being filled */
};

/* A round that failed changes only what is said about it. */
static void end_round(struct zerotier_observer *observer, int err)
{
	struct zerotier_view *view = &observer->view, *next = &observer->next;
	struct timespec now;

	zerotier_service_close(&observer->service);
	observer->asking = false;
	observer->ended = true;
	if (err) {
		if (!*next->why)
			zerotier_explain(next->why, "cannot ask zerotier-one: %s", strerror(-err));
		view->err = err;
		memcpy(view->why, next->why, sizeof(view->why));
		zerotier_view_clear(next);
		return;
	}
	clock_gettime(CLOCK_MONOTONIC, &now);
	next->known = true;
	next->read_ns = (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
	*next->why = '\0';
	if (observer->controller_in && view->is_controller) {
		next->is_controller = true;
		next->controller = view->controller;
		view->controller = (struct zerotier_controller){0};
	}
	observer->controller_in =
		observer->controller_in ? observer->controller_in - 1 : CONTROLLER_ROUNDS - 1;
	zerotier_view_clear(view);
	*view = *next;
	*next = (struct zerotier_view){0};
}

static bool differs(unsigned int wishes, unsigned int set, unsigned int yes, bool is)
{
	return (wishes & set) && !(wishes & yes) == is;
}

/* Whether the network is other than it is wished to be. */
static bool needs_settling(const struct zerotier_observer *observer)
{
	const struct zerotier_network *is = &observer->next.network;
	unsigned int wishes = observer->wishes;

	if (!observer->next.joined)
		return wishes & ZT6_WISH_JOIN;
	return differs(wishes, ZT6_WISH_MANAGED, ZT6_WISH_MANAGED_YES, is->allow_managed) ||
	       differs(wishes, ZT6_WISH_GLOBAL, ZT6_WISH_GLOBAL_YES, is->allow_global) ||
	       differs(wishes, ZT6_WISH_DEFAULT, ZT6_WISH_DEFAULT_YES, is->allow_default);
}

static bool is_due(const struct zerotier_observer *observer, enum step step)
{
	const struct zerotier_view *next = &observer->next;

	switch (step) {
	case STEP_SETTLE:
		return needs_settling(observer);
	case STEP_CONTROLLER:
		return !observer->controller_in &&
		       zerotier_controller_node(observer->network) == next->node.id;
	case STEP_MEMBER_LIST:
		return next->is_controller;
	case STEP_MEMBER:
		return observer->member < next->controller.member_count;
	default:
		return true;
	}
}

/* What follows on the answer that has just come. */
static enum step following(struct zerotier_observer *observer)
{
	enum step step = observer->step;

	if (step == STEP_MEMBER)
		observer->member++;
	else
		step++;
	while (step < STEP_END && !is_due(observer, step))
		step++;
	return step;
}

static int parse_network(struct zerotier_observer *observer, const struct http_answer *answer)
{
	struct zerotier_view *next = &observer->next;
	int err;

	zerotier_network_free(&next->network);
	err = zerotier_parse_network(answer->body, answer->length, observer->network,
				     &next->network, next->why);
	next->joined = !err;
	return err;
}

static int parse(struct zerotier_observer *observer, const struct http_answer *answer)
{
	struct zerotier_view *next = &observer->next;
	int err;

	switch (observer->step) {
	case STEP_NODE:
		return zerotier_parse_node(answer->body, answer->length, &next->node, next->why);
	case STEP_NETWORK:
	case STEP_SETTLE:
		return parse_network(observer, answer);
	case STEP_PEERS:
		return zerotier_parse_peers(answer->body, answer->length, &next->peers, next->why);
	case STEP_CONTROLLER:
		next->controller.network = observer->network;
		err = zerotier_parse_controller(answer->body, answer->length, &next->controller,
						next->why);
		next->is_controller = !err;
		return err;
	case STEP_MEMBER_LIST:
		return zerotier_parse_member_list(answer->body, answer->length, &next->controller,
						  next->why);
	default:
		return zerotier_parse_member(answer->body, answer->length,
					     &next->controller.members[observer->member],
					     next->why);
	}
}

/* Not to have joined, not to be the network's controller although the id says so, and a member that
 * was deleted since it was listed are answers. */
static bool may_be_unknown(enum step step)
{
	return step == STEP_NETWORK || step == STEP_CONTROLLER || step == STEP_MEMBER;
}

static void path_of(const struct zerotier_observer *observer, char *path)
{
	switch (observer->step) {
	case STEP_NODE:
		snprintf(path, ZEROTIER_CONTROLLER_PATH_MAX, "/status");
		break;
	case STEP_PEERS:
		snprintf(path, ZEROTIER_CONTROLLER_PATH_MAX, "/peer");
		break;
	case STEP_CONTROLLER:
		zerotier_controller_path(observer->network, path);
		break;
	case STEP_MEMBER_LIST:
		zerotier_member_list_path(observer->network, path);
		break;
	case STEP_MEMBER:
		zerotier_member_path(observer->network,
				     observer->next.controller.members[observer->member].node,
				     path);
		break;
	default:
		snprintf(path, ZEROTIER_CONTROLLER_PATH_MAX, "/network/%016" PRIx64,
			 observer->network);
	}
}

/* The body of the POST that makes the network what it is wished to be. */
static char *settling_body(unsigned int wishes)
{
	const bool managed = wishes & ZT6_WISH_MANAGED_YES, global = wishes & ZT6_WISH_GLOBAL_YES;
	const bool by_default = wishes & ZT6_WISH_DEFAULT_YES;
	const struct zerotier_flags flags = {
		.allow_managed = wishes & ZT6_WISH_MANAGED ? &managed : NULL,
		.allow_global = wishes & ZT6_WISH_GLOBAL ? &global : NULL,
		.allow_default = wishes & ZT6_WISH_DEFAULT ? &by_default : NULL,
	};

	return zerotier_flags_body(&flags);
}

static void take_answer(const struct http_answer *answer, void *arg);

static int ask(struct zerotier_observer *observer)
{
	char path[ZEROTIER_CONTROLLER_PATH_MAX], *body = NULL;
	struct zerotier_request request = {0};
	struct http_request http;
	int err;

	path_of(observer, path);
	zerotier_request(&observer->service, path, &request, &http);
	if (observer->step == STEP_SETTLE) {
		body = settling_body(observer->wishes);
		http.post = body;
	}
	err = observer->step == STEP_SETTLE && !body
		      ? -ENOMEM
		      : http_start(observer->http, &http, take_answer, observer);
	free(body);
	zerotier_request_clear(&request);
	return err;
}

static void take_answer(const struct http_answer *answer, void *arg)
{
	struct zerotier_observer *observer = arg;
	int err = zerotier_judge(&observer->service, answer, observer->next.why);

	if (!err)
		err = parse(observer, answer);
	else if (err == -ENOENT && may_be_unknown(observer->step))
		err = 0;
	if (!err) {
		observer->step = following(observer);
		if (observer->step < STEP_END)
			err = ask(observer);
	}
	if (err || observer->step == STEP_END)
		end_round(observer, err);
}

int zerotier_observer_new(uint64_t network, struct zerotier_observer **out)
{
	struct zerotier_observer *observer = calloc(1, sizeof(*observer));

	if (!observer)
		return -ENOMEM;
	observer->http = http_new();
	if (!observer->http) {
		free(observer);
		return -ENOMEM;
	}
	observer->network = network;
	*out = observer;
	return 0;
}

int zerotier_observer_fd(const struct zerotier_observer *observer)
{
	return http_fd(observer->http);
}

void zerotier_observer_wish(struct zerotier_observer *observer, unsigned int wishes)
{
	observer->wishes = wishes;
}

void zerotier_observer_ask(struct zerotier_observer *observer,
			   const struct zerotier_service *service)
{
	int err;

	if (observer->asking)
		return;
	observer->asking = true;
	observer->step = STEP_NODE;
	observer->member = 0;
	observer->service = *service;
	err = ask(observer);
	if (err)
		end_round(observer, err);
}

void zerotier_observer_fail(struct zerotier_observer *observer, int err, const char *why)
{
	if (observer->asking)
		return;
	zerotier_explain(observer->next.why, "%s", why);
	end_round(observer, err);
}

bool zerotier_observer_run(struct zerotier_observer *observer)
{
	bool ended;

	http_run(observer->http);
	ended = observer->ended;
	observer->ended = false;
	return ended;
}

const struct zerotier_view *zerotier_observer_view(const struct zerotier_observer *observer)
{
	return &observer->view;
}

void zerotier_observer_free(struct zerotier_observer *observer)
{
	if (!observer)
		return;
	http_free(observer->http);
	zerotier_service_close(&observer->service);
	zerotier_view_clear(&observer->view);
	zerotier_view_clear(&observer->next);
	free(observer);
}
