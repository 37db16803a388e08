// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The tunnel's own address, with IFA_F_NOPREFIXROUTE: its connected prefix would swallow the
 * members whose addresses lie in it (design §4.4).
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "facts.h"
#include "kinds.h"
#include "netlink.h"
#include "../log.h"

static void describe(const struct object *object, char text[OBJECT_TEXT_MAX])
{
	snprintf(text, OBJECT_TEXT_MAX, "address %s/%u dev %s noprefixroute%s",
		 object_string(object, "address"), object_number(object, "length"),
		 object_string(object, "device"),
		 json_is_true(json_object_get(object->spec, "nodad")) ? " nodad" : "");
}

/* The length that the address has on the device now, or -ENOENT. */
static int current_length(struct nl_sock *nl, unsigned int ifindex, const struct in6_addr *address)
{
	struct own_address *own = NULL;
	int length = -ENOENT;
	size_t count = 0;
	int err = facts_own_addresses(nl, &own, &count);

	if (err)
		return err;
	for (size_t i = 0; i < count; i++)
		if (own[i].ifindex == (int)ifindex &&
		    !memcmp(&own[i].prefix.addr, address, sizeof(*address)))
			length = own[i].prefix.len;
	free(own);
	return length;
}

static int probe(struct nl_sock *nl, const struct object *object, json_t **before)
{
	unsigned int ifindex = if_nametoindex(object_string(object, "device"));
	struct in6_addr address;
	int length;

	(void)before;
	if (inet_pton(AF_INET6, object_string(object, "address"), &address) != 1)
		return -EBADMSG;
	if (!ifindex)
		return OBJECT_ABSENT;
	length = current_length(nl, ifindex, &address);
	if (length == -ENOENT)
		return OBJECT_ABSENT;
	if (length < 0)
		return length;
	return length == (int)object_number(object, "length") ? OBJECT_PRESENT : OBJECT_OTHER;
}

static int change(struct nl_sock *nl, int type, unsigned int ifindex,
		  const struct in6_addr *address, unsigned int length, uint32_t flags)
{
	const struct ifaddrmsg ifa = {
		.ifa_family = AF_INET6,
		.ifa_prefixlen = (uint8_t)length,
		.ifa_index = ifindex,
	};
	int message_flags = type == RTM_NEWADDR ? NLM_F_CREATE | NLM_F_EXCL : 0;
	struct nl_msg *msg = netlink_message(type, message_flags, &ifa, sizeof(ifa));

	if (!msg || nla_put(msg, IFA_LOCAL, sizeof(*address), address) ||
	    nla_put(msg, IFA_ADDRESS, sizeof(*address), address) ||
	    nla_put_u32(msg, IFA_FLAGS, flags)) {
		nlmsg_free(msg);
		return -ENOMEM;
	}
	return netlink_request(nl, msg, NULL, NULL);
}

static int make(struct nl_sock *nl, struct object *object)
{
	unsigned int ifindex = if_nametoindex(object_string(object, "device"));
	bool nodad = json_is_true(json_object_get(object->spec, "nodad"));
	uint32_t flags = IFA_F_NOPREFIXROUTE | (nodad ? IFA_F_NODAD : 0);
	char text[OBJECT_TEXT_MAX];
	struct in6_addr address;
	int err;

	if (inet_pton(AF_INET6, object_string(object, "address"), &address) != 1)
		return -EBADMSG;
	/* The kernel keeps an address's first length: another one needs a new address. */
	err = ifindex ? current_length(nl, ifindex, &address) : -ENODEV;
	if (err >= 0)
		err = change(nl, RTM_DELADDR, ifindex, &address, (unsigned int)err, 0);
	if (!err || err == -ENOENT)
		err = change(nl, RTM_NEWADDR, ifindex, &address, object_number(object, "length"),
			     flags);
	if (err) {
		describe(object, text);
		log_error("cannot add %s: %s", text, netlink_reason(err));
	}
	return err;
}

static int unmake(struct nl_sock *nl, const struct object *object)
{
	unsigned int ifindex = if_nametoindex(object_string(object, "device"));
	char text[OBJECT_TEXT_MAX];
	struct in6_addr address;
	int err;

	if (inet_pton(AF_INET6, object_string(object, "address"), &address) != 1)
		return -EBADMSG;
	if (!ifindex)
		return 0;
	err = change(nl, RTM_DELADDR, ifindex, &address, object_number(object, "length"), 0);
	if (!err || err == -EADDRNOTAVAIL || err == -ENODEV || err == -ENXIO)
		return 0;
	describe(object, text);
	log_error("cannot delete %s: %s", text, netlink_reason(err));
	return err;
}

const struct object_kind kind_address = {
	.name = "address",
	.identity = (const char *const[]){"device", "address", NULL},
	.in_netns = true,
	.describe = describe,
	.probe = probe,
	.make = make,
	.unmake = unmake,
};

struct object *address_object(const char *device, const struct prefix *address, bool nodad)
{
	char text[INET6_ADDRSTRLEN];

	inet_ntop(AF_INET6, &address->addr, text, sizeof(text));
	return object_new(&kind_address,
			  json_pack("{s:s, s:s, s:i, s:b}", "device", device, "address", text,
				    "length", address->len, "nodad", nodad));
}
