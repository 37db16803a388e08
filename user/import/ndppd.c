/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ndppd.conf into the proxies of a draft: each key into its equivalent, or words why it has none. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../conf_faults.h"
#include "ndppd_block.h"
#include "ndppd_values.h"
#include "sources.h"

/* The default of `ttl`, which is also that of `deadtime`. */
#define DEFAULT_TTL_MS 30000

static struct origin origin_of(const struct ndppd_block *block, const struct ndppd_entry *entry)
{
	return (struct origin){block->path, entry->line};
}

/* Options that Debian's ndppd, 0.2.5, reads and does nothing about. */
static void remark_dead(const struct ndppd_block *block, const struct ndppd_entry *entry)
{
	NDPPD_REMARK(block, entry,
		     "%s: ndppd 0.2.5 does not act on this, later ones and zt6-bpf do", entry->key);
}

static void set_bool(const struct ndppd_block *block, const char *key, bool dead)
{
	const struct ndppd_entry *entry = ndppd_find(block, key);
	bool value;

	if (!entry)
		return;
	value = ndppd_read_bool(block, entry);
	draft_set(block->draft, block->lines, "%-7s %s", key, value ? "yes" : "no");
	if (dead && !value)
		remark_dead(block, entry);
}

static void set_duration(const struct ndppd_block *block, const char *key, int32_t ms)
{
	bool whole = ms % 1000 == 0;

	draft_set(block->draft, block->lines, "%-7s %d%s", key, whole ? ms / 1000 : ms,
		  whole ? "s" : "ms");
}

#define DAY_MS    86400000
#define MINUTE_MS 60000

/* `ttl` is ours `valid`, and `deadtime`, which is as long unless it is given, `invalid`. */
static void set_ttl(const struct ndppd_block *block)
{
	const struct ndppd_entry *ttl = ndppd_find(block, "ttl"),
				 *dead = ndppd_find(block, "deadtime");
	int32_t valid = DEFAULT_TTL_MS, invalid;

	if (ttl)
		valid = ndppd_read_number(block, ttl, "ms", 100, DAY_MS);
	invalid = valid;
	if (dead) {
		invalid = ndppd_read_number(block, dead, "ms", 100, DAY_MS);
		remark_dead(block, dead);
	}
	if (!ttl && !dead)
		return;
	set_duration(block, "valid", valid);
	set_duration(block, "invalid", invalid);
}

static void set_probing(const struct ndppd_block *block)
{
	const struct ndppd_entry *timeout = ndppd_find(block, "timeout");
	const struct ndppd_entry *retries = ndppd_find(block, "retries");

	if (timeout)
		set_duration(block, "timeout",
			     ndppd_read_number(block, timeout, "ms", 10, MINUTE_MS));
	if (retries) {
		draft_set(block->draft, block->lines, "retries %d",
			  ndppd_read_number(block, retries, "", 1, 100));
		remark_dead(block, retries);
	}
}

static void remark_promiscuous(const struct ndppd_block *block)
{
	const struct ndppd_entry *entry = ndppd_find(block, "promiscuous");

	if (entry && ndppd_read_bool(block, entry))
		NDPPD_REMARK(block, entry,
			     "promiscuous has no equivalent and needs none: solicitations are "
			     "multicast, and ALLMULTI is set");
}

