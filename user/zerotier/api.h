/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the local zerotier-one says of itself, its networks and its peers, and, where it is also the
 * controller of a network, of that network's settings and members.
 *
 * Everything that comes over this API is read as what somebody else wrote: ids, names and addresses
 * are checked, and nothing else of an answer is ever printed.
 */
#ifndef ZT6_ZEROTIER_API_H
#define ZT6_ZEROTIER_API_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../addr.h"
#include "derive.h"
#include "service.h"

/* The local service answers at once or hangs. */
#define ZEROTIER_CONNECT_MS 1000
#define ZEROTIER_WHOLE_MS   3000

/* IPv4 addresses and prefixes are kept as IPv4-mapped ones (RFC 4291 §2.5.5.2). */

struct zerotier_node {
	uint64_t id;
	bool online; /* it reaches the roots */
	char version[16];
	struct prefixes listening; /* addresses from which it talks to peers; /128 each */
};

enum zerotier_network_status {
	ZEROTIER_OK,
	ZEROTIER_REQUESTING_CONFIGURATION,
	ZEROTIER_ACCESS_DENIED,
	ZEROTIER_NOT_FOUND,
	ZEROTIER_PORT_ERROR,
	ZEROTIER_CLIENT_TOO_OLD,
	ZEROTIER_AUTHENTICATION_REQUIRED,
	ZEROTIER_STATUS_OTHER, /* a word that this version does not know */
};

struct zerotier_route {
	struct prefix target;
	bool has_via;
	struct in6_addr via;
};

struct zerotier_routes {
	struct zerotier_route *list;
	size_t count;
};

/* A network that this machine has joined. */
struct zerotier_network {
	uint64_t id;
	enum zerotier_network_status status;
	char device[IFNAMSIZ]; /* empty: it has no interface (yet) */
	uint8_t mac[6];
	uint32_t mtu; /* bytes */
	bool bridge;  /* it may send frames of others */
	bool allow_managed, allow_global, allow_default;
	struct prefixes assigned; /* with host bits: address and length */
	struct zerotier_routes routes;
};

enum zerotier_role { ZEROTIER_LEAF, ZEROTIER_MOON, ZEROTIER_PLANET };

/* A node that this one talks to, or has lately. */
struct zerotier_peer {
	uint64_t node;
	enum zerotier_role role;
	int latency_ms;       /* -1: not known */
	bool direct;          /* false: through a relay */
	struct in6_addr path; /* of a direct one: the address that packets go to */
	uint16_t path_port;
};

struct zerotier_peers {
	struct zerotier_peer *list;
	size_t count;
};

/* Flags to set; unset ones are left as they are. */
struct zerotier_flags {
	const bool *allow_managed, *allow_global, *allow_default;
};

struct http_request;
struct http_answer;

/*
 * Each fills in a struct, to be freed with its _free(), and returns 0; or -ENOENT where there is no
 * such thing, -ECONNREFUSED, -ETIMEDOUT, -EACCES (the token), -EPROTO (nonsense), or another error,
 * with words in @why (ZEROTIER_WHY_MAX bytes). None takes longer than ZEROTIER_WHOLE_MS.
 */
int zerotier_get_node(const struct zerotier_service *service, struct zerotier_node *out, char *why);
int zerotier_get_network(const struct zerotier_service *service, uint64_t network,
			 struct zerotier_network *out, char *why);
int zerotier_get_peers(const struct zerotier_service *service, struct zerotier_peers *out,
		       char *why);

/* Joins the network if it is not yet, sets flags, and returns what it is then. */
int zerotier_set_network(const struct zerotier_service *service, uint64_t network,
			 const struct zerotier_flags *flags, struct zerotier_network *out,
			 char *why);

void zerotier_node_free(struct zerotier_node *node);
void zerotier_network_free(struct zerotier_network *network);
void zerotier_peers_free(struct zerotier_peers *peers);

/* The parts of the above, for those who do not wait: api_parse.c and api_request.c. */

/* A request with its strings. It holds the token: clear it after use. */
struct zerotier_request {
	char url[160];
	char header[32 + ZEROTIER_TOKEN_MAX];
};

/* Fills in @request for a path such as "/status", and @http that points into it. */
void zerotier_request(const struct zerotier_service *service, const char *path,
		      struct zerotier_request *request, struct http_request *http);
void zerotier_request_clear(struct zerotier_request *request);

/* The body of a POST that joins a network and sets flags: to be freed; NULL when out of memory. */
char *zerotier_flags_body(const struct zerotier_flags *flags);

/* "OK", "ACCESS_DENIED"... as the API says it; "OTHER" for what is not known here. */
const char *zerotier_status_name(enum zerotier_network_status status);

/* Whether an answer is worth parsing: 0, or an error with words. */
int zerotier_judge(const struct zerotier_service *service, const struct http_answer *answer,
		   char *why);

/* Reads an answer's body into a struct. 0, or an error with words. */
typedef int zerotier_parse_fn(const char *body, size_t length, void *out, char *why);

/**
 * zerotier_ask - one request, to its end.
 * @path: such as "/status"
 * @post: body of a POST, or NULL for a GET
 *
 * Errors are those above, and those of @parse.
 */
int zerotier_ask(const struct zerotier_service *service, const char *path, const char *post,
		 zerotier_parse_fn *parse, void *out, char *why);

/* Of GET /status, /network/ID (@network: whose it must be) and /peer, as zerotier_parse_fn. What they
 * allocate goes with the struct's free function. */
int zerotier_parse_node(const char *body, size_t length, struct zerotier_node *out, char *why);
int zerotier_parse_network(const char *body, size_t length, uint64_t network,
			   struct zerotier_network *out, char *why);
int zerotier_parse_peers(const char *body, size_t length, struct zerotier_peers *out, char *why);

#endif
