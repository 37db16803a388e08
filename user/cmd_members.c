// SPDX-License-Identifier: GPL-2.0-or-later
/* `zt6-bpf members`: who is inside, as a table or as JSON. */
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <jansson.h>
#include <netlink/netlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "addr.h"
#include "instance.h"
#include "loader/netlink.h"
#include "log.h"
#include "members.h"
#include "running.h"
#include "zerotier/view.h"

#define NSEC_PER_SEC  1000000000ULL
#define NSEC_PER_MSEC 1000000ULL
#define NODE_STRLEN   11

struct view {
	const struct instance *instance;
	const struct model *model;
	const struct members *members;
	const struct zerotier_views *zerotier; /* what the agent has seen of the service */
	uint64_t now_ns;
	bool all; /* in the table: those too that never gave a sign of life */
};

static const struct zt6_port *port_of(const struct view *view, const struct member *member)
{
	return member->port < ZT6_MAX_PORTS ? &view->model->ports[member->port] : NULL;
}

static const char *address_text(const struct member *member, char text[INET6_ADDRSTRLEN])
{
	return inet_ntop(AF_INET6, &member->addr, text, INET6_ADDRSTRLEN);
}

/* Ten hexadecimal digits, or NULL. */
static const char *node_text(const struct view *view, const struct member *member,
			     char text[NODE_STRLEN])
{
	const struct zt6_port *port = port_of(view, member);
	uint64_t node;

	if (!port || !member_node(member, port->network, &node))
		return NULL;
	snprintf(text, NODE_STRLEN, "%010" PRIx64, node);
	return text;
}

/* "TEXT" or null. Only what needs no escapes: addresses, MACs, states. */
static void put_text(const char *key, const char *text)
{
	if (text)
		printf("\"%s\": \"%s\", ", key, text);
	else
		printf("\"%s\": null, ", key);
}

/* Milliseconds that have passed since then, or null. */
static void put_age(const struct view *view, const char *key, uint64_t then_ns)
{
	if (then_ns)
		printf("\"%s\": %llu, ", key,
		       then_ns < view->now_ns ? (view->now_ns - then_ns) / NSEC_PER_MSEC : 0);
	else
		printf("\"%s\": null, ", key);
}

/* {"by": ..., "node": ..., "holds": ..., "unbound_packets": N}; "holds" is null while no MAC is known. */
static void put_binding(const struct member *member)
{
	char node[NODE_STRLEN];

	if (!member->binding) {
		put_text("binding", NULL);
		return;
	}
	snprintf(node, sizeof(node), "%010" PRIx64, member->bound_node);
	printf("\"binding\": {\"by\": \"%s\", \"node\": %s%s%s, \"holds\": %s, "
	       "\"unbound_packets\": %" PRIu64 "}, ",
	       member_binding_name(member), member->bound_node ? "\"" : "",
	       member->bound_node ? node : "null", member->bound_node ? "\"" : "",
	       !member->has_mac          ? "null"
	       : member_violates(member) ? "false"
					 : "true",
	       member->unbound);
}

/* "derived", and "!" when somebody else uses the address. */
static const char *binding_text(const struct member *member, char text[16])
{
	const char *name = member_binding_name(member);

	snprintf(text, 16, "%s%s", name ? name : "-",
		 member->unbound || member_violates(member) ? " !" : "");
	return text;
}

/* How the service reaches the member's node, or NULL: it does not talk to it, or is not known. */
static const struct zerotier_peer *peer_of(const struct view *view, const struct member *member)
{
	const struct zt6_port *port = port_of(view, member);
	const struct zerotier_view *of =
		port ? zerotier_views_find(view->zerotier, port->network) : NULL;
	uint64_t node;

	if (!of || !of->known || !member_node(member, port->network, &node))
		return NULL;
	for (size_t i = 0; i < of->peers.count; i++)
		if (of->peers.list[i].node == node)
			return &of->peers.list[i];
	return NULL;
}

static const char *peer_address(const struct zerotier_peer *peer, char text[INET6_ADDRSTRLEN])
{
	if (IN6_IS_ADDR_V4MAPPED(&peer->path))
		return inet_ntop(AF_INET, peer->path.s6_addr + 12, text, INET6_ADDRSTRLEN);
	return inet_ntop(AF_INET6, &peer->path, text, INET6_ADDRSTRLEN);
}

