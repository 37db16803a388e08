// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * `ip -6 neigh add proxy ADDRESS dev DEVICE`: the kernel answers solicitations on a device for an
 * address of ours that is on another. Members have the whole prefix on-link: they ask for the
 * gateway's own addresses in it as well, and without this nobody would answer them.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <stdio.h>
#include <string.h>

#include "kinds.h"
#include "netlink.h"
#include "../log.h"

struct search {
	uint32_t ifindex;
	struct in6_addr address;
	bool found;
};

static void describe(const struct object *object, char text[OBJECT_TEXT_MAX])
{
	snprintf(text, OBJECT_TEXT_MAX, "neighbour proxy %s dev %s",
		 object_string(object, "address"), object_string(object, "device"));
}

static int compare(struct nlmsghdr *message, void *arg)
{
	const struct ndmsg *ndm = nlmsg_data(message);
	struct search *search = arg;
	struct nlattr *tb[NDA_MAX + 1];
	struct in6_addr address;

	if (ndm->ndm_family != AF_INET6 || !(ndm->ndm_flags & NTF_PROXY) ||
	    (uint32_t)ndm->ndm_ifindex != search->ifindex ||
	    nlmsg_parse(message, sizeof(*ndm), tb, NDA_MAX, NULL) || !tb[NDA_DST] ||
	    nla_memcpy(&address, tb[NDA_DST], sizeof(address)) != sizeof(address))
		return 0;
	search->found |= IN6_ARE_ADDR_EQUAL(&address, &search->address);
	return 0;
}

/* -ENODEV when the device is not there. */
static int to_wire(const struct object *object, struct search *out)
{
	*out = (struct search){.ifindex = if_nametoindex(object_string(object, "device"))};
	if (inet_pton(AF_INET6, object_string(object, "address"), &out->address) != 1)
		return -EBADMSG;
	return out->ifindex ? 0 : -ENODEV;
}

static int probe(struct nl_sock *nl, const struct object *object, json_t **before)
{
	const struct ndmsg ndm = {.ndm_family = AF_INET6, .ndm_flags = NTF_PROXY};
	struct search search;
	int err = to_wire(object, &search);

	(void)before;
	if (!err)
		err = netlink_dump(nl, RTM_GETNEIGH, &ndm, sizeof(ndm), compare, &search);
	if (err)
		return err == -ENODEV ? OBJECT_ABSENT : err;
	return search.found ? OBJECT_PRESENT : OBJECT_ABSENT;
}

static int change(struct nl_sock *nl, int type, int flags, const struct object *object)
{
	struct ndmsg ndm = {.ndm_family = AF_INET6, .ndm_flags = NTF_PROXY};
	struct search search;
	struct nl_msg *msg;
	int err = to_wire(object, &search);

	if (err)
		return err;
	ndm.ndm_ifindex = (int)search.ifindex;
	msg = netlink_message(type, flags, &ndm, sizeof(ndm));
	if (!msg || nla_put(msg, NDA_DST, sizeof(search.address), &search.address)) {
		nlmsg_free(msg);
		return -ENOMEM;
	}
	return netlink_request(nl, msg, NULL, NULL);
}

static int make(struct nl_sock *nl, struct object *object)
{
	char text[OBJECT_TEXT_MAX];
	int err = change(nl, RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_EXCL, object);

	if (err) {
		describe(object, text);
		log_error("cannot add %s: %s", text, netlink_reason(err));
	}
	return err;
}

static int unmake(struct nl_sock *nl, const struct object *object)
{
	char text[OBJECT_TEXT_MAX];
	int err = change(nl, RTM_DELNEIGH, 0, object);

	if (!err || err == -ENOENT || err == -ENODEV)
		return 0;
	describe(object, text);
	log_error("cannot delete %s: %s", text, netlink_reason(err));
	return err;
}

const struct object_kind kind_proxy = {
	.name = "proxy",
	.identity = (const char *const[]){"device", "address", NULL},
	.in_netns = true,
	.describe = describe,
	.probe = probe,
	.make = make,
	.unmake = unmake,
};

struct object *proxy_object(const char *device, const struct in6_addr *address)
{
	char text[INET6_ADDRSTRLEN];

	inet_ntop(AF_INET6, address, text, sizeof(text));
	return object_new(&kind_proxy, json_pack("{s:s, s:s}", "device", device, "address", text));
}
