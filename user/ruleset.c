// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * RFC 6092 (simple security) for members, RFC 4890 for ICMPv6, as a gateway whose fast path only
 * carries flows that these rules have let in.
 *
 * The rules match interfaces by name, so that they hold for one that comes back with another index;
 * and the prefixes of members, whatever interface they are behind, so that they hold for one that was
 * renamed. A table per family: one of family `inet` would have the kernel track IPv4 as well.
 */
#include "ruleset.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "zerotier/derive.h"

/* IPv6 and TCP headers: what an MSS is smaller than an MTU (RFC 2460 §8.3). */
#define MSS_OVERHEAD 60

/* Names or prefixes on their way into "{ A, B }". */
struct list {
	FILE *out;
	size_t count;
};

static void list_add(struct list *list, const char *text)
{
	fprintf(list->out, "%s%s", list->count++ ? ", " : "{ ", text);
}

static void list_end(const struct list *list)
{
	fputs(list->count ? " }" : "", list->out);
}

/* A star at the end would stand for any rest of the name. */
static void list_interface(struct list *list, const char *name)
{
	char quoted[IFNAMSIZ + 4];
	size_t length = strlen(name);
	bool star = length && name[length - 1] == '*';

	snprintf(quoted, sizeof(quoted), "\"%.*s%s\"", (int)(length - star), name,
		 star ? "\\*" : "");
	list_add(list, quoted);
}

static void write_inside(FILE *out, const struct conf *conf)
{
	struct list list = {.out = out};

	for (size_t i = 0; i < conf->zerotier_count; i++)
		if (*conf->zerotiers[i].interface)
			list_interface(&list, conf->zerotiers[i].interface);
	for (size_t i = 0; i < conf->lan_count; i++)
		list_interface(&list, conf->lans[i].name);
	list_end(&list);
}

static void write_uplinks(FILE *out, const struct conf *conf)
{
	struct list list = {.out = out};

	for (size_t i = 0; i < conf->uplink_count; i++)
		list_interface(&list, conf->uplinks[i].name);
	list_end(&list);
}

static void write_tunnels(FILE *out, const struct conf *conf)
{
	struct list list = {.out = out};

	for (size_t i = 0; i < conf->tunnel_count; i++)
		list_interface(&list, conf->tunnels[i].name);
	list_end(&list);
}

static void write_outside(FILE *out, const struct conf *conf)
{
	struct list list = {.out = out};

	for (size_t i = 0; i < conf->uplink_count; i++)
		list_interface(&list, conf->uplinks[i].name);
	for (size_t i = 0; i < conf->tunnel_count; i++)
		list_interface(&list, conf->tunnels[i].name);
	list_end(&list);
}

static bool has_inside(const struct conf *conf)
{
	for (size_t i = 0; i < conf->zerotier_count; i++)
		if (*conf->zerotiers[i].interface)
			return true;
	return conf->lan_count;
}

static int by_length(const void *a, const void *b)
{
	return ((const struct prefix *)a)->len - ((const struct prefix *)b)->len;
}

static bool add_all(struct prefixes *all, const struct prefixes *set)
{
	for (size_t i = 0; i < set->count; i++)
		if (prefixes_add(all, &set->list[i]))
			return false;
	return true;
}

/* Keeps those of @all that are within no other: intervals of a set must not overlap. Returns false when
 * memory is out. */
static bool keep_widest(struct prefixes *all, struct prefixes *out)
{
	bool good = true;

	if (all->count)
		qsort(all->list, all->count, sizeof(*all->list), by_length);
	for (size_t i = 0; i < all->count && good; i++) {
		bool within = false;

		for (size_t k = 0; k < out->count; k++)
			within |= prefix_contains(&out->list[k], &all->list[i]);
		good = within || !prefixes_add(out, &all->list[i]);
	}
	return good;
}

/* The prefixes of all members. Returns false when memory is out. */
static bool collect_members(const struct conf *conf, struct prefixes *out)
{
	struct prefixes all = {0};
	bool good = true;

	for (size_t i = 0; i < conf->zerotier_count && good; i++) {
		const struct conf_zerotier *zerotier = &conf->zerotiers[i];

		good = add_all(&all, &zerotier->prefix);
		for (size_t k = 0; k < zerotier->via_count && good; k++)
			good = add_all(&all, &zerotier->via[k].prefixes);
	}
	for (size_t i = 0; i < conf->lan_count && good; i++)
		good = add_all(&all, &conf->lans[i].prefix);
	good = good && keep_widest(&all, out);
	prefixes_free(&all);
	return good;
}

/* The prefixes that ZeroTier derives for its networks, of which nobody outside is. Returns false when
 * memory is out. */
