// SPDX-License-Identifier: GPL-2.0-or-later
#include "runs.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/icmpv6.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tools/benchmark/generator.skel.h"
#include "zt6_abi.h"
#include "zt6_na.h"

/* Packets of a sample. Short ones, many rounds: the rates of one round see the same machine. */
#define FLOOD    50000
#define SLOW     10000 /* through the kernel */
#define CALLS    30000 /* one system call per packet */
#define REPEATED 50000

#define IPV4_BYTES 20 /* of the outer header */

/* How frames get to the program under test. */
enum path {
	TO_ETH0,      /* from the outside into eth0 */
	TO_TAP,       /* the same, and on into the TAP */
	TO_ETH1,      /* from the outside into the lan */
	TO_RIVAL,     /* from the outside into the rival */
	FROM_OVERLAY, /* the overlay's program is called as its driver would */
	WRITTEN,      /* into the TAP, by system calls */
};

enum frame_set {
	SOLICIT_STATIC,
	SOLICIT_AUTO,
	SOLICIT_KERNEL,
	TO_LAN,
	TO_LAN_SOURCES,
	TO_LAN_BEHIND,
	TO_LAN_UDP,
	SIX_TO_MEMBER,
	SIX_TO_MEMBER_UDP,
	FROM_MEMBER,
	FROM_MEMBER_TCP,
	FROM_MEMBERS,
	FROM_STRANGER,
	TOO_LARGE,
	ARP,
	FRAME_SETS
};

enum subject { GATEWAY_PROGRAM, BARE_SWAP, BARE_REDIRECT };

/* How a rate is measured. */
struct rate_plan {
	enum path path;
	enum frame_set frames;
	enum subject subject;
	uint32_t offset, value; /* of what arrives, see bench_expect() */
	uint64_t packets;
};

enum {
	NDP_STATIC,
	NDP_BARE,
	NDP_AUTO,
	NDP_KERNEL,
	FORWARD,
	FORWARD_BARE,
	DECAP,
	DECAP_BARE,
	ENCAP,
	ENCAP_BARE,
	WRITE,
	WRITE_BARE,
	TOO_BIG,
	TOO_BIG_KERNEL,
	NDP_NDPPD,
	RATES
};

static struct rate rates[RATES] = {
	[NDP_STATIC] = {.id = "ndp_static", .title = "NS answered, static rule", .lossless = true},
	[NDP_BARE] = {.id = "ndp_bare", .title = "NS sent back with swapped MACs by a bare XDP_TX"},
	[NDP_AUTO] = {.id = "ndp_auto",
		      .title = "NS answered, auto rule, target verified",
		      .lossless = true},
	[NDP_KERNEL] = {.id = "ndp_kernel", .title = "NS answered by the kernel's proxy_ndp"},
	[NDP_NDPPD] = {.id = "ndp_ndppd", .title = "NS answered by ndppd, static rule"},
	[FORWARD] = {.id = "forward", .title = "Ethernet to Ethernet"},
	[FORWARD_BARE] = {.id = "forward_bare", .title = "the same by a bare redirect"},
	[DECAP] = {.id = "decapsulate", .title = "6in4 from the uplink into the TAP"},
	[DECAP_BARE] = {.id = "decapsulate_bare", .title = "the same by a bare redirect"},
	[ENCAP] = {.id = "encapsulate", .title = "from the TAP's program into 6in4 on the uplink"},
	[ENCAP_BARE] = {.id = "encapsulate_bare", .title = "the same by a bare redirect"},
	[WRITE] = {.id = "encapsulate_written", .title = "written to the TAP by a process"},
	[WRITE_BARE] = {.id = "encapsulate_written_bare", .title = "the same by a bare redirect"},
	[TOO_BIG] = {.id = "too_big", .title = "Packet Too Big by the program", .lossless = true},
	[TOO_BIG_KERNEL] = {.id = "too_big_kernel", .title = "the same by the kernel"},
};

