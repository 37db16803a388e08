// SPDX-License-Identifier: GPL-2.0-or-later
/* What the maps know of members. */
#include <bpf/libbpf.h>
#include <errno.h>
#include <string.h>

#include "map_batch.h"
#include "members_internal.h"
#include "running.h"

struct map_reader {
	struct collection *collection;
	int cpus;
};

static bool is_inside(const struct model *model, uint8_t slot)
{
	return slot < ZT6_MAX_PORTS && port_is_inside(&model->ports[slot]);
}

/* Keyed by the port that asks: where the target lives is for others to say. */
static int add_verified(void *arg, const void *key, const void *value)
{
	const struct map_reader *reader = arg;
	const struct zt6_address_key *address = key;
	const struct zt6_verified *verified = value;
	struct member member = {.addr = address->addr, .port = ZT6_NO_PORT, .verified = true};

	if (verified->expires_ns <= reader->collection->now_ns)
		return 0;
	return collection_add(reader->collection, &member);
}

static int add_negative(void *arg, const void *key, const void *value)
{
	const struct map_reader *reader = arg;
	const struct zt6_address_key *address = key;
	const __u64 *absent_until_ns = value;
	struct member member = {.addr = address->addr, .port = ZT6_NO_PORT, .absent = true};

	if (*absent_until_ns <= reader->collection->now_ns)
		return 0;
	return collection_add(reader->collection, &member);
}

static int add_seen(void *arg, const void *key, const void *value)
{
	static const uint8_t unknown[ZT6_ETH_ALEN];
	const struct map_reader *reader = arg;
	const struct zt6_address_key *address = key;
	const struct zt6_member *seen = value;
	struct member member = {
		.addr = address->addr,
		.port = address->port,
		.since_ns = seen->since_ns,
		.seen_ns = seen->from_ns,
		.unbound = seen->unbound,
		.has_mac = memcmp(seen->mac, unknown, sizeof(unknown)) != 0,
	};

	memcpy(member.mac, seen->mac, sizeof(member.mac));
	return collection_add(reader->collection, &member);
}

static void add_counter(struct zt6_counter *sum, const struct zt6_counter *more)
{
	sum->packets += more->packets;
	sum->bytes += more->bytes;
}

static int add_traffic(void *arg, const void *key, const void *value)
{
	const struct map_reader *reader = arg;
	const struct zt6_address_key *address = key;
	const struct zt6_traffic *per_cpu = value;
	struct member member = {.addr = address->addr, .port = address->port};

	for (int cpu = 0; cpu < reader->cpus; cpu++) {
		add_counter(&member.traffic.from, &per_cpu[cpu].from);
		add_counter(&member.traffic.towards, &per_cpu[cpu].towards);
	}
	return collection_add(reader->collection, &member);
}

/* The same attribution as traffic_flush() of the data plane will make. */
static int add_route(const struct map_reader *reader, const struct zt6_route *route)
{
	const struct zt6_counter counter = {.packets = route->packets, .bytes = route->bytes};
	struct member from = {.addr = route->src, .port = route->in_port, .traffic.from = counter};
	struct member towards = {
		.addr = route->dst,
		.port = route->out_port,
		.traffic.towards = counter,
	};
	int err = 0;

	if (is_inside(reader->collection->model, route->in_port))
		err = collection_add(reader->collection, &from);
	if (!err && is_inside(reader->collection->model, route->out_port))
		err = collection_add(reader->collection, &towards);
	return err;
}

static int add_route_sets(void *arg, const void *key, const void *value)
{
	const struct map_reader *reader = arg;
	const struct zt6_route_set *per_cpu = value;
	int err = 0;

	(void)key;
	for (int cpu = 0; cpu < reader->cpus; cpu++)
		for (int way = 0; way < ZT6_WAYS && !err; way++)
			if (per_cpu[cpu].ways[way].packets)
				err = add_route(reader, &per_cpu[cpu].ways[way]);
	return err;
}

int members_from_maps(struct collection *collection, const char *pin_dir)
{
	const size_t address = sizeof(struct zt6_address_key);
	struct map_reader reader = {collection, libbpf_num_possible_cpus()};
	const struct {
		const char *name;
		size_t key_size, value_size;
		map_each_fn *add;
	} maps[] = {
		{"verified", address, sizeof(struct zt6_verified), add_verified},
		{"negative", address, sizeof(__u64), add_negative},
		{"members", address, sizeof(struct zt6_member), add_seen},
		{"traffic", address, sizeof(struct zt6_traffic), add_traffic},
		{"routes", sizeof(__u32), sizeof(struct zt6_route_set), add_route_sets},
	};
	int err = reader.cpus < 0 ? reader.cpus : 0;

	for (size_t i = 0; i < sizeof(maps) / sizeof(*maps) && !err; i++)
		err = map_each(pin_dir, maps[i].name, maps[i].key_size, maps[i].value_size,
			       maps[i].add, &reader);
	return err;
}
