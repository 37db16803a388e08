# SPDX-License-Identifier: GPL-2.0-or-later
"""`policy kernel`: what from outside the fast path does not parse, and so leaves to the kernel, has the
rate of newcomers (limits new-flow-rate), and what of it answers a member has none."""

from scapy.compat import raw
from scapy.layers.inet import UDP
from scapy.layers.inet6 import (ICMPv6EchoReply, ICMPv6EchoRequest, ICMPv6PacketTooBig,
                                IPv6ExtHdrDestOpt, IPv6ExtHdrFragment, IPv6ExtHdrHopByHop,
                                IPv6ExtHdrRouting, PadN)
from scapy.packet import Raw

from cases_newcomers import (BEYOND, FAR, KERNEL, NO_MORE, RATE, STRANGERS, about, case, comes, flooded, inward,
                             ip, outward, sends, syns, tcp)
from net import (FAR_NATIVE, FAR_TUNNEL, LAN_HOST, MEMBER, POOL_MEMBER, TUNNEL_ADDRESS, Host, arrives,
                 arrives_6in4, configuration, flood, kernel_forwards, leaves, scenario, sequence, step)

UDP_PROTOCOL, NO_NEXT_HEADER, UNKNOWN = 17, 59, 253
HEADERS_PASSED = 4  # on the way to the transport

UP = UDP(sport=4096, dport=53) / Raw(bytes(8))
BACK = UDP(sport=53, dport=4096) / Raw(bytes(8))

# Made anew for each packet: scapy links what it puts together.
EXTENSIONS = {
    "hop-by-hop options": (lambda: IPv6ExtHdrHopByHop(), "pass_extension_header"),
    "long hop-by-hop options": (lambda: IPv6ExtHdrHopByHop(options=[PadN(optdata=bytes(100))]),
                                "pass_extension_header"),
    "destination options": (lambda: IPv6ExtHdrDestOpt(), "pass_policy"),
    "a routing header": (lambda: IPv6ExtHdrRouting(type=253, segleft=0), "pass_policy"),
    "a fragment header": (lambda: IPv6ExtHdrFragment(id=7), "pass_policy"),
}


def chain(count, last):
    headers = IPv6ExtHdrDestOpt()
    for _ in range(count - 1):
        headers = headers / IPv6ExtHdrDestOpt()
    return headers / last


def piece(body, offset=0, more=1, id=7, nh=UDP_PROTOCOL):
    """A fragment."""
    return IPv6ExtHdrFragment(offset=offset, m=more, id=id, nh=nh) / Raw(raw(body))


def later(id=7, **fields):
    return piece(bytes(32), offset=2, id=id, **fields)


def hop_by_hop(body):
    return IPv6ExtHdrHopByHop() / body


def from_strangers(make, destination=MEMBER, **fields):
    return [arrives(stranger, inward(make(), destination, stranger.address, **fields))
            for stranger in STRANGERS]


