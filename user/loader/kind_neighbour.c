// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The neighbour behind which the tunnel's far end is. bpf_fib_lookup() never asks for one, and with
 * a TUN as tunnel device nobody else sends to it: so the kernel keeps it resolved by itself.
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
	struct in_addr address;
	bool found;
	bool lasting; /* managed, or in no need of being asked for */
};

static void describe(const struct object *object, char text[OBJECT_TEXT_MAX])
{
	snprintf(text, OBJECT_TEXT_MAX, "neighbour %s dev %s managed",
		 object_string(object, "address"), object_string(object, "device"));
}

static int compare(struct nlmsghdr *message, void *arg)
{
	const struct ndmsg *ndm = nlmsg_data(message);
	struct search *search = arg;
	struct nlattr *tb[NDA_MAX + 1];
	struct in_addr address;

	if (ndm->ndm_family != AF_INET || (uint32_t)ndm->ndm_ifindex != search->ifindex ||
	    nlmsg_parse(message, sizeof(*ndm), tb, NDA_MAX, NULL) || !tb[NDA_DST] ||
	    nla_memcpy(&address, tb[NDA_DST], sizeof(address)) != sizeof(address) ||
	    address.s_addr != search->address.s_addr)
		return 0;
	search->found = true;
	search->lasting = ndm->ndm_state & (NUD_PERMANENT | NUD_NOARP) ||
			  (tb[NDA_FLAGS_EXT] && nla_get_u32(tb[NDA_FLAGS_EXT]) & NTF_EXT_MANAGED);
	return 0;
}

/* -ENODEV when the device is not there. */
static int look(struct nl_sock *nl, const struct object *object, struct search *search)
{
	const struct ndmsg ndm = {.ndm_family = AF_INET};

	*search = (struct search){.ifindex = if_nametoindex(object_string(object, "device"))};
	if (inet_pton(AF_INET, object_string(object, "address"), &search->address) != 1)
		return -EBADMSG;
	if (!search->ifindex)
		return -ENODEV;
	return netlink_dump(nl, RTM_GETNEIGH, &ndm, sizeof(ndm), compare, search);
}

static int probe(struct nl_sock *nl, const struct object *object, json_t **before)
{
	struct search search;
	int err = look(nl, object, &search);

	if (err)
		return err == -ENODEV ? OBJECT_ABSENT : err;
	if (!search.found)
		return OBJECT_ABSENT;
	*before = json_true();
	return search.lasting ? OBJECT_PRESENT : OBJECT_OTHER;
}

static int change(struct nl_sock *nl, int type, int flags, const struct search *neighbour,
		  uint8_t ndm_flags, uint32_t flags_ext)
{
	const struct ndmsg ndm = {
		.ndm_family = AF_INET,
		.ndm_ifindex = (int)neighbour->ifindex,
		.ndm_flags = ndm_flags,
	};
	struct nl_msg *msg = netlink_message(type, flags, &ndm, sizeof(ndm));

	if (!msg || nla_put(msg, NDA_DST, sizeof(neighbour->address), &neighbour->address) ||
	    (flags_ext && nla_put_u32(msg, NDA_FLAGS_EXT, flags_ext))) {
		nlmsg_free(msg);
		return -ENOMEM;
	}
	return netlink_request(nl, msg, NULL, NULL);
}

static int make(struct nl_sock *nl, struct object *object)
{
	char text[OBJECT_TEXT_MAX];
	struct search search;
	int err = look(nl, object, &search);

	describe(object, text);
	if (!err)
		err = change(nl, RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE, &search, 0,
			     NTF_EXT_MANAGED);
	if (!err)
		err = look(nl, object, &search);
	if (err) {
		log_error("cannot add %s: %s", text, netlink_reason(err));
		return err;
	}
	if (!search.lasting)
		log_warning("this kernel has no managed neighbours (Linux 5.16 has): while nobody "
			    "else talks to %s, what goes into the tunnel may wait for it",
			    object_string(object, "address"));
	return 0;
}

static int unmake(struct nl_sock *nl, const struct object *object)
{
	char text[OBJECT_TEXT_MAX];
	struct search search;
	int err = look(nl, object, &search);

	if (err == -ENODEV || (!err && !search.found))
		return 0;
	/* A request without the flag "managed" clears it; NTF_USE leaves all else as it is. */
	if (!err && object->before)
		err = change(nl, RTM_NEWNEIGH, NLM_F_REPLACE, &search, NTF_USE, 0);
	else if (!err)
		err = change(nl, RTM_DELNEIGH, 0, &search, 0, 0);
	if (!err || err == -ENOENT || err == -ENODEV)
		return 0;
	describe(object, text);
	log_error("cannot take back %s: %s", text, netlink_reason(err));
	return err;
}

const struct object_kind kind_neighbour = {
	.name = "neighbour",
	.identity = (const char *const[]){"device", "address", NULL},
	.in_netns = true,
	.needs_up = true,
	.describe = describe,
	.probe = probe,
	.make = make,
	.unmake = unmake,
};

struct object *neighbour_object(const char *device, struct in_addr address)
{
	char text[INET_ADDRSTRLEN];

	inet_ntop(AF_INET, &address, text, sizeof(text));
	return object_new(&kind_neighbour,
			  json_pack("{s:s, s:s}", "device", device, "address", text));
}
