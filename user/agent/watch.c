// SPDX-License-Identifier: GPL-2.0-or-later
/* The kernel's notices: routes, neighbours, interfaces, addresses, rules. */
#include <errno.h>
#include <linux/neighbour.h>
#include <net/if.h>
#include <linux/rtnetlink.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>
#include <string.h>
#include <sys/socket.h>

#include "../loader/kinds.h"
#include "../loader/model_refresh.h"
#include "../loader/netlink.h"
#include "../log.h"
#include "agent.h"

/* Room for a burst of notices, bytes; what does not fit makes us read everything anew. */
#define WATCH_BUFFER (4 << 20)

/* Notices read in one go: the heartbeat shall not wait for the end of a storm. */
#define WATCH_BURST 4096

static bool is_our_port(const struct agent *agent, int ifindex)
{
	for (int slot = 0; slot < ZT6_MAX_PORTS; slot++)
		if (agent->model.ports[slot].role != ZT6_ROLE_NONE &&
		    (int)agent->model.ports[slot].ifindex == ifindex)
			return true;
	return false;
}

/* A neighbour inside that was valid until now. */
static void note_gone(struct agent *agent, const struct neighbour *neighbour)
{
	int slot = agent_inside_slot(agent, neighbour->ifindex);
	const struct neighbour *was =
		neighbours_find(&agent->neighbours, neighbour->ifindex, &neighbour->addr);

	if (slot >= 0 && was && neighbour->family == AF_INET6)
		recall_note(&agent->recall, (uint8_t)slot, was, agent_now());
}

static int on_neighbour(struct nlmsghdr *message, void *arg)
{
	const struct ndmsg *nd = nlmsg_data(message);
	struct agent *agent = arg;
	struct neighbour neighbour = {.ifindex = nd->ndm_ifindex, .family = nd->ndm_family};
	struct nlattr *dst, *mac;
	unsigned int change;

	if (!is_our_port(agent, nd->ndm_ifindex))
		return 0;
	dst = nlmsg_find_attr(message, sizeof(*nd), NDA_DST);
	mac = nlmsg_find_attr(message, sizeof(*nd), NDA_LLADDR);
	if (!dst || nla_len(dst) > (int)sizeof(neighbour.addr))
		return 0;
	memcpy(&neighbour.addr, nla_data(dst), nla_len(dst));
	if (mac && nla_len(mac) == sizeof(neighbour.mac))
		memcpy(neighbour.mac, nla_data(mac), sizeof(neighbour.mac));
	if (message->nlmsg_type == RTM_NEWNEIGH)
		neighbour.state = nd->ndm_state;
	else
		note_gone(agent, &neighbour);
	change = neighbours_update(&agent->neighbours, &neighbour);
	if (change & (NEIGHBOUR_LOST | NEIGHBOUR_MOVED))
		agent_bump_generation(agent);
	verify_neighbour(agent, &neighbour, change);
	return 0;
}

static void on_link(struct nlmsghdr *message, struct agent *agent)
{
	const struct ifinfomsg *link = nlmsg_data(message);
	struct nlattr *name = nlmsg_find_attr(message, sizeof(*link), IFLA_IFNAME);

	if (name)
		ports_link_changed(agent, nla_get_string(name), link);
}

/* Somebody, `up` for one, has given a tunnel's interface another MTU than we. */
static void on_mtu(struct nlmsghdr *message, struct agent *agent)
{
	const struct ifinfomsg *link = nlmsg_data(message);
	struct nlattr *mtu = nlmsg_find_attr(message, sizeof(*link), IFLA_MTU);

	for (int slot = 0; slot < ZT6_MAX_PORTS && mtu; slot++)
		if ((int)agent->model.ports[slot].ifindex == link->ifi_index &&
		    agent->tunnel_mtu[slot] != nla_get_u32(mtu))
			agent->tunnel_mtu[slot] = 0;
}