/* The method of a rule. False after a fault: ndppd does not start with such a rule. */
static bool read_method(const struct ndppd_block *block, struct draft_rule *rule)
{
	static const char *const names[] = {"auto", "static", "iface"};
	static const enum conf_method methods[] = {METHOD_AUTO, METHOD_STATIC, METHOD_IFACE};
	struct origin origin = origin_of(block, block->entry);
	const struct ndppd_entry *chosen = NULL;
	unsigned int count = 0;

	for (size_t i = 0; i < 3; i++) {
		const struct ndppd_entry *entry = ndppd_find(block, names[i]);

		if (!entry)
			continue;
		count++;
		chosen = entry;
		rule->method = methods[i];
	}
	if (count != 1) {
		draft_fault(block->draft, &origin,
			    "rule %s has %s of auto, static and iface: ndppd does not start with "
			    "this, write exactly one",
			    QUOTED(block->entry->value), count ? "more than one" : "none");
		return false;
	}
	if (rule->method == METHOD_IFACE) {
		const char *message = draft_name_fault(chosen->value);

		origin.line = chosen->line;
		if (message || strchr(chosen->value, ';')) {
			draft_fault(
				block->draft, &origin, "iface %s: %s", QUOTED(chosen->value),
				message ? message
					: "to ndppd the \";\" is a part of the name: remove it");
			return false;
		}
		snprintf(rule->iface, sizeof(rule->iface), "%s", chosen->value);
	} else if (*chosen->value && !ndppd_bool(chosen->value) && *chosen->value != ';') {
		NDPPD_REMARK(block, chosen,
			     "%s %s: to ndppd the word alone counts, whatever follows it",
			     chosen->key, QUOTED(chosen->value));
	}
	return true;
}

/* autowire is an option of the proxy, autovia one of the rule; with us both are the rule's. */
static void set_wiring(const struct ndppd_block *block, const struct draft_rule *rule,
		       const struct ndppd_entry *autowire)
{
	const struct ndppd_entry *autovia = ndppd_find(block, "autovia");
	bool wires = autowire && ndppd_bool(autowire->value);
	bool via = autovia && ndppd_read_bool(block, autovia);

	if (rule->method != METHOD_IFACE) {
		if (via)
			NDPPD_REMARK(block, autovia,
				     "autovia: only a rule with iface wires routes");
		return;
	}
	if (wires)
		draft_set(block->draft, block->lines, "autowire yes");
	if (via) {
		draft_set(block->draft, block->lines, "autovia yes");
		remark_dead(block, autovia);
	}
}

/* Reads the prefix of a rule. False, with words, where nobody can ask for an address in it. */
static bool read_prefix(const struct ndppd_block *proxy, const struct ndppd_entry *entry,
			struct prefix *out)
{
	const char *oddity = ndppd_address(entry->value, out);
	struct prefix network = prefix_network(out);
	const char *message = network.len ? draft_prefix_fault(&network) : NULL;

	if (message)
		NDPPD_REMARK(proxy, entry, "rule %s is left out: it is %s", QUOTED(entry->value),
			     oddity ? oddity : "for addresses that are never forwarded");
	return !message;
}

static void remark_prefix(const struct ndppd_block *rule, const struct prefix *prefix)
{
	const char *oddity = ndppd_address(rule->entry->value, &(struct prefix){0});
	struct prefix network = prefix_network(prefix);
	char text[PREFIX_STRLEN];

	if (oddity)
		NDPPD_REMARK(rule, rule->entry, "rule %s has %s", QUOTED(rule->entry->value),
			     oddity);
	else if (prefix_has_host_bits(prefix))
		NDPPD_REMARK(rule, rule->entry, "rule %s is all of %s to ndppd",
			     QUOTED(rule->entry->value), prefix_format(&network, text));
}

static void import_rule(const struct ndppd_block *proxy, struct draft_proxy *target,
			const struct ndppd_entry *entry, const struct ndppd_entry *autowire)
{
	static const char *const keys[] = {"auto", "static", "iface", "autovia"};
	struct origin origin = origin_of(proxy, entry);
	struct ndppd_block block = *proxy;
	struct draft_rule *rule;
	struct prefix prefix;

	ndppd_remark_quotes(proxy, entry);
	if (!*entry->value) {
		draft_fault(proxy->draft, &origin,
			    "a rule has no prefix: ndppd does not start with this");
		return;
	}
	if (!read_prefix(proxy, entry, &prefix))
		return;
	rule = draft_rule(proxy->draft, target, &prefix, &origin);
	if (!rule)
		return;
	block.entry = entry;
	block.lines = &rule->lines;
	remark_prefix(&block, &prefix);
	if (read_method(&block, rule))
		set_wiring(&block, rule, autowire);
	ndppd_find_unknown(&block, keys, sizeof(keys) / sizeof(keys[0]));
}

