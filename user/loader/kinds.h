/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kinds of objects that `up` makes; each has its own file, kind_*.c. */
#ifndef ZT6_KINDS_H
#define ZT6_KINDS_H

#include "../conf.h"
#include "object.h"

/* Of our routes and rules, by which they are known from everybody else's: one that no routing
 * daemon of iproute2's rt_protos has. */
#define ZT6_RTPROT 64

#define BPFFS_PATH "/sys/fs/bpf"

#define ROUTE_METRIC     1024       /* the kernel's own default (IP6_RT_PRIO_USER) */
#define ROUTE_METRIC_MAX 0xffffffff /* loses against every other route for the same prefix */

extern const struct object_kind kind_bpffs, kind_sysctl, kind_forwarding, kind_sit, kind_tun,
	kind_address, kind_route, kind_rule, kind_neighbour, kind_proxy, kind_allmulti, kind_clsact,
	kind_nft;

/* bpffs mounted at BPFFS_PATH. */
struct object *bpffs_object(void);

/* @value in /proc/sys/@path. */
struct object *sysctl_object(const char *path, const char *value);

/**
 * sysctl_read - the value of /proc/sys/@path without its line end. Returns -ENOENT when it is not
 * there, or another error.
 */
int sysctl_read(const char *path, char *value, size_t size);

/* Puts @before into /proc/sys/@path if it still holds @ours, and says with -v if not. */
int sysctl_restore(const char *path, const char *ours, const char *before);

/* Writes; an error is not reported here. */
int sysctl_write(const char *path, const char *value);

/* net.ipv6.conf.all.forwarding, which the kernel copies to every interface. */
struct object *forwarding_object(void);

/**
 * sit_object - the tunnel as the kernel's own 6in4 device.
 * @local: its address on this machine; with `local auto` only as long as the uplink has no other
 * @bound: its packets leave by the tunnel's uplink, whatever the main table says (`dev`)
 */
struct object *sit_object(const struct conf_tunnel *tunnel, struct in_addr local, bool bound);

/* Whether the kernel can make sit devices; may load its module. 1, 0 or -errno. */
int sit_supported(struct nl_sock *nl);

/* The tunnel as a persistent TUN device that nobody holds: our programs do a sit's work. */
struct object *tun_object(const char *name, uint32_t mtu);

/* Opens the driver a few times beforehand, for a process that gives up the right to: such a device
 * may have to be made again after that. */
void tun_reserve(void);

/**
 * address_object - an IPv6 address without the route for its prefix.
 * @nodad: usable although the device never has a carrier
 */
struct object *address_object(const char *device, const struct prefix *address, bool nodad);

struct route {
	struct prefix destination;
	const char *device; /* NULL: unreachable */
	bool has_via;
	struct in6_addr via; /* taken to be on-link */
	uint32_t table;
	uint32_t metric;
};

/* An IPv6 route with our protocol number (ZT6_RTPROT). NULL when out of memory. */
struct object *route_object(const struct route *route);

/**
 * rule_object - `ip -6 rule from @from to @to lookup @table`.
 * @to: NULL: wherever to
 */
struct object *rule_object(uint32_t priority, const struct prefix *from, const struct prefix *to,
			   uint32_t table);

/* An IPv4 neighbour that the kernel keeps resolved by itself (NTF_EXT_MANAGED, Linux 5.16). */
struct object *neighbour_object(const char *device, struct in_addr address);

/* The kernel answers solicitations for an address of ours on a device that does not have it. */
struct object *proxy_object(const char *device, const struct in6_addr *address);

/* IFF_ALLMULTI: solicited-node groups of addresses that are not ours reach the port. */
struct object *allmulti_object(const char *device);

/* The qdisc under which TC programs hang, and, when it goes, our filters on it. */
struct object *clsact_object(const char *device);

/**
 * nft_object - the tables of nftables of a name.
 * @rules: "shipped", or "none" for what only has connections tracked
 * @text: their definitions
 * @allows: for `exposure`: what @text lets in; the reference is taken
 */
struct object *nft_object(const char *table, const char *rules, const char *text, json_t *allows);

#endif
