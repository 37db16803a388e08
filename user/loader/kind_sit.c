// SPDX-License-Identifier: GPL-2.0-or-later
/* A tunnel's interface as the kernel's own 6in4 device (net/ipv6/sit.c). */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <linux/if_tunnel.h> /* after net/if.h, with which it shares names */
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <stdio.h>
#include <string.h>

#include "device.h"
#include "kinds.h"
#include "netlink.h"
#include "../log.h"

#define INET_ECN_MASK 3
#define TOS_INHERIT   1 /* to the kernel: no DSCP has this bit */

/* A protocol that no sit device carries: the driver, if there is one, refuses it. */
#define NO_SUCH_PROTO 255

/* All that `ip -d link show` tells of one, and that we set. */
struct parameters {
	struct in_addr local, remote;
	uint8_t ttl, tos, pmtudisc;
	uint32_t link; /* interface that its packets leave by; 0: by whatever the routes say */
	uint32_t mtu;  /* bytes */
	bool up;
};

/* The address that `local auto` stands for now, or else (or without @nl) the one that it stood for
 * when the object was made. */
static void local_of(struct nl_sock *nl, const struct object *object, struct in_addr *local)
{
	unsigned int uplink = if_nametoindex(object_string(object, "uplink"));

	if (nl && json_is_true(json_object_get(object->spec, "local_auto")) && uplink)
		facts_ipv4_address(nl, (int)uplink, local);
}

static int parameters_of(struct nl_sock *nl, const struct object *object, struct parameters *out)
{
	*out = (struct parameters){
		.ttl = (uint8_t)object_number(object, "ttl"),
		.tos = (uint8_t)object_number(object, "tos"),
		.pmtudisc = json_is_true(json_object_get(object->spec, "pmtudisc")),
		.mtu = object_number(object, "mtu"),
		.up = true,
	};
	if (json_is_true(json_object_get(object->spec, "bound")))
		out->link = if_nametoindex(object_string(object, "uplink"));
	if (inet_pton(AF_INET, object_string(object, "local"), &out->local) != 1 ||
	    inet_pton(AF_INET, object_string(object, "remote"), &out->remote) != 1)
		return -EBADMSG;
	local_of(nl, object, &out->local);
	return 0;
}

static void format(const char *name, const struct parameters *parameters,
		   char text[OBJECT_TEXT_MAX])
{
	char ttl[8] = "inherit", tos[8] = "inherit", dev[IF_NAMESIZE + 8] = "";
	char local[INET_ADDRSTRLEN], remote[INET_ADDRSTRLEN], link[IF_NAMESIZE];

	if (parameters->ttl)
		snprintf(ttl, sizeof(ttl), "%u", parameters->ttl);
	if (parameters->tos != TOS_INHERIT)
		snprintf(tos, sizeof(tos), "%u", parameters->tos);
	if (parameters->link && if_indextoname(parameters->link, link))
		snprintf(dev, sizeof(dev), " dev %s", link);
	inet_ntop(AF_INET, &parameters->local, local, sizeof(local));
	inet_ntop(AF_INET, &parameters->remote, remote, sizeof(remote));
	snprintf(text, OBJECT_TEXT_MAX,
		 "link %s type sit local %s remote %s%s ttl %s tos %s %spmtudisc mtu %u %s", name,
		 local, remote, dev, ttl, tos, parameters->pmtudisc ? "" : "no", parameters->mtu,
		 parameters->up ? "up" : "down");
}

static void describe(const struct object *object, char text[OBJECT_TEXT_MAX])
{
	struct parameters wanted = {0};

	parameters_of(NULL, object, &wanted);
	format(object_string(object, "name"), &wanted, text);
}

static int read_parameters(struct nlmsghdr *message, void *arg)
{
	struct nlattr *tb[IFLA_MAX + 1], *info[IFLA_INFO_MAX + 1], *data[IFLA_IPTUN_MAX + 1];
	struct parameters *out = arg;

	if (nlmsg_parse(message, sizeof(struct ifinfomsg), tb, IFLA_MAX, NULL) ||
	    !tb[IFLA_LINKINFO] || nla_parse_nested(info, IFLA_INFO_MAX, tb[IFLA_LINKINFO], NULL) ||
	    !info[IFLA_INFO_DATA] ||
	    nla_parse_nested(data, IFLA_IPTUN_MAX, info[IFLA_INFO_DATA], NULL))
		return -EBADMSG;
	if (data[IFLA_IPTUN_LOCAL])
		out->local.s_addr = nla_get_u32(data[IFLA_IPTUN_LOCAL]);
	if (data[IFLA_IPTUN_REMOTE])
		out->remote.s_addr = nla_get_u32(data[IFLA_IPTUN_REMOTE]);
	if (data[IFLA_IPTUN_TTL])
		out->ttl = nla_get_u8(data[IFLA_IPTUN_TTL]);
	if (data[IFLA_IPTUN_TOS])
		out->tos = nla_get_u8(data[IFLA_IPTUN_TOS]);
	if (data[IFLA_IPTUN_PMTUDISC])
		out->pmtudisc = nla_get_u8(data[IFLA_IPTUN_PMTUDISC]);
	if (data[IFLA_IPTUN_LINK])
		out->link = nla_get_u32(data[IFLA_IPTUN_LINK]);
	return 0;
}