static const struct rate_plan rate_plans[RATES] = {
	[NDP_STATIC] = {TO_ETH0, SOLICIT_STATIC, GATEWAY_PROGRAM, AT_ND_TYPE, ZT6_ND_ADVERT, FLOOD},
	[NDP_BARE] = {TO_ETH0, SOLICIT_STATIC, BARE_SWAP, AT_ND_TYPE, ZT6_ND_SOLICIT, FLOOD},
	[NDP_AUTO] = {TO_ETH0, SOLICIT_AUTO, GATEWAY_PROGRAM, AT_ND_TYPE, ZT6_ND_ADVERT, FLOOD},
	[NDP_KERNEL] = {TO_RIVAL, SOLICIT_STATIC, GATEWAY_PROGRAM, AT_ND_TYPE, ZT6_ND_ADVERT, SLOW},
	[NDP_NDPPD] = {TO_RIVAL, SOLICIT_STATIC, GATEWAY_PROGRAM, AT_ND_TYPE, ZT6_ND_ADVERT, FLOOD},
	[FORWARD] = {TO_ETH0, TO_LAN, GATEWAY_PROGRAM, AT_HOP_LIMIT, HOP_LIMIT - 1, FLOOD},
	[FORWARD_BARE] = {TO_ETH0, TO_LAN, BARE_REDIRECT, AT_HOP_LIMIT, HOP_LIMIT, FLOOD},
	[DECAP] = {TO_TAP, SIX_TO_MEMBER, GATEWAY_PROGRAM, AT_HOP_LIMIT, HOP_LIMIT - 1, FLOOD},
	[DECAP_BARE] = {TO_TAP, SIX_TO_MEMBER, BARE_REDIRECT, AT_PROTOCOL, IPPROTO_IPV6, FLOOD},
	[ENCAP] = {FROM_OVERLAY, FROM_MEMBER, GATEWAY_PROGRAM, AT_PROTOCOL, IPPROTO_IPV6, FLOOD},
	[ENCAP_BARE] = {FROM_OVERLAY, FROM_MEMBER, BARE_REDIRECT, AT_HOP_LIMIT, HOP_LIMIT, FLOOD},
	[WRITE] = {WRITTEN, FROM_MEMBER, GATEWAY_PROGRAM, AT_PROTOCOL, IPPROTO_IPV6, CALLS},
	[WRITE_BARE] = {WRITTEN, FROM_MEMBER, BARE_REDIRECT, AT_HOP_LIMIT, HOP_LIMIT, CALLS},
	[TOO_BIG] = {TO_ETH1, TOO_LARGE, GATEWAY_PROGRAM, AT_ND_TYPE, ICMPV6_PKT_TOOBIG, FLOOD},
	[TOO_BIG_KERNEL] = {TO_ETH1, TOO_LARGE, GATEWAY_PROGRAM, AT_ND_TYPE, ICMPV6_PKT_TOOBIG,
			    SLOW},
};

static struct ratio ratios[] = {
	{"ndp_static", "static rule / bare XDP_TX", &rates[NDP_STATIC], &rates[NDP_BARE], 0.7},
	{"ndp_auto", "auto rule / bare XDP_TX", &rates[NDP_AUTO], &rates[NDP_BARE], 0.7},
	{"ndp_static_kernel", "static rule / proxy_ndp", &rates[NDP_STATIC], &rates[NDP_KERNEL], 8},
	{"ndp_auto_kernel", "auto rule / proxy_ndp", &rates[NDP_AUTO], &rates[NDP_KERNEL], 8},
	{"too_big_kernel", "Packet Too Big by the program / by the kernel", &rates[TOO_BIG],
	 &rates[TOO_BIG_KERNEL], 0},
	{"forward", "forward / bare redirect", &rates[FORWARD], &rates[FORWARD_BARE], 0},
	{"decapsulate", "decapsulate / bare redirect", &rates[DECAP], &rates[DECAP_BARE], 0.75},
	{"encapsulate", "written to the TAP, encapsulate / bare redirect", &rates[WRITE],
	 &rates[WRITE_BARE], 0.75},
	/* Without the TAP's own share, which all real packets pay: nothing is promised of it. */
	{"encapsulate_program", "encapsulate / bare redirect, no TAP", &rates[ENCAP],
	 &rates[ENCAP_BARE], 0},
};

/* How a cost is measured. */
struct cost_plan {
	size_t port; /* offset in struct lab */
	enum frame_set frames;
	int head_moves;
	unsigned int verdict;
	bool bind;      /* with `bind enforce` on the overlay */
	bool policed;   /* under `policy kernel`, all flows established */
	__u32 few_sets; /* of the cache of flows; 0: as many as it has */
	bool limited;   /* with `limit` and ndp-source-rate, which all of it is within */
};

