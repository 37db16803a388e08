// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The interface flag that lets every multicast frame in, and with them the solicitations for
 * addresses that are proxied: a network card filters the groups that nobody here has joined.
 */
#include <errno.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netlink/msg.h>
#include <stdio.h>

#include "facts.h"
#include "kinds.h"
#include "netlink.h"
#include "../log.h"

static void describe(const struct object *object, char text[OBJECT_TEXT_MAX])
{
	snprintf(text, OBJECT_TEXT_MAX, "link %s allmulticast on", object_string(object, "device"));
}

static int probe(struct nl_sock *nl, const struct object *object, json_t **before)
{
	struct iface_facts facts;
	int err = facts_iface(nl, object_string(object, "device"), &facts);

	(void)before;
	if (err)
		return err == -ENODEV ? OBJECT_ABSENT : err;
	return facts.flags & IFF_ALLMULTI ? OBJECT_PRESENT : OBJECT_ABSENT;
}

static int change(struct nl_sock *nl, const struct object *object, unsigned int flags)
{
	const struct ifinfomsg ifi = {
		.ifi_index = (int)if_nametoindex(object_string(object, "device")),
		.ifi_flags = flags,
		.ifi_change = IFF_ALLMULTI,
	};

	if (!ifi.ifi_index)
		return -ENODEV;
	return netlink_request(nl, netlink_message(RTM_NEWLINK, 0, &ifi, sizeof(ifi)), NULL, NULL);
}

static int make(struct nl_sock *nl, struct object *object)
{
	int err = change(nl, object, IFF_ALLMULTI);

	if (err)
		log_error("%s: cannot set allmulticast on: %s", object_string(object, "device"),
			  netlink_reason(err));
	return err;
}

static int unmake(struct nl_sock *nl, const struct object *object)
{
	int err = change(nl, object, 0);

	if (!err || err == -ENODEV)
		return 0;
	log_error("%s: cannot set allmulticast off: %s", object_string(object, "device"),
		  netlink_reason(err));
	return err;
}

const struct object_kind kind_allmulti = {
	.name = "allmulti",
	.identity = (const char *const[]){"device", NULL},
	.in_netns = true,
	.describe = describe,
	.probe = probe,
	.make = make,
	.unmake = unmake,
};

struct object *allmulti_object(const char *device)
{
	return object_new(&kind_allmulti, json_pack("{s:s}", "device", device));
}
