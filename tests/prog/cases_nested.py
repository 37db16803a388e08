# SPDX-License-Identifier: GPL-2.0-or-later
"""Headers within headers: tags within tags, tunnels within tunnels, chains of extension headers. A
router looks at none of them but hop-by-hop options (RFC 8200 §4); the program at no more than it
must, and never goes round and round."""

from scapy.compat import raw
from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.inet6 import (IPv6, IPv6ExtHdrDestOpt, IPv6ExtHdrFragment, IPv6ExtHdrHopByHop,
                                IPv6ExtHdrRouting)
from scapy.layers.l2 import Dot1AD, Dot1Q, Ether
from scapy.packet import Raw

from net import (FAR_TUNNEL, LAN_HOST, LOCAL, MAC, MEMBER, REMOTE, ROUTER, TUNNEL_ADDRESS, arrives,
                 arrives_6in4, case, configuration, leaves, leaves_6in4, packet, scenario)

CHAIN = 20  # headers
PROTOCOL_41, PROTOCOL_4 = 41, 4


def inbound(payload, next_header=None, destination=MEMBER.address):
    """A packet for a member, by the tunnel, that carries this."""
    fields = {} if next_header is None else {"nh": next_header}
    return IPv6(raw(IPv6(src=FAR_TUNNEL, dst=destination, hlim=9, **fields) / payload))


def outbound(payload, source=MEMBER, **fields):
    return IPv6(raw(IPv6(src=source.address, dst=FAR_TUNNEL, hlim=9, **fields) / payload))


def six_in_four(payload, **fields):
    """As the broker would send it to the gateway, without a link layer."""
    return IP(src=REMOTE, dst=LOCAL, proto=PROTOCOL_41, ttl=57, **fields) / Raw(raw(payload))


# --- tags within tags ---------------------------------------------------------------------------


def tags():
    """6in4 in VLAN in VLAN: of a second tag, whatever its VID, the program knows nothing."""
    ether = Ether(src=ROUTER.mac, dst=MAC["eth0"])
    cases = []
    for names, outer, inner in (
            ("VID 5 in VID 7", Dot1Q(vlan=7), Dot1Q(vlan=5)),
            ("VID 0 in VID 0", Dot1Q(vlan=0), Dot1Q(vlan=0)),
            ("VID 5 in VID 0", Dot1Q(vlan=0), Dot1Q(vlan=5)),
            ("VID 0 in VID 5", Dot1Q(vlan=5), Dot1Q(vlan=0)),
            ("VID 5 in an 802.1ad tag", Dot1AD(vlan=7), Dot1Q(vlan=5)),
            ("VID 0 in an 802.1ad tag of VID 0", Dot1AD(vlan=0), Dot1Q(vlan=0))):
        whole = raw(ether / outer / inner / six_in_four(packet(FAR_TUNNEL, MEMBER.address)))
        cases += [
            case(f"6in4 in {names} is not ours", "eth0", whole, "pass_other"),
            case(f"6in4 in {names}, truncated at any byte, is not ours", "eth0",
                 [whole[:end] for end in range(14, len(whole))], "pass_other"),
        ]
    return cases


# --- tunnels within tunnels ---------------------------------------------------------------------


def levels(count, innermost):
    """IPv6 in IPv6, so many times."""
    for _ in range(count):
        innermost = IPv6(src=FAR_TUNNEL, dst=MEMBER.address, nh=PROTOCOL_41) / innermost
    return innermost


def tunnels():
    """The outermost is taken off, once."""
    plain = packet(FAR_TUNNEL, MEMBER.address)
    inner = six_in_four(plain)
    six_in_six = inbound(levels(CHAIN, plain), PROTOCOL_41)
    four_in_six = inbound(inner, PROTOCOL_4)
    outward = outbound(levels(CHAIN, plain), nh=PROTOCOL_41)
    twice = arrives_6in4(Raw(raw(inner)))
    ether = Ether(src=ROUTER.mac, dst=MAC["eth0"], type=0x0800)
    return [
        case("6in4 in 6in4 is dropped, its inner packet is no IPv6", "eth0", twice,
             "drop_malformed"),
        case("6in4 in 6in4 is dropped, wherever it is truncated", "eth0",
             [twice[:end] for end in range(34, len(twice))], "drop_malformed"),
        case("6in4 in 6in4 in 6in4 is dropped", "eth0",
             arrives_6in4(Raw(raw(six_in_four(inner)))), "drop_malformed"),
        case("6in4 in IPv4 in IPv4 is not ours", "eth0",
             raw(ether / IP(src=REMOTE, dst=LOCAL, proto=PROTOCOL_4) / inner), "pass_other"),
        case("6in4 that carries 6in4 in IPv6 is decapsulated, once", "eth0",
             arrives_6in4(four_in_six), "decapsulated", leaves(MEMBER, four_in_six)),
        case(f"6in4 that carries IPv6 in IPv6, {CHAIN} deep, is decapsulated, once", "eth0",
             arrives_6in4(six_in_six), "decapsulated", leaves(MEMBER, six_in_six)),
        case(f"IPv6 in IPv6, {CHAIN} deep, is encapsulated like anything else", "zttest",
             arrives(MEMBER, outward), "encapsulated", leaves_6in4(outward)),
        case("6in4 that carries 6in4 in IPv6 for the gateway itself is the kernel's", "eth0",
             arrives_6in4(inbound(inner, PROTOCOL_4, TUNNEL_ADDRESS)), "pass_local"),
        case("6in4 in IPv6 of a member is encapsulated like anything else", "zttest",
             arrives(MEMBER, outbound(inner, nh=PROTOCOL_4)), "encapsulated",
             leaves_6in4(outbound(inner, nh=PROTOCOL_4))),
    ]