#define ETH0    offsetof(struct lab, eth0)
#define OVERLAY offsetof(struct lab, overlay)

static struct cost costs[] = {
	{.id = "ndp_static", .title = "NS, static rule"},
	{.id = "ndp_auto", .title = "NS, auto rule, target verified"},
	{.id = "ndp_auto_no_agent", .title = "NS, auto rule, no agent, neighbour known"},
	{.id = "forward", .title = "forward, 16 destinations"},
	{.id = "forward_sources", .title = "forward, a new source each time"},
	{.id = "decapsulate", .title = "decapsulate"},
	{.id = "encapsulate", .title = "encapsulate"},
	{.id = "encapsulate_tcp", .title = "encapsulate, TCP without SYN"},
	{.id = "encapsulate_bound", .title = "encapsulate, bind enforce"},
	{.id = "encapsulate_sources", .title = "encapsulate, a new source each time"},
	{.id = "encapsulate_sources_bound", .title = "the same, bind enforce"},
	{.id = "forward_udp", .title = "forward, 16 flows of UDP, policy off"},
	{.id = "forward_policed", .title = "the same, policy kernel"},
	{.id = "forward_policed_miss", .title = "the same, more flows than the cache holds"},
	{.id = "decapsulate_udp", .title = "decapsulate, 16 flows of UDP, policy off"},
	{.id = "decapsulate_policed", .title = "the same, policy kernel"},
	{.id = "pass_other", .title = "pass: not IPv6"},
	{.id = "drop_spoofed", .title = "drop: spoofed source"},
	{.id = "fill", .title = "forward, a destination not in the cache"},
	{.id = "ndp_static_limited", .title = "NS, static rule, ndp-source-rate"},
	{.id = "encapsulate_limited", .title = "encapsulate, limit"},
};

#define COSTS (sizeof(costs) / sizeof(costs[0]))

/* Rows of costs[] that are compared. */
enum {
	COST_NDP_STATIC = 0,
	COST_ENCAP = 6,
	FORWARD_UDP = 11,
	FORWARD_POLICED,
	FORWARD_POLICED_MISS,
	DECAP_UDP,
	DECAP_POLICED,
	COST_NDP_LIMITED = 19,
	COST_ENCAP_LIMITED,
};

static struct price prices[] = {
	{"forward_policed", "policy kernel / policy off, forward", &costs[FORWARD_POLICED],
	 &costs[FORWARD_UDP], 1.5},
	{"decapsulate_policed", "policy kernel / policy off, decapsulate", &costs[DECAP_POLICED],
	 &costs[DECAP_UDP], 1.5},
	{"forward_policed_miss", "the same, more flows than the cache holds",
	 &costs[FORWARD_POLICED_MISS], &costs[FORWARD_UDP], 0},
	{"ndp_static_limited", "with / without ndp-source-rate, static rule",
	 &costs[COST_NDP_LIMITED], &costs[COST_NDP_STATIC], 0},
	{"encapsulate_limited", "with / without limit, encapsulate", &costs[COST_ENCAP_LIMITED],
	 &costs[COST_ENCAP], 0},
};

