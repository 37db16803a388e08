/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The contract between the data plane and userspace: the keys and values of every map.
 * bpf/maps.h declares the maps and says who writes and who reads each. Include vmlinux.h (in
 * bpf/) or <linux/types.h> (in user/) first.
 *
 * Layouts are natural (no packing, explicit padding), so that both compilers agree; the asserts
 * at the end pin the sizes that the programs' speed or the kernel's map types rely on.
 */
#ifndef ZT6_ABI_H
#define ZT6_ABI_H

#include "zt6_verdicts.h"

/* Changes with any change to what follows. `up` refuses pinned maps of another schema. */
#define ZT6_SCHEMA 3

#define ZT6_MAX_PORTS   16
#define ZT6_MAX_TUNNELS 8
#define ZT6_NO_PORT     0xff

/* Entries of `prefixes`, `rules`, `bindings` and `deferred`, bytes of `events`. */
#define ZT6_MAX_PREFIXES    4096
#define ZT6_MAX_RULES       4096
#define ZT6_MAX_BINDINGS    8192
#define ZT6_MEMBERS_DEFAULT 4096 /* `up` sets it (limits members) */
#define ZT6_MAX_DEFERRED    1024
#define ZT6_MAX_SOLICITORS  1024  /* entries of `solicitors` */
#define ZT6_NEWCOMERS       512   /* buckets in `newcomers`; a power of two */
#define ZT6_MAX_FRAGMENTED  1024  /* entries of `fragmented` */
#define ZT6_FLOWS_DEFAULT   16384 /* `up` sets it (limits flows) */
#define ZT6_EVENTS_SIZE     65536

#define ZT6_IFNAMSIZ 16

#define ZT6_ETH_ALEN 6

#define ZT6_IPV6_MIN_MTU 1280 /* RFC 8200 §5 */
/* The longest output header: Ethernet, an 802.1Q tag, IPv4 without options. */
#define ZT6_MAX_HEADER (14 + 4 + 20)

/* In network byte order; the halves are for comparing, not for arithmetic. */
union zt6_addr {
	__u8 bytes[16];
	__be32 words[4];
	__u64 halves[2];
};

enum zt6_role { ZT6_ROLE_NONE, ZT6_ROLE_UPLINK, ZT6_ROLE_OVERLAY, ZT6_ROLE_LAN, ZT6_ROLE_TUNNEL };

enum zt6_policy { ZT6_POLICY_KERNEL, ZT6_POLICY_OFF };

enum zt6_tunnel_flags {
	ZT6_TUNNEL_DF = 1 << 0,          /* Don't Fragment on outer packets */
	ZT6_TUNNEL_INHERIT_TTL = 1 << 1, /* outer TTL is the inner hop limit */
	ZT6_TUNNEL_INHERIT_TOS = 1 << 2, /* outer DSCP is the inner one */
	ZT6_TUNNEL_LOCAL_AUTO = 1 << 4,  /* local is whatever address the uplink has */
	ZT6_TUNNEL_BPF = 1 << 3,         /* its interface is a TUN: our TC programs do sit's work */
};

/* A 6in4 tunnel. */
struct zt6_tunnel {
	__be32 local;
	__be32 remote;
	__u16 mtu; /* of the IPv6 packets inside, bytes */
	__u8 ttl;
	__u8 tos;    /* the ECN bits are ignored: they come from the inner header */
	__u8 flags;  /* enum zt6_tunnel_flags */
	__u8 port;   /* slot of the tunnel's own interface */
	__u8 uplink; /* slot that 6in4 arrives on and leaves by */
	__u8 pad;
};

/* `path_mtus`, by slot of the tunnel's interface: what ICMPv4 has told of the path between its ends
 * (RFC 1191). */
struct zt6_path_mtu {
	__be32 local;
	__be32 remote;
	__u32 mtu; /* of the outer packets, bytes; ZT6_IPV6_MIN_MTU + 19 stands for anything lower */
	__u32 pad;
	__u64 expires_ns; /* CLOCK_MONOTONIC; 0: nothing is known */
};

enum zt6_settings_flags {
	ZT6_SETTINGS_TRAFFIC = 1 << 0, /* packets and bytes of each member are counted */
	ZT6_SETTINGS_WITNESS = 1 << 1, /* conntrack can be asked: `witnessed` gets its entries */
	ZT6_SETTINGS_MEMBER_LIMITS = 1 << 2, /* some port has a `limit` */
	ZT6_SETTINGS_BROKERS_ONLY = 1 << 3,  /* nftables takes 6in4 from nobody else */
};