static bool parameters_equal(const struct parameters *is, const struct parameters *wanted)
{
	/* With a fixed TTL the kernel sets DF whatever it was told. */
	uint8_t pmtudisc = wanted->pmtudisc || wanted->ttl;

	return is->local.s_addr == wanted->local.s_addr &&
	       is->remote.s_addr == wanted->remote.s_addr && is->ttl == wanted->ttl &&
	       is->tos == wanted->tos && is->pmtudisc == pmtudisc && is->link == wanted->link &&
	       is->mtu == wanted->mtu && is->up == wanted->up;
}

/* The device that has the object's name: what it is, and what it shall be. As device_find(). */
static int compare(struct nl_sock *nl, const struct object *object, struct parameters *is,
		   struct parameters *wanted)
{
	struct ifinfomsg ifi = {0};
	struct iface_facts facts;
	int state = device_find(nl, object, "sit", ARPHRD_SIT, &facts);
	int err = parameters_of(nl, object, wanted);

	if (state != OBJECT_PRESENT)
		return state;
	*is = (struct parameters){.mtu = facts.mtu, .up = facts.flags & IFF_UP};
	ifi.ifi_index = facts.ifindex;
	if (!err)
		err = netlink_request(nl, netlink_message(RTM_GETLINK, 0, &ifi, sizeof(ifi)),
				      read_parameters, is);
	/* Bound to the uplink it does no less than without. */
	if (is->link == if_nametoindex(object_string(object, "uplink")))
		wanted->link = is->link;
	return err ? err : OBJECT_PRESENT;
}

static int probe(struct nl_sock *nl, const struct object *object, json_t **before)
{
	struct parameters is = {0}, wanted = {0};
	int state = compare(nl, object, &is, &wanted);

	(void)before;
	if (state != OBJECT_PRESENT)
		return state;
	return parameters_equal(&is, &wanted) ? OBJECT_PRESENT : OBJECT_OTHER;
}

/* One with our parameters will do, whoever has made it. */
static int taken(struct nl_sock *nl, const struct object *object)
{
	const char *name = object_string(object, "name");
	char is_text[OBJECT_TEXT_MAX], wanted_text[OBJECT_TEXT_MAX];
	struct parameters is = {0}, wanted = {0};
	int state = compare(nl, object, &is, &wanted);

	if (state < 0 || state == OBJECT_ABSENT)
		return state < 0 ? state : 0;
	if (state == OBJECT_OTHER)
		return device_taken(nl, object);
	if (parameters_equal(&is, &wanted))
		return 0;
	format(name, &is, is_text);
	format(name, &wanted, wanted_text);
	log_error("%s: a sit device of this name is there that is not ours, and it is not what the "
		  "configuration asks for; make them agree, or delete it (ip link delete %s)\n"
		  "  there:  %s\n  wanted: %s",
		  name, name, is_text, wanted_text);
	return -EEXIST;
}

