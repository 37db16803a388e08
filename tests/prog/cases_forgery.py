# SPDX-License-Identifier: GPL-2.0-or-later
"""Who one is not: forged sources on the ways that lead past the fast path, too, and Neighbour
Discovery that would leave its link."""

from scapy.compat import raw
from scapy.layers.inet import UDP
from scapy.layers.inet6 import (ICMPv6MLReport2, ICMPv6ND_NA, ICMPv6ND_NS, ICMPv6ND_RA,
                                ICMPv6ND_Redirect, ICMPv6ND_RS, ICMPv6NDOptDstLLAddr,
                                ICMPv6NDOptSrcLLAddr, IPv6, IPv6ExtHdrFragment, IPv6ExtHdrHopByHop)
from scapy.layers.l2 import Ether
from scapy.packet import Raw

from cases_binding import DERIVED, ONE, OTHER, mac, member, zerotier
from net import (FAR_NATIVE, FAR_TUNNEL, LAN_HOST, LINK_LOCAL, MAC, MEMBER, NEIGHBOUR,
                 ON_LINK_ROUTER, POOL_MEMBER, ROUTER, TUNNEL_ADDRESS, TUNNEL_GATEWAY, Host,
                 arrives, arrives_6in4, case, configuration, leaves, multicast_mac, packet,
                 scenario, sequence, step)

FAR = Host(FAR_NATIVE, ROUTER.mac, "eth0")
OWN = {"zttest": TUNNEL_ADDRESS, "eth0": "2001:db8:ffff:1::10", "eth1": "2001:470:811d:10::1"}
GROUP = "ff02::1"
ULA = "fd00:1234::5"
IN_PIECES = 14 + 40 + 8 + 15  # the last octet of a target lies in the driver's next buffer


def hop_by_hop(source, destination):
    return IPv6(raw(IPv6(src=source, dst=destination) / IPv6ExtHdrHopByHop() /
                    UDP(sport=4096, dport=53) / Raw(b"options")))


def fragment(source, destination):
    """Not the first one: it has no ports."""
    return IPv6(raw(IPv6(src=source, dst=destination) /
                    IPv6ExtHdrFragment(nh=17, offset=100, id=7) / Raw(bytes(64))))


def to_group(host, destination):
    """A packet for one host in a frame for all: the kernel takes it if it is that host."""
    return raw(Ether(src=host.mac, dst="33:33:00:00:00:01") / packet(host.address, destination))


SHAPES = {"packet": packet, "hop-by-hop packet": hop_by_hop, "fragment": fragment}

# (who sends, as whom) to somebody on another port, and to the gateway itself.
FORGED = (
    ("a member from an address outside", MEMBER._replace(address="2001:db8:dead::1"), FAR_NATIVE),
    ("a member from a lan's address", MEMBER._replace(address=LAN_HOST.address), FAR_NATIVE),
    ("a member from an address of the gateway's", MEMBER._replace(address=TUNNEL_ADDRESS),
     FAR_NATIVE),
    ("a member from the gateway's MAC", MEMBER._replace(mac=MAC["zttest"]), FAR_NATIVE),
    ("a member from the loopback address", MEMBER._replace(address="::1"), FAR_NATIVE),
    ("a member from no address", MEMBER._replace(address="::"), FAR_NATIVE),
    ("a member from a group", MEMBER._replace(address="ff02::5"), FAR_NATIVE),
    ("a member from an IPv4-mapped address", MEMBER._replace(address="::ffff:192.0.2.5"),
     FAR_NATIVE),
    ("a member from a link-local address", MEMBER._replace(address="fe80::5"), FAR_NATIVE),
    ("a member from a unique local address", MEMBER._replace(address=ULA), FAR_NATIVE),
    ("a lan host from a member's address", LAN_HOST._replace(address=MEMBER.address), FAR_NATIVE),
    ("a lan host from the gateway's MAC", LAN_HOST._replace(mac=MAC["eth1"]), MEMBER.address),
    ("the Internet from a member's address", FAR._replace(address=POOL_MEMBER.address),
     MEMBER.address),
    ("the Internet from a lan's address", FAR._replace(address=LAN_HOST.address), MEMBER.address),
    ("the Internet from an address of the gateway's", FAR._replace(address=OWN["eth0"]),
     MEMBER.address),
    ("the Internet from the gateway's MAC", FAR._replace(mac=MAC["eth0"]), MEMBER.address),
    ("the Internet from a group", FAR._replace(address="ff0e::5"), MEMBER.address),
)
LOCAL_FORGED = tuple(one for one in FORGED if one[0] not in (
    "a member from an address outside", "a member from a link-local address",
    "a member from a unique local address"))


