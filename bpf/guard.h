/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The guard: from which port a source address may come (BCP 38, RFC 2827, and RFC 4213 §4 for what
 * a tunnel brings), and with `bind` from whom. One lookup in a trie, two with `bind`; the forwarding
 * path remembers the last source of each route, so that a flow pays for it once per entry of the
 * cache.
 */
#ifndef ZT6_GUARD_H
#define ZT6_GUARD_H

/* Whether the kernel would reach @addr directly on the port, without a gateway. */
static __noinline bool guard_on_link(frame_t *frame, const struct zt6_port *port,
				     const union zt6_addr *addr)
{
	static const union zt6_addr nowhere = {};
	struct route_key key = {.port = port, .dst = addr, .src = &nowhere};
	struct bpf_fib_lookup fib;
	union zt6_addr next_hop;
	long result = route_fib(frame, &key, &fib);

	if (result != BPF_FIB_LKUP_RET_SUCCESS && result != BPF_FIB_LKUP_RET_NO_NEIGH)
		return false;
	/* Behind a gateway the kernel puts the gateway's address there. */
	__builtin_memcpy(&next_hop, fib.ipv6_dst, sizeof(next_hop));
	return fib.ifindex == port->ifindex && addr_equal(&next_hop, addr);
}

/**
 * guard_source - whether a packet with this source may enter by this port.
 * @for_us: it is addressed to the gateway itself
 *
 * From inside, the longest prefix that holds the source must be the port's own. From outside it
 * must be nobody's, but for the tunnel's far end and for neighbours on the port's own link. Our own
 * addresses, and our own MAC, come from nowhere. To the gateway itself also those may speak from
 * inside who are of no prefix: by link-local addresses, and by the overlay's own. Returns GO_ON,
 * ZT6_DROP_SPOOFED or, see binding_check(), GO_ON_UNBOUND.
 */
static __noinline int guard_source(frame_t *frame, const struct zt6_port *port,
				   const struct packet *p, bool for_us)
{
	const union zt6_addr *src = &p->src;
	const struct zt6_prefix *owner;

	if (addr_multicast(src) || addr_embeds_no_host(src))
		return ZT6_DROP_SPOOFED;
	if (port->role != ZT6_ROLE_TUNNEL && mac_equal(p->source_mac, port->mac))
		return ZT6_DROP_SPOOFED;
	owner = prefix_of(src);
	if (owner && owner->own)
		return ZT6_DROP_SPOOFED;
	if (owner && owner->port == p->in_port)
		return port->bind ? binding_check(port, p, src, owner) : GO_ON;
	if (!owner && (for_us || !role_is_inside(port->role)))
		return GO_ON;
	return !role_is_inside(port->role) && guard_on_link(frame, port, src) ? GO_ON
									      : ZT6_DROP_SPOOFED;
}

/**
 * guard_packet - the same for a packet of which nothing is known but what is in it.
 *
 * Before it has an address, a host speaks from `::` to groups (RFC 4861 §4.3, RFC 3810 §5.2.13).
 */
static __always_inline int guard_packet(frame_t *frame, const struct zt6_port *port,
					const struct packet *p)
{
	const struct zt6_prefix *owner;

	if (addr_never_forwarded(&p->dst))
		return addr_unspecified(&p->src) ? GO_ON : guard_source(frame, port, p, true);
	owner = prefix_of(&p->dst);
	return guard_source(frame, port, p, owner && owner->own);
}

#endif
