/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The configuration that an import puts together out of other programs' files, before it is printed.
 *
 * A section is typed as far as other sections depend on it (names, prefixes), and a list of lines for
 * the rest: settings, and comments that say of a line of a file what has no equivalent or means
 * something else here. Every such comment also goes to stderr; a fault means that nothing is printed.
 *
 * Without memory a draft goes on as if nothing had been added, and says so in its `err`.
 */
#ifndef ZT6_IMPORT_DRAFT_H
#define ZT6_IMPORT_DRAFT_H

#include <net/if.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../addr.h"
#include "../conf.h"

/* Where something was read. */
struct origin {
	const char *path; /* outlives the draft */
	unsigned int line;
};

struct draft_line {
	struct draft_line *next;
	char *text;
};

struct draft_lines {
	struct draft_line *first, *last;
};

struct draft_rule {
	struct draft_rule *next;
	struct origin origin;
	struct draft_lines lines;
	struct prefix prefix; /* without host bits */
	enum conf_method method;
	char iface[IFNAMSIZ]; /* of METHOD_IFACE */
	bool left_out;        /* only its comments are printed */
};

struct draft_proxy {
	struct draft_proxy *next;
	struct origin origin;
	struct draft_lines lines;
	char name[IFNAMSIZ];
	struct draft_rule *rules, *last_rule;
	bool configured; /* it has had its settings */
	bool left_out;
};

struct draft_tunnel {
	struct draft_tunnel *next;
	struct origin origin;
	struct draft_lines lines;
	struct conf_tunnel conf; /* `line` is not used */
	bool has_address;
};

/* An uplink, or a lan, which alone has prefixes. */
struct draft_port {
	struct draft_port *next;
	struct origin origin;
	struct draft_lines lines;
	char name[IFNAMSIZ];
	struct prefixes prefix;
};

struct draft_zerotier {
	struct draft_zerotier *next;
	struct origin origin;
	struct draft_lines lines;
	uint64_t network;
	char interface[IFNAMSIZ]; /* empty: it has none yet */
	struct prefixes prefix;
};

/* A prefix on an interface. */
struct draft_owned {
	struct draft_owned *next;
	struct origin origin;
	char name[IFNAMSIZ];
	struct prefix prefix;
};

struct draft_path {
	struct draft_path *next;
	char text[];
};

struct draft {
	struct draft_lines head; /* of the file as a whole */
	struct draft_port *uplinks, *lans;
	struct draft_tunnel *tunnels;
	struct draft_zerotier *zerotiers;
	struct draft_proxy *proxies;
	struct draft_owned *onlinks;        /* the router upstream takes them to be on the link */
	struct draft_owned *insides;        /* somebody routes them there, to members */
	struct draft_lines remarks, faults; /* "FILE:LINE: text", in the order of reading */
	size_t fault_count, rule_count;
	struct draft_path *paths;
	bool incomplete; /* something is left to be filled in, and a comment says what */
	bool alone;      /* files that a file refers to are not read */
	int err;         /* -ENOMEM, or 0 */
};

/* Frees all that a draft holds. */
void draft_free(struct draft *draft);

/* A copy of a path that lives as long as the draft; "" without memory. */
const char *draft_path(struct draft *draft, const char *path);

/* A setting of a section, "KEY VALUE". */
void draft_set(struct draft *draft, struct draft_lines *lines, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* A comment of a section that no line of a file is behind. */
void draft_comment(struct draft *draft, struct draft_lines *lines, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* What has no equivalent or changes its meaning: for stderr, and a comment of the section. */
void draft_remark(struct draft *draft, struct draft_lines *lines, const struct origin *origin,
		  const char *format, ...) __attribute__((format(printf, 4, 5)));

/* What the file's own program would refuse, or what cannot be read. Line 0: the file as a whole. */
void draft_fault(struct draft *draft, const struct origin *origin, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/*
 * Each returns the section of a name, which it adds if there is none; NULL without memory, and for a
 * name that no interface can have, which is a fault.
 */
struct draft_port *draft_uplink(struct draft *draft, const char *name, const struct origin *origin);
struct draft_port *draft_lan(struct draft *draft, const char *name, const struct origin *origin);
struct draft_tunnel *draft_tunnel(struct draft *draft, const char *name,
				  const struct origin *origin);
struct draft_proxy *draft_proxy(struct draft *draft, const char *name, const struct origin *origin);
struct draft_zerotier *draft_zerotier(struct draft *draft, uint64_t network,
				      const struct origin *origin);

/* A prefix, without host bits, that the router upstream takes to be on the link of an interface; and one
 * that is routed to an interface, so that members are there. */
void draft_onlink(struct draft *draft, const char *name, const struct prefix *prefix,
		  const struct origin *origin);

void draft_inside(struct draft *draft, const char *name, const struct prefix *prefix,
		  const struct origin *origin);

/* A new rule of a proxy; NULL without memory, or (a fault) where there are more than a gateway takes. */
struct draft_rule *draft_rule(struct draft *draft, struct draft_proxy *proxy,
			      const struct prefix *prefix, const struct origin *origin);

/* The section of an interface, or NULL. */
struct draft_port *draft_find_uplink(const struct draft *draft, const char *name);
struct draft_port *draft_find_lan(const struct draft *draft, const char *name);
struct draft_tunnel *draft_find_tunnel(const struct draft *draft, const char *name);
struct draft_zerotier *draft_find_zerotier(const struct draft *draft, const char *name);
struct draft_zerotier *draft_find_network(const struct draft *draft, uint64_t network);
struct draft_proxy *draft_find_proxy(const struct draft *draft, const char *name);

/* Adds a prefix unless the set has it. */
void draft_prefix(struct draft *draft, struct prefixes *set, const struct prefix *prefix);

/* What the fast path would never forward to or from, as words; NULL: members may have the prefix. */
const char *draft_prefix_fault(const struct prefix *prefix);

/* Why zt6.conf cannot have this as the name of an interface, or NULL. */
const char *draft_name_fault(const char *name);

/* Whether this looks like an interface of ZeroTier's ("zt" and 8 digits of base 32). */
bool draft_is_zerotier_name(const char *name);

/**
 * draft_resolve - give every interface its role, once all files are read.
 *
 * Proxies of ndppd name interfaces and say not what they are; and what one file leaves open (who the
 * members are, what is routed here) another may say. Comments name what nobody says.
 */
void draft_resolve(struct draft *draft);

/* Prints the draft as a zt6.conf. */
void draft_print(const struct draft *draft, FILE *out);

#endif