static bool collect_private(const struct conf *conf, struct prefixes *out)
{
	struct prefixes all = {0};
	bool good = true;

	for (size_t i = 0; i < conf->zerotier_count && good; i++) {
		uint64_t network = conf->zerotiers[i].network;
		struct prefix rfc4193 = {zerotier_rfc4193(network, 0), ZEROTIER_RFC4193_BITS};
		struct prefix sixplane = {zerotier_6plane(network, 0), ZEROTIER_6PLANE_BITS};

		rfc4193 = prefix_network(&rfc4193);
		sixplane = prefix_network(&sixplane);
		good = !prefixes_add(&all, &rfc4193) && !prefixes_add(&all, &sixplane);
	}
	good = good && keep_widest(&all, out);
	prefixes_free(&all);
	return good;
}

static void write_prefixes(FILE *out, const struct prefixes *set)
{
	struct list list = {.out = out};
	char text[PREFIX_STRLEN];

	for (size_t i = 0; i < set->count; i++)
		list_add(&list, prefix_format(&set->list[i], text));
	list_end(&list);
}

/*
 * Sources that are inside, of packets that are not from there (RFC 6092 REC-5): the fast path drops them
 * on its ports, but ZeroTier's own addresses it does not know, and other interfaces it does not see. A
 * member's address is inside where the kernel would look for it there: a neighbour on the uplink's link
 * may have one of the same prefix.
 */
static void write_borrowed(FILE *out, const struct conf *conf, const struct prefixes *members,
			   const struct prefixes *private)
{
	if (private->count) {
		fputs("\t\tip6 saddr ", out);
		write_prefixes(out, private);
		fputs(" counter drop\n", out);
	}
	if (members->count && has_inside(conf)) {
		fputs("\t\tip6 saddr ", out);
		write_prefixes(out, members);
		fputs(" fib saddr oifname ", out);
		write_inside(out, conf);
		fputs(" counter drop\n", out);
	}
}

/* The end of the range that begins at @first once all that touch or overlap it are one with it. */
static uint32_t merged_end(const struct conf_allow *allow, uint32_t first)
{
	uint32_t end = first;

	for (size_t i = 0; i < allow->port_count; i++) {
		if (allow->ports[i].first > end + 1 || allow->ports[i].last <= end)
			continue;
		end = allow->ports[i].last;
		i = SIZE_MAX; /* may touch one that was looked at already */
	}
	return end;
}

/* In order, and none twice: intervals of a set must not overlap. */
static void write_ports(FILE *out, const struct conf_allow *allow)
{
	struct list list = {.out = out};
	uint32_t next = 0, first, end;
	char text[16];

	for (;;) {
		first = UINT32_MAX;
		for (size_t i = 0; i < allow->port_count; i++)
			if (allow->ports[i].first >= next && allow->ports[i].first < first)
				first = allow->ports[i].first;
		if (first == UINT32_MAX)
			break;
		end = merged_end(allow, first);
		snprintf(text, sizeof(text), first == end ? "%u" : "%u-%u", first, end);
		list_add(&list, text);
		next = end + 1;
	}
	list_end(&list);
}

static void write_allow(FILE *out, const struct conf_allow *allow)
{
	static const char *const what[] = {
		[ALLOW_TCP] = "tcp dport",
		[ALLOW_UDP] = "udp dport",
		[ALLOW_ICMPV6] = "icmpv6 type",
		[ALLOW_PROTOCOL] = "meta l4proto",
	};
	char text[PREFIX_STRLEN];

	fputs("\t\t", out);
	if (allow->has_from && allow->from.len)
		fprintf(out, "ip6 saddr %s ", prefix_format(&allow->from, text));
	if (allow->has_to && allow->to.len)
		fprintf(out, "ip6 daddr %s ", prefix_format(&allow->to, text));
	fprintf(out, "%s ", what[allow->protocol]);
	write_ports(out, allow);
	fputs(" accept\n", out);
}

/* Types that conntrack knows no flows of are "invalid" to it: they come before that is dropped.
 * @to_only: only what names a destination, which may be the gateway itself */
static void write_allows(FILE *out, const struct conf *conf, bool icmpv6, bool to_only)
{
	for (size_t i = 0; i < conf->allow_count; i++)
		if ((conf->allows[i].protocol == ALLOW_ICMPV6) == icmpv6 &&
		    (!to_only || conf->allows[i].has_to))
			write_allow(out, &conf->allows[i]);
}

/* RFC 4890 §4.3.1, and for the gateway §4.4.1. Before they are taken for a flow: one who goes on with
 * the same identifier is limited, too. */
static void write_echo_requests(FILE *out)
{
	fprintf(out,
		"\t\ticmpv6 type echo-request limit rate %d/second burst %d packets accept\n"
		"\t\ticmpv6 type echo-request counter drop\n",
		RULESET_ICMPV6_RATE, RULESET_ICMPV6_RATE);
}

