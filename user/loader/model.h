/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the maps shall hold: computed from the configuration and the kernel's facts, written to the
 * maps by programs.c. Pure data, so that `up --dry-run` and the tests can look at it. */
#ifndef ZT6_MODEL_H
#define ZT6_MODEL_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

#include "../conf.h"
#include "facts.h"
#include "zt6_abi.h"

struct model_prefix {
	struct zt6_prefix_key key;
	struct zt6_prefix value;
};

struct model_rule {
	struct zt6_rule_key key;
	struct zt6_rule value;
};

struct model_binding {
	struct zt6_binding_key key;
	struct zt6_binding value;
};

struct model {
	struct zt6_settings settings; /* hash_seed stays 0: programs.c keeps the one in use */
	struct zt6_port ports[ZT6_MAX_PORTS];
	enum conf_datapath datapaths[ZT6_MAX_PORTS]; /* as configured */
	bool tunnel_bpf[ZT6_MAX_PORTS];              /* a tunnel port whose device is `bpf` */
	__u32 members, negative;                     /* entries of the maps of these names */
	struct model_prefix *prefixes;
	size_t prefix_count;
	struct model_rule *rules;
	size_t rule_count;
	struct model_binding *bindings;
	size_t binding_count;
};

/**
 * model_slots - give every configured port its slot.
 * @model: slots in use before (by name, zeroed where free) on entry; only names and roles are
 *	looked at. On return exactly the configured ports have a name and a role.
 *
 * A port keeps the slot that its name had, so that its counters go on. Returns 0, or -E2BIG with a
 * message when there are more than ZT6_MAX_PORTS.
 */
int model_slots(struct model *model, const struct conf *conf);

/**
 * model_fill - complete a model from the configuration and the kernel.
 * @model: with slots from model_slots()
 *
 * An overlay or lan whose interface is away gets ifindex 0. Returns 0, or a negative error with a
 * message: -ENODEV for an uplink or tunnel interface that is not there, -EADDRNOTAVAIL for a proxied
 * port without link-local address.
 */
int model_fill(struct model *model, const struct conf *conf, struct nl_sock *nl);

/**
 * model_add_prefix - say to whom a prefix belongs.
 *
 * The first word on a prefix stands: callers go from the strongest claim to the weakest. Only an own
 * address overrides what was said before. 0 or -ENOMEM.
 */
int model_add_prefix(struct model *model, const struct in6_addr *addr, uint8_t len, uint8_t port,
		     bool own);

/**
 * model_add_bindings - model_bindings.c: who may use the addresses of overlays with `bind`.
 *
 * Those of the configuration: prefixes behind members, and which prefixes' addresses end in node ids.
 * What a controller has assigned is the agent's to add. 0 or -ENOMEM.
 */
int model_add_bindings(struct model *model, const struct conf *conf);

/**
 * model_error_sources - choose the source of the ICMPv6 errors that the programs send out of a port
 * (RFC 4443 §2.2): an address of the port, or on an inside one, whose members believe it, of a tunnel.
 *
 * A port for which there is none leaves its errors to the kernel.
 */
void model_error_sources(struct model *model, const struct own_address *own, size_t count);

/* The longest prefix that holds the address, as the programs' trie finds it; NULL when none does. */
const struct model_prefix *model_owner(const struct model *model, const union zt6_addr *addr);

void model_free(struct model *model);

#endif
