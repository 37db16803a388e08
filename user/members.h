/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who is inside: what the kernel's neighbour table, the agent's answers and the traffic know of each
 * address, brought together. Costs one dump and one pass over each map, however many there are. */
#ifndef ZT6_MEMBERS_H
#define ZT6_MEMBERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "instance.h"
#include "loader/model.h"
#include "zt6_abi.h"

struct nl_sock;

/* By what an address is bound to a node of a ZeroTier network. */
enum member_binding {
	MEMBER_UNBOUND,    /* by nothing, or it is not in one */
	MEMBER_DERIVED,    /* it holds the node's id */
	MEMBER_CONTROLLER, /* the controller has assigned it */
	MEMBER_VIA,        /* it is in a prefix that the configuration puts behind a member */
};

struct member {
	union zt6_addr addr;
	uint8_t port;  /* slot that it is behind; ZT6_NO_PORT: nothing tells */
	bool verified; /* the agent has found it in use, and that holds yet */
	bool absent;   /* the agent has found nobody there, and that holds yet */
	bool has_mac;
	uint8_t mac[ZT6_ETH_ALEN];
	uint16_t nud;      /* NUD_* of the kernel's neighbour; 0: it has none */
	uint64_t since_ns; /* CLOCK_MONOTONIC, when traffic first told of it; 0: it never did */
	uint64_t seen_ns;  /* CLOCK_MONOTONIC, last sign of life; 0: none */
	struct zt6_traffic traffic;
	uint64_t unbound; /* `bind count`: packets from it that came from another's MAC */
	enum member_binding binding;
	uint64_t bound_node;             /* of a binding but MEMBER_UNBOUND; 0: not known */
	uint8_t bound_mac[ZT6_ETH_ALEN]; /* of bound_node */
};

struct members {
	struct member *list; /* by port, then by address */
	size_t count;
};

/**
 * members_read - bring everything together.
 * @model: of the instance, as running_read() gives it
 * @out: to be freed with members_free()
 *
 * Returns 0, -ENOENT when the instance is not up, -EPROTO when another version is, or an error of
 * netlink.
 */
int members_read(const struct instance *instance, const struct model *model, struct nl_sock *nl,
		 struct members *out);

void members_free(struct members *members);

/*
 * State in one word. The kernel's, while it can send to the neighbour: permanent, noarp, reachable,
 * probe, delay, stale. Else what the agent knows: verified (it answers; the kernel has let go of it)
 * or absent. Else incomplete or failed, as the kernel has it, or seen: only traffic tells of it.
 */
const char *member_state(const struct member *member);

/* "derived", "controller", "via", or NULL. */
const char *member_binding_name(const struct member *member);

/* Whether the member's MAC is another than that of the node which its address is bound to. */
bool member_violates(const struct member *member);

/* Whether anything tells that it is there: an address that somebody asked for in vain is no member, and a
 * scan would fill the screen with such. */
bool member_gave_sign(const struct member *member);

/* The ZeroTier node that the member's MAC or address derives from; false when neither does. */
bool member_node(const struct member *member, uint64_t network, uint64_t *node);

#endif