/* What quotes a flow is "related" to it: to conntrack that is every type of error there may be, but those
 * that nobody has defined, and those of experiments, have to be listed (RFC 4890 §4.3.4, §4.3.5). */
static void write_related(FILE *out)
{
	fputs("\t\tct state related icmpv6 type 1-4 accept\n"
	      "\t\tct state related meta l4proto != ipv6-icmp accept\n",
	      out);
}

/* RFC 4890 §4.3.1 and §4.3.2: those that quote no flow may be of one that is forgotten. */
static void write_errors(FILE *out)
{
	fprintf(out,
		"\t\ticmpv6 type . icmpv6 code { 1 . 0-255, 2 . 0-255, 3 . 0-1, 4 . 0-2 } "
		"limit rate %d/second burst %d packets accept\n",
		RULESET_ICMPV6_RATE, RULESET_ICMPV6_RATE);
}

/* Both ways, for a member's interface takes larger packets than the tunnel. nftables only ever
 * lowers the option. */
static void write_clamps(FILE *out, const struct conf *conf)
{
	static const char *const sides[] = {"iifname", "oifname"};

	for (size_t i = 0; i < conf->tunnel_count; i++) {
		for (size_t k = 0; k < 2; k++) {
			struct list list = {.out = out};

			fprintf(out, "\t\t%s ", sides[k]);
			list_interface(&list, conf->tunnels[i].name);
			list_end(&list);
			fprintf(out,
				" tcp flags & (syn | rst) == syn tcp option maxseg size set %u\n",
				conf->tunnels[i].mtu - MSS_OVERHEAD);
		}
	}
}

/* Between members all is open. What is for a member and comes from elsewhere is inward, be it the
 * Internet or a network of the gateway's that is not in the configuration. */
static void write_forward(FILE *out, const struct conf *conf, const struct prefixes *members,
			  const struct prefixes *private)
{
	fputs("\tchain forward {\n"
	      "\t\ttype filter hook forward priority filter; policy accept;\n",
	      out);
	write_clamps(out, conf);
	if (has_inside(conf)) {
		fputs("\t\tiifname ", out);
		write_inside(out, conf);
		fputs(" goto outward\n", out);
		write_borrowed(out, conf, members, private);
		fputs("\t\toifname ", out);
		write_inside(out, conf);
		fputs(" goto inward\n", out);
	}
	if (members->count) {
		fputs("\t\t", out);
		if (conf->uplink_count || conf->tunnel_count) {
			fputs("oifname != ", out);
			write_outside(out, conf);
			fputc(' ', out);
		}
		fputs("ip6 daddr ", out);
		write_prefixes(out, members);
		fputs(" goto inward\n", out);
	}
	fputs("\t}\n", out);
}

/* RFC 6092 REC-3 (RFC 5095): no routing headers of type 0. RFC 4890 §4.3.4, §4.3.5: Neighbour
 * Discovery and renumbering stay on their link and in their site. */
static void write_never(FILE *out)
{
	fputs("\t\trt type 0 counter drop\n"
	      "\t\ticmpv6 type 133-138 counter drop\n",
	      out);
}

/*
 * Other addresses of members, such as ZeroTier's own (RFC 4193), are no business of anybody outside
 * (RFC 6092 REC-6).
 *
 * Only answers pass for being part of a flow. The other direction, of a flow that was opened from
 * outside, has to be listed with every packet: when it is listed no longer, it stops.
 */
static void write_inward(FILE *out, const struct conf *conf, const struct prefixes *members)
{
	fputs("\tchain inward {\n"
	      "\t\tip6 daddr != ",
	      out);
	write_prefixes(out, members);
	fputs(" counter drop\n", out);
	write_never(out);
	write_echo_requests(out);
	write_related(out);
	fputs("\t\tct state established ct direction reply accept\n"
	      "\t\tct state established ct status expected accept\n",
	      out);
	write_errors(out);
	write_allows(out, conf, true, false);
	fputs("\t\tct state invalid counter drop\n", out);
	write_allows(out, conf, false, false);
	fputs("\t\tcounter drop\n"
	      "\t}\n",
	      out);
}

static void write_members(FILE *out, const struct conf *conf, const struct prefixes *members)
{
	fputs("\tchain outward {\n", out);
	write_never(out);
	fputs("\t}\n", out);
	write_inward(out, conf, members);
}

/*
 * The gateway itself. What it has offered on its other interfaces it goes on to offer: only the
 * tunnel, which `up` makes, and addresses of members' prefixes, which `up` makes public, are
 * restricted. A session that conntrack has not seen the beginning of goes on, too: without SYN no
 * new one can begin.
 */
