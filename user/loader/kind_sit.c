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

struct parameters {
	struct in_addr local, remote;
	uint8_t ttl, tos, pmtudisc;
};

static int parameters_of(const struct object *object, struct parameters *out)
{
	*out = (struct parameters){
		.ttl = (uint8_t)object_number(object, "ttl"),
		.tos = (uint8_t)object_number(object, "tos"),
		.pmtudisc = json_is_true(json_object_get(object->spec, "pmtudisc")),
	};
	if (inet_pton(AF_INET, object_string(object, "local"), &out->local) != 1 ||
	    inet_pton(AF_INET, object_string(object, "remote"), &out->remote) != 1)
		return -EBADMSG;
	return 0;
}

static void describe(const struct object *object, char text[OBJECT_TEXT_MAX])
{
	char ttl[8] = "inherit", tos[8] = "inherit";

	if (object_number(object, "ttl"))
		snprintf(ttl, sizeof(ttl), "%u", object_number(object, "ttl") & 0xff);
	if (object_number(object, "tos") != TOS_INHERIT)
		snprintf(tos, sizeof(tos), "%u", object_number(object, "tos") & 0xff);
	snprintf(text, OBJECT_TEXT_MAX,
		 "link %s type sit local %s remote %s ttl %s tos %s %spmtudisc mtu %u up",
		 object_string(object, "name"), object_string(object, "local"),
		 object_string(object, "remote"), ttl, tos,
		 json_is_true(json_object_get(object->spec, "pmtudisc")) ? "" : "no",
		 object_number(object, "mtu"));
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
	return 0;
}

static bool parameters_equal(const struct parameters *is, const struct parameters *wanted)
{
	/* With a fixed TTL the kernel sets DF whatever it was told. */
	uint8_t pmtudisc = wanted->pmtudisc || wanted->ttl;

	return is->local.s_addr == wanted->local.s_addr &&
	       is->remote.s_addr == wanted->remote.s_addr && is->ttl == wanted->ttl &&
	       is->tos == wanted->tos && is->pmtudisc == pmtudisc;
}

static int probe(struct nl_sock *nl, const struct object *object, json_t **before)
{
	struct parameters is = {0}, wanted;
	struct ifinfomsg ifi = {0};
	struct iface_facts facts;
	int state = device_find(nl, object, "sit", ARPHRD_SIT, &facts);
	int err = parameters_of(object, &wanted);

	(void)before;
	if (state != OBJECT_PRESENT)
		return state;
	ifi.ifi_index = facts.ifindex;
	if (!err)
		err = netlink_request(nl, netlink_message(RTM_GETLINK, 0, &ifi, sizeof(ifi)),
				      read_parameters, &is);
	if (err)
		return err;
	return parameters_equal(&is, &wanted) && facts.mtu == object_number(object, "mtu") &&
			       facts.flags & IFF_UP
		       ? OBJECT_PRESENT
		       : OBJECT_OTHER;
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
	int err = parameters_of(object, &parameters);

	if (err) {
		nlmsg_free(msg);
		return err;
	}
	/* Linux 6.1 takes the name of a device that is up for a change of it, even the same. */
	if (!msg || (!ifindex && nla_put_string(msg, IFLA_IFNAME, object_string(object, "name"))) ||
	    nla_put_u32(msg, IFLA_MTU, object_number(object, "mtu")) ||
	    !(info = nla_nest_start(msg, IFLA_LINKINFO)) ||
	    nla_put_string(msg, IFLA_INFO_KIND, "sit") ||
	    !(data = nla_nest_start(msg, IFLA_INFO_DATA)) ||
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
		return device_taken(object);
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
	.taken = device_taken,
	.excludes = device_excludes,
	.in_netns = true,
	.describe = describe,
	.probe = probe,
	.make = make,
	.unmake = unmake,
};

struct object *sit_object(const struct conf_tunnel *tunnel, struct in_addr local)
{
	char local_text[INET_ADDRSTRLEN], remote_text[INET_ADDRSTRLEN];

	inet_ntop(AF_INET, &local, local_text, sizeof(local_text));
	inet_ntop(AF_INET, &tunnel->remote, remote_text, sizeof(remote_text));
	return object_new(
		&kind_sit,
		json_pack("{s:s, s:s, s:s, s:i, s:i, s:b, s:I}", "name", tunnel->name, "local",
			  local_text, "remote", remote_text, "ttl", tunnel->ttl, "tos",
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