/* `settings`, one element: what holds for the whole instance. */
struct zt6_settings {
	__u32 schema;
	__u32 policy;          /* enum zt6_policy */
	__u64 hash_seed;       /* random, so that nobody outside can aim at one set of the cache */
	__u32 cache_sets;      /* of `routes`; a power of two */
	__u32 jiffies_per_sec; /* CONFIG_HZ of the running kernel */
	__u32 tunnel_count;
	__u32 flags;           /* enum zt6_settings_flags */
	__u64 path_mtu_age_ns; /* how long a path MTU is believed */
	__u32 flow_sets;       /* of `flows`; a power of two */
	__u32 established_ms;  /* how long conntrack keeps an idle TCP connection; 0: not known */
	struct zt6_tunnel tunnels[ZT6_MAX_TUNNELS];
};

/* An agent that has not been heard of for this long is not running. */
#define ZT6_AGENT_STALE_NS 10000000000ULL

/* What the agent has found out about a tunnel. Times are CLOCK_MONOTONIC, 0: never. */
struct zt6_health {
	__u64 heard_ns;    /* last packet out of it, to a second */
	__u64 sent_ns;     /* last packet into it, to a second */
	__u64 asked_ns;    /* last echo request to the far end */
	__u64 answered_ns; /* last reply */
	__u32 rtt_us;      /* of that one */
	__u32 unanswered;  /* requests since */
};

/* `agent`, one element, shared memory: what the agent tells the programs, and whoever asks. */
struct zt6_agent {
	__u32 generation;   /* of all that the route cache holds; older entries are misses */
	__u32 pending;      /* targets that the agent is asking for inside */
	__u64 heartbeat_ns; /* CLOCK_MONOTONIC when the agent last went round its loop; 0: never */
	struct zt6_health tunnels[ZT6_MAX_TUNNELS]; /* as in zt6_settings */
};

enum zt6_port_flags {
	ZT6_PORT_PROXY = 1 << 0,         /* solicitations are looked up in `rules` */
	ZT6_PORT_ROUTER = 1 << 1,        /* R flag of the advertisements */
	ZT6_PORT_SOURCE_TARGET = 1 << 2, /* advertisements come from the target's own address */
	ZT6_PORT_SOURCE_ROUTED = 1 << 3, /* the source decides routes here (rule from, multipath) */
	ZT6_PORT_KEEPALIVE = 1 << 4,     /* the agent verifies targets anew also when idle */
	ZT6_PORT_XDP_GENERIC = 1 << 5,   /* the program runs behind the driver, not in it */
};

/* What is on a port, and what can be sent out of it. */
enum zt6_port_paths {
	ZT6_PATH_XDP = 1 << 0, /* an XDP program is on it */
	ZT6_PATH_TC = 1 << 1,  /* a TC program is; behind one in XDP it takes what that leaves */
	ZT6_PATH_XDP_XMIT = 1 << 2, /* XDP can send out of it: it is in `devices` */
};

/* Why a port runs as it does. */
enum zt6_why {
	ZT6_WHY_CONFIGURED, /* the configuration says so */
	ZT6_WHY_NATIVE,     /* the driver has native XDP */
	ZT6_WHY_NO_XDP,     /* it has not */
	ZT6_WHY_REFUSED,    /* it has, but did not take a program: why_errno */
	ZT6_WHY_OCCUPIED,   /* somebody else's program is on the XDP hook */
	ZT6_WHY_TAGS,       /* the device hides VLAN tags from XDP */
	ZT6_WHY_LONELY,     /* no other port takes frames from XDP */
};

/* Whether members of an overlay may use each other's addresses. */
enum zt6_bind {
	ZT6_BIND_OFF,
	ZT6_BIND_COUNT,   /* packets that do are counted */
	ZT6_BIND_ENFORCE, /* and dropped */
};

/* What the ZeroTier service shall make of an overlay's network; what is not set is left alone. */
enum zt6_wish {
	ZT6_WISH_JOIN = 1 << 0,
	ZT6_WISH_MANAGED = 1 << 1, /* allowManaged shall be ... */
	ZT6_WISH_MANAGED_YES = 1 << 2,
	ZT6_WISH_GLOBAL = 1 << 3,
	ZT6_WISH_GLOBAL_YES = 1 << 4,
	ZT6_WISH_DEFAULT = 1 << 5,
	ZT6_WISH_DEFAULT_YES = 1 << 6,
	ZT6_WISH_SERVICE = 1 << 7, /* the service is needed: it knows the interface */
};