def floods():
    limited = [
        (f"packets with {name}", from_strangers(lambda make=make: make() / BACK), within)
        for name, (make, within) in EXTENSIONS.items()
    ] + [
        ("packets of an unknown protocol",
         from_strangers(lambda: Raw(bytes(32)), nh=UNKNOWN), "pass_policy"),
        ("packets without payload", from_strangers(lambda: Raw(b""), nh=NO_NEXT_HEADER),
         "pass_policy"),
        ("later fragments", from_strangers(later), "pass_policy"),
        ("chains of headers", from_strangers(lambda: chain(20, BACK)), "pass_policy"),
        ("hop-by-hop options that break off",
         from_strangers(lambda: Raw(b"\x11\xff"), nh=0), "pass_extension_header"),
        ("packets from link-local addresses",
         [arrives(FAR, inward(BACK, source=f"fe80::{i:x}")) for i in range(1, 41)],
         "pass_no_route"),
    ]
    narrow = Host("2001:470:811d:40::5", MEMBER.mac, "zttest")
    errors = [arrives(stranger, inward(ICMPv6PacketTooBig() / Raw(bytes(1350)), narrow,
                                       stranger.address)) for stranger in STRANGERS]
    tunnelled = [arrives_6in4(ip(FAR_TUNNEL, MEMBER.address, hop_by_hop(tcp("S", port))))
                 for port in range(1, 41)]
    to_us = arrives(FAR, ip(FAR_NATIVE, TUNNEL_ADDRESS, hop_by_hop(BACK)))
    outside = arrives(MEMBER, outward(hop_by_hop(UP)))
    between = arrives(LAN_HOST, ip(LAN_HOST.address, MEMBER.address, hop_by_hop(UP)))
    return [case(f"{name} to one member are limited", flooded(frames, within=within))
            for name, frames, within in limited] + [
        case("errors to one member that are too big for an error to answer are limited",
             flooded(errors, within="pass_too_big")),
        case("packets with hop-by-hop options through the tunnel are limited",
             flooded(tunnelled, within="pass_extension_header")),
        case("packets with hop-by-hop options to one member leave the others what they need",
             flooded(from_strangers(lambda: hop_by_hop(BACK)), within="pass_extension_header"),
             step("eth0", syns(POOL_MEMBER)[:4], "pass_policy"),
             step("eth0", from_strangers(lambda: hop_by_hop(BACK), POOL_MEMBER)[:4],
                  "pass_extension_header")),
        case("packets with hop-by-hop options for the gateway itself are not limited", flooded(),
             step("eth0", [to_us] * BEYOND, "pass_extension_header")),
        case("members send as many packets with hop-by-hop options as they like", flooded(),
             step("zttest", [outside] * BEYOND, "pass_extension_header"),
             step("eth1", [between] * BEYOND, "pass_extension_header")),
    ]


def behind_headers():
    answers = [case(f"an answer behind {name} passes, whatever the rate", sends(UP), NO_MORE,
                    comes(make() / BACK, within, BEYOND),
                    comes(make() / UDP(sport=54, dport=4096) / Raw(bytes(8)), "drop_new_limited"))
               for name, (make, within) in EXTENSIONS.items()]
    noted = [case(f"what a member sends behind {name} lets in the answer", sends(make() / UP),
                  NO_MORE, comes(BACK, "pass_policy", BEYOND),
                  comes(ICMPv6PacketTooBig() / Raw(raw(outward(make() / UP))), "pass_policy"),
                  comes(UP, "drop_new_limited"))
             for name, (make, _) in EXTENSIONS.items()]
    router = "2001:db8:b:77::1"
    echo = ICMPv6EchoRequest(id=7) / Raw(bytes(8))
    return answers + noted + [
        case("an answer is looked for behind so many headers and no more", sends(UP), NO_MORE,
             comes(chain(HEADERS_PASSED, BACK), "pass_policy", BEYOND),
             comes(chain(HEADERS_PASSED + 1, BACK), "drop_new_limited")),
        case("SYN-ACK behind hop-by-hop options passes, whatever the rate",
             sends(tcp("S", port=4096, to=80)), NO_MORE,
             comes(hop_by_hop(tcp("SA")), "pass_extension_header", BEYOND)),
        case("an echo reply behind hop-by-hop options passes by its identifier", sends(echo),
             NO_MORE,
             comes(hop_by_hop(ICMPv6EchoReply(id=7)), "pass_extension_header", BEYOND),
             comes(hop_by_hop(ICMPv6EchoReply(id=8)), "drop_new_limited"),
             comes(hop_by_hop(ICMPv6EchoRequest(id=7)), "drop_new_limited")),
        case("an error behind hop-by-hop options passes by what it is about", sends(UP), NO_MORE,
             comes(hop_by_hop(about(outward(UP))), "pass_extension_header", BEYOND, source=router),
             comes(hop_by_hop(about(outward(BACK))), "drop_new_limited", source=router)),
        case("what answers through the tunnel behind hop-by-hop options passes",
             kernel_forwards("zttest", "he-ipv6",
                             leaves(FAR, ip(MEMBER.address, FAR_TUNNEL, UP))),
             NO_MORE,
             step("eth0", [arrives_6in4(ip(FAR_TUNNEL, MEMBER.address, hop_by_hop(BACK)))] * BEYOND,
                  "pass_extension_header")),
    ]


