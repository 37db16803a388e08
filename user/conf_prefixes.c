/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who owns which prefix: the default of zerotier's `prefix`, and prefixes written twice. */
#include "conf_keys.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/types.h>
#include <stdlib.h>
#include <string.h>

#include "zt6_abi.h"

/* Of the map `prefixes`, the other half is for the gateway's own addresses. */
#define CONF_PREFIXES_MAX (ZT6_MAX_PREFIXES / 2)

static int compare_prefixes(const void *a, const void *b)
{
	const struct prefix *first = a, *second = b;
	int order = memcmp(&first->addr, &second->addr, sizeof(first->addr));

	return order ? order : first->len - second->len;
}

static void sort(struct prefixes *set)
{
	if (set->count)
		qsort(set->list, set->count, sizeof(*set->list), compare_prefixes);
}

static int add_all(struct prefixes *set, const struct prefixes *more)
{
	int err = 0;

	for (size_t i = 0; i < more->count && !err; i++)
		err = prefixes_add(set, &more->list[i]);
	return err;
}

/* All `routed` and the prefixes of all rules. */
static int list_candidates(const struct conf *conf, struct prefixes *out)
{
	int err = 0;

	for (size_t i = 0; i < conf->tunnel_count && !err; i++)
		err = add_all(out, &conf->tunnels[i].routed);
	for (size_t i = 0; i < conf->proxy_count && !err; i++)
		for (size_t k = 0; k < conf->proxies[i].rule_count && !err; k++)
			err = prefixes_add(out, &conf->proxies[i].rules[k].prefix);
	sort(out);
	return err;
}

/* @candidates, each once, less those that are a lan's. */
static int subtract(const struct prefixes *candidates, const struct prefixes *lans,
		    struct prefixes *out)
{
	for (size_t i = 0; i < candidates->count; i++) {
		const struct prefix *prefix = &candidates->list[i];

		if (i && prefix_equal(prefix, prefix - 1))
			continue;
		if (lans->count &&
		    bsearch(prefix, lans->list, lans->count, sizeof(*prefix), compare_prefixes))
			continue;
		if (prefixes_add(out, prefix))
			return -ENOMEM;
	}
	return 0;
}

/* Why the default cannot be the prefix of a network's members, or NULL. */
static const char *default_fault(const struct prefixes *members, size_t candidates)
{
	if (!candidates)
		return "has no prefix for its members: neither \"routed\" of a tunnel nor a rule "
		       "of a proxy says one, so write \"prefix\"";
	if (!members->count)
		return "has no prefix left for its members: all that is routed or proxied here is "
		       "a lan's, so write \"prefix\"";
	if (!members->list[0].len)
		return "would have ::/0, the prefix of a rule, for its members: write \"prefix\"";
	return NULL;
}

static int default_prefix(const struct conf *conf, struct conf_faults *faults,
			  struct conf_zerotier *zerotier, bool sure)
{
	struct prefixes candidates = {0}, lans = {0};
	const char *message;
	int err = 0;

	for (size_t i = 0; i < conf->lan_count && !err; i++)
		err = add_all(&lans, &conf->lans[i].prefix);
	sort(&lans);
	if (!err)
		err = list_candidates(conf, &candidates);
	if (!err)
		err = subtract(&candidates, &lans, &zerotier->prefix);
	message = err || !sure ? NULL : default_fault(&zerotier->prefix, candidates.count);
	if (message)
		faults_add(faults, zerotier->line, "zerotier %016" PRIx64 " %s", zerotier->network,
			   message);
	prefixes_free(&candidates);
	prefixes_free(&lans);
	return err;
}

/* Two networks cannot both have everything. */
static int default_prefixes(struct conf *conf, struct conf_faults *faults, bool sure)
{
	const struct conf_zerotier *first = NULL;
	int err;

	for (size_t i = 0; i < conf->zerotier_count; i++) {
		struct conf_zerotier *zerotier = &conf->zerotiers[i];

		if (zerotier->prefix_given)
			continue;
		if (first) {
			faults_add(
				faults, zerotier->line,
				"zerotier %016" PRIx64 " and zerotier %016" PRIx64 " (line %u) "
				"would have the same prefixes by default: write \"prefix\" in each",
				zerotier->network, first->network, first->line);
			continue;
		}
		first = zerotier;
		err = default_prefix(conf, faults, zerotier, sure);
		if (err)
			return err;
	}
	return 0;
}

/* One prefix that a section writes. Equal ones are a fault within one space. */
struct claim {
	struct prefix prefix;
	size_t space; /* 0: inside, 1: routed to a tunnel, from 2 on: the rules of one proxy */
	size_t list;  /* that it is in; a prefix may be a network's and behind one of its members */
	size_t port;
	const char *section;
	char owner[32];
	unsigned int line;
	bool computed;
};

struct claims {
	struct claim *list;
	size_t count;
};

enum { SPACE_INSIDE, SPACE_ROUTED, SPACE_RULES };
enum { LIST_PREFIX, LIST_VIA };

static int add_claim(struct claims *claims, const struct claim *like, const struct prefix *prefix)
{
	struct claim *list = reallocarray(claims->list, claims->count + 1, sizeof(*claims->list));

	if (!list)
		return -ENOMEM;
	list[claims->count] = *like;
	list[claims->count++].prefix = *prefix;
	claims->list = list;
	return 0;
}

static int add_claims(struct claims *claims, const struct claim *like, const struct prefixes *set)
{
	int err = 0;

	for (size_t i = 0; i < set->count && !err; i++)
		err = add_claim(claims, like, &set->list[i]);
	return err;
}

