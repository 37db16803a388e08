/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What an ip(8) command in somebody's script does for IPv6 and tunnels. */
#ifndef ZT6_IMPORT_IP_COMMAND_H
#define ZT6_IMPORT_IP_COMMAND_H

#include <net/if.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#include "../addr.h"

enum ip_verb {
	IP_NOTHING,  /* not understood */
	IP_HARMLESS, /* does nothing that a gateway's configuration says: `true`, IPv4, removals */
	IP_TUNNEL,   /* remote, local, ttl of a sit tunnel */
	IP_ADDRESS,  /* prefix, with host bits */
	IP_LINK,     /* up, mtu */
	IP_ROUTE,    /* prefix (::/0: the default), gateway, metric, table */
	IP_RULE,     /* prefix that packets are from, table */
	IP_PROXY,    /* neighbour proxy for a prefix of 128 bits */
	IP_FORWARD,  /* sysctl: forwarding, or proxy_ndp */
};

struct ip_command {
	enum ip_verb verb;
	char device[IFNAMSIZ]; /* empty: it names none */
	struct prefix prefix;
	bool has_gateway, has_table, rejects; /* unreachable, blackhole, prohibit */
	bool has_local, has_ttl;
	struct in6_addr gateway;
	struct in_addr remote, local;
	uint32_t ttl, mtu, metric; /* 0: not given; of ttl: see has_ttl */
};

/**
 * ip_command_next - read the first of the commands of a line of shell.
 * @line: is changed; on return, what is behind "&&", "||" or ";", or NULL at the end
 * @iface: what $IFACE stands for
 *
 * What a shell would expand or redirect makes a command one that is not understood, but for
 * redirections to /dev/null.
 */
void ip_command_next(char **line, const char *iface, struct ip_command *out);

#endif