static const struct cost_plan cost_plans[COSTS] = {
	{ETH0, SOLICIT_STATIC, 0, ZT6_NDP_ANSWERED, false, false, 0, false},
	{ETH0, SOLICIT_AUTO, 0, ZT6_NDP_ANSWERED, false, false, 0, false},
	{ETH0, SOLICIT_KERNEL, 0, ZT6_NDP_ANSWERED, false, false, 0, false},
	{ETH0, TO_LAN, 0, ZT6_FORWARDED, false, false, 0, false},
	{ETH0, TO_LAN_SOURCES, 0, ZT6_FORWARDED, false, false, 0, false},
	{ETH0, SIX_TO_MEMBER, 20, ZT6_DECAPSULATED, false, false, 0, false},
	{OVERLAY, FROM_MEMBER, 20, ZT6_ENCAPSULATED, false, false, 0, false},
	{OVERLAY, FROM_MEMBER_TCP, 20, ZT6_ENCAPSULATED, false, false, 0, false},
	{OVERLAY, FROM_MEMBER, 20, ZT6_ENCAPSULATED, true, false, 0, false},
	{OVERLAY, FROM_MEMBERS, 20, ZT6_ENCAPSULATED, false, false, 0, false},
	{OVERLAY, FROM_MEMBERS, 20, ZT6_ENCAPSULATED, true, false, 0, false},
	[FORWARD_UDP] = {ETH0, TO_LAN_UDP, 0, ZT6_FORWARDED, false, false, 0, false},
	[FORWARD_POLICED] = {ETH0, TO_LAN_UDP, 0, ZT6_FORWARDED, false, true, 0, false},
	[FORWARD_POLICED_MISS] = {ETH0, TO_LAN_UDP, 0, ZT6_FORWARDED, false, true, 1, false},
	[DECAP_UDP] = {ETH0, SIX_TO_MEMBER_UDP, 20, ZT6_DECAPSULATED, false, false, 0, false},
	[DECAP_POLICED] = {ETH0, SIX_TO_MEMBER_UDP, 20, ZT6_DECAPSULATED, false, true, 0, false},
	{ETH0, ARP, 0, ZT6_PASS_OTHER, false, false, 0, false},
	{OVERLAY, FROM_STRANGER, 0, ZT6_DROP_SPOOFED, false, false, 0, false},
	{ETH0, TO_LAN_BEHIND, 0, ZT6_FORWARDED, false, false, 0, false},
	[COST_NDP_LIMITED] = {ETH0, SOLICIT_STATIC, 0, ZT6_NDP_ANSWERED, false, false, 0, true},
	[COST_ENCAP_LIMITED] = {OVERLAY, FROM_MEMBER, 20, ZT6_ENCAPSULATED, false, false, 0, true},
};

static void make_frames(const struct bench *bench, struct frames sets[FRAME_SETS])
{
	const uint8_t *eth0 = bench->lab.eth0.mac, *overlay = bench->lab.overlay.mac;
	const uint32_t many = BENCH_MEMBERS;

	frames_solicitations(&sets[SOLICIT_STATIC], NET_STATIC);
	frames_solicitations(&sets[SOLICIT_AUTO], NET_AUTO);
	frames_solicitations(&sets[SOLICIT_KERNEL], NET_KERNEL);
	frames_ipv6(&sets[TO_LAN], eth0, NET_WORLD, many, NET_LAN, many);
	frames_ipv6(&sets[TO_LAN_SOURCES], eth0, NET_WORLD, many, NET_LAN, 1);
	frames_ipv6(&sets[TO_LAN_BEHIND], eth0, NET_WORLD, 1, NET_BEHIND, 1);
	frames_vary_destination(&sets[TO_LAN_BEHIND]);
	frames_ipv6(&sets[TO_LAN_UDP], eth0, NET_WORLD, many, NET_LAN, many);
	frames_udp(&sets[TO_LAN_UDP], AT_NEXT_HEADER - 6);
	frames_6in4(&sets[SIX_TO_MEMBER], eth0, NET_WORLD, many, NET_MEMBER, many);
	frames_6in4(&sets[SIX_TO_MEMBER_UDP], eth0, NET_WORLD, many, NET_MEMBER, many);
	frames_udp(&sets[SIX_TO_MEMBER_UDP], AT_NEXT_HEADER - 6 + IPV4_BYTES);
	frames_ipv6(&sets[FROM_MEMBER], overlay, NET_MEMBER, many, NET_WORLD, many);
	frames_ipv6(&sets[FROM_MEMBER_TCP], overlay, NET_MEMBER, many, NET_WORLD, many);
	frames_protocol(&sets[FROM_MEMBER_TCP], IPPROTO_TCP);
	frames_ipv6(&sets[FROM_MEMBERS], overlay, NET_MEMBER, many, NET_WORLD, 1);
	frames_ipv6(&sets[FROM_STRANGER], overlay, NET_WORLD, many, NET_LAN, 1);
	frames_ipv6(&sets[TOO_LARGE], bench->lab.eth1.mac, NET_LAN, many, NET_NARROW, many);
	frames_enlarge(&sets[TOO_LARGE], 1500);
	frames_arp(&sets[ARP]);
}