static int claim_zerotier(const struct conf *conf, struct claims *claims, size_t index)
{
	const struct conf_zerotier *zerotier = &conf->zerotiers[index];
	struct claim like = {
		.space = SPACE_INSIDE,
		.list = LIST_PREFIX,
		.port = index,
		.section = "zerotier",
		.line = conf_line(conf, "zerotier", zerotier->line, "prefix"),
		.computed = !zerotier->prefix_given,
	};
	int err;

	snprintf(like.owner, sizeof(like.owner), "%016" PRIx64, zerotier->network);
	err = add_claims(claims, &like, &zerotier->prefix);
	like.list = LIST_VIA;
	like.computed = false;
	for (size_t i = 0; i < zerotier->via_count && !err; i++) {
		like.line = zerotier->via[i].line;
		err = add_claims(claims, &like, &zerotier->via[i].prefixes);
	}
	return err;
}

static int claim_lan(const struct conf *conf, struct claims *claims, size_t index)
{
	const struct conf_lan *lan = &conf->lans[index];
	struct claim like = {
		.space = SPACE_INSIDE,
		.port = conf->zerotier_count + index,
		.section = "lan",
		.line = conf_line(conf, "lan", lan->line, "prefix"),
	};

	snprintf(like.owner, sizeof(like.owner), "%s", lan->name);
	return add_claims(claims, &like, &lan->prefix);
}

static int claim_tunnel(const struct conf *conf, struct claims *claims, size_t index)
{
	const struct conf_tunnel *tunnel = &conf->tunnels[index];
	struct claim like = {
		.space = SPACE_ROUTED,
		.port = index,
		.section = "tunnel",
		.line = conf_line(conf, "tunnel", tunnel->line, "routed"),
	};

	snprintf(like.owner, sizeof(like.owner), "%s", tunnel->name);
	return add_claims(claims, &like, &tunnel->routed);
}

static int claim_rules(const struct conf *conf, struct claims *claims, size_t index)
{
	const struct conf_proxy *proxy = &conf->proxies[index];
	struct claim like = {
		.space = SPACE_RULES + index,
		.section = "proxy",
	};
	int err = 0;

	snprintf(like.owner, sizeof(like.owner), "%s", proxy->name);
	for (size_t i = 0; i < proxy->rule_count && !err; i++) {
		like.line = proxy->rules[i].line;
		err = add_claim(claims, &like, &proxy->rules[i].prefix);
	}
	return err;
}

static int list_claims(const struct conf *conf, struct claims *claims)
{
	int err = 0;

	for (size_t i = 0; i < conf->zerotier_count && !err; i++)
		err = claim_zerotier(conf, claims, i);
	for (size_t i = 0; i < conf->lan_count && !err; i++)
		err = claim_lan(conf, claims, i);
	for (size_t i = 0; i < conf->tunnel_count && !err; i++)
		err = claim_tunnel(conf, claims, i);
	for (size_t i = 0; i < conf->proxy_count && !err; i++)
		err = claim_rules(conf, claims, i);
	return err;
}

static int compare_sizes(size_t a, size_t b)
{
	return (a > b) - (a < b);
}

/* Equal ones end up beside each other, those of one list first. */
static int compare_claims(const void *a, const void *b)
{
	const struct claim *first = a, *second = b;
	int order = compare_sizes(first->space, second->space);

	if (!order)
		order = compare_prefixes(&first->prefix, &second->prefix);
	if (!order)
		order = compare_sizes(first->port, second->port);
	if (!order)
		order = compare_sizes(first->list, second->list);
	return order ? order : compare_sizes(first->line, second->line);
}

static void report(struct conf_faults *faults, const struct claim *one, const struct claim *other)
{
	const struct claim *first = one->line <= other->line ? one : other;
	const struct claim *second = first == one ? other : one;
	const char *remedy = "a prefix is on one port only";
	char text[PREFIX_STRLEN];

	if (one->computed || other->computed)
		remedy = "it is among those that a network has by default, so write its \"prefix\"";
	prefix_format(&one->prefix, text);
	if (one->port == other->port)
		faults_add(faults, second->line,
			   "%s %s: %s is here twice, first on line %u: remove one of them",
			   second->section, second->owner, text, first->line);
	else
		faults_add(faults, second->line, "%s %s: %s is also that of %s %s (line %u): %s",
			   second->section, second->owner, text, first->section, first->owner,
			   first->line, remedy);
}

/* The maps are bounded: what will not go into them is refused here. */
static void check_count(struct conf_faults *faults, const struct claims *claims)
{
	size_t rules = 0, inside = 0;

	for (size_t i = 0; i < claims->count; i++) {
		const struct claim *claim = &claims->list[i];

		if (claim->space >= SPACE_RULES && ++rules == ZT6_MAX_RULES + 1)
			faults_add(faults, claim->line,
				   "too many rules: %d at most, in all proxies", ZT6_MAX_RULES);
		if (claim->space == SPACE_INSIDE && ++inside == CONF_PREFIXES_MAX + 1)
			faults_add(
				faults, claim->line,
				"too many prefixes: %d at most, in all zerotier and lan sections",
				CONF_PREFIXES_MAX);
	}
}

int conf_prefixes_check(struct conf *conf, struct conf_faults *faults, bool sure)
{
	struct claims claims = {0};
	int err;

	err = default_prefixes(conf, faults, sure);
	if (!err)
		err = list_claims(conf, &claims);
	check_count(faults, &claims);
	if (!err && claims.count)
		qsort(claims.list, claims.count, sizeof(*claims.list), compare_claims);
	for (size_t i = 1; i < claims.count && !err && !faults->overflow; i++) {
		const struct claim *one = &claims.list[i - 1], *other = &claims.list[i];

		if (one->space == other->space && prefix_equal(&one->prefix, &other->prefix) &&
		    (one->port != other->port || one->list == other->list))
			report(faults, one, other);
	}
	free(claims.list);
	return err;
}