/* {"direct": ..., "address": ..., "port": N, "latency_ms": N}, with null for what is not so. */
static void put_path(const struct zerotier_peer *peer)
{
	char text[INET6_ADDRSTRLEN];

	if (!peer) {
		put_text("path", NULL);
		return;
	}
	printf("\"path\": {\"direct\": %s, ", peer->direct ? "true" : "false");
	put_text("address", peer->direct ? peer_address(peer, text) : NULL);
	if (peer->direct)
		printf("\"port\": %u, ", peer->path_port);
	else
		printf("\"port\": null, ");
	if (peer->latency_ms >= 0)
		printf("\"latency_ms\": %d}, ", peer->latency_ms);
	else
		printf("\"latency_ms\": null}, ");
}

/* "direct 12ms", "relayed". */
static const char *path_text(const struct zerotier_peer *peer, char text[32])
{
	if (!peer)
		return "-";
	if (peer->latency_ms >= 0)
		snprintf(text, 32, "%s %dms", peer->direct ? "direct" : "relayed",
			 peer->latency_ms);
	else
		snprintf(text, 32, "%s", peer->direct ? "direct" : "relayed");
	return text;
}

static void put_member(const struct view *view, const struct member *member, const char *port)
{
	char address[INET6_ADDRSTRLEN], mac[MAC_STRLEN], node[NODE_STRLEN];
	const struct zt6_traffic *traffic = &member->traffic;

	printf("    {");
	put_text("address", address_text(member, address));
	put_text("mac", member->has_mac ? mac_format(member->mac, mac) : NULL);
	put_text("node", node_text(view, member, node));
	printf("\"port\": %s, ", port);
	put_text("state", member_state(member));
	printf("\"verified\": %s, ", member->verified ? "true" : "false");
	put_binding(member);
	put_path(peer_of(view, member));
	put_age(view, "since_age_ms", member->since_ns);
	put_age(view, "last_seen_age_ms", member->seen_ns);
	printf("\"from\": {\"packets\": %llu, \"bytes\": %llu}, "
	       "\"towards\": {\"packets\": %llu, \"bytes\": %llu}}",
	       traffic->from.packets, traffic->from.bytes, traffic->towards.packets,
	       traffic->towards.bytes);
}

/*
 * Member by member: to build a tree of 50,000 of them takes longer than all the rest. Names of
 * interfaces may hold quotes: jansson writes those, once each.
 */
static int print_json(const struct view *view)
{
	char *ports[ZT6_MAX_PORTS] = {0};
	int err = 0;

	for (int slot = 0; slot < ZT6_MAX_PORTS && !err; slot++) {
		json_t *name = json_string(view->model->ports[slot].name);

		ports[slot] = json_dumps(name, JSON_ENCODE_ANY);
		json_decref(name);
		if (!ports[slot])
			err = -ENOMEM;
	}
	if (!err) {
		printf("{\n  \"schema\": 1,\n  \"instance\": \"%s\",\n  \"version\": \"%s\",\n"
		       "  \"traffic\": %s,\n  \"members\": [",
		       view->instance->name, ZT6_VERSION,
		       view->model->settings.flags & ZT6_SETTINGS_TRAFFIC ? "true" : "false");
		for (size_t i = 0; i < view->members->count; i++) {
			const struct member *member = &view->members->list[i];

			fputs(i ? ",\n" : "\n", stdout);
			put_member(view, member,
				   port_of(view, member) ? ports[member->port] : "null");
		}
		fputs(view->members->count ? "\n  ]\n}\n" : "]\n}\n", stdout);
	}
	for (int slot = 0; slot < ZT6_MAX_PORTS; slot++)
		free(ports[slot]);
	return err;
}