static int subject_program(const struct bench *bench, enum subject subject,
			   const struct gateway_port *port)
{
	switch (subject) {
	case BARE_SWAP:
		return bpf_program__fd(bench->programs->progs.bare_swap);
	case BARE_REDIRECT:
		return bpf_program__fd(bench->programs->progs.bare_redirect);
	default:
		return port->program;
	}
}

/* Where the bare redirect has to lead on this path. */
static uint32_t exit_of(const struct bench *bench, enum path path)
{
	switch (path) {
	case TO_ETH0:
		return bench->lab.eth1.ifindex;
	case TO_TAP:
		return bench->lab.overlay.ifindex;
	default:
		return bench->lab.eth0.ifindex;
	}
}

/* Who answers what is too big for its path: the program without a limit, or the kernel. */
static int prepare_lan(const struct bench *bench, bool kernel)
{
	const union zt6_addr nobody = {{0}};
	uint32_t slot = bench->lab.eth1.slot;
	const struct in6_addr own = frames_address(NET_LAN, 0xff);
	struct zt6_port port;

	if (bpf_map_lookup_elem(bench->lab.ports, &slot, &port))
		return -errno;
	port.rates[ZT6_BUCKET_TOO_BIG].interval_ns = 0;
	memcpy(&port.error_source, kernel ? (const void *)&nobody : &own,
	       sizeof(port.error_source));
	return bpf_map_update_elem(bench->lab.ports, &slot, &port, BPF_ANY) ? -errno : 0;
}

/* A sample, with the port's program in place. */
static int take_sample(struct bench *bench, const struct rate_plan *plan,
		       const struct frames *frames, int program, uint64_t packets,
		       struct sample *out)
{
	switch (plan->path) {
	case TO_ETH0:
		return bench_send(bench, frames, bench->to_gateway, packets, 0, out);
	case TO_TAP:
		return bench_send_to_tap(bench, frames, packets, out);
	case TO_ETH1:
		return bench_send(bench, frames, bench->to_lan, packets, 0, out);
	case TO_RIVAL:
		return bench_send(bench, frames, bench->to_rival, packets, 0.3, out);
	case FROM_OVERLAY:
		return bench_send_from_overlay(bench, frames, program, packets, out);
	default:
		return bench_write_to_tap(bench, frames, packets, out);
	}
}

static int measure_rate(struct bench *bench, const struct frames *sets, int which, double scale,
			int round)
{
	const struct rate_plan *plan = &rate_plans[which];
	const struct gateway_port *port = plan->path == FROM_OVERLAY || plan->path == WRITTEN
						  ? &bench->lab.overlay
						  : &bench->lab.eth0;
	int program = subject_program(bench, plan->subject, port), err;
	struct rate *rate = &rates[which];
	struct sample sample;

	bench_expect(bench, plan->offset, plan->value);
	err = bench_exit_to(bench, exit_of(bench, plan->path));
	if (!err && plan->path == TO_ETH1)
		err = prepare_lan(bench, which == TOO_BIG_KERNEL);
	if (!err && plan->subject != GATEWAY_PROGRAM)
		err = bench_occupy(port, program);
	if (!err)
		err = take_sample(bench, plan, &sets[plan->frames], program, plan->packets * scale,
				  &sample);
	if (!err && plan->subject != GATEWAY_PROGRAM)
		err = bench_occupy(port, port->program);
	if (err)
		return err;
	rate->per_second[round] = sample.arrived / sample.seconds;
	rate->sent += sample.sent;
	rate->arrived += sample.arrived;
	rate->other += sample.other;
	return 0;
}

/* `bind enforce` on the overlay, or off; all of NET_MEMBER belongs to the frames' sender. Where the
 * sources change they shall not be part of the cache's key, but looked at each time. */
