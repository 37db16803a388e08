/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "survey.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/types.h>
#include <netlink/socket.h>
#include <stdlib.h>
#include <string.h>

#include "../loader/facts.h"
#include "../loader/netlink.h"
#include "../log.h"
#include "advice.h"

static void ask_service(struct zerotier_survey *survey, uint64_t network)
{
	struct zerotier_service service;
	char ignored[ZEROTIER_WHY_MAX];
	int err = zerotier_service_open(&service, survey->why);

	if (!err)
		err = zerotier_get_node(&service, &survey->service, survey->why);
	if (err)
		goto out;
	survey->facts.service = &survey->service;
	survey->facts.node = survey->service.id;

	err = zerotier_get_network(&service, network, &survey->network, survey->why);
	if (!err) {
		survey->facts.network = &survey->network;
		survey->joined = true;
	} else if (err == -ENOENT) {
		survey->why[0] = '\0';
	} else {
		goto out;
	}
	if (zerotier_controller_node(network) == survey->service.id) {
		err = zerotier_get_controller(&service, network, &survey->controller, survey->why);
		if (err == -ENOENT)
			zerotier_explain(survey->why,
					 "zerotier-one is the controller of network %016" PRIx64
					 " by its id, but does not know it",
					 network);
		if (err)
			goto out;
		survey->facts.controller = &survey->controller;
	}
	/* Nothing but a warning hangs on it. */
	zerotier_get_peers(&service, &survey->peers, ignored);
out:
	zerotier_service_close(&service);
}

/* The service's addresses and MACs outlive it for as long as its interface, or another's memory of
 * it, does. */
static int find_node(struct zerotier_survey *survey, struct nl_sock *nl)
{
	const struct conf_zerotier *section = survey->facts.section;
	char name[IFNAMSIZ];
	struct own_address *own = NULL;
	struct iface_facts iface;
	size_t count = 0;
	int err = facts_own_addresses(nl, &own, &count);

	for (size_t i = 0; i < count && !survey->facts.node; i++) {
		uint64_t network, node;

		if (zerotier_rfc4193_parse(&own[i].prefix.addr, &network, &node) &&
		    network == section->network)
			survey->facts.node = node;
	}
	free(own);
	if (err || survey->facts.node)
		return err;
	if (*section->interface)
		snprintf(name, sizeof(name), "%s", section->interface);
	else if (!zerotier_devicemap(section->network, name))
		zerotier_interface_name(section->network, name);
	if (!facts_iface(nl, name, &iface))
		zerotier_mac_node(section->network, iface.mac, &survey->facts.node);
	return 0;
}

/* By which interface the service's packets leave, for peers that it reaches over IPv6. */
static int find_outlets(struct zerotier_survey *survey, struct nl_sock *nl)
{
	const struct zerotier_peers *peers = &survey->peers;

	survey->outlets = calloc(peers->count + 1, sizeof(*survey->outlets));
	if (!survey->outlets)
		return -ENOMEM;
	for (size_t i = 0; i < peers->count; i++) {
		const struct zerotier_peer *peer = &peers->list[i];
		struct zerotier_outlet *outlet = &survey->outlets[survey->facts.outlet_count];

		if (!peer->direct || IN6_IS_ADDR_V4MAPPED(&peer->path) ||
		    kernel_route_to(nl, &peer->path, outlet->device))
			continue;
		outlet->node = peer->node;
		outlet->addr = peer->path;
		survey->facts.outlet_count++;
	}
	survey->facts.outlets = survey->outlets;
	return 0;
}

static int ask_kernel(struct zerotier_survey *out)
{
	struct nl_sock *nl = NULL;
	int err = netlink_open(&nl);

	if (!err && !out->facts.node)
		err = find_node(out, nl);
	if (!err)
		err = kernel_routes_read(nl, &out->routes);
	if (!err) {
		out->facts.routes = &out->routes;
		err = find_outlets(out, nl);
	}
	nl_socket_free(nl);
	if (err) {
		log_error("cannot read the kernel's addresses and routes: %s", strerror(-err));
		zerotier_survey_free(out);
	}
	return err;
}

int zerotier_survey(const struct conf *conf, const struct conf_zerotier *section,
		    struct zerotier_survey *out)
{
	*out = (struct zerotier_survey){
		.facts = {.conf = conf, .section = section},
		.network = {.id = section->network},
	};
	ask_service(out, section->network);
	return ask_kernel(out);
}

int zerotier_survey_of_view(const struct conf *conf, const struct conf_zerotier *section,
			    struct zerotier_view *view, struct zerotier_survey *out)
{
	*out = (struct zerotier_survey){
		.facts = {.conf = conf, .section = section},
		.service = view->node,
		.network = view->network,
		.controller = view->controller,
		.peers = view->peers,
		.joined = view->joined,
	};
	memcpy(out->why, view->why, sizeof(out->why));
	if (view->known) {
		out->facts.service = &out->service;
		out->facts.node = out->service.id;
		out->facts.network = view->joined ? &out->network : NULL;
		out->facts.controller = view->is_controller ? &out->controller : NULL;
	}
	*view = (struct zerotier_view){0};
	return ask_kernel(out);
}

static void judge_service(const struct zerotier_survey *survey, struct findings *out)
{
	if (*survey->why) {
		findings_add(out, FINDING_ERROR, "%s", survey->why);
		findings_remedy(out, "then ask again: forwarding goes on as it is");
	} else if (!survey->facts.service->online) {
		findings_add(out, FINDING_WARNING,
			     "zerotier-one does not reach ZeroTier's root servers");
		findings_remedy(out, "let UDP port 9993 out of this machine");
	}
}

void zerotier_survey_findings(const struct zerotier_survey *survey, bool needed,
			      struct findings *out)
{
	const struct zerotier_facts *facts = &survey->facts;

	if (needed || !*survey->why)
		judge_service(survey, out);
	if (facts->network)
		zerotier_advise(facts->network, facts->node, out);
	else if (!*survey->why)
		zerotier_advise_join(facts->section->network, out);
	zerotier_check(facts, out);
}

void zerotier_survey_free(struct zerotier_survey *survey)
{
	zerotier_node_free(&survey->service);
	zerotier_network_free(&survey->network);
	zerotier_controller_free(&survey->controller);
	zerotier_peers_free(&survey->peers);
	free(survey->routes.list);
	free(survey->outlets);
}