static int on_notice(struct nl_msg *msg, void *arg)
{
	struct nlmsghdr *message = nlmsg_hdr(msg);
	struct agent *agent = arg;

	/* Everything is about to be read anew: what is left over is no news. */
	if (agent->resync_wanted && !agent->looked)
		return NL_OK;
	switch (message->nlmsg_type) {
	case RTM_NEWNEIGH:
	case RTM_DELNEIGH:
		on_neighbour(message, agent);
		break;
	case RTM_NEWROUTE:
	case RTM_DELROUTE:
		agent_bump_generation(agent);
		/* A multipath route makes the source decide; our own are none. */
		if (((struct rtmsg *)nlmsg_data(message))->rtm_protocol != ZT6_RTPROT)
			agent->refresh_wanted = true;
		break;
	case RTM_NEWLINK:
		on_link(message, agent);
		on_mtu(message, agent);
		agent_bump_generation(agent);
		agent->refresh_wanted = true;
		break;
	case RTM_DELLINK:
	case RTM_NEWADDR:
	case RTM_DELADDR:
	case RTM_NEWRULE:
	case RTM_DELRULE:
		agent_bump_generation(agent);
		agent->refresh_wanted = true;
		break;
	default:
		break;
	}
	return NL_OK;
}

int watch_open(struct agent *agent)
{
	struct nl_sock *nl = nl_socket_alloc();
	int bytes = WATCH_BUFFER, err;

	if (!nl)
		return -ENOMEM;
	agent->watch = nl;
	nl_socket_disable_seq_check(nl);
	nl_socket_modify_cb(nl, NL_CB_VALID, NL_CB_CUSTOM, on_notice, agent);
	err = nl_connect(nl, NETLINK_ROUTE);
	/* Without the privilege the system's limit has to do. */
	if (!err &&
	    setsockopt(nl_socket_get_fd(nl), SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes)))
		err = nl_socket_set_buffer_size(nl, WATCH_BUFFER, 0);
	if (!err)
		err = nl_socket_set_nonblocking(nl);
	if (!err)
		err = nl_socket_add_memberships(
			nl, RTNLGRP_NEIGH, RTNLGRP_LINK, RTNLGRP_IPV6_IFADDR, RTNLGRP_IPV4_IFADDR,
			RTNLGRP_IPV6_ROUTE, RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_RULE, RTNLGRP_NONE);
	if (err) {
		log_error("cannot watch the kernel's tables: %s", nl_geterror(err));
		return -EIO;
	}
	return 0;
}

void watch_close(struct agent *agent)
{
	nl_socket_free(agent->watch);
	agent->watch = NULL;
}

int watch_read(struct agent *agent)
{
	int err = 0;

	for (int i = 0; i < WATCH_BURST && !err; i++) {
		err = nl_recvmsgs_default(agent->watch);
		/* libnl's name for ENOBUFS: notices were lost. The kernel says so once, and goes
		 * on losing them until all that is left has been read. */
		if (err == -NLE_NOMEM) {
			agent->resync_wanted = true;
			agent->repair_wanted = true; /* an interface may have come back */
			err = 0;
		}
	}
	agent->drained = err == -NLE_AGAIN;
	if (!err || err == -NLE_AGAIN)
		return 0;
	log_error("cannot read the kernel's notices: %s", nl_geterror(err));
	return -EIO;
}

static int read_neighbours(struct agent *agent)
{
	struct ndmsg all = {.ndm_family = AF_UNSPEC};

	neighbours_clear(&agent->neighbours);
	return netlink_dump(agent->tables, RTM_GETNEIGH, &all, sizeof(all), on_neighbour, agent);
}

int watch_look(struct agent *agent)
{
	struct model seen = {0};
	int err = maps_read(&agent->maps, &seen);

	if (err) {
		model_free(&seen);
		return err;
	}
	model_free(&agent->model);
	agent->model = seen;
	agent->looked = true;
	return read_neighbours(agent);
}

int watch_resync(struct agent *agent)
{
	int err;

	/* Ports first: neighbours on other interfaces are none of ours. */
	err = watch_refresh(agent);
	if (err)
		return err;
	err = read_neighbours(agent);
	ports_recall(agent);
	agent_bump_generation(agent);
	return err;
}

int watch_refresh(struct agent *agent)
{
	struct model before = {0}, fresh = {0};
	bool changed;
	int err;

	/* Not from our own memory: the loader may have written since. */
	err = maps_read(&agent->maps, &fresh);
	memcpy(before.ports, fresh.ports, sizeof(before.ports));
	before.settings = fresh.settings;
	if (!err)
		err = model_refresh(&fresh, agent->requests);
	if (!err)
		err = maps_write(&agent->maps, &fresh);
	if (err) {
		model_free(&fresh);
		return err;
	}
	/* The maps know the new index already: a program that arrives finds its port. */
	changed = ports_follow(agent, &before, &fresh);
	model_free(&agent->model);
	agent->model = fresh;
	if (changed)
		groups_join_again(agent);
	return 0;
}