def fragments():
    answered = comes(piece(BACK), "pass_policy")
    return [
        case("an answer in fragments passes, whatever the rate", sends(UP), NO_MORE,
             comes(piece(BACK), "pass_policy", BEYOND), comes(later(), "pass_policy", BEYOND),
             comes(piece(b"end", offset=9, more=0), "pass_policy")),
        case("fragments of another answer are let in by its own first one", sends(UP), NO_MORE,
             answered, comes(later(id=8), "drop_new_limited"),
             comes(piece(BACK, id=8), "pass_policy"), comes(later(id=8), "pass_policy"),
             comes(later(), "pass_policy")),
        case("fragments that come before the first one are newcomers", sends(UP), NO_MORE,
             comes(later(), "drop_new_limited"), answered, comes(later(), "pass_policy")),
        case("fragments from another address, or by another way, are not let in", sends(UP),
             NO_MORE, answered,
             comes(later(), "drop_new_limited", source="2001:db8:b::2"),
             step("eth0", arrives_6in4(inward(later())), "drop_new_limited")),
        case("a first fragment that answers nobody lets nobody in", sends(UP),
             comes(piece(UDP(sport=54, dport=4096) / Raw(bytes(8))), "pass_policy"), NO_MORE,
             comes(later(), "drop_new_limited")),
        case("a fragment that is the whole answer lets nobody in", sends(UP), NO_MORE,
             comes(piece(BACK, more=0), "pass_policy"), comes(later(), "drop_new_limited")),
        case("an error about a packet of a member's lets no fragments in", sends(UP), NO_MORE,
             comes(piece(about(outward(UP)), nh=58), "pass_policy"),
             comes(later(nh=58), "drop_new_limited")),
        case("an echo reply in fragments passes", sends(ICMPv6EchoRequest(id=7) / Raw(bytes(8))),
             NO_MORE, comes(piece(ICMPv6EchoReply(id=7), nh=58), "pass_policy", BEYOND),
             comes(later(nh=58), "pass_policy", BEYOND)),
        case("fragments behind hop-by-hop options are let in as well", sends(UP), NO_MORE,
             comes(hop_by_hop(piece(BACK)), "pass_extension_header"),
             comes(hop_by_hop(later()), "pass_extension_header", BEYOND)),
        case("who sends in fragments gets answers whole and in fragments", sends(piece(UP)),
             sends(later()), NO_MORE, comes(BACK, "pass_policy", BEYOND),
             comes(later(id=9), "pass_policy", BEYOND),
             comes(about(outward(piece(UP))), "pass_policy"),
             comes(about(outward(later())), "pass_policy")),
    ]


def unresolved():
    """What the kernel would look for goes by `unresolved-rate`, whatever its headers."""
    nobody = [arrives(FAR, ip(FAR_NATIVE, f"2001:470:811d::dead:{i:x}", hop_by_hop(BACK)))
              for i in range(300)]
    return [sequence("a scan with hop-by-hop options is limited",
                     flood("eth0", nobody, 300, "unresolved", ("pass_unresolved",),
                           "drop_unresolved_limited"), once=True)]


def scenarios():
    unlimited = [case("without policy packets with hop-by-hop options are not limited",
                      step("eth0", [arrives(FAR, inward(hop_by_hop(BACK)))] * BEYOND,
                           "pass_extension_header"))]
    slow = "limits {\n\tunresolved-rate 10\n}\n"
    return [
        scenario("unparsed", configuration(firewall=KERNEL, more=RATE),
                 floods() + behind_headers() + fragments()),
        scenario("unparsed, policy off", configuration(more=RATE), unlimited),
        scenario("unparsed, unresolved", configuration(more=slow), unresolved()),
    ]