static void write_gateway(FILE *out, const struct conf *conf, const struct prefixes *members,
			  const struct prefixes *private)
{
	fputs("\tchain input {\n"
	      "\t\ttype filter hook input priority filter; policy accept;\n",
	      out);
	if (conf->tunnel_count) {
		fputs("\t\tiifname ", out);
		write_tunnels(out, conf);
		fputs(" goto gateway\n", out);
	}
	if (conf->uplink_count && members->count) {
		fputs("\t\tiifname ", out);
		write_uplinks(out, conf);
		fputs(" ip6 daddr ", out);
		write_prefixes(out, members);
		fputs(" fib daddr type local fib daddr . iif type != local goto gateway\n", out);
	}
	fputs("\t}\n"
	      "\tchain gateway {\n",
	      out);
	write_borrowed(out, conf, members, private);
	write_echo_requests(out);
	write_related(out);
	fputs("\t\tct state established accept\n", out);
	write_errors(out);
	/* RFC 4861 §7.1, RFC 3810 §5: neighbours and listeners are on the link. */
	fputs("\t\ticmpv6 type { 135, 136 } ip6 hoplimit 255 accept\n"
	      "\t\ticmpv6 type { 130-132, 143 } ip6 hoplimit 1 accept\n"
	      "\t\tudp dport 9993 accept\n"
	      "\t\ttcp flags & (fin | syn | rst | ack) != syn accept\n",
	      out);
	write_allows(out, conf, true, true);
	write_allows(out, conf, false, true);
	fputs("\t\tcounter drop\n"
	      "\t}\n",
	      out);
}

/* Protocol 41 over an uplink of tunnels only from their brokers. */
static void write_brokers(FILE *out, const struct conf *conf, const char *uplink)
{
	struct list interface = {.out = out}, remotes = {.out = out};
	char text[INET_ADDRSTRLEN];

	fputs("\t\tiifname ", out);
	list_interface(&interface, uplink);
	list_end(&interface);
	fputs(" ip protocol 41 ip saddr != ", out);
	for (size_t i = 0; i < conf->tunnel_count; i++) {
		bool seen = strcmp(conf->tunnels[i].uplink, uplink) != 0;

		for (size_t k = 0; k < i && !seen; k++)
			seen = !strcmp(conf->tunnels[k].uplink, uplink) &&
			       conf->tunnels[k].remote.s_addr == conf->tunnels[i].remote.s_addr;
		if (!seen)
			list_add(&remotes,
				 inet_ntop(AF_INET, &conf->tunnels[i].remote, text, sizeof(text)));
	}
	list_end(&remotes);
	fputs(" counter drop\n", out);
}

static void write_ipv4(FILE *out, const struct conf *conf, const char *table)
{
	fprintf(out,
		"table ip %s {\n"
		"\tchain input {\n"
		"\t\ttype filter hook input priority filter; policy accept;\n",
		table);
	for (size_t i = 0; i < conf->tunnel_count; i++) {
		bool seen = false;

		for (size_t k = 0; k < i; k++)
			seen |= !strcmp(conf->tunnels[k].uplink, conf->tunnels[i].uplink);
		if (!seen)
			write_brokers(out, conf, conf->tunnels[i].uplink);
	}
	fputs("\t}\n"
	      "}\n",
	      out);
}

static void write_shipped(FILE *out, const struct conf *conf, const char *table,
			  const struct prefixes *members, const struct prefixes *private)
{
	fprintf(out, "table ip6 %s {\n", table);
	write_forward(out, conf, members, private);
	if (members->count)
		write_members(out, conf, members);
	write_gateway(out, conf, members, private);
	fputs("}\n", out);
	if (conf->tunnel_count)
		write_ipv4(out, conf, table);
}

/* The kernel tracks connections while some rule asks for their state. */
static void write_conntrack(FILE *out, const char *table)
{
	fprintf(out,
		"table ip6 %s {\n"
		"\tchain forward {\n"
		"\t\ttype filter hook forward priority filter; policy accept;\n"
		"\t\tct state invalid counter\n"
		"\t}\n"
		"}\n",
		table);
}

const char *ruleset_table(const char *instance, char table[RULESET_TABLE_MAX])
{
	snprintf(table, RULESET_TABLE_MAX, "zt6-%s", instance);
	return table;
}

char *ruleset_text(const struct conf *conf, const char *table)
{
	struct prefixes members = {0}, private = {0};
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	bool good = out && collect_members(conf, &members) && collect_private(conf, &private);

	if (good && conf->rules == CONF_RULES_NONE)
		write_conntrack(out, table);
	else if (good)
		write_shipped(out, conf, table, &members, &private);
	prefixes_free(&members);
	prefixes_free(&private);
	if (out && (ferror(out) | fclose(out)))
		good = false;
	if (good)
		return text;
	free(text);
	return NULL;
}
