/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Everything about one network that this machine can find out, in one go. */
#ifndef ZT6_ZEROTIER_SURVEY_H
#define ZT6_ZEROTIER_SURVEY_H

#include "checks.h"
#include "view.h"

/* Why it matters what is found wrong with a network. */
#define ZEROTIER_MATTERS \
	"members have no address or no way to this gateway, or its packets no way to them"

struct zerotier_survey {
	struct zerotier_facts facts; /* points into what follows */
	struct zerotier_node service;
	struct zerotier_network network;
	struct zerotier_controller controller;
	struct zerotier_peers peers;
	struct kernel_routes routes;
	struct zerotier_outlet *outlets;
	char why[ZEROTIER_WHY_MAX]; /* the service could not be asked; empty: it could */
	bool joined;                /* the service says so */
};

/**
 * zerotier_survey - ask the service, its controller and the kernel.
 *
 * What cannot be learnt is left out. Where the service does not answer, the id of this node is read
 * off the addresses and the MAC that it gave the interface. Returns 0, or -errno with a message when
 * the kernel could not be asked. Free it with zerotier_survey_free().
 */
int zerotier_survey(const struct conf *conf, const struct conf_zerotier *section,
		    struct zerotier_survey *out);

/* The same out of what the agent has seen, which it takes: only the kernel is asked. */
int zerotier_survey_of_view(const struct conf *conf, const struct conf_zerotier *section,
			    struct zerotier_view *view, struct zerotier_survey *out);

/* All that zerotier_check() finds, after the state of the service and of the network.
 * @needed: it is a fault that the service does not answer */
void zerotier_survey_findings(const struct zerotier_survey *survey, bool needed,
			      struct findings *out);

void zerotier_survey_free(struct zerotier_survey *survey);

#endif
