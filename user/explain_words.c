// SPDX-License-Identifier: GPL-2.0-or-later
#include "explain_words.h"

#include <arpa/inet.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <netinet/ip6.h>
#include <netlink/route/route.h>
#include <stdio.h>
#include <string.h>

#include "loader/kinds.h"
#include "neighbour_state.h"
#include "running.h"
#include "stats.h"
#include "zt6_na.h"

const char *explain_action(enum zt6_verdict verdict)
{
#define NAME_REDIRECT                         "redirect"
#define NAME_REPLY                            "reply"
#define NAME_PASS                             "pass"
#define NAME_DROP                             "drop"
#define VERDICT_ACTION(id, name, action, why) [ZT6_##id] = NAME_##action,
	static const char *const actions[] = {ZT6_VERDICTS(VERDICT_ACTION)};

	return actions[verdict];
}

static const char *addr_text(const void *addr, char text[INET6_ADDRSTRLEN])
{
	return inet_ntop(AF_INET6, addr, text, INET6_ADDRSTRLEN);
}

static const char *prefix_text(const __u8 *addr, __u32 len, char *text)
{
	struct prefix prefix = {.len = len};

	memcpy(&prefix.addr, addr, sizeof(prefix.addr));
	return prefix_format(&prefix, text);
}

const char *explain_rule_prefix(const struct model_rule *rule, char *text)
{
	return prefix_text(rule->key.addr, rule->key.prefixlen - 32, text);
}

const char *explain_owner_prefix(const struct model_prefix *owner, char *text)
{
	return prefix_text(owner->key.addr, owner->key.prefixlen, text);
}

const char *explain_rule_method(const struct model *model, const struct model_rule *rule,
				char *text)
{
	if (rule->value.method == ZT6_METHOD_IFACE)
		snprintf(text, EXPLAIN_SENTENCE, "iface %s",
			 model->ports[rule->value.iface % ZT6_MAX_PORTS].name);
	else
		snprintf(text, EXPLAIN_SENTENCE, "%s",
			 rule->value.method == ZT6_METHOD_STATIC ? "static" : "auto");
	return text;
}

static void say_port(const struct model *model, const struct explain_case *c, const char *datapath,
		     char *out)
{
	const struct zt6_port *port = &model->ports[c->port], *device = &model->ports[c->device];
	char local[INET_ADDRSTRLEN], remote[INET_ADDRSTRLEN];
	const struct zt6_tunnel *tunnel;
	int used;

	if (port->role == ZT6_ROLE_TUNNEL) {
		tunnel = &model->settings.tunnels[port->tunnel % ZT6_MAX_TUNNELS];
		used = snprintf(out, EXPLAIN_SENTENCE, "%s, as 6in4 %s -> %s on %s", port->name,
				inet_ntop(AF_INET, &tunnel->remote, remote, sizeof(remote)),
				inet_ntop(AF_INET, &tunnel->local, local, sizeof(local)),
				device->name);
	} else {
		used = snprintf(out, EXPLAIN_SENTENCE, "%s, %s", port->name, role_name(port->role));
	}
	if (!strcmp(datapath, "none"))
		snprintf(out + used, EXPLAIN_SENTENCE - used,
			 "; our program is not attached to %s: the kernel alone decides, and what "
			 "follows is what the program would do",
			 device->name);
	else
		snprintf(out + used, EXPLAIN_SENTENCE - used, ", datapath %s", datapath);
}

static void say_rule(const struct model *model, const struct explain_case *c, char *out)
{
	char prefix[PREFIX_STRLEN], method[EXPLAIN_SENTENCE];

	snprintf(out, EXPLAIN_SENTENCE, "%s %.32s%s", explain_rule_prefix(c->rule, prefix),
		 explain_rule_method(model, c->rule, method),
		 c->rule->value.flags & ZT6_RULE_DAD ? ", defended against DAD once verified" : "");
}

static void say_target(const struct explanation *explanation, const struct explain_case *c,
		       char *out)
{
	const struct twin_knowledge *known = &c->knowledge;
	const char *text = "not verified, and not asked about";

	if (explanation->owner && explanation->owner->value.own)
		text = "the gateway's own address: the kernel answers";
	else if (c->rule->value.method == ZT6_METHOD_STATIC)
		text = "not asked about: static rules always answer";
	else if (c->answer.verdict == ZT6_NDP_ANSWERED && !known->verified_ns)
		text = "not verified: no agent is running, so that the kernel's neighbours decide";
	else if (c->answer.verdict == ZT6_NDP_DEFERRED && known->agent_running)
		text = "not verified yet: the agent asks for it inside";
	else if (c->answer.verdict == ZT6_NDP_DEFERRED)
		text = "not verified yet, and no agent is running that could";
	if (known->verified_ns)
		snprintf(out, EXPLAIN_SENTENCE, "verified in use, believed for %.1f s more",
			 (double)known->verified_ns / 1e9);
	else if (known->absent_ns)
		snprintf(out, EXPLAIN_SENTENCE, "found absent, believed for %.1f s more",
			 (double)known->absent_ns / 1e9);
	else
		snprintf(out, EXPLAIN_SENTENCE, "%s", text);
}

