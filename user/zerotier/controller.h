/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A controller that runs on this very machine: what it has for a network, and who its members are. */
#ifndef ZT6_ZEROTIER_CONTROLLER_H
#define ZT6_ZEROTIER_CONTROLLER_H

#include "api.h"

/* More members than these are not read: each is a request of its own. */
#define ZEROTIER_MEMBERS_MAX 1024

struct zerotier_member {
	uint64_t node;
	bool authorized;
	bool bridge;
	struct prefixes addresses; /* assigned ones; /128 each, IPv4 as IPv4-mapped */
};

struct zerotier_controller {
	uint64_t network;
	bool rfc4193, pool_assignment; /* of v6AssignMode: fd…, and from the pools */
	struct zerotier_routes routes;
	struct zerotier_pool *pools; /* of IPv6 */
	size_t pool_count;
	struct zerotier_member *members;
	size_t member_count;
	bool truncated; /* there are more members than are read */
};

/* Parts, for those who do not wait: a path of the API, and what to make of the answer. The paths need
 * ZEROTIER_CONTROLLER_PATH_MAX bytes. */
#define ZEROTIER_CONTROLLER_PATH_MAX 80
void zerotier_controller_path(uint64_t network, char *path);
void zerotier_member_list_path(uint64_t network, char *path);
void zerotier_member_path(uint64_t network, uint64_t node, char *path);

/* @out->network says for which network the answer must be. 0 or an error with words. */
int zerotier_parse_controller(const char *body, size_t length, struct zerotier_controller *out,
			      char *why);
/* Fills in @out->members, of which nothing is known yet but their ids. */
int zerotier_parse_member_list(const char *body, size_t length, struct zerotier_controller *out,
			       char *why);
int zerotier_parse_member(const char *body, size_t length, struct zerotier_member *out, char *why);

/* Returns 0, -ENOENT when the local service is not the controller of the network, or another error
 * like those of api.h. Free it with zerotier_controller_free(). */
int zerotier_get_controller(const struct zerotier_service *service, uint64_t network,
			    struct zerotier_controller *out, char *why);

void zerotier_controller_free(struct zerotier_controller *controller);

#endif
