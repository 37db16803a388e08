// SPDX-License-Identifier: GPL-2.0-or-later
/* What the kernel's neighbour table knows of members. */
#include <errno.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <string.h>
#include <unistd.h>

#include "loader/netlink.h"
#include "members_internal.h"
#include "running.h"

#define NSEC_PER_SEC 1000000000ULL

/* States that come from the neighbour itself, so that the time of the last confirmation means
 * something; a new entry begins with one that was never given. */
#define NUD_CONFIRMED (NUD_REACHABLE | NUD_DELAY | NUD_PROBE | NUD_STALE)

struct kernel_reader {
	struct collection *collection;
	uint64_t tick_ns; /* of the kernel's ages */
};

/* Slot of the inside port with that interface, or ZT6_NO_PORT. */
static uint8_t inside_slot(const struct model *model, int ifindex)
{
	for (uint8_t slot = 0; slot < ZT6_MAX_PORTS; slot++) {
		const struct zt6_port *port = &model->ports[slot];

		if (port_is_inside(port) && port->ifindex && (int)port->ifindex == ifindex)
			return slot;
	}
	return ZT6_NO_PORT;
}

static int add_neighbour(struct nlmsghdr *message, void *arg)
{
	const struct kernel_reader *reader = arg;
	const struct ndmsg *nd = nlmsg_data(message);
	struct member member = {
		.port = inside_slot(reader->collection->model, nd->ndm_ifindex),
		.nud = nd->ndm_state,
	};
	struct nlattr *tb[NDA_MAX + 1];
	struct in6_addr addr;

	if (nd->ndm_family != AF_INET6 || member.port == ZT6_NO_PORT || !nd->ndm_state)
		return 0;
	if (nlmsg_parse(message, sizeof(*nd), tb, NDA_MAX, NULL))
		return -EBADMSG;
	if (!tb[NDA_DST] || nla_len(tb[NDA_DST]) != sizeof(addr))
		return 0;
	memcpy(&addr, nla_data(tb[NDA_DST]), sizeof(addr));
	if (IN6_IS_ADDR_MULTICAST(&addr) || IN6_IS_ADDR_LINKLOCAL(&addr))
		return 0;
	memcpy(&member.addr, &addr, sizeof(addr));
	if (tb[NDA_LLADDR] && nla_len(tb[NDA_LLADDR]) == sizeof(member.mac)) {
		memcpy(member.mac, nla_data(tb[NDA_LLADDR]), sizeof(member.mac));
		member.has_mac = true;
	}
	if ((nd->ndm_state & NUD_CONFIRMED) && tb[NDA_CACHEINFO] &&
	    nla_len(tb[NDA_CACHEINFO]) >= (int)sizeof(struct nda_cacheinfo)) {
		const struct nda_cacheinfo *info = nla_data(tb[NDA_CACHEINFO]);
		uint64_t age_ns = info->ndm_confirmed * reader->tick_ns;

		if (age_ns < reader->collection->now_ns)
			member.seen_ns = reader->collection->now_ns - age_ns;
	}
	return collection_add(reader->collection, &member);
}

int members_from_kernel(struct collection *collection, struct nl_sock *nl)
{
	const struct ndmsg all = {.ndm_family = AF_INET6};
	struct kernel_reader reader = {collection, NSEC_PER_SEC / sysconf(_SC_CLK_TCK)};

	return netlink_dump(nl, RTM_GETNEIGH, &all, sizeof(all), add_neighbour, &reader);
}
