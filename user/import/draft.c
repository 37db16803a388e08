/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "draft.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/types.h>

#include "../conf_keys.h"
#include "zt6_abi.h"

/* What follows so many of one import is more of the same. */
#define FAULTS_SHOWN 20

const char *draft_path(struct draft *draft, const char *path)
{
	struct draft_path *copy = malloc(sizeof(*copy) + strlen(path) + 1);

	if (!copy) {
		draft->err = -ENOMEM;
		return "";
	}
	memcpy(copy->text, path, strlen(path) + 1);
	copy->next = draft->paths;
	draft->paths = copy;
	return copy->text;
}

/* Takes @text, which may be NULL: there was no memory. */
static void append(struct draft *draft, struct draft_lines *lines, char *text)
{
	struct draft_line *line = text ? malloc(sizeof(*line)) : NULL;

	if (!line) {
		free(text);
		draft->err = -ENOMEM;
		return;
	}
	*line = (struct draft_line){.text = text};
	if (lines->last)
		lines->last->next = line;
	else
		lines->first = line;
	lines->last = line;
}

static char *vtext(const char *format, va_list args)
{
	char *text;

	return vasprintf(&text, format, args) < 0 ? NULL : text;
}

/* "PREFIX MESSAGE", or NULL. */
static char *joined(const char *prefix, const char *message)
{
	char *text;

	return asprintf(&text, "%s %s", prefix, message) < 0 ? NULL : text;
}

/* "FILE:LINE: MESSAGE", or NULL. */
static char *located(const struct origin *origin, const char *message)
{
	char *text;
	int length = origin->line
			     ? asprintf(&text, "%s:%u: %s", origin->path, origin->line, message)
			     : asprintf(&text, "%s: %s", origin->path, message);

	return length < 0 ? NULL : text;
}

void draft_set(struct draft *draft, struct draft_lines *lines, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	append(draft, lines, vtext(format, args));
	va_end(args);
}

void draft_comment(struct draft *draft, struct draft_lines *lines, const char *format, ...)
{
	va_list args;
	char *text;

	va_start(args, format);
	text = vtext(format, args);
	va_end(args);
	append(draft, lines, text ? joined("#", text) : NULL);
	free(text);
}

void draft_remark(struct draft *draft, struct draft_lines *lines, const struct origin *origin,
		  const char *format, ...)
{
	char *text, *with_place;
	va_list args;

	va_start(args, format);
	text = vtext(format, args);
	va_end(args);
	with_place = text ? located(origin, text) : NULL;
	append(draft, lines, with_place ? joined("#", with_place) : NULL);
	append(draft, &draft->remarks, with_place);
	free(text);
}

void draft_fault(struct draft *draft, const struct origin *origin, const char *format, ...)
{
	va_list args;
	char *text;

	if (++draft->fault_count > FAULTS_SHOWN)
		return;
	va_start(args, format);
	text = vtext(format, args);
	va_end(args);
	append(draft, &draft->faults, text ? located(origin, text) : NULL);
	free(text);
}

/* The lists are of structs that begin with a pointer to the next: the place of a new last one. */
#define LIST_END(list)                            \
	({                                        \
		__typeof__(list) *end_ = &(list); \
		while (*end_)                     \
			end_ = &(*end_)->next;    \
		end_;                             \
	})

#define LIST_FIND(list, field, wanted)                         \
	({                                                     \
		__typeof__((list) + 0) at_ = (list);           \
		while (at_ && strcmp(at_->field, wanted) != 0) \
			at_ = at_->next;                       \
		at_;                                           \
	})

#define LIST_FREE(list, release)                               \
	do {                                                   \
		while (list) {                                 \
			__typeof__(list) next_ = (list)->next; \
			release(list);                         \
			free(list);                            \
			(list) = next_;                        \
		}                                              \
	} while (0)

const char *draft_name_fault(const char *name)
{
	for (const char *at = name; *at; at++)
		if (*at <= ' ' || *at > '~' || *at == '"')
			return "a name in zt6.conf is printable ASCII without quotes";
	return conf_interface_fault(name);
}