/* Multicast and link-local addresses. */
static bool is_of_link(const union zt6_addr *addr)
{
	return addr->bytes[0] == 0xff ||
	       (addr->bytes[0] == 0xfe && (addr->bytes[1] & 0xc0) == 0x80);
}

/* Why the source may come from there, or not. The pipeline fills its cache only behind the guard. */
static void say_guard(const struct model *model, const struct explanation *explanation,
		      const struct explain_case *c, char *out)
{
	bool refused = c->answer.verdict == ZT6_DROP_SPOOFED && !c->answer.has_route;
	const struct zt6_port *port = &model->ports[c->port];
	char src[INET6_ADDRSTRLEN], prefix[PREFIX_STRLEN];
	const struct model_prefix *owner = c->owner;

	addr_text(&c->src, src);
	if (is_of_link(&explanation->dst))
		snprintf(out, EXPLAIN_SENTENCE,
			 "not asked: such a destination is never forwarded to");
	else if (explanation->owner && explanation->owner->value.own)
		snprintf(out, EXPLAIN_SENTENCE,
			 "not asked: what is addressed to the gateway itself is the kernel's");
	else if (c->answer.verdict == ZT6_DROP_INNER_SOURCE)
		snprintf(out, EXPLAIN_SENTENCE, "%s can be no source in a tunnel (RFC 4213)", src);
	else if (owner && owner->value.own)
		snprintf(out, EXPLAIN_SENTENCE, "%s is the gateway's own, and comes from nowhere",
			 src);
	else if (owner && owner->value.port == c->port)
		snprintf(out, EXPLAIN_SENTENCE, "%s may come from %s, to which %s belongs", src,
			 port->name, explain_owner_prefix(owner, prefix));
	else if (owner && refused)
		snprintf(out, EXPLAIN_SENTENCE, "%s may not come from %s: %s belongs to %s", src,
			 port->name, explain_owner_prefix(owner, prefix),
			 owner->value.port < ZT6_MAX_PORTS ? model->ports[owner->value.port].name
							   : "no port");
	else if (owner)
		snprintf(out, EXPLAIN_SENTENCE, "%s is a neighbour on %s's own link, inside %s",
			 src, port->name, explain_owner_prefix(owner, prefix));
	else if (refused)
		snprintf(out, EXPLAIN_SENTENCE, "%s may not come from %s: %s", src, port->name,
			 port_is_inside(port) ? "no prefix of the port holds it"
					      : "it is nobody's source");
	else
		snprintf(out, EXPLAIN_SENTENCE, "%s may come from outside: it belongs to no port",
			 src);
}

static void say_route(const struct explain_case *c, char *out)
{
	char prefix[PREFIX_STRLEN], gateway[INET6_ADDRSTRLEN], protocol[32];
	const struct kernel_route *route = &c->route;
	int used;

	if (route->error) {
		snprintf(out, EXPLAIN_SENTENCE, "%s: %s", route_type_name(route->type),
			 strerror(-route->error));
		return;
	}
	if (route->type == RTN_UNSPEC)
		return;
	used = snprintf(out, EXPLAIN_SENTENCE, "%s %s", route_type_name(route->type),
			route->prefix.len ? prefix_format(&route->prefix, prefix) : "default");
	if (route->has_gateway)
		used += snprintf(out + used, EXPLAIN_SENTENCE - used, " via %s",
				 addr_text(&route->gateway, gateway));
	if (route->device[0])
		used += snprintf(out + used, EXPLAIN_SENTENCE - used, " dev %s", route->device);
	if (route->multipath)
		used += snprintf(out + used, EXPLAIN_SENTENCE - used, " by several next hops");
	snprintf(out + used, EXPLAIN_SENTENCE - used, " proto %s metric %u",
		 route->protocol == ZT6_RTPROT
			 ? "zt6-bpf"
			 : rtnl_route_proto2str(route->protocol, protocol, sizeof(protocol)),
		 route->metric);
}

static void say_neighbour(const struct explain_case *c, char *out)
{
	const struct kernel_neighbour *next = &c->neighbour;
	char addr[INET6_ADDRSTRLEN], mac[MAC_STRLEN], device[IF_NAMESIZE] = "?";

	if (!next->family)
		return;
	inet_ntop(next->family, &next->addr, addr, sizeof(addr));
	if_indextoname(next->ifindex, device);
	if (neighbour_is_usable(next->nud))
		snprintf(out, EXPLAIN_SENTENCE, "%s on %s at %s, %s", addr, device,
			 next->has_mac ? mac_format(next->mac, mac) : "no link layer",
			 neighbour_state_name(next->nud));
	else if (next->nud)
		snprintf(out, EXPLAIN_SENTENCE, "%s on %s has no address yet: %s", addr, device,
			 neighbour_state_name(next->nud));
	else
		snprintf(out, EXPLAIN_SENTENCE, "%s on %s is unknown to the kernel", addr, device);
}

