// SPDX-License-Identifier: GPL-2.0-or-later
/* `zt6-bpf explain`: what would happen to a packet, decided by the loaded programs themselves. */
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <jansson.h>
#include <linux/rtnetlink.h>
#include <netlink/netlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "explain.h"
#include "explain_words.h"
#include "instance.h"
#include "loader/netlink.h"
#include "log.h"
#include "neighbour_state.h"
#include "running.h"
#include "stats.h"

struct view {
	const struct instance *instance;
	const struct model *model;
	const struct stats *stats;
	const struct explanation *explanation;
};

static const char *addr_text(const void *addr, char text[INET6_ADDRSTRLEN])
{
	return inet_ntop(AF_INET6, addr, text, INET6_ADDRSTRLEN);
}

static const char *datapath_of(const struct view *view, __u32 slot)
{
	for (size_t i = 0; i < view->stats->port_count; i++)
		if (!strcmp(view->stats->ports[i].port.name, view->model->ports[slot].name))
			return view->stats->ports[i].datapath;
	return "none";
}

static json_t *json_route(const struct explain_case *c)
{
	char prefix[PREFIX_STRLEN], gateway[INET6_ADDRSTRLEN];
	const struct kernel_route *route = &c->route;

	if (route->type == RTN_UNSPEC)
		return json_null();
	return json_pack("{s:s, s:s?, s:s?, s:s?, s:I}", "type", route_type_name(route->type),
			 "prefix", route->error ? NULL : prefix_format(&route->prefix, prefix),
			 "gateway", route->has_gateway ? addr_text(&route->gateway, gateway) : NULL,
			 "device", route->device[0] ? route->device : NULL, "metric",
			 (json_int_t)route->metric);
}

static json_t *json_neighbour(const struct explain_case *c)
{
	const struct kernel_neighbour *next = &c->neighbour;
	char addr[INET6_ADDRSTRLEN], mac[MAC_STRLEN], device[IF_NAMESIZE] = "";

	if (!next->family)
		return json_null();
	if_indextoname(next->ifindex, device);
	return json_pack("{s:s, s:s, s:s, s:s?}", "address",
			 inet_ntop(next->family, &next->addr, addr, sizeof(addr)), "device", device,
			 "state", neighbour_state_name(next->nud), "mac",
			 next->has_mac ? mac_format(next->mac, mac) : NULL);
}

static json_t *json_rule(const struct view *view, const struct explain_case *c)
{
	char prefix[PREFIX_STRLEN], method[EXPLAIN_SENTENCE];

	if (!c->rule)
		return json_null();
	return json_pack("{s:s, s:s}", "prefix", explain_rule_prefix(c->rule, prefix), "method",
			 explain_rule_method(view->model, c->rule, method));
}

/* Whose the source is. */
static json_t *json_owner(const struct view *view, const struct explain_case *c)
{
	const struct model_prefix *owner = c->owner;
	char prefix[PREFIX_STRLEN];

	if (!owner)
		return json_null();
	return json_pack("{s:s, s:s?, s:b}", "prefix", explain_owner_prefix(owner, prefix), "port",
			 owner->value.port < ZT6_MAX_PORTS
				 ? view->model->ports[owner->value.port].name
				 : NULL,
			 "own", owner->value.own);
}

static json_t *json_words(const struct explain_words *words)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "port", words->port, "rule",
			 words->rule, "target", words->target, "guard", words->guard, "route",
			 words->route, "neighbour", words->neighbour, "policy", words->policy,
			 "verdict", words->verdict);
}

static json_t *json_case(const struct view *view, const struct explain_case *c)
{
	enum zt6_verdict verdict = c->answer.verdict;
	const struct zt6_port *ports = view->model->ports;
	const char *datapath = datapath_of(view, c->device);
	char source[INET6_ADDRSTRLEN], frame[2 * EXPLAIN_FRAME_MAX + 1] = "";
	struct explain_words words;

	for (size_t i = 0; i < c->answer.length && i < EXPLAIN_FRAME_MAX; i++)
		sprintf(frame + 2 * i, "%02x", c->answer.frame[i]);
	explain_in_words(view->model, view->explanation, c, datapath, &words);
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:b, s:o, s:o, s:o, s:o, s:s, s:s, s:s, s:s, "
			 "s:o}",
			 "kind", c->kind == EXPLAIN_PACKET ? "packet" : "solicitation", "port",
			 ports[c->port].name, "device", ports[c->device].name, "datapath", datapath,
			 "source", addr_text(&c->src, source), "source_assumed", c->src_assumed,
			 "rule", json_rule(view, c), "owner", json_owner(view, c), "route",
			 json_route(c), "neighbour", json_neighbour(c), "verdict",
			 verdict_name(verdict), "action", explain_action(verdict), "meaning",
			 verdict_meaning(verdict), "frame", frame, "words", json_words(&words));
}

