/* SPDX-License-Identifier: GPL-2.0-only */
/* Questions to the kernel's table and to the prefixes that the loader wrote down. */
#ifndef ZT6_FIB_H
#define ZT6_FIB_H

/* What a lookup starts from. */
struct route_key {
	const struct zt6_port *port; /* that the packet came from */
	const union zt6_addr *dst;
	const union zt6_addr *src;
	__u32 in_port;  /* slot of port */
	__u32 out_port; /* out: slot that the kernel would send to, or ZT6_NO_PORT */
};

/* Whether members live on such a port. */
static __always_inline bool role_is_inside(__u8 role)
{
	return role == ZT6_ROLE_OVERLAY || role == ZT6_ROLE_LAN;
}

static __always_inline bool slot_is_inside(__u32 slot)
{
	const struct zt6_port *port = bpf_map_lookup_elem(&ports, &slot);

	return port && role_is_inside(port->role);
}

/* Slot of the port with that interface, or ZT6_NO_PORT. */
static __always_inline __u8 port_of_ifindex(__u32 ifindex)
{
	for (__u64 i = 0; i < ZT6_MAX_PORTS; i++) {
		__u32 slot = i;
		const struct zt6_port *port = bpf_map_lookup_elem(&ports, &slot);

		if (port && port->role != ZT6_ROLE_NONE && port->ifindex == ifindex)
			return i;
	}
	return ZT6_NO_PORT;
}

/* To whom an address belongs, or NULL. */
static __always_inline const struct zt6_prefix *prefix_of(const union zt6_addr *addr)
{
	struct zt6_prefix_key key = {.prefixlen = 128};

	__builtin_memcpy(key.addr, addr, sizeof(key.addr));
	return bpf_map_lookup_elem(&prefixes, &key);
}

/* Asks the kernel's IPv6 table. Returns BPF_FIB_LKUP_RET_*; ifindex and MACs are in @fib. */
static __always_inline long route_fib(frame_t *frame, const struct route_key *key,
				      struct bpf_fib_lookup *fib)
{
	__builtin_memset(fib, 0, sizeof(*fib));
	fib->family = 10; /* AF_INET6 */
	fib->tot_len = 1; /* non-zero asks for mtu_result; sizes are compared per packet */
	fib->ifindex = key->port->ifindex;
	__builtin_memcpy(fib->ipv6_src, key->src, sizeof(*key->src));
	__builtin_memcpy(fib->ipv6_dst, key->dst, sizeof(*key->dst));
	return frame_fib_lookup(frame, fib);
}

#endif