/* @ifindex: of the device to change; 0 makes a new one. */
static int request(struct nl_sock *nl, const struct object *object, int ifindex)
{
	const struct ifinfomsg ifi = {
		.ifi_index = ifindex,
		.ifi_flags = IFF_UP,
		.ifi_change = IFF_UP,
	};
	struct nl_msg *msg = netlink_message(RTM_NEWLINK, ifindex ? 0 : NLM_F_CREATE | NLM_F_EXCL,
					     &ifi, sizeof(ifi));
	struct nlattr *info, *data;
	struct parameters parameters;
	int err = parameters_of(nl, object, &parameters);

	if (err) {
		nlmsg_free(msg);
		return err;
	}
	/* Linux 6.1 takes the name of a device that is up for a change of it, even the same. */
	if (!msg || (!ifindex && nla_put_string(msg, IFLA_IFNAME, object_string(object, "name"))) ||
	    nla_put_u32(msg, IFLA_MTU, parameters.mtu) ||
	    !(info = nla_nest_start(msg, IFLA_LINKINFO)) ||
	    nla_put_string(msg, IFLA_INFO_KIND, "sit") ||
	    !(data = nla_nest_start(msg, IFLA_INFO_DATA)) ||
	    nla_put_u32(msg, IFLA_IPTUN_LINK, parameters.link) ||
	    nla_put_u32(msg, IFLA_IPTUN_LOCAL, parameters.local.s_addr) ||
	    nla_put_u32(msg, IFLA_IPTUN_REMOTE, parameters.remote.s_addr) ||
	    nla_put_u8(msg, IFLA_IPTUN_TTL, parameters.ttl) ||
	    nla_put_u8(msg, IFLA_IPTUN_TOS, parameters.tos) ||
	    nla_put_u8(msg, IFLA_IPTUN_PMTUDISC, parameters.pmtudisc)) {
		nlmsg_free(msg);
		return -ENOMEM;
	}
	nla_nest_end(msg, data);
	nla_nest_end(msg, info);
	return netlink_request(nl, msg, NULL, NULL);
}

static int make(struct nl_sock *nl, struct object *object)
{
	const char *name = object_string(object, "name");
	char text[OBJECT_TEXT_MAX];
	struct iface_facts facts;
	int state = device_find(nl, object, "sit", ARPHRD_SIT, &facts);
	int err;

	if (state == OBJECT_OTHER)
		return device_taken(nl, object);
	if (state < 0)
		return state;
	err = request(nl, object, state == OBJECT_ABSENT ? 0 : facts.ifindex);
	if (err) {
		describe(object, text);
		log_error("%s: cannot make %s: %s%s", name, text, netlink_reason(err),
			  err == -EEXIST ? "; another sit device has the same local and remote "
					   "addresses"
			  : err == -EOPNOTSUPP
				  ? "; this kernel has no sit: set \"device bpf\" or auto"
				  : "");
		return err;
	}
	return device_remember(nl, object);
}

static int unmake(struct nl_sock *nl, const struct object *object)
{
	return device_unmake(nl, object, "sit", ARPHRD_SIT);
}

const struct object_kind kind_sit = {
	.name = "sit",
	.identity = (const char *const[]){"name", NULL},
	.taken = taken,
	.excludes = device_excludes,
	.in_netns = true,
	.describe = describe,
	.probe = probe,
	.make = make,
	.unmake = unmake,
};

struct object *sit_object(const struct conf_tunnel *tunnel, struct in_addr local, bool bound)
{
	char local_text[INET_ADDRSTRLEN], remote_text[INET_ADDRSTRLEN];

	inet_ntop(AF_INET, &local, local_text, sizeof(local_text));
	inet_ntop(AF_INET, &tunnel->remote, remote_text, sizeof(remote_text));
	return object_new(
		&kind_sit,
		json_pack("{s:s, s:s, s:b, s:s, s:s, s:b, s:i, s:i, s:b, s:I}", "name",
			  tunnel->name, "local", local_text, "local_auto", tunnel->local_auto,
			  "remote", remote_text, "uplink", tunnel->uplink, "bound", bound, "ttl",
			  tunnel->ttl, "tos",
			  tunnel->tos_inherit ? TOS_INHERIT : tunnel->tos & ~INET_ECN_MASK,
			  "pmtudisc", tunnel->pmtudisc, "mtu", (json_int_t)tunnel->mtu));
}

int sit_supported(struct nl_sock *nl)
{
	const struct ifinfomsg ifi = {0};
	struct nl_msg *msg =
		netlink_message(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &ifi, sizeof(ifi));
	struct nlattr *info, *data;
	int err;

	if (!msg || !(info = nla_nest_start(msg, IFLA_LINKINFO)) ||
	    nla_put_string(msg, IFLA_INFO_KIND, "sit") ||
	    !(data = nla_nest_start(msg, IFLA_INFO_DATA)) ||
	    nla_put_u8(msg, IFLA_IPTUN_PROTO, NO_SUCH_PROTO)) {
		nlmsg_free(msg);
		return -ENOMEM;
	}
	nla_nest_end(msg, data);
	nla_nest_end(msg, info);
	err = netlink_request(nl, msg, NULL, NULL);
	if (err == -EOPNOTSUPP)
		return 0;
	return err == -EINVAL ? 1 : err ? err : -EPROTO;
}
