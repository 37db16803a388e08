/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "observer.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../http.h"

enum step { STEP_NODE, STEP_NETWORK, STEP_PEERS, STEP_END };

struct zerotier_observer {
	uint64_t network;
	struct http *http;
	struct zerotier_service service; /* during a round */
	enum step step;
	bool asking, ended;
	struct zerotier_view view; /* complete rounds only */
	struct zerotier_view next; /* being filled */
};

static void view_clear(struct zerotier_view *view)
{
	zerotier_node_free(&view->node);
	zerotier_network_free(&view->network);
	zerotier_peers_free(&view->peers);
	*view = (struct zerotier_view){0};
}

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
		view_clear(next);
		return;
	}
	clock_gettime(CLOCK_MONOTONIC, &now);
	next->known = true;
	next->read_ns = (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
	view_clear(view);
	*view = *next;
	*next = (struct zerotier_view){0};
}

static int parse(struct zerotier_observer *observer, const struct http_answer *answer)
{
	struct zerotier_view *next = &observer->next;

	switch (observer->step) {
	case STEP_NODE:
		return zerotier_parse_node(answer->body, answer->length, &next->node, next->why);
	case STEP_NETWORK:
		return zerotier_parse_network(answer->body, answer->length, observer->network,
					      &next->network, next->why);
	default:
		return zerotier_parse_peers(answer->body, answer->length, &next->peers, next->why);
	}
}

static void take_answer(const struct http_answer *answer, void *arg);

static int ask(struct zerotier_observer *observer)
{
	char path[40];
	struct zerotier_request request = {0};
	struct http_request http;
	int err;

	if (observer->step == STEP_NETWORK)
		snprintf(path, sizeof(path), "/network/%016" PRIx64, observer->network);
	else
		snprintf(path, sizeof(path), "%s",
			 observer->step == STEP_NODE ? "/status" : "/peer");
	zerotier_request(&observer->service, path, &request, &http);
	err = http_start(observer->http, &http, take_answer, observer);
	zerotier_request_clear(&request);
	return err;
}

static void take_answer(const struct http_answer *answer, void *arg)
{
	struct zerotier_observer *observer = arg;
	int err = zerotier_judge(&observer->service, answer, observer->next.why);

	if (!err)
		err = parse(observer, answer);
	if (!err && ++observer->step < STEP_END)
		err = ask(observer);
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

void zerotier_observer_ask(struct zerotier_observer *observer)
{
	int err;

	if (observer->asking)
		return;
	observer->asking = true;
	observer->step = STEP_NODE;
	/* A service that restarts may have another port and another token. */
	err = zerotier_service_open(&observer->service, observer->next.why);
	if (!err)
		err = ask(observer);
	if (err)
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
	view_clear(&observer->view);
	view_clear(&observer->next);
	free(observer);
}
