// SPDX-License-Identifier: GPL-2.0-or-later
#include "groups.h"

#include <errno.h>
#include <netinet/in.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../log.h"
#include "agent.h"

/* Of all ports. Beyond it targets are found as without MLD snooping, or not. */
#define GROUPS_MAX 4096

struct group {
	__u32 slot;
	__u8 low[3]; /* of the targets' addresses (RFC 4291 §2.7.1) */
	unsigned int targets;
	int socket; /* that has joined; -1: none */
};

static int compare(const void *left, const void *right)
{
	const struct group *a = left, *b = right;

	if (a->slot != b->slot)
		return a->slot < b->slot ? -1 : 1;
	return memcmp(a->low, b->low, sizeof(a->low));
}

static int change(int fd, int option, const struct agent *agent, const struct group *group)
{
	struct ipv6_mreq request = {
		.ipv6mr_multiaddr.s6_addr = {0xff, 0x02, [11] = 1, [12] = 0xff},
		.ipv6mr_interface = agent->model.ports[group->slot].ifindex,
	};

	memcpy(&request.ipv6mr_multiaddr.s6_addr[13], group->low, sizeof(group->low));
	return setsockopt(fd, IPPROTO_IPV6, option, &request, sizeof(request)) ? -errno : 0;
}

/* On the first socket that has room. */
static int join(struct agent *agent, struct group *group)
{
	struct groups *groups = &agent->groups;
	int err = -ENOBUFS;

	group->socket = -1;
	if (!agent->model.ports[group->slot].ifindex)
		return 0;
	for (size_t i = 0; i < GROUP_SOCKETS && (err == -ENOBUFS || err == -ENOMEM); i++) {
		if (groups->sockets[i] < 0)
			groups->sockets[i] = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
		if (groups->sockets[i] < 0)
			return -errno;
		err = change(groups->sockets[i], IPV6_JOIN_GROUP, agent, group);
		if (!err)
			group->socket = groups->sockets[i];
	}
	return err;
}

static bool is_wanted(const struct agent *agent, const struct zt6_address_key *target)
{
	return agent->model.ports[target->port].proxy.flags & ZT6_PROXY_MLD;
}

static struct group key_of(const struct zt6_address_key *target)
{
	struct group key = {.slot = (__u32)target->port, .socket = -1};

	memcpy(key.low, &target->addr.bytes[13], sizeof(key.low));
	return key;
}

static struct group *add(struct groups *groups, const struct group *key)
{
	struct group *group = groups->count < GROUPS_MAX ? malloc(sizeof(*group)) : NULL;

	if (!group)
		return NULL;
	*group = *key;
	if (!tsearch(group, &groups->tree, compare)) {
		free(group);
		return NULL;
	}
	groups->count++;
	return group;
}

void groups_init(struct groups *groups)
{
	groups->tree = NULL;
	groups->count = 0;
	for (size_t i = 0; i < GROUP_SOCKETS; i++)
		groups->sockets[i] = -1;
}

void groups_join(struct agent *agent, const struct zt6_address_key *target)
{
	struct group key = key_of(target), **node, *group;
	int err;

	if (!is_wanted(agent, target))
		return;
	node = tfind(&key, &agent->groups.tree, compare);
	group = node ? *node : add(&agent->groups, &key);
	if (!group || group->targets++)
		return;
	err = join(agent, group);
	if (err)
		log_warning(
			"%s: cannot join a solicited-node group: %s; switches that snoop on MLD "
			"may keep solicitations from it",
			agent->model.ports[group->slot].name, strerror(-err));
}

void groups_leave(struct agent *agent, const struct zt6_address_key *target)
{
	struct group key = key_of(target), **node = tfind(&key, &agent->groups.tree, compare);
	struct group *group = node ? *node : NULL;

	if (!group || --group->targets)
		return;
	if (group->socket >= 0)
		change(group->socket, IPV6_LEAVE_GROUP, agent, group);
	tdelete(group, &agent->groups.tree, compare);
	free(group);
	agent->groups.count--;
}

static void close_sockets(struct groups *groups)
{
	for (size_t i = 0; i < GROUP_SOCKETS; i++) {
		if (groups->sockets[i] >= 0)
			close(groups->sockets[i]);
		groups->sockets[i] = -1;
	}
}

static void join_again(const void *node, VISIT visit, void *arg)
{
	if (visit == postorder || visit == leaf)
		join(arg, *(struct group *const *)node);
}

void groups_join_again(struct agent *agent)
{
	if (!agent->groups.count)
		return;
	close_sockets(&agent->groups);
	twalk_r(agent->groups.tree, join_again, agent);
}

void groups_clear(struct groups *groups)
{
	close_sockets(groups);
	tdestroy(groups->tree, free);
	groups_init(groups);
}