enum zt6_proxy_flags {
	ZT6_PROXY_MLD = 1 << 0, /* the agent joins the solicited-node groups of verified targets */
};

/* How the agent verifies targets that are asked for on a proxied port. */
struct zt6_proxy {
	__u32 timeout_ms; /* between two solicitations inside */
	__u32 retries;    /* further ones before a target counts as absent */
	__u32 valid_ms;   /* how long an answer is believed */
	__u32 invalid_ms; /* how long its absence is */
	__u32 flags;      /* enum zt6_proxy_flags */
	__u32 pad;
};

/* What each member of a port may send, and what may be sent to it. */
struct zt6_member_rate {
	__u64 burst_ns;   /* how far a burst may run ahead */
	__u32 ns_per_kib; /* nanoseconds that 1024 bytes take; 0: no limit */
	__u32 pad;
};

/* `member_limits`, LRU, by member's address and inside port: the virtual times up to which both of its
 * buckets are spoken for (CLOCK_MONOTONIC_COARSE): from it, and towards it. */
struct zt6_member_buckets {
	__u64 spoken_for_ns[2];
};

/* A token bucket, written by `up`; the tokens themselves are in `buckets`. */
struct zt6_rate {
	__u64 interval_ns; /* between two packets; 0: no limit */
	__u64 burst_ns;    /* how far a burst may run ahead */
};

enum zt6_bucket {
	ZT6_BUCKET_UNRESOLVED, /* packets that make the kernel ask for a neighbour */
	ZT6_BUCKET_NDP,        /* Neighbour Solicitations under a rule */
	ZT6_BUCKET_DEFERRED,   /* targets that the agent is asked to verify */
	ZT6_BUCKET_TOO_BIG,    /* Packet Too Big sent */
	ZT6_BUCKET_TUNNEL,     /* as the first, for what the kernel's `sit` has taken out of 6in4 */
	ZT6_BUCKET_SOLICITOR, /* Neighbour Solicitations of one prefix; the tokens are in `solicitors` */
	ZT6_BUCKET_NEW, /* packets from outside that belong to no flow, under `policy kernel` */
	ZT6_BUCKET_NEW_TUNNEL, /* the same of what the kernel's `sit` has taken out of 6in4 */
	ZT6_BUCKET_NEW_TO_ONE, /* the same to one member; the tokens are in `newcomers` */
	ZT6_BUCKET_ASKED, /* destinations nobody knows of that the kernel's table is asked about */
	ZT6_BUCKET_COUNT
};

/* `buckets`, by slot: the virtual time up to which each bucket is spoken for (GCRA). */
struct zt6_buckets {
	__u64 spoken_for_ns[ZT6_BUCKET_COUNT]; /* CLOCK_MONOTONIC_COARSE */
};

/* `ports`, ZT6_MAX_PORTS elements. The element's index is the port's slot: programs, counters,
 * devices and rules are keyed by it, and it stays with the configured name while the instance
 * is up. */
struct zt6_port {
	char name[ZT6_IFNAMSIZ];
	__u32 ifindex; /* 0: the interface is away */
	__u32 mtu;     /* of its IPv6 packets, bytes */
	__u8 role;     /* enum zt6_role */
	__u8 flags;    /* enum zt6_port_flags */
	__u16 vlan;    /* the tag its frames carry, host order; 0: none */
	__u8 mac[ZT6_ETH_ALEN];
	__u8 tunnel; /* index in zt6_settings, of a ZT6_ROLE_TUNNEL */
	__u8 bind;   /* enum zt6_bind, of a ZT6_ROLE_OVERLAY */
	__u8 wishes; /* enum zt6_wish, of a ZT6_ROLE_OVERLAY */
	__u8 paths;  /* enum zt6_port_paths */
	__u8 why;    /* enum zt6_why */
	__u8 why_errno;
	union zt6_addr na_source; /* source of its advertisements */
	union zt6_addr
		error_source; /* of ICMPv6 errors sent out of it; `::`: the kernel sends them */
	struct zt6_rate rates[ZT6_BUCKET_COUNT];
	struct zt6_proxy proxy;       /* of a port with ZT6_PORT_PROXY */
	__u64 network;                /* ZeroTier network id of a ZT6_ROLE_OVERLAY, or 0 */
	struct zt6_member_rate limit; /* of each member of a ZT6_ROLE_OVERLAY */
};

struct zt6_counter {
	__u64 packets;
	__u64 bytes;
};