/* Room for a section of an interface; NULL without memory, or for a name that none can have. */
static void *section(struct draft *draft, const char *name, const struct origin *origin,
		     size_t size)
{
	const char *message = draft_name_fault(name);
	void *room;

	if (message) {
		draft_fault(draft, origin, "%s: %s", QUOTED(name), message);
		return NULL;
	}
	room = calloc(1, size);
	if (!room)
		draft->err = -ENOMEM;
	return room;
}

struct draft_port *draft_find_uplink(const struct draft *draft, const char *name)
{
	return LIST_FIND(draft->uplinks, name, name);
}

struct draft_port *draft_find_lan(const struct draft *draft, const char *name)
{
	return LIST_FIND(draft->lans, name, name);
}

struct draft_tunnel *draft_find_tunnel(const struct draft *draft, const char *name)
{
	return LIST_FIND(draft->tunnels, conf.name, name);
}

struct draft_zerotier *draft_find_zerotier(const struct draft *draft, const char *name)
{
	return LIST_FIND(draft->zerotiers, interface, name);
}

struct draft_zerotier *draft_find_network(const struct draft *draft, uint64_t network)
{
	struct draft_zerotier *zerotier = draft->zerotiers;

	while (zerotier && zerotier->network != network)
		zerotier = zerotier->next;
	return zerotier;
}

struct draft_proxy *draft_find_proxy(const struct draft *draft, const char *name)
{
	return LIST_FIND(draft->proxies, name, name);
}

static struct draft_port *port(struct draft *draft, struct draft_port **list, const char *name,
			       const struct origin *origin)
{
	struct draft_port *port = LIST_FIND(*list, name, name);

	if (port)
		return port;
	port = section(draft, name, origin, sizeof(*port));
	if (!port)
		return NULL;
	port->origin = *origin;
	snprintf(port->name, sizeof(port->name), "%s", name);
	*LIST_END(*list) = port;
	return port;
}

struct draft_port *draft_uplink(struct draft *draft, const char *name, const struct origin *origin)
{
	return port(draft, &draft->uplinks, name, origin);
}

struct draft_port *draft_lan(struct draft *draft, const char *name, const struct origin *origin)
{
	return port(draft, &draft->lans, name, origin);
}

struct draft_tunnel *draft_tunnel(struct draft *draft, const char *name,
				  const struct origin *origin)
{
	struct draft_tunnel *tunnel = draft_find_tunnel(draft, name);

	if (tunnel)
		return tunnel;
	tunnel = section(draft, name, origin, sizeof(*tunnel));
	if (!tunnel)
		return NULL;
	tunnel->origin = *origin;
	tunnel->conf = (struct conf_tunnel){
		.local_auto = true,
		.mtu = 1480,
		.default_route = DEFAULT_NO,
	};
	snprintf(tunnel->conf.name, sizeof(tunnel->conf.name), "%s", name);
	*LIST_END(draft->tunnels) = tunnel;
	return tunnel;
}

struct draft_proxy *draft_proxy(struct draft *draft, const char *name, const struct origin *origin)
{
	struct draft_proxy *proxy = draft_find_proxy(draft, name);

	if (proxy)
		return proxy;
	proxy = section(draft, name, origin, sizeof(*proxy));
	if (!proxy)
		return NULL;
	proxy->origin = *origin;
	snprintf(proxy->name, sizeof(proxy->name), "%s", name);
	*LIST_END(draft->proxies) = proxy;
	return proxy;
}

struct draft_zerotier *draft_zerotier(struct draft *draft, uint64_t network,
				      const struct origin *origin)
{
	struct draft_zerotier *zerotier = draft_find_network(draft, network);

	if (zerotier)
		return zerotier;
	zerotier = calloc(1, sizeof(*zerotier));
	if (!zerotier) {
		draft->err = -ENOMEM;
		return NULL;
	}
	zerotier->origin = *origin;
	zerotier->network = network;
	*LIST_END(draft->zerotiers) = zerotier;
	return zerotier;
}

