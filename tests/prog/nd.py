# SPDX-License-Identifier: GPL-2.0-or-later
"""Neighbour Discovery: the solicitations that go in, the advertisements that must come out."""

from ipaddress import IPv6Address

from scapy.compat import raw
from scapy.layers.inet6 import (ICMPv6ND_NA, ICMPv6ND_NS, ICMPv6NDOptDstLLAddr,
                                ICMPv6NDOptSrcLLAddr, ICMPv6NDOptUnknown, IPv6)
from scapy.layers.l2 import Dot1Q, Ether
from scapy.packet import Raw

from net import (LINK_LOCAL, MAC, ON_LINK_MEMBER, PROXY, ROUTER, RULES, case, configuration, event,
                 multicast_mac, solicited_node)

SOLICITOR = "fe80::e0:1"
SOLICITOR_MAC = ROUTER.mac
UNSPECIFIED = "::"
ALL_NODES, ALL_NODES_MAC = "ff02::1", "33:33:00:00:00:01"
TARGET = ON_LINK_MEMBER.address

NONCE = ICMPv6NDOptUnknown(type=14, len=1, data=b"\xa5" * 6)  # RFC 3971 §5.3.2, used by RFC 7527


def sllao(mac=SOLICITOR_MAC):
    return ICMPv6NDOptSrcLLAddr(lladdr=mac)


def solicitation(target=TARGET, source=SOLICITOR, destination=None, options=None, ether=None,
                 tail=b"", icmp=None, before=None, **ipv6):
    """A Neighbour Solicitation in its frame, right in all that is not given.

    options: a list; by default an SLLAO, or none when the source is `::`
    tail: bytes of padding behind the IPv6 packet
    icmp: fields of the ICMPv6 message
    before: an extension header
    """
    destination = solicited_node(target) if destination is None else destination
    if options is None:
        options = [] if source == UNSPECIFIED else [sllao()]
    message = ICMPv6ND_NS(tgt=target, **(icmp or {}))
    for option in options:
        message = message / option
    ip = IPv6(src=source, dst=destination, **{"hlim": 255, **ipv6})
    if before is not None:
        ip = ip / before
    is_multicast = IPv6Address(destination).is_multicast
    ether = {"src": SOLICITOR_MAC,
             "dst": multicast_mac(destination) if is_multicast else MAC["eth0"], **(ether or {})}
    return raw(Ether(type=0x86DD, **ether) / Raw(raw(ip / message))) + tail


def tagged(frame, vid, kind=Dot1Q):
    """The frame with a VLAN tag."""
    ether = Ether(frame[:14])
    tag = kind(vlan=vid, type=ether.type)
    return raw(Ether(src=ether.src, dst=ether.dst, type=0x8100 if kind is Dot1Q else 0x88A8) /
               tag / Raw(frame[14:]))


def advertisement(target=TARGET, to=SOLICITOR, to_mac=SOLICITOR_MAC, port="eth0", source=None,
                  router=1):
    """The answer: design §4.3, reference/ndp.md."""
    dad = to == UNSPECIFIED
    ip = IPv6(src=source or LINK_LOCAL[port], dst=ALL_NODES if dad else to, hlim=255, tc=0, fl=0)
    message = ICMPv6ND_NA(R=router, S=0 if dad else 1, O=0, res=0, code=0, tgt=target)
    return raw(Ether(src=MAC[port], dst=ALL_NODES_MAC if dad else to_mac) / ip / message /
               ICMPv6NDOptDstLLAddr(lladdr=MAC[port]))


def asked(target, source=SOLICITOR, mac=SOLICITOR_MAC, port="eth0"):
    """The agent shall verify the target."""
    return event(target, source, mac, port)


def answered(name, frame, **fields):
    return case(name, "eth0", frame, "ndp_answered", advertisement(**fields))


def invalid(name, frame, **more):
    return case(name, "eth0", frame, "drop_ndp_invalid", **more)


def kernel(name, frame, port="eth0"):
    return case(name, port, frame, "pass_ndp")


def deferred(name, frame, *events):
    return case(name, "eth0", frame, "ndp_deferred", events=list(events))


ALL_RULES = RULES + """\trule 2001:db8:48:dd::/64 {
\t\tauto
\t\tdad no
\t}
\trule 2001:db8:48:57::/64 {
\t\tstatic
\t}
\trule 2001:db8:49:a::/64 {
\t\tauto
\t}
\trule 2001:db8:a:ff::/64 {
\t\tauto
\t}
\trule 2001:db8:b:ff::/64 {
\t\tauto
\t}
"""
CONFIGURATION = configuration(proxy=PROXY % ALL_RULES)