# --- chains of extension headers ----------------------------------------------------------------

HEADERS = {
    "destination options": IPv6ExtHdrDestOpt,
    "routing headers": lambda: IPv6ExtHdrRouting(type=253, segleft=0),  # RFC 4727: experiments
    "fragment headers": IPv6ExtHdrFragment,
}


def chain(kind, last, count=CHAIN):
    headers = HEADERS[kind]()
    for _ in range(count - 1):
        headers = headers / HEADERS[kind]()
    return headers / last


def mixed(last):
    """Headers of all kinds in turn."""
    made = None
    for number in range(CHAIN):
        header = list(HEADERS.values())[number % len(HEADERS)]()
        made = header if made is None else made / header
    return made / last


def goes_on(name, payload):
    """By the tunnel inward and outward, and from a lan."""
    inward, outward = inbound(payload), outbound(payload)
    lan = IPv6(raw(IPv6(src=LAN_HOST.address, dst=MEMBER.address, hlim=9) / payload))
    return [
        case(f"{name}: decapsulated", "eth0", arrives_6in4(inward), "decapsulated",
             leaves(MEMBER, inward)),
        case(f"{name}: encapsulated", "zttest", arrives(MEMBER, outward), "encapsulated",
             leaves_6in4(outward)),
        case(f"{name}: forwarded", "eth1", arrives(LAN_HOST, lan), "forwarded", leaves(MEMBER, lan)),
    ]


def broken(payload):
    """The chain ends somewhere within, and the length of the packet says so: there is nothing
    wrong that a router would look at."""
    whole = raw(outbound(payload))
    cases = []
    for end in (41, 42, 47, 48, 49, 100, len(whole) - 1):
        cut = whole[:4] + (end - 40).to_bytes(2, "big") + whole[6:end]
        cases.append(case(f"chain that breaks off after {end - 40} bytes is encapsulated", "zttest",
                          arrives(MEMBER, Raw(cut)), "encapsulated", leaves_6in4(IPv6(cut))))
    return cases


def chains():
    udp = UDP(sport=4096, dport=53) / Raw(b"chained" * 5)
    syn = TCP(dport=80, flags="S", options=[("MSS", 8940)])
    cases = []
    for kind in HEADERS:
        cases += goes_on(f"chain of {CHAIN} {kind}", chain(kind, udp))
    cases += goes_on(f"chain of {CHAIN} headers of all kinds", mixed(udp))
    cases += goes_on("SYN behind such a chain is not looked for", mixed(syn))
    cases += broken(mixed(udp))
    hop_by_hop = IPv6ExtHdrHopByHop()
    for _ in range(CHAIN - 1):
        hop_by_hop = hop_by_hop / IPv6ExtHdrHopByHop()
    whole = arrives_6in4(inbound(mixed(udp)))
    long = arrives(MEMBER, outbound(mixed(Raw(b"x" * 1400))))
    return cases + [
        case(f"{CHAIN} hop-by-hop headers on the way in are the kernel's", "eth0",
             arrives_6in4(inbound(hop_by_hop / udp)), "pass_extension_header"),
        case(f"{CHAIN} hop-by-hop headers on the way out are the kernel's", "zttest",
             arrives(MEMBER, outbound(hop_by_hop / udp)), "pass_extension_header"),
        case("chain behind hop-by-hop options is the kernel's", "zttest",
             arrives(MEMBER, outbound(IPv6ExtHdrHopByHop() / mixed(udp))),
             "pass_extension_header"),
        case("chain in 6in4, truncated at any byte, is dropped", "eth0",
             [whole[:end] for end in range(34, len(whole))], "drop_malformed"),
        # What it hides may be an ICMPv6 error, which no error may answer (RFC 4443 §2.4).
        case("chain that is too big is the kernel's to answer", "zttest", long, "pass_too_big"),
    ]


def scenarios():
    return [scenario("headers within headers", configuration(), tags() + tunnels() + chains())]