static void own(struct draft *draft, struct draft_owned **list, const char *name,
		const struct prefix *prefix, const struct origin *origin)
{
	struct draft_owned *owned = section(draft, name, origin, sizeof(*owned));

	if (!owned)
		return;
	owned->origin = *origin;
	owned->prefix = *prefix;
	snprintf(owned->name, sizeof(owned->name), "%s", name);
	*LIST_END(*list) = owned;
}

void draft_onlink(struct draft *draft, const char *name, const struct prefix *prefix,
		  const struct origin *origin)
{
	own(draft, &draft->onlinks, name, prefix, origin);
}

void draft_inside(struct draft *draft, const char *name, const struct prefix *prefix,
		  const struct origin *origin)
{
	own(draft, &draft->insides, name, prefix, origin);
}

struct draft_rule *draft_rule(struct draft *draft, struct draft_proxy *proxy,
			      const struct prefix *prefix, const struct origin *origin)
{
	struct draft_rule *rule;

	if (++draft->rule_count > ZT6_MAX_RULES) {
		if (draft->rule_count == ZT6_MAX_RULES + 1)
			draft_fault(draft, origin, "too many rules: a gateway takes %d",
				    ZT6_MAX_RULES);
		return NULL;
	}
	rule = calloc(1, sizeof(*rule));
	if (!rule) {
		draft->err = -ENOMEM;
		return NULL;
	}
	rule->origin = *origin;
	rule->prefix = prefix_network(prefix);
	if (proxy->last_rule)
		proxy->last_rule->next = rule;
	else
		proxy->rules = rule;
	proxy->last_rule = rule;
	return rule;
}

void draft_prefix(struct draft *draft, struct prefixes *set, const struct prefix *prefix)
{
	for (size_t i = 0; i < set->count; i++)
		if (prefix_equal(&set->list[i], prefix))
			return;
	if (prefixes_add(set, prefix))
		draft->err = -ENOMEM;
}

const char *draft_prefix_fault(const struct prefix *prefix)
{
	struct prefix network = prefix_network(prefix);

	return conf_prefix_fault(&network);
}

bool draft_is_zerotier_name(const char *name)
{
	return strlen(name) == 10 && !strncmp(name, "zt", 2) &&
	       strspn(name + 2, "abcdefghijklmnopqrstuvwxyz234567") == 8;
}

static void release_lines(struct draft_lines *lines)
{
	while (lines->first) {
		struct draft_line *next = lines->first->next;

		free(lines->first->text);
		free(lines->first);
		lines->first = next;
	}
	lines->last = NULL;
}

static void release_port(struct draft_port *port)
{
	release_lines(&port->lines);
	prefixes_free(&port->prefix);
}

static void release_tunnel(struct draft_tunnel *tunnel)
{
	release_lines(&tunnel->lines);
	prefixes_free(&tunnel->conf.routed);
}

static void release_zerotier(struct draft_zerotier *zerotier)
{
	release_lines(&zerotier->lines);
	prefixes_free(&zerotier->prefix);
}

static void release_rule(struct draft_rule *rule)
{
	release_lines(&rule->lines);
}

static void release_proxy(struct draft_proxy *proxy)
{
	release_lines(&proxy->lines);
	LIST_FREE(proxy->rules, release_rule);
}

/* What owns nothing. */
static void release_nothing(const void *element)
{
	(void)element;
}

void draft_free(struct draft *draft)
{
	release_lines(&draft->head);
	release_lines(&draft->remarks);
	release_lines(&draft->faults);
	LIST_FREE(draft->uplinks, release_port);
	LIST_FREE(draft->lans, release_port);
	LIST_FREE(draft->tunnels, release_tunnel);
	LIST_FREE(draft->zerotiers, release_zerotier);
	LIST_FREE(draft->proxies, release_proxy);
	LIST_FREE(draft->onlinks, release_nothing);
	LIST_FREE(draft->insides, release_nothing);
	LIST_FREE(draft->paths, release_nothing);
}