def sources():
    cases = [case(f"{name}: {shape} to another port", host.port,
                  arrives(host, make(host.address, target)), "drop_spoofed")
             for name, host, target in FORGED for shape, make in SHAPES.items()]
    cases += [case(f"{name}: {shape} to the gateway", host.port,
                   arrives(host, make(host.address, OWN[host.port])), "drop_spoofed")
              for name, host, _ in LOCAL_FORGED for shape, make in SHAPES.items()]
    cases += [case(f"{name}: to a group's MAC and the gateway", host.port,
                   to_group(host, OWN[host.port]), "drop_spoofed") for name, host, _ in LOCAL_FORGED]
    cases += [case(f"the Internet by the tunnel from {name}: {shape} to {to}", "eth0",
                   arrives_6in4(make(address, target)), "drop_spoofed")
              for name, address in (("a member's address", POOL_MEMBER.address),
                                    ("a lan's address", LAN_HOST.address),
                                    ("an address of the gateway's", TUNNEL_ADDRESS))
              for shape, make in SHAPES.items()
              for to, target in (("a member", MEMBER.address), ("the gateway", OWN["zttest"]))]
    return cases


def honest():
    """What the guard takes nothing from."""
    report = raw(Ether(src=MEMBER.mac, dst="33:33:00:00:00:16") /
                 IPv6(src="::", dst="ff02::16", hlim=1) / IPv6ExtHdrHopByHop() / ICMPv6MLReport2())
    speakers = (
        ("a member from its own address", MEMBER, OWN["zttest"]),
        ("a member from a link-local address", MEMBER._replace(address="fe80::5"),
         LINK_LOCAL["zttest"]),
        ("a member from the overlay's own address",
         MEMBER._replace(address="fd15:9924:d630:8e1d:7e99:9300::2"),
         "fd15:9924:d630:8e1d:7e99:9300::1"),
        ("the router that is on the members' prefix", ON_LINK_ROUTER, "2001:db8:48:ff::2"),
        ("a neighbour on the uplink", NEIGHBOUR, OWN["eth0"]),
        ("the Internet", FAR, OWN["eth0"]),
        ("a lan host", LAN_HOST, OWN["eth1"]),
    )
    return [case(f"{name} speaks to the gateway: {shape}", host.port,
                 arrives(host, make(host.address, target)),
                 "pass_extension_header" if shape.startswith("hop") else "pass_local")
            for name, host, target in speakers for shape, make in SHAPES.items()] + [
        case("a member speaks to the gateway by a group's MAC", "zttest",
             to_group(MEMBER, OWN["zttest"]), "pass_local"),
        case("a member speaks to the Internet by a group's MAC", "zttest",
             to_group(MEMBER, FAR_NATIVE), "pass_other"),
        case("the tunnel's far end speaks to the gateway", "eth0",
             arrives_6in4(packet(TUNNEL_GATEWAY, TUNNEL_ADDRESS)), "pass_local"),
        case("a report of listeners from a host without address", "zttest", report,
             "pass_extension_header"),
        sequence("one who speaks to the gateway vouches for nobody else",
                 step("zttest", arrives(MEMBER, packet(MEMBER.address, OWN["zttest"])), "pass_local"),
                 step("zttest", arrives(MEMBER, packet(LAN_HOST.address, OWN["zttest"])),
                      "drop_spoofed"),
                 step("zttest", arrives(MEMBER, packet(MEMBER.address, OWN["zttest"])), "pass_local"),
                 step("zttest", arrives(MEMBER._replace(mac=MAC["zttest"]),
                                        packet(MEMBER.address, OWN["zttest"])), "drop_spoofed")),
        case("a hop-by-hop packet of a member is the kernel's", "zttest",
             arrives(MEMBER, hop_by_hop(MEMBER.address, FAR_NATIVE)), "pass_extension_header"),
    ]


