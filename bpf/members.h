/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What traffic tells of the members: who sends, from which MAC, who is sent to, how much.
 *
 * None of it costs the hit path a lookup. Sightings are written down where the route cache is
 * filled, once a second for each entry, or when an entry sees another source. Packets and bytes
 * gather in the entry itself and are added up when it is given away.
 */
#ifndef ZT6_MEMBERS_H
#define ZT6_MEMBERS_H

/* As long as the kernel, too, remembers a neighbour that nobody uses (gc_stale_time). */
#define MEMBER_OF_LATE    60ULL /* seconds */
#define MEMBER_OF_LATE_NS (MEMBER_OF_LATE * 1000000000ULL)

/* Tells the agent that a member has another MAC: its neighbour entry is wrong. */
static __always_inline void member_moved(const struct zt6_port *port,
					 const struct zt6_address_key *key, const __u8 *mac)
{
	struct zt6_event *event;

	if (!bucket_take(port, key->port, ZT6_BUCKET_DEFERRED))
		return;
	event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);
	if (!event)
		return;
	__builtin_memset(event, 0, sizeof(*event));
	event->addr = key->addr;
	__builtin_memcpy(event->mac, mac, ZT6_ETH_ALEN);
	event->port = key->port;
	event->kind = ZT6_EVENT_MOVED;
	bpf_ringbuf_submit(event, 0);
}

/* A packet has come from the address, out of a frame with this source MAC: the member's own, unless
 * it is not @bound to the address. */
static __noinline void member_seen(const struct zt6_port *port, __u8 slot,
				   const union zt6_addr *addr, const __u8 *mac, bool bound)
{
	struct zt6_address_key key = {.addr = *addr, .port = slot};
	struct zt6_member *member = bpf_map_lookup_elem(&members, &key);
	__u64 now = bpf_ktime_get_coarse_ns();
	struct zt6_member fresh = {.since_ns = now, .from_ns = bound ? now : 0, .unbound = !bound};

	if (!member) {
		if (bound)
			__builtin_memcpy(fresh.mac, mac, ZT6_ETH_ALEN);
		bpf_map_update_elem(&members, &key, &fresh, BPF_ANY);
		return;
	}
	if (!bound) {
		member->unbound++;
		return;
	}
	if (member->from_ns && !mac_equal(member->mac, mac))
		member_moved(port, &key, mac);
	member->from_ns = now;
	__builtin_memcpy(member->mac, mac, ZT6_ETH_ALEN);
}

/* Packets go to the neighbour in scratch->fib, or by way of it. */
static __always_inline void member_used(struct scratch *scratch, __u8 slot)
{
	struct zt6_address_key *key = &scratch->member_key;
	__u64 now = bpf_ktime_get_coarse_ns();
	struct zt6_member *member;

	__builtin_memcpy(&key->addr, scratch->fib.ipv6_dst, sizeof(key->addr));
	key->port = slot;
	member = bpf_map_lookup_elem(&members, key);
	if (member) {
		member->towards_ns = now;
		return;
	}
	__builtin_memset(&scratch->member, 0, sizeof(scratch->member));
	scratch->member.since_ns = now;
	scratch->member.towards_ns = now;
	bpf_map_update_elem(&members, key, &scratch->member, BPF_ANY);
}

/* Whether a destination is a member that was there of late: it has sent, it was sent to, or the agent
 * has verified it for the port that asks. @slot: where it would be */
static __always_inline bool member_is_known(const struct route_key *key, __u8 slot)
{
	struct zt6_address_key address = {.addr = *key->dst, .port = slot};
	const struct zt6_member *member = bpf_map_lookup_elem(&members, &address);
	__u64 now = bpf_ktime_get_coarse_ns();
	const struct zt6_verified *proven;

	if (member && (member->from_ns + MEMBER_OF_LATE_NS > now ||
		       member->towards_ns + MEMBER_OF_LATE_NS > now))
		return true;
	if (!(key->port->flags & ZT6_PORT_PROXY))
		return false;
	address.port = key->in_port;
	proven = bpf_map_lookup_elem(&verified, &address);
	return proven && proven->expires_ns > now;
}

static __always_inline struct zt6_traffic *traffic_of(const union zt6_addr *addr, __u8 slot)
{
	struct zt6_address_key key = {.addr = *addr, .port = slot};
	struct zt6_traffic *sum = bpf_map_lookup_elem(&traffic, &key);
	static const struct zt6_traffic none = {};

	if (sum)
		return sum;
	bpf_map_update_elem(&traffic, &key, &none, BPF_ANY);
	return bpf_map_lookup_elem(&traffic, &key);
}

/* Adds up what the entry has gathered, because it is about to be given away. */
static __noinline void traffic_flush(struct zt6_route *route)
{
	struct zt6_traffic *sum;

	if (slot_is_inside(route->in_port)) {
		sum = traffic_of(&route->src, route->in_port);
		if (sum) {
			sum->from.packets += route->packets;
			sum->from.bytes += route->bytes;
		}
	}
	if (slot_is_inside(route->out_port)) {
		sum = traffic_of(&route->dst, route->out_port);
		if (sum) {
			sum->towards.packets += route->packets;
			sum->towards.bytes += route->bytes;
		}
	}
	route->packets = 0;
	route->bytes = 0;
}

#endif
