// SPDX-License-Identifier: GPL-2.0-or-later
/* `status`: the ZeroTier networks, as the agent has seen them last, and what they lack. */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "status_parts.h"
#include "zerotier/survey.h"

/* Of each overlay, by slot. */
struct overlay {
	bool surveyed; /* its section was found, and the kernel could be asked */
	bool asked;    /* the agent has had an answer, or an error, of the service */
	bool known;    /* and an answer */
	uint64_t read_ns;
	struct zerotier_survey survey;
	struct findings findings;
};

struct status_overlays {
	struct conf *conf;
	struct overlay list[ZT6_MAX_PORTS];
};

static bool is_overlay(const struct zt6_port *port)
{
	return port->role == ZT6_ROLE_OVERLAY && port->network;
}

/* Nobody who names the interface needs the service. */
static bool needs_service(const struct zt6_port *port)
{
	return port->wishes & ZT6_WISH_SERVICE;
}

static const struct conf_zerotier *section_of(const struct conf *conf, uint64_t network)
{
	for (size_t i = 0; conf && i < conf->zerotier_count; i++)
		if (conf->zerotiers[i].network == network)
			return &conf->zerotiers[i];
	return NULL;
}

/* It may have another name than the one that was taken for granted while nobody could say. */
static void check_interface(const struct overlay *overlay, const struct zt6_port *port,
			    struct findings *out)
{
	const struct zerotier_network *network = overlay->survey.facts.network;

	if (!network || !*network->device || !strcmp(network->device, port->name))
		return;
	findings_add(out, FINDING_ERROR,
		     "network %016" PRIx64 " is on interface %s, and this gateway serves %s",
		     (uint64_t)port->network, network->device, port->name);
	findings_remedy(out, "run \"zt6-bpf reload\" (with \"interface auto\", or that name)");
}

static void find(struct overlay *overlay, const struct zt6_port *port)
{
	/* Without an answer only this machine's own routes can be judged. */
	if (overlay->known || (overlay->asked && needs_service(port)))
		zerotier_survey_findings(&overlay->survey, needs_service(port), &overlay->findings);
	else
		zerotier_check_paths(&overlay->survey.facts, &overlay->findings);
	check_interface(overlay, port, &overlay->findings);
}

static void look(struct status *status, struct zerotier_views *views, int slot)
{
	const struct zt6_port *port = &status->model.ports[slot];
	struct overlay *overlay = &status->overlays->list[slot];
	const struct conf_zerotier *section = section_of(status->overlays->conf, port->network);
	struct zerotier_view *view = zerotier_views_find(views, port->network), none = {0};

	overlay->asked = view;
	overlay->known = view && view->known;
	overlay->read_ns = view ? view->read_ns : 0;
	if (!section)
		return;
	overlay->surveyed = !zerotier_survey_of_view(status->overlays->conf, section,
						     view ? view : &none, &overlay->survey);
	if (overlay->surveyed)
		find(overlay, port);
}

static void read(struct status *status)
{
	FILE *nowhere = fopen("/dev/null", "w");
	struct zerotier_views views = {0};

	status->overlays = calloc(1, sizeof(*status->overlays));
	/* What is wrong with the file by now is for `check` to say. */
	if (!status->overlays || !nowhere ||
	    conf_load(status->instance->conf_path, nowhere, &status->overlays->conf)) {
		if (nowhere)
			fclose(nowhere);
		return;
	}
	fclose(nowhere);
	if (status->agent_running)
		zerotier_views_load(status->instance->run_dir, &views);
	for (int slot = 0; slot < ZT6_MAX_PORTS; slot++)
		if (is_overlay(&status->model.ports[slot]))
			look(status, &views, slot);
	zerotier_views_free(&views);
}

static void release(struct status *status)
{
	if (!status->overlays)
		return;
	for (int slot = 0; slot < ZT6_MAX_PORTS; slot++) {
		struct overlay *overlay = &status->overlays->list[slot];

		if (overlay->surveyed)
			zerotier_survey_free(&overlay->survey);
		findings_free(&overlay->findings);
	}
	conf_free(status->overlays->conf);
	free(status->overlays);
	status->overlays = NULL;
}

static void judge(struct status *status)
{
	for (int slot = 0; status->overlays && slot < ZT6_MAX_PORTS; slot++)
		findings_append(&status->findings, &status->overlays->list[slot].findings,
				FINDING_WARNING);
}

static json_t *findings_json(const struct findings *findings)
{
	json_t *array = json_array();

	for (size_t i = 0; i < findings->count; i++)
		json_array_append_new(array,
				      json_pack("{s:s, s:s, s:s?}", "severity",
						finding_severity_name(findings->list[i].severity),
						"what", findings->list[i].what, "remedy",
						findings->list[i].remedy));
	return array;
}