def messages(source, target):
    """Every message of Neighbour Discovery, with what forgers like to put into it."""
    evil = "02:00:00:00:66:66"
    return {
        "Router Solicitation": ICMPv6ND_RS() / ICMPv6NDOptSrcLLAddr(lladdr=evil),
        "Router Advertisement": ICMPv6ND_RA(prf=1) / ICMPv6NDOptSrcLLAddr(lladdr=evil),
        "Neighbour Solicitation": ICMPv6ND_NS(tgt=source) / ICMPv6NDOptSrcLLAddr(lladdr=evil),
        "Neighbour Advertisement": ICMPv6ND_NA(R=1, S=1, O=1, tgt=target) /
                                   ICMPv6NDOptDstLLAddr(lladdr=evil),
        "Redirect": ICMPv6ND_Redirect(tgt=source, dst=target) / ICMPv6NDOptDstLLAddr(lladdr=evil),
    }


def discovery():
    """(from, to): across ports, the kernel would forward it."""
    ways = (
        ("a member to the Internet", MEMBER, FAR_NATIVE),
        ("a member to another", MEMBER, POOL_MEMBER.address),
        ("a member to a lan host", MEMBER, LAN_HOST.address),
        ("a lan host to a member", LAN_HOST, MEMBER.address),
        ("the Internet to a member", FAR, MEMBER.address),
        ("a router's link-local address to a member", ROUTER._replace(address="fe80::1"),
         MEMBER.address),
    )
    cases = []
    for way, host, target in ways:
        for kind, message in messages(host.address, target).items():
            if host.port == "eth0" and kind == "Neighbour Solicitation":
                continue  # the responder's to judge
            for words, hops in (("as from the link", 255), ("as forwarded before", 254)):
                ip = IPv6(raw(IPv6(src=host.address, dst=target, hlim=hops) / message))
                cases.append(case(f"{kind} {words}, {way}", host.port, arrives(host, ip),
                                  "drop_ndp_invalid"))
    for kind, message in messages(FAR_TUNNEL, MEMBER.address).items():
        ip = IPv6(raw(IPv6(src=FAR_TUNNEL, dst=MEMBER.address, hlim=255) / message))
        cases.append(case(f"{kind} by the tunnel to a member", "eth0", arrives_6in4(ip),
                          "drop_ndp_invalid"))
        far = IPv6(raw(IPv6(src=FAR_TUNNEL, dst=TUNNEL_ADDRESS, hlim=60) / message))
        cases.append(case(f"{kind} by the tunnel from afar to the gateway", "eth0",
                          arrives_6in4(far), "drop_ndp_invalid"))
    return cases + neighbours()


def neighbours():
    """What belongs on the link is the kernel's."""
    def solicits(host, target, to):
        return arrives(host, IPv6(raw(IPv6(src=host.address, dst=to, hlim=255) /
                                      ICMPv6ND_NS(tgt=target))))


    answer = IPv6(raw(IPv6(src=MEMBER.address, dst=LINK_LOCAL["zttest"], hlim=255) /
                      ICMPv6ND_NA(S=1, tgt=MEMBER.address)))
    advertised = IPv6(raw(IPv6(src="fe80::1", dst=GROUP, hlim=255) / ICMPv6ND_RA()))
    own = IPv6(raw(IPv6(src=MEMBER.address, dst=TUNNEL_ADDRESS, hlim=255) /
                   ICMPv6ND_NA(S=1, tgt=MEMBER.address)))
    unknown = IPv6(raw(IPv6(src=NEIGHBOUR.address, dst="2001:db8:ffff:1::11", hlim=255) /
                       ICMPv6ND_NA(S=1, tgt=NEIGHBOUR.address)))
    return [
        case("answer of a member to the kernel", "zttest", arrives(MEMBER, answer), "pass_ndp"),
        case("answer of a member to the tunnel's address", "zttest", arrives(MEMBER, own),
             "pass_ndp"),
        case("advertisement of a router on the uplink", "eth0",
             arrives(ROUTER, advertised, dst=multicast_mac(GROUP)), "pass_ndp"),
        case("solicitation of a member for what the kernel may be a proxy for", "zttest",
             solicits(MEMBER, LAN_HOST.address, LAN_HOST.address), "pass_ndp"),
        case("solicitation of a member for what the kernel may be a proxy for, in pieces", "zttest",
             solicits(MEMBER, LAN_HOST.address, LAN_HOST.address), "pass_ndp", linear=IN_PIECES),
        case("solicitation of a member for a host in the Internet", "zttest",
             solicits(MEMBER, FAR_NATIVE, FAR_NATIVE), "drop_ndp_invalid"),
        sequence("an answer to an address that is newer than the maps is the kernel's",
                 # The kernel makes the address its own a little later, in a work queue.
                 {"commands": ["ip -6 address add 2001:db8:ffff:1::11/64 dev eth0 nodad"],
                  "bump": False, "wait_ms": 200},
                 step("eth0", arrives(NEIGHBOUR, unknown), "pass_ndp"), once=True,
                 cleanup=["ip -6 address del 2001:db8:ffff:1::11/64 dev eth0"]),
    ]


