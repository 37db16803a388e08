/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the agent has seen of one network, and how others come to know it: as a file of JSON that the
 * agent replaces with every round. Its parts look as they do in the service's API. */
#ifndef ZT6_ZEROTIER_VIEW_H
#define ZT6_ZEROTIER_VIEW_H

#include <jansson.h>

#include "controller.h"

struct zerotier_view {
	struct zerotier_node node;
	bool joined; /* the service says so; then network holds an answer */
	struct zerotier_network network;
	struct zerotier_peers peers;
	bool is_controller; /* the service is the network's; then controller holds an answer */
	struct zerotier_controller controller;
	bool known;                 /* the above hold answers, perhaps old ones */
	uint64_t read_ns;           /* CLOCK_MONOTONIC of those */
	int err;                    /* of the last round: 0, or like those of api.h */
	char why[ZEROTIER_WHY_MAX]; /* of err */
};

void zerotier_view_clear(struct zerotier_view *view);

/* A network with its view, as one element of the file. A new reference, or NULL. */
json_t *zerotier_view_json(uint64_t network, const struct zerotier_view *view);

struct zerotier_views {
	struct {
		uint64_t network;
		struct zerotier_view view;
	} * list;
	size_t count;
};

/* Writes the elements @views (stolen) to the file of a run folder, atomically. 0 or -errno. */
int zerotier_views_save(const char *run_dir, json_t *views);

/* Reads that file. 0, -ENOENT when there is none, -EPROTO when it is none of this version, or -ENOMEM. */
int zerotier_views_load(const char *run_dir, struct zerotier_views *out);

/* Takes it away; nobody looks any longer. */
void zerotier_views_remove(const char *run_dir);

/* The view of a network, or NULL. */
struct zerotier_view *zerotier_views_find(const struct zerotier_views *views, uint64_t network);

void zerotier_views_free(struct zerotier_views *views);

#endif
