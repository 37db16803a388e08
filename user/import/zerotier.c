/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the ZeroTier service says of its networks into sections of a draft. */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <string.h>

#include "../conf_faults.h"
#include "../zerotier/json.h"
#include "sources.h"

#define ULA_BITS 7 /* fc00::/7, RFC 4193 §3.1: addresses inside the network */

struct element {
	struct draft *draft;
	struct draft_zerotier *target;
	const struct zerotier_network *network;
	struct origin origin;
};

/* Whether members can have it as public addresses: not IPv4 (mapped, here), not inside only. */
static bool is_public(const struct prefix *prefix)
{
	return prefix->len > ULA_BITS && (prefix->addr.s6_addr[0] & 0xfe) != 0xfc &&
	       !draft_prefix_fault(prefix);
}

static bool is_own(const struct zerotier_network *network, const struct in6_addr *addr)
{
	for (size_t i = 0; i < network->assigned.count; i++)
		if (IN6_ARE_ADDR_EQUAL(&network->assigned.list[i].addr, addr))
			return true;
	return false;
}

/* Prefixes on the network's link are the members'; those behind a member are routed to it. */
static void read_routes(const struct element *element)
{
	const struct zerotier_routes *routes = &element->network->routes;
	char via[INET6_ADDRSTRLEN], text[PREFIX_STRLEN];

	for (size_t i = 0; i < routes->count; i++) {
		const struct zerotier_route *route = &routes->list[i];
		struct prefix network = prefix_network(&route->target);

		if (!is_public(&network))
			continue;
		if (!route->has_via)
			draft_prefix(element->draft, &element->target->prefix, &network);
		else if (!is_own(element->network, &route->via))
			draft_set(element->draft, &element->target->lines, "via           %s %s",
				  inet_ntop(AF_INET6, &route->via, via, sizeof(via)),
				  prefix_format(&network, text));
	}
}

/* Without a route of the network's the address of this node says as much. */
static void read_addresses(const struct element *element)
{
	const struct prefixes *assigned = &element->network->assigned;

	for (size_t i = 0; i < assigned->count && !element->target->prefix.count; i++) {
		struct prefix network = prefix_network(&assigned->list[i]);

		if (is_public(&network) && network.len < 128)
			draft_prefix(element->draft, &element->target->prefix, &network);
	}
}

static void set_flag(const struct element *element, const char *key, bool value)
{
	draft_set(element->draft, &element->target->lines, "%-13s %s", key, value ? "yes" : "no");
}

static void set_flags(const struct element *element)
{
	const struct zerotier_network *network = element->network;

	set_flag(element, "allow-managed", network->allow_managed);
	set_flag(element, "allow-global", network->allow_global);
	set_flag(element, "allow-default", network->allow_default);
	if (!network->allow_managed || !network->allow_global)
		draft_remark(element->draft, &element->target->lines, &element->origin,
			     "network %016" PRIx64 ": without allow-managed and allow-global the "
			     "service installs neither public addresses nor the members' route",
			     network->id);
	if (network->allow_default)
		draft_remark(element->draft, &element->target->lines, &element->origin,
			     "network %016" PRIx64
			     ": allow-default is of no use on a gateway, and may "
			     "capture its own default route",
			     network->id);
}

static void add_network(struct draft *draft, const struct zerotier_network *network,
			const struct origin *origin)
{
	struct element element = {draft, draft_find_network(draft, network->id), network, *origin};

	if (element.target) {
		draft_remark(draft, &element.target->lines, origin,
			     "network %016" PRIx64 " is there already, from %s:%u", network->id,
			     element.target->origin.path, element.target->origin.line);
		return;
	}
	if (*network->device && draft_name_fault(network->device)) {
		draft_fault(draft, origin, "%s: %s", QUOTED(network->device),
			    draft_name_fault(network->device));
		return;
	}
	element.target = draft_zerotier(draft, network->id, origin);
	if (!element.target)
		return;
	memcpy(element.target->interface, network->device, sizeof(network->device));
	if (network->status != ZEROTIER_OK)
		draft_remark(draft, &element.target->lines, origin,
			     "network %016" PRIx64 " is not in use: its status is %s", network->id,
			     zerotier_status_name(network->status));
	set_flags(&element);
	read_routes(&element);
	read_addresses(&element);
}

/* The line on which an id stands first; JSON's values have no place of their own once they are read. */
static unsigned int line_of(const char *text, const char *id)
{
	const char *found = *id ? strstr(text, id) : NULL;
	unsigned int line = 1;

	for (const char *at = text; found && at < found; at++)
		line += *at == '\n';
	return line;
}

static void read_element(struct draft *draft, const char *path, const char *text,
			 const json_t *object)
{
	struct zerotier_network network = {0};
	char why[ZEROTIER_WHY_MAX];
	struct origin origin = {path, 1};
	const char *id = zerotier_json_string(object, "id");
	int err;

	if (!*id)
		id = zerotier_json_string(object, "nwid"); /* of versions before 1.2 */
	origin.line = line_of(text, id);
	if (!zerotier_network_parse(id, &network.id)) {
		draft_fault(draft, &origin, "this is no list of networks: an element has no id");
		return;
	}
	err = zerotier_read_network(object, &network, why);
	if (err == -ENOMEM)
		draft->err = err;
	else if (err)
		draft_fault(draft, &origin, "%s", why);
	else
		add_network(draft, &network, &origin);
	zerotier_network_free(&network);
}

static json_t *parse(struct draft *draft, const char *path, const char *text, size_t length)
{
	json_error_t error;
	json_t *root = json_loadb(text, length, 0, &error);
	struct origin origin = {path, 1};

	if (root)
		return root;
	origin.line = error.line > 0 ? (unsigned int)error.line : 1;
	if (!strncmp(text, "200 listnetworks", strlen("200 listnetworks")))
		draft_fault(draft, &origin,
			    "this is the table for people: \"zerotier-cli -j listnetworks\" prints "
			    "what is needed");
	else
		draft_fault(draft, &origin, "this is no JSON, from column %d on", error.column);
	return NULL;
}

void import_zerotier(struct draft *draft, const char *path, char *text, size_t length)
{
	json_t *root = parse(draft, path, text, length);
	const json_t *item;
	size_t i;

	if (!root)
		return;
	if (json_is_object(root)) {
		read_element(draft, path, text, root);
	} else {
		json_array_foreach (root, i, item) {
			read_element(draft, path, text, item);
		}
		if (!json_array_size(root))
			draft_remark(draft, &draft->head, &(struct origin){path, 1},
				     "there is no network: has this machine joined one?");
	}
	json_decref(root);
}