static json_t *addresses_json(const struct zerotier_network *network)
{
	json_t *array = json_array();
	char text[PREFIX_STRLEN];

	for (size_t i = 0; i < network->assigned.count; i++)
		if (!IN6_IS_ADDR_V4MAPPED(&network->assigned.list[i].addr))
			json_array_append_new(array, json_string(prefix_format(
							     &network->assigned.list[i], text)));
	return array;
}

static json_t *network_json(const struct zerotier_network *network)
{
	return json_pack("{s:s, s:s, s:i, s:b, s:b, s:b, s:b, s:o}", "status",
			 zerotier_status_name(network->status), "interface", network->device, "mtu",
			 network->mtu, "bridge", network->bridge, "allow_managed",
			 network->allow_managed, "allow_global", network->allow_global,
			 "allow_default", network->allow_default, "addresses",
			 addresses_json(network));
}

static json_t *overlay_json(const struct status *status, const struct zt6_port *port,
			    const struct overlay *overlay)
{
	const struct zerotier_survey *survey = &overlay->survey;
	json_t *root = json_pack("{s:o, s:s, s:b, s:b, s:o, s:s?}", "network",
				 json_sprintf("%016" PRIx64, (uint64_t)port->network), "port",
				 port->name, "service_needed", needs_service(port), "known",
				 overlay->known, "findings", findings_json(&overlay->findings),
				 "error", *survey->why ? survey->why : NULL);

	if (!overlay->known || !root)
		return root;
	json_object_set_new(
		root, "age_ms",
		json_integer((json_int_t)((status->now_ns - overlay->read_ns) / 1000000)));
	json_object_set_new(root, "node", json_sprintf("%010" PRIx64, survey->service.id));
	json_object_set_new(root, "online", json_boolean(survey->service.online));
	json_object_set_new(root, "joined",
			    survey->joined ? network_json(&survey->network) : json_null());
	return root;
}

static json_t *json(const struct status *status)
{
	json_t *array = json_array();

	for (int slot = 0; status->overlays && slot < ZT6_MAX_PORTS; slot++)
		if (is_overlay(&status->model.ports[slot]))
			json_array_append_new(array,
					      overlay_json(status, &status->model.ports[slot],
							   &status->overlays->list[slot]));
	return array;
}

static void print_state(const struct status *status, const struct zt6_port *port,
			const struct overlay *overlay)
{
	const struct zerotier_survey *survey = &overlay->survey;
	char text[PREFIX_STRLEN];

	printf(STATUS_COLUMN "%016" PRIx64 "  ", "zerotier", (uint64_t)port->network);
	if (!overlay->known) {
		printf("%s\n", !status->agent_running ? "not known: the agent is not running"
			       : !overlay->asked      ? "not known yet"
			       : needs_service(port)
				       ? "the service cannot be asked"
				       : "the service cannot be asked, nor is needed");
		return;
	}
	printf("%s, node %010" PRIx64,
	       survey->joined ? zerotier_status_name(survey->network.status) : "not joined",
	       survey->service.id);
	if (survey->joined)
		printf(", interface %s, mtu %u, %s",
		       *survey->network.device ? survey->network.device : "none",
		       survey->network.mtu, survey->network.bridge ? "a bridge" : "no bridge");
	printf("%s, asked %.0f s ago\n", survey->service.online ? "" : ", offline",
	       (double)(status->now_ns - overlay->read_ns) / 1e9);
	for (size_t i = 0; i < survey->network.assigned.count; i++)
		if (!IN6_IS_ADDR_V4MAPPED(&survey->network.assigned.list[i].addr))
			printf(STATUS_COLUMN "%-16s  address %s\n", "", "",
			       prefix_format(&survey->network.assigned.list[i], text));
}

static void print(const struct status *status)
{
	for (int slot = 0; status->overlays && slot < ZT6_MAX_PORTS; slot++) {
		const struct overlay *overlay = &status->overlays->list[slot];

		if (!is_overlay(&status->model.ports[slot]))
			continue;
		print_state(status, &status->model.ports[slot], overlay);
		for (size_t i = 0; i < overlay->findings.count; i++) {
			const struct finding *finding = &overlay->findings.list[i];

			if (finding->severity < FINDING_WARNING)
				continue;
			printf(STATUS_COLUMN "%s: %s\n", "",
			       finding_severity_name(finding->severity), finding->what);
			if (finding->remedy)
				printf(STATUS_COLUMN "-> %s\n", "", finding->remedy);
		}
	}
}

const struct status_part status_zerotier = {
	.key = "zerotier",
	.matters = ZEROTIER_MATTERS,
	.read = read,
	.release = release,
	.judge = judge,
	.json = json,
	.print = print,
};
