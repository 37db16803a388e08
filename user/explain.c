// SPDX-License-Identifier: GPL-2.0-or-later
#include "explain.h"

#include <errno.h>
#include <netlink/netlink.h>
#include <string.h>

#include "loader/facts.h"
#include "loader/netlink.h"
#include "log.h"
#include "running.h"

/* Hosts that stand for anybody outside: of documentation (RFC 3849, RFC 9637). Two, because a test
 * network may have the first as its own. */
static const union zt6_addr anybody[] = {
	{.bytes = {0x20, 0x01, 0x0d, 0xb8, [15] = 0x01}},
	{.bytes = {0x3f, 0xff, [15] = 0x01}},
};

/* A router on the link that nobody knows: fe80::1, and a locally administered MAC. */
static const union zt6_addr some_router = {.bytes = {0xfe, 0x80, [15] = 0x01}};
static const __u8 some_mac[ZT6_ETH_ALEN] = {0x02, [5] = 0x01};

struct inquiry {
	const struct model *model;
	const struct explain_question *question;
	struct nl_sock *nl;
	struct twin *twin;
	__u32 src_inside; /* slot of the inside port that leads back to src, or ZT6_NO_PORT */
	struct explanation *out;
};

static struct in6_addr in6(const union zt6_addr *addr)
{
	struct in6_addr out;

	memcpy(&out, addr, sizeof(out));
	return out;
}

static bool covers(const __u8 *prefix, __u8 len, const union zt6_addr *addr)
{
	struct prefix outer = {.len = len};
	struct in6_addr inner = in6(addr);

	memcpy(&outer.addr, prefix, sizeof(outer.addr));
	return prefix_contains_addr(&outer, &inner);
}

static const struct model_rule *rule_of(const struct model *model, __u32 slot,
					const union zt6_addr *target)
{
	const struct model_rule *best = NULL;

	for (size_t i = 0; i < model->rule_count; i++) {
		const struct model_rule *rule = &model->rules[i];

		if (rule->key.port == slot &&
		    covers(rule->key.addr, rule->key.prefixlen - 32, target) &&
		    (!best || rule->key.prefixlen > best->key.prefixlen))
			best = rule;
	}
	return best;
}

static bool belongs_to(const struct model_prefix *owner, __u32 slot)
{
	return owner && !owner->value.own && owner->value.port == slot;
}

/* Whether a packet like the one asked about may come in by a port, if it is honest. */
static bool is_plausible(const struct inquiry *inquiry, __u32 slot)
{
	const struct explain_question *question = inquiry->question;
	const struct model *model = inquiry->model;
	const struct zt6_port *port = &model->ports[slot];
	const struct model_prefix *to = inquiry->out->owner;

	if (port->role == ZT6_ROLE_NONE || !port->ifindex)
		return false;
	if (question->slot >= 0)
		return question->slot == (int)slot;
	/* Inside, paths are symmetric; what comes from outside may come by any way. */
	if (question->has_src)
		return port_is_inside(port) ? slot == inquiry->src_inside
					    : inquiry->src_inside == ZT6_NO_PORT;
	if (port_is_inside(port))
		return !belongs_to(to, slot);
	return to && (to->value.own || (to->value.port < ZT6_MAX_PORTS &&
					port_is_inside(&model->ports[to->value.port])));
}

/* An address that packets from this port have. */
static int assume_source(const struct inquiry *inquiry, __u32 slot, union zt6_addr *out)
{
	const struct model *model = inquiry->model;
	struct in6_addr except = in6(&inquiry->question->dst), found;
	int err = -ENOENT;

	*out = anybody[model_owner(model, &anybody[0]) ? 1 : 0];
	if (!port_is_inside(&model->ports[slot]))
		return 0;
	for (size_t i = 0; i < model->prefix_count && err == -ENOENT; i++) {
		const struct model_prefix *prefix = &model->prefixes[i];
		struct prefix within = {.len = prefix->key.prefixlen};

		if (!belongs_to(prefix, slot))
			continue;
		memcpy(&within.addr, prefix->key.addr, sizeof(within.addr));
		memcpy(out, prefix->key.addr, sizeof(*out));
		out->bytes[15] |= 2; /* a host's, unless there is a better one */
		err = kernel_any_neighbour(inquiry->nl, (int)model->ports[slot].ifindex, &within,
					   &except, &found);
	}
	if (!err)
		memcpy(out, &found, sizeof(*out));
	return err == -ENOENT ? 0 : err;
}

static int ask_kernel(const struct inquiry *inquiry, struct explain_case *c)
{
	const struct model *model = inquiry->model;
	struct in6_addr src = in6(&c->src), dst = in6(&inquiry->question->dst);
	struct kernel_neighbour *next = &c->neighbour;
	const struct zt6_tunnel *tunnel;
	int err;

	if (IN6_IS_ADDR_MULTICAST(&dst) || IN6_IS_ADDR_LINKLOCAL(&dst))
		return 0; /* of this link only */
	/* Where a target lives does not depend on who asks. */
	err = kernel_route_of(inquiry->nl, (int)model->ports[c->port].ifindex,
			      c->kind == EXPLAIN_PACKET ? &src : NULL, &dst, &c->route);
	if (err || c->route.error || !c->route.ifindex || c->route.type == RTN_LOCAL)
		return err;
	*next = (struct kernel_neighbour){
		.family = AF_INET6,
		.ifindex = c->route.ifindex,
		.addr = c->route.has_gateway ? c->route.gateway : dst,
	};
	for (__u32 slot = 0; slot < ZT6_MAX_PORTS; slot++) {
		if (model->ports[slot].role != ZT6_ROLE_TUNNEL ||
		    (int)model->ports[slot].ifindex != c->route.ifindex)
			continue;
		tunnel = &model->settings.tunnels[model->ports[slot].tunnel % ZT6_MAX_TUNNELS];
		next->family = AF_INET;
		err = facts_ipv4_next_hop(inquiry->nl, (struct in_addr){tunnel->remote},
					  (struct in_addr){tunnel->local}, &next->ifindex,
					  (struct in_addr *)&next->addr);
		if (err) {
			next->family = 0;
			return err == -ENETUNREACH ? 0 : err;
		}
	}
	return kernel_neighbour_of(inquiry->nl, next);
}