def bound():
    """`bind enforce` holds wherever a packet goes."""
    thief = member(DERIVED.address, OTHER)
    honest_other = mac(OTHER)

    def says(host, kind, verdict, name, **more):
        to = LINK_LOCAL["zttest"]
        message = {"NA": ICMPv6ND_NA(O=1, tgt=DERIVED.address) /
                         ICMPv6NDOptDstLLAddr(lladdr=host.mac),
                   "NS": ICMPv6ND_NS(tgt=LINK_LOCAL["zttest"]) /
                         ICMPv6NDOptSrcLLAddr(lladdr=host.mac)}[kind]
        ip = IPv6(raw(IPv6(src=host.address, dst=to, hlim=255) / message))
        return case(name, "zttest", arrives(host, ip), verdict, **more)

    cases = [case(f"another's address is nobody's under bind enforce: {shape} to {to}", "zttest",
                  arrives(thief, make(thief.address, target)), "drop_spoofed", unbound=True)
             for shape, make in SHAPES.items()
             for to, target in (("the Internet", FAR_NATIVE), ("the gateway", TUNNEL_ADDRESS),
                                ("the gateway's link-local address", LINK_LOCAL["zttest"]),
                                ("another member", MEMBER.address))]
    return cases + [
        case("the rightful member's address from its MAC passes with a hop-by-hop header", "zttest",
             arrives(DERIVED, hop_by_hop(DERIVED.address, FAR_NATIVE)), "pass_extension_header"),
        says(DERIVED, "NA", "pass_ndp", "a member advertises its own address"),
        says(DERIVED, "NS", "pass_ndp", "a member solicits from its own address"),
        says(thief._replace(address="fe80::9"), "NA", "drop_spoofed",
             "a member advertises another's address", unbound=True),
        says(thief._replace(address="fe80::9"), "NA", "drop_spoofed",
             "a member advertises another's address, in pieces", unbound=True, linear=IN_PIECES),
        says(thief, "NS", "drop_spoofed", "a member solicits from another's address", unbound=True),
        says(thief._replace(address="fe80::9"), "NS", "pass_ndp",
             "a member solicits from a link-local address"),
        sequence("the rightful member is heard beside one who uses its address",
                 step("zttest", arrives(DERIVED, packet(DERIVED.address, FAR_NATIVE)), "forwarded",
                      leaves(FAR, packet(DERIVED.address, FAR_NATIVE))),
                 step("zttest", arrives(DERIVED._replace(mac=honest_other),
                                        packet(DERIVED.address, FAR_NATIVE)), "drop_spoofed",
                      unbound=True),
                 step("zttest", arrives(member("2001:470:811d::22:a1b2:c3d4", ONE),
                                        packet("2001:470:811d::22:a1b2:c3d4", FAR_NATIVE)),
                      "drop_spoofed", unbound=True)),
    ]


def scenarios():
    return [
        scenario("forged sources", configuration(), sources() + honest()),
        scenario("discovery across ports", configuration(), discovery()),
        scenario("forgery under bind enforce", configuration(zerotier=zerotier("enforce")), bound()),
    ]
