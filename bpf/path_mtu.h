/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What fits into a tunnel: the path between its ends as learnt (frag_needed.h) and as the kernel's
 * route knows it, never below what IPv6 needs (RFC 4213 §3.2.2).
 */
#ifndef ZT6_PATH_MTU_H
#define ZT6_PATH_MTU_H

/* The smallest path that carries every IPv6 packet of the least size whole. */
#define PATH_MTU_FLOOR (ZT6_IPV6_MIN_MTU + IPV4_HEADER)

/* What is known of the path of this tunnel now, bytes of IPv4; nothing: 0. A function of its own for
 * the stack of those who call it, who are deep down already. */
static __noinline __u32 path_mtu_known(const struct zt6_tunnel *tunnel)
{
	__u32 slot = tunnel->port;
	const struct zt6_path_mtu *known = bpf_map_lookup_elem(&path_mtus, &slot);

	if (!known || !known->expires_ns || known->local != tunnel->local ||
	    known->remote != tunnel->remote || known->expires_ns <= bpf_ktime_get_coarse_ns())
		return 0;
	return known->mtu;
}

/**
 * path_mtu_inner - the largest IPv6 packet that goes into a tunnel.
 * @path: what the kernel's route to the remote end carries, bytes of IPv4
 * @whole: out, false when outer packets of that size may have to be fragmented on their way
 */
static __always_inline __u32 path_mtu_inner(const struct zt6_tunnel *tunnel, __u32 path,
					    bool *whole)
{
	__u32 known = path_mtu_known(tunnel);

	if (known && known < path)
		path = known;
	*whole = path >= PATH_MTU_FLOOR;
	if (!*whole)
		return ZT6_IPV6_MIN_MTU;
	path -= IPV4_HEADER;
	return path < tunnel->mtu ? path : tunnel->mtu;
}

#endif