/* In the largest unit of which there are at least two: "3d", "14h", "59m", "12s". */
static const char *age_text(const struct view *view, uint64_t then_ns, char text[16])
{
	static const struct {
		uint64_t seconds;
		char letter;
	} units[] = {{86400, 'd'}, {3600, 'h'}, {60, 'm'}};
	uint64_t seconds = then_ns < view->now_ns ? (view->now_ns - then_ns) / NSEC_PER_SEC : 0;

	if (!then_ns)
		return "-";
	for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++) {
		if (seconds < 2 * units[i].seconds)
			continue;
		snprintf(text, 16, "%" PRIu64 "%c", seconds / units[i].seconds, units[i].letter);
		return text;
	}
	snprintf(text, 16, "%" PRIu64 "s", seconds);
	return text;
}

static int print_table(const struct view *view)
{
	size_t left_out = 0;

	printf("%-39s  %-17s  %-10s  %-12s  %-15s  %-10s  %5s  %5s  %21s  %21s  %s\n", "ADDRESS",
	       "MAC", "NODE", "BOUND BY", "PORT", "STATE", "SINCE", "SEEN", "PACKETS/BYTES FROM",
	       "TOWARDS", "PATH");
	for (size_t i = 0; i < view->members->count; i++) {
		const struct member *member = &view->members->list[i];
		char address[INET6_ADDRSTRLEN], mac[MAC_STRLEN], node[NODE_STRLEN];
		char since[16], seen[16], from[48], towards[48], binding[16], path[32];
		const struct zt6_port *port = port_of(view, member);
		const char *node_or_null = node_text(view, member, node);

		if (!view->all && !member_gave_sign(member)) {
			left_out++;
			continue;
		}
		snprintf(from, sizeof(from), "%llu/%llu", member->traffic.from.packets,
			 member->traffic.from.bytes);
		snprintf(towards, sizeof(towards), "%llu/%llu", member->traffic.towards.packets,
			 member->traffic.towards.bytes);
		printf("%-39s  %-17s  %-10s  %-12s  %-15s  %-10s  %5s  %5s  %21s  %21s  %s\n",
		       address_text(member, address),
		       member->has_mac ? mac_format(member->mac, mac) : "-",
		       node_or_null ? node_or_null : "-", binding_text(member, binding),
		       port ? port->name : "-", member_state(member),
		       age_text(view, member->since_ns, since),
		       age_text(view, member->seen_ns, seen), from, towards,
		       path_text(peer_of(view, member), path));
	}
	if (left_out)
		printf("and %zu addresses that were looked for in vain (--all shows them)\n",
		       left_out);
	return 0;
}

static int usage(void)
{
	log_error("usage: zt6-bpf members [--json | --all]");
	return EXIT_USAGE;
}

static int read_members(struct view *view, struct members *members)
{
	struct nl_sock *nl = NULL;
	struct timespec now;
	int err = netlink_open(&nl);

	if (!err)
		err = members_read(view->instance, view->model, nl, members);
	nl_socket_free(nl);
	clock_gettime(CLOCK_MONOTONIC, &now);
	view->now_ns = now.tv_sec * NSEC_PER_SEC + now.tv_nsec;
	return err;
}

int cmd_members(const struct instance *instance, int argc, char **argv)
{
	static const struct option options[] = {
		{"json", no_argument, NULL, 'j'},
		{"all", no_argument, NULL, 'a'},
		{0},
	};
	struct view view = {.instance = instance};
	struct members members = {0};
	struct zerotier_views zerotier = {0};
	struct model model;
	bool json = false;
	int option, status, err;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'j')
			json = true;
		else if (option == 'a')
			view.all = true;
		else
			return usage();
	}
	if (optind != argc || (json && view.all))
		return usage();
	status = running_read(instance, &model);
	if (status)
		return status;
	view.model = &model;
	view.members = &members;
	/* Without an agent there is nothing to read. */
	zerotier_views_load(instance->run_dir, &zerotier);
	view.zerotier = &zerotier;
	err = read_members(&view, &members);
	if (err) {
		log_error("instance \"%s\": cannot read its members: %s", instance->name,
			  netlink_reason(err));
	} else {
		err = json ? print_json(&view) : print_table(&view);
		if (err)
			log_error("cannot print the members: %s", strerror(-err));
	}
	members_free(&members);
	zerotier_views_free(&zerotier);
	model_free(&model);
	return err ? EXIT_FAILED : EXIT_DONE;
}
