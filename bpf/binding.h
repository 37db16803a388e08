/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Bindings: which member of a ZeroTier network an address belongs to, by the MAC of the frame.
 *
 * ZeroTier lets nobody send from another's MAC, and the MAC derives from the node's id, as do
 * addresses out of a pool. What does not (addresses that an administrator has typed, prefixes behind
 * members) is in `bindings`. Looked at together with the guard: the route cache remembers source and
 * MAC, so that a flow pays for it once per entry.
 */
#ifndef ZT6_BINDING_H
#define ZT6_BINDING_H

/* A guard's verdict for what is only counted: the packet goes on, and is not remembered as good. */
#define GO_ON_UNBOUND (-2)

/* The first octet of a MAC in the network; 0x52 belongs to hypervisors. */
static __always_inline __u8 binding_first_octet(__u64 network)
{
	__u8 octet = (network & 0xfe) | 0x02;

	return octet == 0x52 ? 0x32 : octet;
}

/* Whether the MAC is that of the node whose id the address ends in: the other octets of a MAC are
 * the id's, most significant first, veiled by the network's from the second lowest up. */
static __always_inline bool binding_derives(__u64 network, const union zt6_addr *addr,
					    const __u8 *mac)
{
	if (mac[0] != binding_first_octet(network))
		return false;
	for (int i = 1; i < ZT6_ETH_ALEN; i++)
		if ((__u8)(mac[i] ^ network >> 8 * i) != addr->bytes[10 + i])
			return false;
	return true;
}

static __always_inline bool binding_holds(const struct zt6_port *port, const struct packet *p,
					  const union zt6_addr *addr,
					  const struct zt6_prefix *owner)
{
	struct zt6_binding_key key = {.prefixlen = 32 + 128, .port = p->in_port};
	const struct zt6_binding *binding;

	__builtin_memcpy(key.addr, addr, sizeof(key.addr));
	binding = bpf_map_lookup_elem(&bindings, &key);
	if (binding)
		return binding->known && mac_equal(binding->mac, p->source_mac);
	return owner->derived && binding_derives(port->network, addr, p->source_mac);
}

/**
 * binding_check - whether who sends from this MAC may use an address.
 * @addr: the packet's source, or what an advertisement in it claims
 * @owner: of the address's prefix, which is the port's
 *
 * Returns GO_ON; and for what is not bound, counted, GO_ON_UNBOUND or ZT6_DROP_SPOOFED.
 */
static __noinline int binding_check(const struct zt6_port *port, const struct packet *p,
				    const union zt6_addr *addr, const struct zt6_prefix *owner)
{
	__u32 slot = p->in_port;
	struct zt6_port_counters *count;

	if (binding_holds(port, p, addr, owner))
		return GO_ON;
	count = bpf_map_lookup_elem(&counters, &slot);
	if (count && !p->behind) {
		count->unbound.packets++;
		count->unbound.bytes += p->frame_length;
		count->last_unbound.src = *addr;
		count->last_unbound.seen_ns = bpf_ktime_get_coarse_ns();
		__builtin_memcpy(count->last_unbound.mac, p->source_mac, ZT6_ETH_ALEN);
	}
	return port->bind == ZT6_BIND_ENFORCE ? ZT6_DROP_SPOOFED : GO_ON_UNBOUND;
}

#endif