static int prepare_overlay(const struct bench *bench, const struct cost_plan *plan)
{
	struct zt6_binding_key key = {.prefixlen = 32 + 48, .port = bench->lab.overlay.slot};
	const struct in6_addr net = frames_address(NET_MEMBER, 0);
	struct zt6_binding binding = {.known = 1};
	uint32_t slot = bench->lab.overlay.slot;
	struct zt6_port port;

	memcpy(key.addr, &net, sizeof(key.addr));
	memcpy(binding.mac, frames_source_mac, sizeof(binding.mac));
	if (bpf_map_update_elem(bench->lab.bindings, &key, &binding, BPF_ANY) ||
	    bpf_map_lookup_elem(bench->lab.ports, &slot, &port))
		return -errno;
	port.bind = plan->bind ? ZT6_BIND_ENFORCE : ZT6_BIND_OFF;
	port.flags |= ZT6_PORT_SOURCE_ROUTED;
	if (plan->frames == FROM_MEMBERS)
		port.flags &= ~ZT6_PORT_SOURCE_ROUTED;
	return bpf_map_update_elem(bench->lab.ports, &slot, &port, BPF_ANY) ? -errno : 0;
}

/* The policy, and how much of the cache of flows is in use. */
static int prepare_policy(const struct bench *bench, bool policed, __u32 few_sets)
{
	static __u32 all_sets;
	struct zt6_settings settings;
	__u32 zero = 0;

	if (bpf_map_lookup_elem(bench->lab.settings, &zero, &settings))
		return -errno;
	if (!all_sets)
		all_sets = settings.flow_sets;
	settings.policy = policed ? ZT6_POLICY_KERNEL : ZT6_POLICY_OFF;
	settings.flow_sets = few_sets ? few_sets : all_sets;
	return bpf_map_update_elem(bench->lab.settings, &zero, &settings, BPF_ANY) ? -errno : 0;
}

/* Rates of one solicitor and of one member, so high that everything is within them, or none. */
static int prepare_limits(const struct bench *bench, bool limited)
{
	const uint32_t slots[] = {bench->lab.eth0.slot, bench->lab.overlay.slot};
	struct zt6_settings settings;
	struct zt6_port port;
	__u32 zero = 0;

	for (size_t i = 0; i < sizeof(slots) / sizeof(slots[0]); i++) {
		if (bpf_map_lookup_elem(bench->lab.ports, &slots[i], &port))
			return -errno;
		port.rates[ZT6_BUCKET_SOLICITOR].interval_ns = limited;
		port.rates[ZT6_BUCKET_SOLICITOR].burst_ns = 1000000000;
		port.limit.ns_per_kib = limited && port.role == ZT6_ROLE_OVERLAY;
		port.limit.burst_ns = 1000000000;
		if (bpf_map_update_elem(bench->lab.ports, &slots[i], &port, BPF_ANY))
			return -errno;
	}
	if (bpf_map_lookup_elem(bench->lab.settings, &zero, &settings))
		return -errno;
	settings.flags &= ~ZT6_SETTINGS_MEMBER_LIMITS;
	if (limited)
		settings.flags |= ZT6_SETTINGS_MEMBER_LIMITS;
	return bpf_map_update_elem(bench->lab.settings, &zero, &settings, BPF_ANY) ? -errno : 0;
}

/* Packets that do not come to the verdict that was to be measured are an error. */
static int measure_cost(struct bench *bench, const struct frames *sets, size_t which, double scale,
			int round)
{
	const struct cost_plan *plan = &cost_plans[which];
	const struct gateway_port *port = (void *)((char *)&bench->lab + plan->port);
	uint64_t packets = REPEATED * scale;
	uint64_t before = lab_verdicts(&bench->lab, port, plan->verdict), came;
	int err = prepare_overlay(bench, plan);

	if (!err)
		err = prepare_policy(bench, plan->policed, plan->few_sets);
	if (!err)
		err = prepare_limits(bench, plan->limited);
	if (!err)
		err = bench_cost(bench, port, &sets[plan->frames], plan->head_moves, packets,
				 &costs[which].ns[round]);
	came = lab_verdicts(&bench->lab, port, plan->verdict) - before;
	if (!err && came != packets) {
		fprintf(stderr, "bench: %s: %llu of %llu packets came to another verdict\n",
			costs[which].title, (unsigned long long)(packets - came),
			(unsigned long long)packets);
		return -EPROTO;
	}
	return err;
}