static void say_policy(const struct model *model, const struct explain_case *c, char *out)
{
	enum zt6_verdict verdict = c->answer.verdict;

	if (verdict != ZT6_PASS_POLICY && strcmp(explain_action(verdict), "redirect") != 0)
		snprintf(out, EXPLAIN_SENTENCE, "not asked");
	else if (model->settings.policy == ZT6_POLICY_OFF)
		snprintf(out, EXPLAIN_SENTENCE, "off: what passes the guard is forwarded");
	else if (!(model->settings.flags & ZT6_SETTINGS_WITNESS))
		snprintf(out, EXPLAIN_SENTENCE,
			 "kernel: nftables decides, on the kernel's path; this kernel lets no "
			 "program ask conntrack, so that it forwards all packets itself");
	else
		snprintf(out, EXPLAIN_SENTENCE,
			 "kernel: nftables decides about this first packet, on the kernel's path; "
			 "what follows, once answered, is forwarded here");
}

/* What the program has made of the frame. */
static void say_redirect(const struct model *model, const struct explain_case *c, char *out)
{
	const struct zt6_route *route = &c->answer.route;
	const __u8 *frame = c->answer.frame;
	char mac[MAC_STRLEN], local[INET_ADDRSTRLEN], remote[INET_ADDRSTRLEN];
	struct ip6_hdr ip;
	int used;

	if (c->answer.length < route->header_length + sizeof(ip))
		return;
	memcpy(&ip, frame + route->header_length, sizeof(ip));
	used = snprintf(out, EXPLAIN_SENTENCE, "; leaves by %s to %s, hop limit %u, up to %u bytes",
			model->ports[route->tx_port % ZT6_MAX_PORTS].name, mac_format(frame, mac),
			ip.ip6_hlim, route->mtu);
	if (route->verdict == ZT6_ENCAPSULATED)
		snprintf(out + used, EXPLAIN_SENTENCE - used, ", as 6in4 %s -> %s",
			 inet_ntop(AF_INET, frame + route->header_length - 8, local, sizeof(local)),
			 inet_ntop(AF_INET, frame + route->header_length - 4, remote,
				   sizeof(remote)));
}

static void say_reply(const struct explain_case *c, char *out)
{
	char src[INET6_ADDRSTRLEN];
	struct zt6_na na;

	if (c->answer.length < sizeof(na))
		return;
	memcpy(&na, c->answer.frame + c->answer.length - sizeof(na), sizeof(na));
	snprintf(out, EXPLAIN_SENTENCE, "; from %s to whoever asked, flags%s%s",
		 addr_text(&na.src, src), na.flags & zt6_be16(ZT6_NA_ROUTER << 8) ? " R" : "",
		 na.flags & zt6_be16(ZT6_NA_SOLICITED << 8) ? " S" : "");
}

/* Verdicts that several stages give: which of them it was. */
static const char *reason(const struct model *model, const struct explain_case *c)
{
	const struct zt6_port *in = &model->ports[c->port];
	const struct zt6_route *route = &c->answer.route;

	if (c->kind == EXPLAIN_PACKET && c->answer.verdict == ZT6_DROP_SPOOFED &&
	    c->answer.has_route)
		return "; what came out of a tunnel never goes into one (RFC 6324)";
	if (c->kind != EXPLAIN_PACKET || c->answer.verdict != ZT6_PASS_OTHER)
		return "";
	if (!c->answer.has_route)
		return "; it leaves by none of our ports, and the kernel's path may take it";
	if (route->out_port == c->port)
		return "; it would leave by the port that it came by";
	if (!port_is_inside(in) && !port_is_inside(&model->ports[route->out_port % ZT6_MAX_PORTS]))
		return "; neither of its ends is inside";
	return "; the device that it leaves by is not there";
}

static void say_verdict(const struct model *model, const struct explain_case *c, char *out)
{
	enum zt6_verdict verdict = c->answer.verdict;
	char details[EXPLAIN_SENTENCE];

	snprintf(details, sizeof(details), "%s", reason(model, c));
	if (!strcmp(explain_action(verdict), "redirect"))
		say_redirect(model, c, details);
	else if (verdict == ZT6_NDP_ANSWERED)
		say_reply(c, details);
	snprintf(out, EXPLAIN_SENTENCE, "%s: %s%.200s", verdict_name(verdict),
		 verdict_meaning(verdict), details);
}

void explain_in_words(const struct model *model, const struct explanation *explanation,
		      const struct explain_case *c, const char *datapath, struct explain_words *out)
{
	memset(out, 0, sizeof(*out));
	say_port(model, c, datapath, out->port);
	if (c->rule) {
		say_rule(model, c, out->rule);
		say_target(explanation, c, out->target);
	}
	if (c->kind == EXPLAIN_PACKET)
		say_guard(model, explanation, c, out->guard);
	say_route(c, out->route);
	say_neighbour(c, out->neighbour);
	if (c->kind == EXPLAIN_PACKET)
		say_policy(model, c, out->policy);
	say_verdict(model, c, out->verdict);
}