static int run_case(const struct inquiry *inquiry, struct explain_case *c)
{
	const struct model *model = inquiry->model;
	const struct zt6_port *port = &model->ports[c->port];
	const union zt6_addr *dst = &inquiry->question->dst;
	struct explain_link link = {.device = &model->ports[c->device]};
	struct kernel_neighbour sender = {
		.family = AF_INET6,
		.ifindex = (int)port->ifindex,
		.addr = in6(&c->src),
	};
	__u8 frame[EXPLAIN_FRAME_MAX];
	size_t length;
	int err = 0;

	if (port->role == ZT6_ROLE_TUNNEL)
		link.tunnel = &model->settings.tunnels[port->tunnel % ZT6_MAX_TUNNELS];
	else
		err = kernel_neighbour_of(inquiry->nl, &sender);
	if (err)
		return err;
	memcpy(link.src_mac, sender.has_mac ? sender.mac : some_mac, sizeof(link.src_mac));
	length = c->kind == EXPLAIN_PACKET ? explain_packet_udp(frame, &link, &c->src, dst)
					   : explain_packet_solicit(frame, &link, &c->src, dst);
	return twin_run(inquiry->twin, c->device, c->port, dst, frame, length, &c->answer,
			&c->knowledge);
}

static void add_case(const struct inquiry *inquiry, enum explain_kind kind, __u32 slot)
{
	const struct model *model = inquiry->model;
	const struct zt6_port *port = &model->ports[slot];
	struct explain_case *c = &inquiry->out->cases[inquiry->out->count++];

	*c = (struct explain_case){.kind = kind, .port = slot, .device = slot};
	if (port->role == ZT6_ROLE_TUNNEL)
		c->device = model->settings.tunnels[port->tunnel % ZT6_MAX_TUNNELS].uplink;
}

static void add_cases(const struct inquiry *inquiry)
{
	const struct explain_question *question = inquiry->question;
	const struct model *model = inquiry->model;

	for (__u32 slot = 0; slot < ZT6_MAX_PORTS; slot++) {
		const struct zt6_port *port = &model->ports[slot];

		if ((question->slot < 0 || question->slot == (int)slot) && port->ifindex &&
		    (port->flags & ZT6_PORT_PROXY) && inquiry->src_inside == ZT6_NO_PORT &&
		    rule_of(model, slot, &question->dst))
			add_case(inquiry, EXPLAIN_SOLICITATION, slot);
	}
	for (__u32 slot = 0; slot < ZT6_MAX_PORTS; slot++)
		if (is_plausible(inquiry, slot))
			add_case(inquiry, EXPLAIN_PACKET, slot);
}

static int answer_case(const struct inquiry *inquiry, struct explain_case *c)
{
	const struct explain_question *question = inquiry->question;
	int err = 0;

	c->src_assumed = c->kind == EXPLAIN_SOLICITATION || !question->has_src;
	if (c->kind == EXPLAIN_SOLICITATION) {
		c->src = some_router;
		c->rule = rule_of(inquiry->model, c->port, &question->dst);
	} else if (question->has_src) {
		c->src = question->src;
	} else {
		err = assume_source(inquiry, c->port, &c->src);
	}
	c->owner = model_owner(inquiry->model, &c->src);
	if (!err)
		err = ask_kernel(inquiry, c);
	if (err) {
		log_error("%s: cannot ask the kernel about the packet: %s",
			  inquiry->model->ports[c->port].name, netlink_reason(err));
		return err;
	}
	return run_case(inquiry, c);
}

/* By the kernel's own route, which knows what lies behind a member as well. */
static int find_source(struct inquiry *inquiry)
{
	const struct model *model = inquiry->model;
	struct in6_addr src = in6(&inquiry->question->src);
	struct kernel_route back;
	int err;

	inquiry->src_inside = ZT6_NO_PORT;
	if (!inquiry->question->has_src)
		return 0;
	err = kernel_route_of(inquiry->nl, 0, NULL, &src, &back);
	for (__u32 slot = 0; slot < ZT6_MAX_PORTS && !err && back.ifindex; slot++)
		if (port_is_inside(&model->ports[slot]) &&
		    (int)model->ports[slot].ifindex == back.ifindex)
			inquiry->src_inside = slot;
	return err;
}

int explain(const struct instance *instance, const struct model *model, struct nl_sock *nl,
	    const struct explain_question *question, struct explanation *out)
{
	struct inquiry inquiry = {
		.model = model,
		.question = question,
		.nl = nl,
		.out = out,
	};
	__u32 slots = 0;
	int err;

	out->dst = question->dst;
	out->owner = model_owner(model, &question->dst);
	out->count = 0;
	err = find_source(&inquiry);
	if (err) {
		log_error("cannot ask the kernel for the route back: %s", netlink_reason(err));
		return err;
	}
	add_cases(&inquiry);
	for (size_t i = 0; i < out->count; i++)
		slots |= 1U << out->cases[i].device;
	if (slots)
		err = twin_load(instance, model, slots, &inquiry.twin);
	for (size_t i = 0; i < out->count && !err; i++)
		err = answer_case(&inquiry, &out->cases[i]);
	twin_free(inquiry.twin);
	return err;
}