/* A packet whose source is not bound to the MAC that it came from. */
struct zt6_unbound {
	union zt6_addr src; /* or the target of its Neighbour Advertisement */
	__u64 seen_ns;      /* CLOCK_MONOTONIC, to a few milliseconds; 0: there was none */
	__u8 mac[ZT6_ETH_ALEN];
	__u8 pad[2];
};

/* `counters`, per CPU, by slot. rx counts on arrival, verdicts at the end of the pipeline:
 * their sums agree, or a path was forgotten. */
struct zt6_port_counters {
	struct zt6_counter rx;
	struct zt6_counter tx; /* what the gateway itself sent through a TC egress program */
	struct zt6_counter verdicts[ZT6_VERDICT_COUNT];
	struct zt6_counter unbound; /* `bind`: whatever became of them */
	struct zt6_unbound last_unbound;
};

/* `prefixes`, longest match: to whom an address belongs. */
struct zt6_prefix_key {
	__u32 prefixlen; /* 0..128 */
	__u8 addr[16];
};

struct zt6_prefix {
	__u8 port; /* slot from which the prefix's addresses may come; ZT6_NO_PORT: from none */
	__u8 own;  /* 1: the gateway's own address */
	/* 1: its addresses end in the id of the ZeroTier node that has them, 40 bits */
	__u8 derived;
	__u8 pad;
};

enum zt6_binding_source {
	ZT6_BINDING_VIA,        /* a prefix that is routed by way of a member */
	ZT6_BINDING_CONTROLLER, /* an address that the network's controller has assigned */
};

/* `bindings`, longest match: whose an address is, where that is not derived from it. */
struct zt6_binding_key {
	__u32 prefixlen; /* 32 + 0..128 */
	__u32 port;      /* slot */
	__u8 addr[16];
};

struct zt6_binding {
	union zt6_addr via; /* of ZT6_BINDING_VIA: the member's own address */
	__u8 mac[ZT6_ETH_ALEN];
	__u8 source; /* enum zt6_binding_source */
	__u8 known;  /* 0: nobody can say the member's MAC; then nobody may use the address */
};

enum zt6_method { ZT6_METHOD_STATIC, ZT6_METHOD_AUTO, ZT6_METHOD_IFACE };

enum zt6_rule_flags {
	ZT6_RULE_DAD = 1 << 0,      /* defend targets in use against Duplicate Address Detection */
	ZT6_RULE_AUTOWIRE = 1 << 1, /* a /128 route to each verified target */
	ZT6_RULE_AUTOVIA = 1 << 2,  /* and that by way of the neighbour that answered */
};

/* `rules`, longest match: the proxy rules of every port. */
struct zt6_rule_key {
	__u32 prefixlen; /* 32 + 0..128 */
	__u32 port;      /* slot */
	__u8 addr[16];
};

struct zt6_rule {
	__u8 method; /* enum zt6_method */
	__u8 flags;  /* enum zt6_rule_flags */
	__u8 iface;  /* slot where targets live, for ZT6_METHOD_IFACE */
	__u8 pad;
};

/* `deferred`, LRU: when the agent was last told of this solicitor and target (__u64 jiffies). */
struct zt6_deferred_key {
	union zt6_addr target;
	union zt6_addr source;
	__u64 port; /* slot that the solicitation came in on */
};

/* An address on or behind a port. */
struct zt6_address_key {
	union zt6_addr addr;
	__u64 port; /* slot */
};

/* `verified`, LRU, by target and the port that asks: known to be in use. Times are
 * CLOCK_MONOTONIC. */
struct zt6_verified {
	__u64 expires_ns;
	__u64 asked_ns; /* when XDP last answered for it */
};

/* `negative`, LRU, by target and the port that asks: known not to answer until then (__u64
 * nanoseconds, CLOCK_MONOTONIC). */

/* `members`, LRU, by neighbour and inside port: what traffic tells of it. Times are
 * CLOCK_MONOTONIC, to about a second. */
struct zt6_member {
	__u64 since_ns;
	__u64 from_ns;          /* last packet from it; 0: none */
	__u64 towards_ns;       /* last packet to it or by way of it; 0: none */
	__u64 unbound;          /* `bind count`: packets from it that came from another's MAC */
	__u8 mac[ZT6_ETH_ALEN]; /* source of its last packet */
	__u8 pad[2];
};

/* `traffic`, LRU and per CPU, by member's address and inside port; what the route cache has not
 * added up yet is in its entries. */
struct zt6_traffic {
	struct zt6_counter from;
	struct zt6_counter towards;
};

