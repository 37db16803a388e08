/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Neighbour Discovery that is not for us to answer: what of it the kernel shall see.
 *
 * It is talk on a link (RFC 4861 §3.1, §7.1.2, §8.1). The kernel would forward what is addressed to
 * somebody else, like any other packet, and a member's address is for the member to speak of.
 */
#ifndef ZT6_ND_KERNEL_H
#define ZT6_ND_KERNEL_H

/* Before the target: RFC 4861 §4.3, §4.4. */
#define ND_TARGET_OFFSET 8

/* Reads the target of a solicitation or an advertisement, in whichever buffer it lies. False where it is
 * not there. */
static __always_inline bool nd_target_of(frame_t *frame, const struct packet *p,
					 union zt6_addr *target)
{
	return p->ip_length >= IPV6_HEADER + ND_TARGET_OFFSET + sizeof(*target) &&
	       !frame_load(frame, p->ip_offset + IPV6_HEADER + ND_TARGET_OFFSET, target,
			   sizeof(*target));
}

/* Whether the sender may speak of the address, see binding_check(). */
static __always_inline int nd_bound(const struct zt6_port *port, const struct packet *p,
				    const union zt6_addr *addr)
{
	const struct zt6_prefix *owner = prefix_of(addr);

	if (!owner || owner->own || owner->port != p->in_port)
		return GO_ON;
	return binding_check(port, p, addr, owner);
}

/*
 * Whether the kernel would send the message on to somebody else.
 * @renewal: it solicits the very address that it goes to
 *
 * It asks the kernel, for an own address may be newer than what `prefixes` says. A renewal may be about
 * a host that the kernel itself is a proxy for (net.ipv6.conf.all.proxy_ndp), and believes in still
 * (RFC 4861 §7.3.3): on an uplink for any, inside for one out of our prefixes.
 */
static __always_inline bool nd_is_strayed(frame_t *frame, const struct zt6_port *port,
					  const struct packet *p, bool renewal)
{
	static const union zt6_addr anybody = {};
	struct route_key key = {.port = port, .dst = &p->dst, .src = &anybody};
	const struct zt6_prefix *owner;
	struct bpf_fib_lookup fib;
	long result;

	if (addr_never_forwarded(&p->dst))
		return false;
	owner = prefix_of(&p->dst);
	if (owner && owner->own)
		return false;
	if (renewal && (port->role == ZT6_ROLE_UPLINK || (owner && role_is_inside(port->role))))
		return false;
	result = route_fib(frame, &key, &fib);
	return result == BPF_FIB_LKUP_RET_SUCCESS || result == BPF_FIB_LKUP_RET_NO_NEIGH;
}

/**
 * nd_for_kernel - the verdict on a message that the responder does not answer.
 *
 * Returns ZT6_PASS_NDP, ZT6_DROP_NDP_INVALID or, with `bind enforce`, ZT6_DROP_SPOOFED.
 */
static __noinline int nd_for_kernel(frame_t *frame, const struct packet *p)
{
	__u32 slot = p->in_port; /* the tunnel's for what was in 6in4 */
	const struct zt6_port *port = bpf_map_lookup_elem(&ports, &slot);
	union zt6_addr target;
	bool has_target = nd_target_of(frame, p, &target);
	bool renewal = p->icmp_type == ZT6_ND_SOLICIT && has_target && addr_equal(&target, &p->dst);
	int verdict;

	if (!port)
		return ZT6_PASS_NDP;
	if (p->hop_limit != ZT6_ND_HOP_LIMIT || nd_is_strayed(frame, port, p, renewal))
		return ZT6_DROP_NDP_INVALID;
	if (!port->bind)
		return ZT6_PASS_NDP;
	verdict = nd_bound(port, p, &p->src);
	if (verdict == GO_ON && p->icmp_type == ZT6_ND_ADVERT && has_target)
		verdict = nd_bound(port, p, &target);
	return verdict >= 0 ? verdict : ZT6_PASS_NDP;
}

#endif