/* ndppd takes the place of the kernel's proxy, where it is installed. */
static int measure_ndppd(struct bench *bench, const struct frames *sets, double scale, int rounds)
{
	char *const argv[] = {"ndppd", "-c", "/run/ndppd.conf", NULL};
	const struct timespec start_up = {.tv_nsec = 300 * 1000 * 1000};
	int err = lab_shell(&bench->lab, RIVAL,
			    "echo 0 >/proc/sys/net/ipv6/conf/eth0/proxy_ndp; "
			    "ip -6 neighbour flush proxy dev eth0; "
			    "echo 'proxy eth0 { rule " NET_STATIC "/48 { static } }' "
			    ">/run/ndppd.conf");
	pid_t ndppd = err ? err : lab_start(&bench->lab, RIVAL, argv);

	if (ndppd < 0)
		return ndppd;
	nanosleep(&start_up, NULL);
	if (lab_ended(ndppd)) {
		fprintf(stderr, "bench: ndppd is not installed: left out\n");
		return 0;
	}
	for (int round = 0; !err && round < rounds; round++)
		err = measure_rate(bench, sets, NDP_NDPPD, scale, round);
	lab_stop(ndppd);
	return err;
}

/* What the agent would have done: it has seen every member of NET_AUTO alive. */
static int verify_members(const struct bench *bench)
{
	const struct zt6_verified forever = {.expires_ns = 1ULL << 62};
	struct zt6_address_key key = {.port = bench->lab.eth0.slot};

	for (uint32_t i = 1; i <= BENCH_MEMBERS; i++) {
		const struct in6_addr addr = frames_address(NET_AUTO, i);

		memcpy(&key.addr, &addr, sizeof(key.addr));
		if (bpf_map_update_elem(bench->lab.verified, &key, &forever, BPF_ANY))
			return -errno;
	}
	return 0;
}

/* What the kernel and its witness would have done: each of the flows from eth0 is established. */
static int establish(const struct bench *bench, const char *net, __u8 in_port, __u8 out_port)
{
	struct zt6_witnessed forever = {
		.key = {.protocol = IPPROTO_UDP, .in_port = in_port, .out_port = out_port},
		.jiffies = 1ULL << 62,
	};

	for (uint32_t i = 1; i <= BENCH_MEMBERS; i++) {
		const struct in6_addr src = frames_address(NET_WORLD, i);
		const struct in6_addr dst = frames_address(net, i);

		memcpy(&forever.key.src, &src, sizeof(src));
		memcpy(&forever.key.dst, &dst, sizeof(dst));
		if (bpf_map_update_elem(bench->lab.witnessed, &forever.key, &forever, BPF_ANY))
			return -errno;
	}
	return 0;
}

static int establish_all(const struct bench *bench)
{
	const struct lab *lab = &bench->lab;
	struct zt6_port port;
	int err = establish(bench, NET_LAN, lab->eth0.slot, lab->eth1.slot);

	for (__u32 slot = 0; slot < ZT6_MAX_PORTS && !err; slot++)
		if (!bpf_map_lookup_elem(lab->ports, &slot, &port) && port.role == ZT6_ROLE_TUNNEL)
			err = establish(bench, NET_MEMBER, slot, lab->overlay.slot);
	return err;
}

int runs_measure(struct bench *bench, int rounds, double scale, struct results *out)
{
	struct frames *sets = calloc(FRAME_SETS, sizeof(*sets));
	int err = 0;

	if (!sets)
		return -ENOMEM;
	make_frames(bench, sets);
	err = verify_members(bench);
	if (!err)
		err = establish_all(bench);
	for (int round = 0; round < rounds && !err; round++) {
		err = prepare_policy(bench, false, 0);
		if (!err)
			err = prepare_limits(bench, false);
		for (int i = 0; i < NDP_NDPPD && !err; i++)
			err = measure_rate(bench, sets, i, scale, round);
		for (size_t i = 0; i < COSTS && !err; i++)
			err = measure_cost(bench, sets, i, scale, round);
	}
	if (!err)
		err = measure_ndppd(bench, sets, scale, rounds);
	free(sets);
	*out = (struct results){
		.rounds = rounds,
		.rates = rates,
		.ratios = ratios,
		.costs = costs,
		.prices = prices,
		.price_count = sizeof(prices) / sizeof(prices[0]),
		.rate_count = RATES,
		.ratio_count = sizeof(ratios) / sizeof(ratios[0]),
		.cost_count = COSTS,
	};
	return err;
}