static int print_json(const struct view *view)
{
	json_t *packets = json_array(), *root;
	char address[INET6_ADDRSTRLEN];
	int err;

	for (size_t i = 0; i < view->explanation->count; i++)
		json_array_append_new(packets, json_case(view, &view->explanation->cases[i]));
	root = json_pack("{s:i, s:s, s:s, s:s, s:s, s:o}", "schema", 1, "instance",
			 view->instance->name, "version", ZT6_VERSION, "address",
			 addr_text(&view->explanation->dst, address), "policy",
			 view->model->settings.policy == ZT6_POLICY_OFF ? "off" : "kernel",
			 "packets", packets);
	if (!root)
		return -ENOMEM;
	err = json_dumpf(root, stdout, JSON_INDENT(2)) && !ferror(stdout) ? -ENOMEM : 0;
	putchar('\n');
	json_decref(root);
	return err;
}

static void print_sentence(const char *stage, const char *sentence)
{
	if (sentence[0])
		printf("  %-9s  %s\n", stage, sentence);
}

static void print_case(const struct view *view, const struct explain_case *c)
{
	const char *name = view->model->ports[c->port].name;
	char src[INET6_ADDRSTRLEN], dst[INET6_ADDRSTRLEN];
	struct explain_words words;

	explain_in_words(view->model, view->explanation, c, datapath_of(view, c->device), &words);
	addr_text(&view->explanation->dst, dst);
	addr_text(&c->src, src);
	if (c->kind == EXPLAIN_SOLICITATION)
		printf("Neighbour Solicitation for %s on %s\n", dst, name);
	else
		printf("packet to %s from %s%s, by %s\n", dst, src,
		       c->src_assumed ? " (assumed)" : "", name);
	print_sentence("port", words.port);
	print_sentence("rule", words.rule);
	print_sentence("target", words.target);
	print_sentence("guard", words.guard);
	print_sentence("route", words.route);
	print_sentence("neighbour", words.neighbour);
	print_sentence("policy", words.policy);
	print_sentence("verdict", words.verdict);
}

static int print_text(const struct view *view)
{
	for (size_t i = 0; i < view->explanation->count; i++) {
		if (i)
			putchar('\n');
		print_case(view, &view->explanation->cases[i]);
	}
	return 0;
}

/* @stats and @explanation are large: the caller keeps them off the stack. */
static int answer(const struct instance *instance, const struct model *model, struct stats *stats,
		  const struct explain_question *question, struct explanation *explanation,
		  bool json)
{
	const struct view view = {instance, model, stats, explanation};
	struct nl_sock *nl = NULL;
	int err;

	err = stats_read(instance, stats);
	if (err)
		return stats_explain_error(instance, err);
	err = netlink_open(&nl);
	if (err) {
		log_error("cannot open a netlink socket: %s", strerror(-err));
		return EXIT_FAILED;
	}
	err = explain(instance, model, nl, question, explanation);
	nl_socket_free(nl);
	if (err)
		return EXIT_FAILED;
	if (!explanation->count) {
		log_error("explain: there is no port that such a packet could come in by; "
			  "\"zt6-bpf status\" shows the ports");
		return EXIT_FAILED;
	}
	err = json ? print_json(&view) : print_text(&view);
	if (err)
		log_error("cannot print the explanation: %s", strerror(-err));
	return err ? EXIT_FAILED : EXIT_DONE;
}

static int find_port(const struct model *model, const char *name)
{
	for (int slot = 0; slot < ZT6_MAX_PORTS; slot++)
		if (model->ports[slot].role != ZT6_ROLE_NONE &&
		    !strcmp(model->ports[slot].name, name))
			return slot;
	log_error("explain: \"%s\" is no port of the instance; \"zt6-bpf status\" shows them",
		  name);
	return -ENOENT;
}

static int usage(void)
{
	log_error("usage: zt6-bpf explain ADDR [from ADDR] [--port NAME] [--json]");
	return EXIT_USAGE;
}

static bool read_addr(const char *word, union zt6_addr *out)
{
	if (inet_pton(AF_INET6, word, out) == 1)
		return true;
	log_error("explain: \"%s\" is no IPv6 address", word);
	return false;
}

int cmd_explain(const struct instance *instance, int argc, char **argv)
{
	static const struct option options[] = {
		{"json", no_argument, NULL, 'j'},
		{"port", required_argument, NULL, 'p'},
		{0},
	};
	struct explain_question question = {.slot = -1};
	struct explanation *explanation;
	const char *port = NULL;
	struct stats *stats;
	struct model model;
	bool json = false;
	int option, status;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'j')
			json = true;
		else if (option == 'p')
			port = optarg;
		else
			return usage();
	}
	question.has_src = argc - optind == 3 && !strcmp(argv[optind + 1], "from");
	if (argc - optind != 1 && !question.has_src)
		return usage();
	if (!read_addr(argv[optind], &question.dst) ||
	    (question.has_src && !read_addr(argv[optind + 2], &question.src)))
		return EXIT_USAGE;
	status = running_read(instance, &model);
	if (status)
		return status;
	if (port)
		question.slot = find_port(&model, port);
	explanation = malloc(sizeof(*explanation));
	stats = malloc(sizeof(*stats));
	status = EXIT_FAILED;
	if (explanation && stats && (!port || question.slot >= 0))
		status = answer(instance, &model, stats, &question, explanation, json);
	free(explanation);
	free(stats);
	model_free(&model);
	return status;
}