enum zt6_event_kind {
	ZT6_EVENT_SOLICITED, /* somebody asks for the address: verify it */
	ZT6_EVENT_MOVED,     /* a member sends from another MAC than before */
	ZT6_EVENT_PATH_MTU,  /* that of the tunnel on the port has become smaller */
};

/* `events`, ring buffer: what the agent shall act upon. */
struct zt6_event {
	union zt6_addr addr;    /* the target, or the member */
	union zt6_addr source;  /* of a solicitation; `::` for Duplicate Address Detection */
	__u8 mac[ZT6_ETH_ALEN]; /* where the answer goes to, or the new one */
	__u8 port;              /* slot that it came in on */
	__u8 kind;              /* enum zt6_event_kind */
};

/* One way of a set of `routes`: what the FIB said, ready to be written in front of a packet.
 * 128 bytes, so that a way is two cache lines. */
struct zt6_route {
	union zt6_addr dst;
	union zt6_addr src;    /* last source seen; where the source decides, part of the key */
	__u64 expires_jiffies; /* 0: empty */
	__u32 generation;      /* of zt6_agent when it was filled */
	__u32 mtu;             /* of the IPv6 packet, bytes */
	__u8 in_port;          /* slot; the tunnel's for what came out of 6in4 */
	__u8 out_port;         /* slot that the packet is routed to */
	__u8 tx_port;          /* slot that the frame leaves by: out_port, or the tunnel's uplink */
	__u8 verdict; /* enum zt6_verdict of packets that nothing else keeps from going there */
	__u8 header_length;          /* of header[], bytes */
	__u8 tunnel_flags;           /* enum zt6_tunnel_flags, when out_port is a tunnel's */
	__u8 source_checked;         /* src has passed the guard */
	__u8 one_buffer;             /* the device takes no frame in several buffers */
	__u8 by_tc;                  /* only TC can send out of tx_port */
	__u8 pad;                    /* aligns the IPv4 header in header[] */
	__u8 header[ZT6_MAX_HEADER]; /* Ethernet, and IPv4 with total length and ECN still 0 */
	__u8 src_mac[ZT6_ETH_ALEN];  /* of the frame that src was last seen in */
	__u16 mss;     /* the most that TCP may announce on this way; 0: whatever it likes */
	__u64 packets; /* forwarded since the entry was filled or src has changed */
	__u64 bytes;
	__u8 pad3[8];
};

/* `routes`, per CPU: one set. */
#define ZT6_WAYS 4
struct zt6_route_set {
	struct zt6_route ways[ZT6_WAYS];
};

/* `route_tags`, by CPU and set: in which way of it a key can be. */
struct zt6_route_tags {
	__u16 ways[ZT6_WAYS]; /* bits of the hashes of their keys */
};

/* One direction of a flow as it crosses the gateway, compared whole. */
union zt6_flow_key {
	struct {
		union zt6_addr src;
		union zt6_addr dst;
		/* Of TCP and UDP source and destination, as they stand in the packet; see flow_answer()
		 * for others. */
		__be32 ports;
		__u8 protocol;
		__u8 in_port; /* slots */
		__u8 out_port;
		__u8 pad;
	};
	__u64 words[5];
};

/* `witnessed`, LRU, by zt6_flow_key: the kernel has forwarded a packet of the flow, or from inside one
 * that this flow answers. The key is there to be compared again, because an element can be given
 * away while it is read; the time stands behind it, to be written last and read first. */
struct zt6_witnessed {
	union zt6_flow_key key;
	__u64 jiffies; /* when that was, of a flow that was established; else 0 */
};

/* One way of a set of `flows`: a flow that the fast path may forward. */
struct zt6_flow {
	union zt6_flow_key key;
	__u64 until_jiffies; /* then `witnessed` is asked again; 0: empty */
};

/* `flows`, per CPU: one set. */
struct zt6_flow_set {
	struct zt6_flow ways[ZT6_WAYS];
};

_Static_assert(sizeof(struct zt6_route) == 128, "a way of the cache is two cache lines");
_Static_assert(sizeof(union zt6_flow_key) == 40, "no padding in what is compared by words");
_Static_assert(sizeof(struct zt6_prefix_key) == 20, "no padding after prefixlen: a trie key");
_Static_assert(sizeof(struct zt6_rule_key) == 24, "no padding after prefixlen: a trie key");
_Static_assert(sizeof(struct zt6_binding_key) == 24, "no padding after prefixlen: a trie key");

#endif
