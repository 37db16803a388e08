// SPDX-License-Identifier: GPL-2.0-or-later
/* `zt6-bpf status`: one screen that says what works; exit status 0 only if all does. */
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "addr.h"
#include "instance.h"
#include "log.h"
#include "status.h"

static const char *policy_name(const struct status *status)
{
	return status->model.settings.policy == ZT6_POLICY_OFF ? "off" : "kernel";
}

static const char *method_name(const struct zt6_rule *rule)
{
	static const char *const names[] = {
		[ZT6_METHOD_STATIC] = "static",
		[ZT6_METHOD_AUTO] = "auto",
		[ZT6_METHOD_IFACE] = "iface",
	};

	return names[rule->method];
}

static const char *rule_prefix(const struct model_rule *rule, char text[PREFIX_STRLEN])
{
	struct prefix prefix = {.len = rule->key.prefixlen - 32};

	memcpy(&prefix.addr, rule->key.addr, sizeof(prefix.addr));
	return prefix_format(&prefix, text);
}

static const char *ipv4(__be32 address, char text[INET_ADDRSTRLEN])
{
	return inet_ntop(AF_INET, &address, text, INET_ADDRSTRLEN);
}

static json_t *json_ports(const struct status *status)
{
	json_t *ports = json_array();

	for (size_t i = 0; i < status->stats.port_count; i++) {
		const struct stats_port *port = &status->stats.ports[i];
		char mac[MAC_STRLEN];

		json_array_append_new(
			ports,
			json_pack("{s:s, s:i, s:s, s:s, s:s, s:i}", "name", port->port.name,
				  "ifindex", port->port.ifindex, "role", role_name(port->port.role),
				  "datapath", port->datapath, "mac",
				  mac_format(port->port.mac, mac), "mtu", port->port.mtu));
	}
	return ports;
}

static json_t *json_tunnels(const struct status *status)
{
	json_t *tunnels = json_array();

	for (size_t i = 0; i < status->model.settings.tunnel_count; i++) {
		const struct zt6_tunnel *tunnel = &status->model.settings.tunnels[i];
		const struct zt6_port *ports = status->model.ports;
		char local[INET_ADDRSTRLEN], remote[INET_ADDRSTRLEN];

		json_array_append_new(tunnels,
				      json_pack("{s:s, s:s, s:s, s:s, s:i, s:i, s:s}", "name",
						ports[tunnel->port].name, "uplink",
						ports[tunnel->uplink].name, "local",
						ipv4(tunnel->local, local), "remote",
						ipv4(tunnel->remote, remote), "mtu", tunnel->mtu,
						"ttl", tunnel->ttl, "device",
						tunnel->flags & ZT6_TUNNEL_BPF ? "bpf" : "sit"));
	}
	return tunnels;
}

static json_t *json_rules(const struct status *status)
{
	json_t *rules = json_array();

	for (size_t i = 0; i < status->model.rule_count; i++) {
		const struct model_rule *rule = &status->model.rules[i];
		char text[PREFIX_STRLEN];

		json_array_append_new(rules, json_pack("{s:s, s:s, s:s, s:b}", "port",
						       status->model.ports[rule->key.port].name,
						       "prefix", rule_prefix(rule, text), "method",
						       method_name(&rule->value), "dad",
						       !!(rule->value.flags & ZT6_RULE_DAD)));
	}
	return rules;
}

static void print_json(const struct instance *instance, const struct status *status)
{
	json_t *problems = json_array(), *age, *root;

	for (unsigned int i = 0; i < status->problem_count; i++)
		json_array_append_new(problems, json_string(status->problems[i]));
	age = status->heartbeat_age_ns == UINT64_MAX
		      ? json_null()
		      : json_integer(status->heartbeat_age_ns / 1000000);
	root = json_pack("{s:i, s:s, s:s, s:b, s:o, s:s, s:o, s:o, s:o, s:{s:b, s:o}}", "schema", 1,
			 "instance", instance->name, "version", ZT6_VERSION, "healthy",
			 !status->problem_count, "problems", problems, "policy",
			 policy_name(status), "ports", json_ports(status), "tunnels",
			 json_tunnels(status), "rules", json_rules(status), "agent", "running",
			 status->agent_running, "heartbeat_age_ms", age);
	json_dumpf(root, stdout, JSON_INDENT(2));
	putchar('\n');
	json_decref(root);
}

static void print_agent(const struct status *status)
{
	if (status->heartbeat_age_ns == UINT64_MAX)
		printf("agent     not running\n");
	else
		printf("agent     %s, last heard of %.1f s ago\n",
		       status->agent_running ? "running" : "not running",
		       status->heartbeat_age_ns / 1e9);
}

static void print_text(const struct instance *instance, const struct status *status)
{
	const struct model *model = &status->model;
	char local[INET_ADDRSTRLEN], remote[INET_ADDRSTRLEN], text[PREFIX_STRLEN];

	printf("instance  %s, version %s, policy %s\n", instance->name, ZT6_VERSION,
	       policy_name(status));
	for (size_t i = 0; i < status->stats.port_count; i++) {
		const struct stats_port *port = &status->stats.ports[i];

		printf("port      %-15s  %-7s  %-11s  mtu %5u  %llu packets in\n", port->port.name,
		       role_name(port->port.role), port->datapath, port->port.mtu,
		       port->count.rx.packets);
	}
	for (size_t i = 0; i < model->settings.tunnel_count; i++) {
		const struct zt6_tunnel *tunnel = &model->settings.tunnels[i];

		printf("tunnel    %-15s  %s -> %s over %s, mtu %u, device %s\n",
		       model->ports[tunnel->port].name, ipv4(tunnel->local, local),
		       ipv4(tunnel->remote, remote), model->ports[tunnel->uplink].name, tunnel->mtu,
		       tunnel->flags & ZT6_TUNNEL_BPF ? "bpf" : "sit");
	}
	for (size_t i = 0; i < model->rule_count; i++)
		printf("rule      %-15s  %s %s\n", model->ports[model->rules[i].key.port].name,
		       rule_prefix(&model->rules[i], text), method_name(&model->rules[i].value));
	print_agent(status);
	printf("health    %s\n", status->problem_count ? "degraded" : "ok");
}

/* The one line on stderr that a degraded status owes. */
static void print_problems(const struct status *status)
{
	char line[STATUS_MAX_PROBLEMS * STATUS_PROBLEM_LEN] = "";
	size_t used = 0;

	for (unsigned int i = 0; i < status->problem_count; i++)
		used += snprintf(line + used, sizeof(line) - used, "%s%s", i ? "; " : "",
				 status->problems[i]);
	log_error("degraded: %s", line);
}

int cmd_status(const struct instance *instance, int argc, char **argv)
{
	static const struct option options[] = {{"json", no_argument, NULL, 'j'}, {0}};
	struct status *status;
	bool json = false;
	int option, err, result = EXIT_DONE;

	optind = 0;
	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		json = option == 'j';
		if (!json)
			optind = argc + 1;
	}
	if (optind != argc) {
		log_error("usage: zt6-bpf status [--json]");
		return EXIT_USAGE;
	}
	status = malloc(sizeof(*status));
	err = status ? status_read(instance, status) : -ENOMEM;
	if (err) {
		free(status);
		return stats_explain_error(instance, err);
	}
	if (json)
		print_json(instance, status);
	else
		print_text(instance, status);
	if (status->problem_count) {
		print_problems(status);
		result = EXIT_FAILED;
	}
	status_free(status);
	free(status);
	return result;
}
