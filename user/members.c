// SPDX-License-Identifier: GPL-2.0-or-later
#include "members.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "members_internal.h"
#include "neighbour_state.h"
#include "pins.h"
#include "zerotier/derive.h"

#define NSEC_PER_SEC 1000000000ULL
#define FIRST_ROOM   1024

int collection_add(struct collection *collection, const struct member *member)
{
	struct members *found = &collection->found;

	if (found->count == collection->room) {
		size_t room = collection->room ? 2 * collection->room : FIRST_ROOM;
		struct member *grown = reallocarray(found->list, room, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		found->list = grown;
		collection->room = room;
	}
	found->list[found->count++] = *member;
	return 0;
}

static int compare_addr(const struct member *a, const struct member *b)
{
	return memcmp(&a->addr, &b->addr, sizeof(a->addr));
}

/* ZT6_NO_PORT is the largest: who does not know the port comes behind those who do. */
static int by_addr(const void *left, const void *right)
{
	const struct member *a = left, *b = right;
	int order = compare_addr(a, b);

	return order ? order : (int)a->port - (int)b->port;
}

static int by_port(const void *left, const void *right)
{
	const struct member *a = left, *b = right;

	return a->port == b->port ? compare_addr(a, b) : (int)a->port - (int)b->port;
}

static void add_counter(struct zt6_counter *sum, const struct zt6_counter *more)
{
	sum->packets += more->packets;
	sum->bytes += more->bytes;
}

/* Adds to @member what another source knows of it. */
static void merge(struct member *member, const struct member *more)
{
	member->verified |= more->verified;
	member->absent |= more->absent;
	/* The kernel's MAC is the one that packets are sent to. */
	if (more->has_mac && (more->nud || !member->has_mac)) {
		member->has_mac = true;
		memcpy(member->mac, more->mac, sizeof(member->mac));
	}
	if (more->nud)
		member->nud = more->nud;
	if (more->since_ns)
		member->since_ns = more->since_ns;
	if (more->seen_ns > member->seen_ns)
		member->seen_ns = more->seen_ns;
	member->unbound += more->unbound;
	add_counter(&member->traffic.from, &more->traffic.from);
	add_counter(&member->traffic.towards, &more->traffic.towards);
}

/* Makes one element of all that speak of the same address on the same port. */
static void fold(struct members *members)
{
	size_t kept = 0;

	qsort(members->list, members->count, sizeof(*members->list), by_addr);
	for (size_t i = 0; i < members->count; i++) {
		const struct member *next = &members->list[i];
		struct member *last = kept ? &members->list[kept - 1] : NULL;

		if (last && !compare_addr(last, next) &&
		    (next->port == last->port || next->port == ZT6_NO_PORT))
			merge(last, next);
		else
			members->list[kept++] = *next;
	}
	members->count = kept;
}

/* Whoever has no neighbour entry and no traffic is behind the port that its prefix belongs to, by
 * the very map that the programs look into. */
static int find_ports(struct members *members, const char *pin_dir)
{
	int fd = pin_open_map(pin_dir, "prefixes", sizeof(struct zt6_prefix));

	if (fd < 0)
		return fd;
	for (size_t i = 0; i < members->count; i++) {
		struct zt6_prefix_key key = {.prefixlen = 128};
		struct zt6_prefix owner;

		if (members->list[i].port != ZT6_NO_PORT)
			continue;
		memcpy(key.addr, &members->list[i].addr, sizeof(key.addr));
		if (!bpf_map_lookup_elem(fd, &key, &owner))
			members->list[i].port = owner.port;
	}
	close(fd);
	return 0;
}

int members_read(const struct instance *instance, const struct model *model, struct nl_sock *nl,
		 struct members *out)
{
	struct collection collection = {.model = model};
	struct timespec now;
	int err;

	clock_gettime(CLOCK_MONOTONIC, &now);
	collection.now_ns = now.tv_sec * NSEC_PER_SEC + now.tv_nsec;
	err = members_from_maps(&collection, instance->pin_dir);
	if (!err)
		err = members_from_kernel(&collection, nl);
	if (!err) {
		fold(&collection.found);
		err = find_ports(&collection.found, instance->pin_dir);
	}
	if (!err)
		err = members_bind(&collection.found, model, instance->pin_dir);
	if (err) {
		members_free(&collection.found);
		return err;
	}
	qsort(collection.found.list, collection.found.count, sizeof(struct member), by_port);
	*out = collection.found;
	return 0;
}

void members_free(struct members *members)
{
	free(members->list);
	*members = (struct members){0};
}

const char *member_state(const struct member *member)
{
	if (neighbour_is_usable(member->nud))
		return neighbour_state_name(member->nud);
	if (member->verified)
		return "verified";
	if (member->absent)
		return "absent";
	return member->nud ? neighbour_state_name(member->nud) : "seen";
}

bool member_gave_sign(const struct member *member)
{
	const char *state = member_state(member);

	return member->seen_ns || member->traffic.from.packets ||
	       (strcmp(state, "absent") && strcmp(state, "failed") && strcmp(state, "incomplete"));
}

bool member_node(const struct member *member, uint64_t network, uint64_t *node)
{
	struct in6_addr addr;
	uint64_t of;

	if (!network)
		return false;
	if (member->has_mac && zerotier_mac_node(network, member->mac, node))
		return true;
	memcpy(&addr, &member->addr, sizeof(addr));
	if (zerotier_rfc4193_parse(&addr, &of, node) && of == network)
		return true;
	return zerotier_6plane_node(network, &addr, node);
}