/* The settings of a proxy. A second section of an interface is a proxy of its own to ndppd. */
static void import_settings(const struct ndppd_block *block, bool again)
{
	static const char *const settings[] = {"router",  "ttl",       "deadtime",   "timeout",
					       "retries", "keepalive", "promiscuous"};

	if (!again) {
		set_bool(block, "router", false);
		set_ttl(block);
		set_probing(block);
		set_bool(block, "keepalive", true);
		remark_promiscuous(block);
		return;
	}
	for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
		const struct ndppd_entry *entry = ndppd_find(block, settings[i]);

		if (entry)
			NDPPD_REMARK(
				block, entry,
				"%s %s: the proxy has another section before this, whose settings "
				"hold for its rules, too",
				entry->key, QUOTED(entry->value));
	}
}

static void import_proxy(const struct ndppd_block *top, const struct ndppd_entry *entry)
{
	static const char *const keys[] = {"router",      "ttl",      "deadtime",
					   "timeout",     "retries",  "keepalive",
					   "promiscuous", "autowire", "rule"};
	struct origin origin = origin_of(top, entry);
	const struct ndppd_entry *autowire;
	struct draft_proxy *proxy;
	struct ndppd_block block = *top;
	bool empty = true;

	if (!*entry->value || strchr(entry->value, ';')) {
		draft_fault(top->draft, &origin,
			    *entry->value ? "proxy %s: to ndppd the \";\" is a part of the name"
					  : "proxy %s has no interface: ndppd does not start with "
					    "this",
			    QUOTED(entry->value));
		return;
	}
	proxy = draft_proxy(top->draft, entry->value, &origin);
	if (!proxy)
		return;
	block.entry = entry;
	block.lines = &proxy->lines;
	ndppd_remark_quotes(&block, entry);
	import_settings(&block, proxy->configured);
	proxy->configured = true;
	autowire = ndppd_find(&block, "autowire");
	if (autowire && ndppd_read_bool(&block, autowire))
		remark_dead(&block, autowire);
	for (const struct ndppd_entry *at = entry->children; at; at = at->next) {
		if (strcmp(at->key, "rule") != 0)
			continue;
		empty = false;
		import_rule(&block, proxy, at, autowire);
	}
	if (empty)
		NDPPD_REMARK(&block, entry, "proxy %s has no rule: it answers nothing",
			     QUOTED(entry->value));
	ndppd_find_unknown(&block, keys, sizeof(keys) / sizeof(keys[0]));
}

static void import_entries(struct draft *draft, const char *path, const struct ndppd_tree *tree)
{
	static const char *const keys[] = {"proxy", "route-ttl", "address-ttl"};
	struct ndppd_block top = {draft, path, &tree->top, &draft->head};
	const struct ndppd_entry *entry;

	for (size_t i = 1; i < sizeof(keys) / sizeof(keys[0]); i++) {
		entry = ndppd_find(&top, keys[i]);
		if (entry)
			NDPPD_REMARK(&top, entry,
				     "%s has no equivalent and needs none: the kernel tells the "
				     "agent of changes at once",
				     keys[i]);
	}
	for (entry = tree->top.children; entry; entry = entry->next)
		if (!strcmp(entry->key, "proxy"))
			import_proxy(&top, entry);
	ndppd_find_unknown(&top, keys, sizeof(keys) / sizeof(keys[0]));
	if (tree->stray_line)
		draft_remark(
			draft, &draft->head, &(struct origin){path, tree->stray_line},
			"\"}\" closes nothing: ndppd reads no further, and what follows is not "
			"in this file");
}

void import_ndppd(struct draft *draft, const char *path, char *text, size_t length)
{
	struct ndppd_tree tree;
	int err = ndppd_parse(draft, path, text, &tree);

	if (!err) {
		draft_comment(draft, &draft->head,
			      "In place of ndppd with %s: \"systemctl disable --now ndppd\" before "
			      "\"zt6-bpf up\".",
			      path);
		import_entries(draft, path, &tree);
		if (strlen(text) < length)
			draft_remark(draft, &draft->head, &(struct origin){path, 0},
				     "has a NUL byte: ndppd reads no further than that");
	} else if (err == -ENOMEM) {
		draft->err = err;
	}
	ndppd_tree_free(&tree);
}
