/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The verdicts: every packet that a port receives ends in exactly one of them and is counted
 * under it. This list is the only one; the enum, the programs' return codes, the names in
 * `stats` and the documentation check expand from it.
 *
 * ZT6_VERDICTS(X) expands X(ID, name, action, meaning), where the action is what the verdict
 * does with the frame: REDIRECT (out of another port), REPLY (back out of the same port), PASS
 * (to the kernel, not one byte modified) or DROP. The order is part of the contract with the
 * readers of `stats`: new verdicts go to the end of their group and change ZT6_SCHEMA.
 */
#ifndef ZT6_VERDICTS_H
#define ZT6_VERDICTS_H

#define ZT6_VERDICTS(X)                                                                            \
	X(FORWARDED, forwarded, REDIRECT, "Ethernet in, Ethernet out")                             \
	X(DECAPSULATED, decapsulated, REDIRECT, "6in4 in, forwarded")                              \
	X(ENCAPSULATED, encapsulated, REDIRECT, "forwarded into 6in4")                             \
	X(NDP_ANSWERED, ndp_answered, REPLY, "an NA was sent")                                     \
	X(NDP_DEFERRED, ndp_deferred, DROP, "NS consumed, target handed to the agent")             \
	X(TOO_BIG_ANSWERED, too_big_answered, REPLY,                                               \
	  "larger than the path MTU, the sender was told")                                         \
	X(PASS_OTHER, pass_other, PASS, "not ours: not IPv6 or 6in4, no role here")                \
	X(PASS_LOCAL, pass_local, PASS, "for the gateway itself, decapsulated or not")             \
	X(PASS_NDP, pass_ndp, PASS, "ND that is the kernel's business")                            \
	X(PASS_HOP_LIMIT, pass_hop_limit, PASS, "hop limit exhausted, the kernel answers")         \
	X(PASS_TOO_BIG, pass_too_big, PASS, "larger than the path MTU, the kernel answers")        \
	X(PASS_FRAGMENT, pass_fragment, PASS, "a fragment of an outer IPv4 packet")                \
	X(PASS_EXTENSION_HEADER, pass_extension_header, PASS, "hop-by-hop header or IPv4 options") \
	X(PASS_UNRESOLVED, pass_unresolved, PASS, "no neighbour yet, within the rate")             \
	X(PASS_NO_ROUTE, pass_no_route, PASS, "the FIB does not forward it, the kernel answers")   \
	X(PASS_POLICY, pass_policy, PASS, "not (yet) an established flow")                         \
	X(PASS_UNWATCHED, pass_unwatched, PASS, "no agent: now and then the kernel sends itself")  \
	X(DROP_MALFORMED, drop_malformed, DROP, "lengths or headers contradict each other")        \
	X(DROP_NDP_INVALID, drop_ndp_invalid, DROP, "RFC 4861 section 7.1.1")                      \
	X(DROP_NDP_UNVERIFIED, drop_ndp_unverified, DROP, "target known not to answer")            \
	X(DROP_NDP_LIMITED, drop_ndp_limited, DROP, "above ndp-rate, or no agent takes targets")   \
	X(DROP_INNER_SOURCE, drop_inner_source, DROP, "RFC 4213 source check")                     \
	X(DROP_SPOOFED, drop_spoofed, DROP, "guard or binding")                                    \
	X(DROP_ECN, drop_ecn, DROP, "RFC 6040: inner Not-ECT, outer CE")                           \
	X(DROP_UNRESOLVED_LIMITED, drop_unresolved_limited, DROP, "above unresolved-rate")         \
	X(DROP_BLACKHOLE, drop_blackhole, DROP, "the route is a blackhole")                        \
	X(DROP_TOO_BIG_LIMITED, drop_too_big_limited, DROP,                                        \
	  "larger than the path MTU, above ptb-rate")                                              \
	X(DROP_RATE_LIMITED, drop_rate_limited, DROP, "above the limit of a member")               \
	X(DROP_NEW_LIMITED, drop_new_limited, DROP, "of no flow, above new-flow-rate")             \
	X(DROP_NOT_BROKER, drop_not_broker, DROP, "6in4 from elsewhere, under rules shipped")

enum zt6_verdict {
#define ZT6_ENUM(id, name, action, meaning) ZT6_##id,
	ZT6_VERDICTS(ZT6_ENUM)
#undef ZT6_ENUM
		ZT6_VERDICT_COUNT
};

#endif
