# SPDX-License-Identifier: GPL-2.0-or-later
"""Neighbour Discovery: the rules of RFC 4861 §7.1.1, §7.2.4, §7.2.8, RFC 4862 and RFC 6980."""

from scapy.compat import raw
from scapy.layers.inet6 import (ICMPv6EchoRequest, ICMPv6MLReport, ICMPv6ND_NA, ICMPv6ND_NS,
                                ICMPv6ND_RA, ICMPv6ND_Redirect, ICMPv6ND_RS, ICMPv6NDOptDstLLAddr,
                                ICMPv6NDOptSrcLLAddr, ICMPv6NDOptUnknown, IPv6, IPv6ExtHdrDestOpt,
                                IPv6ExtHdrFragment, IPv6ExtHdrHopByHop, RouterAlert, in6_chksum)
from scapy.layers.l2 import Dot1AD, Dot1Q, Ether
from scapy.packet import Raw
from scapy.utils import mac2str
from ipaddress import IPv6Address

from net import (LINK_LOCAL, LAN_HOST, MAC, MEMBER, ON_LINK_LAN_HOST, ON_LINK_MEMBER, PROXY, ROUTER,
                 RULES, STALE_MEMBER, case, change, configuration, event, flood, knows,
                 multicast_mac, scenario, sequence, solicited_node, step)

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


def with_length(frame, payload_length):
    """The frame, its IPv6 header telling another length."""
    return frame[:18] + payload_length.to_bytes(2, "big") + frame[20:]


def with_byte(frame, offset, value):
    return frame[:offset] + bytes([value]) + frame[offset + 1:]


def checksummed(frame):
    """The frame with a right ICMPv6 checksum, whatever its content."""
    ip = IPv6(frame[14:54])
    message = frame[54:56] + b"\0\0" + frame[58:54 + ip.plen]
    return frame[:54] + message[:2] + in6_chksum(58, ip, message).to_bytes(2, "big") + message[4:]


def shortened(length):
    """A solicitation whose ICMPv6 message ends after `length` bytes, consistently."""
    frame = with_length(solicitation()[:54 + length], length)
    return checksummed(frame) if length >= 4 else frame


def padded_to(length):
    """A solicitation whose ICMPv6 message has exactly `length` bytes, by unknown options."""
    options, left = [sllao()], length - 24 - 8
    while left:
        now = min(left, 248)
        options.append(ICMPv6NDOptUnknown(type=253, len=now // 8, data=bytes(now - 2)))
        left -= now
    return solicitation(options=options)


def word_for_checksum(frame, offset, wanted):
    """The 16-bit word at `offset` that turns the frame's ICMPv6 checksum into `wanted` (RFC 1624)."""
    zeroed = checksummed(frame[:offset] + b"\0\0" + frame[offset + 2:])
    word = (int.from_bytes(zeroed[56:58], "big") - wanted) % 0xFFFF
    return word.to_bytes(2, "big")


def zero_checksum_solicitation():
    frame = solicitation(options=[NONCE, sllao()])
    frame = checksummed(frame[:80] + word_for_checksum(frame, 80, 0) + frame[82:])
    assert frame[56:58] in (b"\0\0", b"\xff\xff")
    return frame


def zero_checksum_target():
    """A target under the static rule whose advertisement has the checksum 0."""
    out = advertisement(target="2001:db8:49::1:0")
    offset = 62 + 12  # the second but last word of the target
    word = word_for_checksum(out, offset, 0)
    target = str(IPv6Address(out[62:offset] + word + out[offset + 2:78]))
    assert advertisement(target=target)[56:58] in (b"\0\0", b"\xff\xff")
    return target


def validation():
    """Silently discard: RFC 4861 §7.1.1 unless the name says otherwise."""
    plain = solicitation()
    cases = [
        invalid(f"NS with hop limit {hlim} is discarded", solicitation(hlim=hlim))
        for hlim in (0, 1, 64, 254)
    ]
    cases += [
        invalid("NS with a bad checksum is discarded", with_byte(plain, 57, plain[57] ^ 1)),
        invalid("NS with a checksum of 0 that is not its checksum is discarded",
                plain[:56] + b"\0\0" + plain[58:]),
        invalid("NS with one flipped bit in its target is discarded",
                with_byte(plain, 70, plain[70] ^ 0x80)),
        invalid("NS with one flipped bit in the SLLAO is discarded",
                with_byte(plain, 85, plain[85] ^ 1)),
        invalid("NS with one flipped bit in the IPv6 source is discarded",
                with_byte(plain, 37, plain[37] ^ 1)),
        invalid("NS with code 1 is discarded", solicitation(icmp={"code": 1})),
        invalid("NS with code 255 is discarded", solicitation(icmp={"code": 255})),
        invalid("NS for a multicast target is discarded",
                solicitation(target="ff02::1:ff00:5", destination="ff02::1:ff00:5")),
        invalid("NS for a global multicast target is discarded",
                solicitation(target="ff0e::5", destination=solicited_node(TARGET))),
        invalid("NS for the target :: is discarded",
                solicitation(target="::", destination=solicited_node(TARGET))),
        invalid("NS for the target ::1 is discarded",
                solicitation(target="::1", destination=solicited_node(TARGET))),
        invalid("NS from a multicast source is discarded", solicitation(source="ff02::1")),
        invalid("NS whose frame carries our own MAC as source is discarded",
                solicitation(ether={"src": MAC["eth0"]})),
    ]
    cases += [
        invalid(f"NS of {length} bytes of ICMPv6 is discarded", shortened(length))
        for length in range(1, 24)
    ]
    cases += [
        invalid(f"NS whose option ends after {length - 24} of 8 bytes is discarded",
                shortened(length))
        for length in range(25, 32)
    ]
    cases += options_in_error() + dad_in_error() + fragmented()
    cases.append(case("NS truncated at any byte is dropped", "eth0",
                      [plain[:end] for end in range(14, len(plain))], "drop_malformed"))
    cases += [
        case("NS whose IPv6 length says more than the frame has is discarded", "eth0",
             with_length(plain, 33), "drop_malformed"),
        case("NS whose IPv6 length says far more than the frame has is discarded", "eth0",
             with_length(plain, 0xFFFF), "drop_malformed"),
        invalid("NS whose IPv6 length cuts the SLLAO is discarded", with_length(plain, 28)),
    ]
    return cases


def options_in_error():
    zero = Raw(b"\x01\x00" + b"\0" * 6)
    return [
        invalid("NS with an option of length 0 is discarded", solicitation(options=[zero])),
        invalid("NS with an unknown option of length 0 is discarded",
                solicitation(options=[Raw(b"\xc8\x00" + b"\0" * 6)])),
        invalid("NS with an option of length 0 behind a good SLLAO is discarded",
                solicitation(options=[sllao(), zero])),
        invalid("NS with an SLLAO that overruns the packet is discarded",
                solicitation(options=[Raw(b"\x01\x02" + mac2str(SOLICITOR_MAC))])),
        invalid("NS with an unknown option that overruns the packet is discarded",
                solicitation(options=[sllao(), Raw(b"\xc8\xff" + b"\0" * 6)])),
        invalid("NS with an option that overruns the packet into its padding is discarded",
                solicitation(options=[sllao(), Raw(b"\xc8\x02" + b"\0" * 6)], tail=b"\0" * 16)),
        invalid("NS with an SLLAO of 16 octets, which Ethernet has not, is discarded",
                solicitation(options=[Raw(b"\x01\x02" + mac2str(SOLICITOR_MAC) + b"\0" * 8)])),
        invalid("NS with a multicast address as SLLAO is discarded",
                solicitation(options=[sllao("33:33:00:00:00:01")])),
        invalid("NS with the broadcast address as SLLAO is discarded",
                solicitation(options=[sllao("ff:ff:ff:ff:ff:ff")])),
        invalid("NS with one octet behind its options is discarded",
                solicitation(options=[sllao(), Raw(b"\x0e")])),
        invalid("NS with four octets of zero behind its options is discarded",
                solicitation(options=[sllao(), Raw(b"\0\0\0\0")])),
    ]


def dad_in_error():
    """Source `::`: the destination is a solicited-node address and there is no SLLAO."""
    cases = [
        invalid(f"NS from :: to {destination} is discarded",
                solicitation(source=UNSPECIFIED, destination=destination))
        for destination in (ALL_NODES, TARGET, "ff02::1:fe00:5", "ff02::2:ff00:5", "ff05::1:ff00:5",
                            "ff02::1:0:1:ff00:5")
    ]
    return cases + [
        invalid("NS from :: with an SLLAO is discarded",
                solicitation(source=UNSPECIFIED, options=[sllao()])),
        invalid("NS from :: with an SLLAO behind a nonce is discarded",
                solicitation(source=UNSPECIFIED, options=[NONCE, sllao()])),
    ]


def fragmented():
    """RFC 6980 §5."""
    return [
        invalid("NS with a fragment header, more to come, is discarded (RFC 6980)",
                solicitation(before=IPv6ExtHdrFragment(m=1, offset=0, id=7))),
        invalid("NS in an atomic fragment is discarded (RFC 6980)",
                solicitation(before=IPv6ExtHdrFragment(m=0, offset=0, id=7))),
    ]


def tolerance():
    """Must not cause a discard."""
    unknown = ICMPv6NDOptUnknown(type=253, len=1, data=b"\x11" * 6)
    long_unknown = ICMPv6NDOptUnknown(type=200, len=3, data=b"\x22" * 22)
    tllao = ICMPv6NDOptDstLLAddr(lladdr="02:aa:aa:aa:aa:aa")
    elsewhere = "02:00:00:00:e0:99"
    cases = [
        answered("NS is answered", solicitation()),
        answered("NS with every reserved bit set is answered",
                 solicitation(icmp={"res": 0xFFFFFFFF})),
        answered("NS with traffic class and flow label is answered, the NA has none",
                 solicitation(tc=0xB8, fl=0xABCDE)),
        answered("NS with a nonce behind the SLLAO is answered, the nonce not echoed",
                 solicitation(options=[sllao(), NONCE])),
        answered("NS with a nonce before the SLLAO is answered",
                 solicitation(options=[NONCE, sllao()])),
        answered("NS with a TLLAO, which means nothing in it, is answered",
                 solicitation(options=[tllao, sllao()])),
        answered("NS with an experimental option is answered",
                 solicitation(options=[unknown, sllao()])),
        answered("NS with a long unknown option before the SLLAO is answered",
                 solicitation(options=[long_unknown, sllao()])),
        answered("NS with ten options before the SLLAO is answered",
                 solicitation(options=[unknown] * 10 + [sllao()])),
        answered("NS with two SLLAOs is answered to the first",
                 solicitation(options=[sllao(elsewhere), sllao()]), to_mac=elsewhere),
        answered("NS is answered to the address in its SLLAO, not to the frame's source",
                 solicitation(options=[sllao(elsewhere)]), to_mac=elsewhere),
        answered("NS without SLLAO is answered to the frame's source", solicitation(options=[])),
        answered("NS without SLLAO but with a nonce is answered to the frame's source",
                 solicitation(options=[NONCE])),
        answered("NS with 512 bytes of ICMPv6 is answered", padded_to(512)),
        kernel("NS with 520 bytes of ICMPv6 is the kernel's", padded_to(520)),
        kernel("NS with 1280 bytes of ICMPv6 is the kernel's", padded_to(1280)),
        answered("NS whose checksum is 0 is answered", zero_checksum_solicitation()),
        answered("NA whose checksum is 0 is right", solicitation(target=zero_checksum_target()),
                 target=zero_checksum_target()),
    ]
    cases += [
        answered(f"NS with {count} bytes of Ethernet padding is answered, the padding trimmed",
                 solicitation(tail=b"\0" * count))
        for count in (1, 4, 46, 1000)
    ]
    cases += [
        answered("NS without options, padded with what looks like an SLLAO, is answered to the"
                 " frame's source",
                 solicitation(options=[], tail=b"\x01\x01" + mac2str(elsewhere))),
        answered("NS with padding that is not zero is answered", solicitation(tail=b"\xff" * 9)),
        case("NS with a tag of VID 0 is answered like an untagged one, behind the same tag", "eth0",
             tagged(solicitation(), 0), "ndp_answered", tagged(advertisement(), 0)),
        answered("NS to all nodes instead of the solicited-node address is answered",
                 solicitation(destination=ALL_NODES)),
        answered("NS from a global source is answered to it",
                 solicitation(source=ROUTER.address), to=ROUTER.address),
    ]
    return cases


def unicast():
    """Neighbour unreachability detection."""
    cases = []
    for options, how in (([sllao()], "with SLLAO"), ([], "without SLLAO"), ([NONCE], "with a nonce")):
        cases.append(answered(f"unicast NS {how} is answered",
                              solicitation(destination=TARGET, options=options)))
    return cases + [
        answered("unicast NS for a static target is answered",
                 solicitation(target="2001:db8:49::1", destination="2001:db8:49::1"),
                 target="2001:db8:49::1"),
        invalid("unicast NS with hop limit 254 is discarded",
                solicitation(destination=TARGET, hlim=254)),
    ]


def to_kernel():
    """Give to the kernel."""
    ether = Ether(src=SOLICITOR_MAC, dst=MAC["eth0"])
    everyone = Ether(src=SOLICITOR_MAC, dst=ALL_NODES_MAC)
    link_local = IPv6(src=SOLICITOR, dst=LINK_LOCAL["eth0"], hlim=255)
    own = ("2001:db8:ffff:1::10", "2001:db8:48:ff::2", "2001:db8:48::1", "2001:db8:48:20::1")
    cases = [kernel(f"NS for {address}, an own address, is the kernel's",
                    solicitation(target=address)) for address in own]
    cases += [kernel(f"DAD for {address}, an own address, is the kernel's",
                     solicitation(target=address, source=UNSPECIFIED)) for address in own]
    cases += [
        kernel("unicast NS for an own address is the kernel's",
               solicitation(target=own[1], destination=own[1])),
        kernel("NS for the port's link-local address is the kernel's",
               solicitation(target=LINK_LOCAL["eth0"])),
        kernel("NS for somebody else's link-local address is the kernel's",
               solicitation(target="fe80::1234")),
        kernel("NS for a link-local address beyond fe80::/64 is the kernel's",
               solicitation(target="febf:ffff::1")),
        kernel("NS that no rule covers is the kernel's", solicitation(target="2001:db8:77::1")),
        kernel("NS for the address before a rule's prefix is the kernel's",
               solicitation(target="2001:db8:47:ffff:ffff:ffff:ffff:ffff")),
        kernel("NS for the address behind a rule's prefix is the kernel's",
               solicitation(target="2001:db8:4a::")),
        kernel("NS for a member's address that no rule of this port covers is the kernel's",
               solicitation(target=MEMBER.address)),
        kernel("NS on a port without proxy is the kernel's",
               solicitation(ether={"dst": multicast_mac(solicited_node(TARGET))}), port="eth1"),
        kernel("invalid NS on a port without proxy is the kernel's",
               solicitation(hlim=64), port="eth1"),
        kernel("Router Solicitation is the kernel's",
               raw(Ether(src=SOLICITOR_MAC, dst="33:33:00:00:00:02") /
                   IPv6(src=SOLICITOR, dst="ff02::2", hlim=255) / ICMPv6ND_RS() / sllao())),
        kernel("Router Advertisement is the kernel's",
               raw(everyone / IPv6(src=SOLICITOR, dst=ALL_NODES, hlim=255) / ICMPv6ND_RA())),
        kernel("unicast Router Advertisement is the kernel's",
               raw(ether / link_local / ICMPv6ND_RA())),
        kernel("unsolicited Neighbour Advertisement is the kernel's",
               raw(everyone / IPv6(src=SOLICITOR, dst=ALL_NODES, hlim=255) /
                   ICMPv6ND_NA(tgt=SOLICITOR) / ICMPv6NDOptDstLLAddr(lladdr=SOLICITOR_MAC))),
        kernel("solicited Neighbour Advertisement is the kernel's",
               raw(ether / link_local / ICMPv6ND_NA(tgt=SOLICITOR, S=1))),
        kernel("Neighbour Advertisement to an own global address is the kernel's",
               raw(ether / IPv6(src=SOLICITOR, dst=own[0], hlim=255) / ICMPv6ND_NA(tgt=SOLICITOR))),
        kernel("Redirect is the kernel's",
               raw(ether / link_local / ICMPv6ND_Redirect(tgt="fe80::9", dst="2001:db8:b::1"))),
        case("NS behind a hop-by-hop header is the kernel's", "eth0",
             solicitation(before=IPv6ExtHdrHopByHop(options=[RouterAlert()])),
             "pass_extension_header"),
        case("MLD report behind its hop-by-hop header is the kernel's", "eth0",
             raw(Ether(src=SOLICITOR_MAC, dst="33:33:ff:00:00:05") /
                 IPv6(src=SOLICITOR, dst="ff02::1:ff00:5", hlim=1) /
                 IPv6ExtHdrHopByHop(options=[RouterAlert()]) /
                 ICMPv6MLReport(mladdr="ff02::1:ff00:5")), "pass_extension_header"),
        case("NS behind destination options is not answered", "eth0",
             solicitation(before=IPv6ExtHdrDestOpt()), "pass_local"),
        case("echo request to all nodes is not forwarded", "eth0",
             raw(everyone / IPv6(src=SOLICITOR, dst=ALL_NODES) / ICMPv6EchoRequest()),
             "pass_local"),
        case("NS to somebody else's MAC is not ours", "eth0",
             solicitation(destination=TARGET, ether={"dst": "02:00:00:00:99:99"}), "pass_other"),
    ]
    cases += [case(f"NS with a tag of VID {vid}, which is not configured, is not ours", "eth0",
                   tagged(solicitation(), vid), "pass_other") for vid in (1, 100, 4094)]
    cases += [
        case("NS with an 802.1ad tag is not ours", "eth0", tagged(solicitation(), 0, Dot1AD),
             "pass_other"),
        case("NS with two tags of which the first has VID 0 is not ours", "eth0",
             tagged(tagged(solicitation(), 100), 0), "pass_other"),
    ]
    return cases


def targets():
    """Which targets are answered: rules, and where the kernel says that the target lives."""
    def ask(target, **more):
        return solicitation(target=target, **more)

    return [
        answered("static target that the kernel knows nothing of is answered",
                 ask("2001:db8:49::dead"), target="2001:db8:49::dead"),
        answered("target under a static rule within an auto one is answered",
                 ask("2001:db8:48:57:a::1"), target="2001:db8:48:57:a::1"),
        deferred("target under an auto rule within a static one is not known to be alive",
                 ask("2001:db8:49:a::1"), asked("2001:db8:49:a::1")),
        answered("first address of a rule is answered", ask("2001:db8:49::"),
                 target="2001:db8:49::"),
        answered("last address of a rule is answered",
                 ask("2001:db8:49:ffff:ffff:ffff:ffff:ffff"),
                 target="2001:db8:49:ffff:ffff:ffff:ffff:ffff"),
        answered("auto target with a neighbour on the overlay is answered", ask(TARGET)),
        answered("auto target with a STALE neighbour is answered", ask(STALE_MEMBER.address),
                 target=STALE_MEMBER.address),
        answered("auto target with a neighbour on a lan is answered",
                 ask(ON_LINK_LAN_HOST.address), target=ON_LINK_LAN_HOST.address),
        answered("auto target in a prefix behind a live member is answered",
                 ask("2001:db8:48:b7::1234"), target="2001:db8:48:b7::1234"),
        deferred("auto target in a prefix behind an unknown member goes to the agent",
                 ask("2001:db8:48:c0::1"), asked("2001:db8:48:c0::1")),
        deferred("auto target that is not known goes to the agent", ask("2001:db8:48::dead"),
                 asked("2001:db8:48::dead")),
        deferred("auto target on a lan that is not known goes to the agent",
                 ask("2001:db8:48:20::dead"), asked("2001:db8:48:20::dead")),
        sequence("auto target whose neighbour has FAILED goes to the agent",
                 change("ip neighbour replace 2001:db8:48::fa11 dev zttest nud failed"),
                 step("eth0", ask("2001:db8:48::fa11"), "ndp_deferred"),
                 cleanup=["ip neighbour del 2001:db8:48::fa11 dev zttest || true"]),
        deferred("agent learns the SLLAO's address to answer to",
                 ask("2001:db8:48::dead", options=[NONCE, sllao("02:00:00:00:e0:99")]),
                 asked("2001:db8:48::dead", mac="02:00:00:00:e0:99")),
        deferred("agent learns the frame's source where there is no SLLAO",
                 ask("2001:db8:48::dead", options=[]), asked("2001:db8:48::dead")),
        sequence("retransmitted NS is consumed, but not handed over again",
                 step("eth0", ask("2001:db8:48::dead"), "ndp_deferred",
                      events=[asked("2001:db8:48::dead")]),
                 step("eth0", [ask("2001:db8:48::dead")] * 3, "ndp_deferred", events=[]),
                 step("eth0", ask("2001:db8:48::dead", source="fe80::e0:2"), "ndp_deferred",
                      events=[asked("2001:db8:48::dead", source="fe80::e0:2")]),
                 step("eth0", ask("2001:db8:48::beef"), "ndp_deferred",
                      events=[asked("2001:db8:48::beef")]), once=True),
        sequence("target is answered as soon as the kernel knows its neighbour",
                 step("eth0", ask("2001:db8:48::77"), "ndp_deferred"),
                 change("ip neighbour replace 2001:db8:48::77 lladdr 32:00:00:00:00:77 dev zttest"
                        " nud reachable"),
                 step("eth0", ask("2001:db8:48::77"), "ndp_answered",
                      advertisement(target="2001:db8:48::77")), once=True,
                 cleanup=["ip neighbour del 2001:db8:48::77 dev zttest || true"]),
        kernel("auto target on the port that asks is the kernel's", ask("2001:db8:48:ff::1")),
        kernel("auto target that the route leaves by the port that asks is the kernel's",
               ask("2001:db8:b:ff::1")),
        kernel("auto target that the route leaves by the tunnel is the kernel's",
               ask("2001:db8:a:ff::1")),
    ] + [
        case(f"auto target under an {kind} route is not answered", "eth0",
             ask(f"2001:db8:48:{net}::1"), "drop_ndp_unverified")
        for kind, net in (("unreachable", "a1"), ("blackhole", "a2"), ("prohibit", "a3"))
    ] + [
        sequence("auto target without any route is the kernel's",
                 change("ip -6 route del default"),
                 step("eth0", ask("2001:db8:a:ff::1"), "pass_ndp"), once=True,
                 cleanup=["ip -6 route replace default via 2001:470:811d::1 dev he-ipv6"]),
    ]


def dad():
    """Duplicate Address Detection is answered for what is known to be in use."""
    def ask(target, **more):
        return solicitation(target=target, source=UNSPECIFIED, **more)

    return [
        answered("DAD for a live auto target is answered to all nodes, S = 0", ask(TARGET),
                 to=UNSPECIFIED),
        answered("DAD with a nonce (RFC 7527) is answered", ask(TARGET, options=[NONCE]),
                 to=UNSPECIFIED),
        answered("DAD for a live static target is answered", ask("2001:db8:49::5"),
                 target="2001:db8:49::5", to=UNSPECIFIED),
        answered("DAD for a live target on a lan is answered", ask(ON_LINK_LAN_HOST.address),
                 target=ON_LINK_LAN_HOST.address, to=UNSPECIFIED),
        deferred("DAD for an auto target not known to be in use is not answered",
                 ask("2001:db8:48::dead"),
                 asked("2001:db8:48::dead", source=UNSPECIFIED)),
        deferred("DAD for a static target not known to be in use is not answered",
                 ask("2001:db8:49::dead"),
                 asked("2001:db8:49::dead", source=UNSPECIFIED)),
        kernel("DAD under a rule with `dad no` is the kernel's", ask("2001:db8:48:dd::5")),
        kernel("DAD for an unknown target under a rule with `dad no` is the kernel's",
               ask("2001:db8:48:dd::6")),
        answered("NS with a source under a rule with `dad no` is answered",
                 solicitation(target="2001:db8:48:dd::5"), target="2001:db8:48:dd::5"),
    ]


def agent():
    """With an agent, its word counts; without, what the kernel holds valid."""
    def ask(target, **more):
        return solicitation(target=target, **more)

    known, unknown, static = TARGET, "2001:db8:48::dead", "2001:db8:49::dead"
    dead = {"agent": 10500}  # it counts as dead after 10 s

    def verified(name, target, frame=None, to=SOLICITOR, **more):
        return case(name, "eth0", frame or ask(target), "ndp_answered",
                    advertisement(target=target, to=to), **more)

    def dad_for(target):
        return ask(target, source=UNSPECIFIED)

    return [
        case("auto target that the kernel knows is verified first while there is an agent", "eth0",
             ask(known), "ndp_deferred", agent=0, events=[asked(known)]),
        verified("auto target that the kernel knows is answered when the agent is stale", known,
                 **dead),
        verified("target that the agent has verified is answered", unknown,
                 told=[knows(unknown)], agent=0),
        verified("target that a dead agent has verified is answered while that is fresh", unknown,
                 told=[knows(unknown)], **dead),
        case("target whose verification has expired goes to the agent again", "eth0", ask(unknown),
             "ndp_deferred", told=[knows(unknown, for_ms=-100)], agent=0, events=[asked(unknown)]),
        case("target whose verification has expired is not answered without agent", "eth0",
             ask(unknown), "ndp_deferred", told=[knows(unknown, for_ms=-100)], **dead),
        case("target that is verified for another port is not answered", "eth0", ask(unknown),
             "ndp_deferred", told=[knows(unknown, port="eth1")], agent=0),
        case("target that the agent knows to be absent is not answered", "eth0", ask(known),
             "drop_ndp_unverified", told=[knows(known, verified=False)], agent=0, events=[]),
        case("unknown target that the agent knows to be absent is not handed over again", "eth0",
             ask(unknown), "drop_ndp_unverified", told=[knows(unknown, verified=False)], agent=0,
             events=[]),
        case("target whose absence has expired goes to the agent again", "eth0", ask(unknown),
             "ndp_deferred", told=[knows(unknown, verified=False, for_ms=-100)], agent=0,
             events=[asked(unknown)]),
        verified("verification outweighs an absence from before", unknown,
                 told=[knows(unknown, verified=False), knows(unknown)], agent=0),
        verified("static target needs no verification", static, agent=0),
        verified("static target is answered whatever the agent knows", static,
                 told=[knows(static, verified=False)], agent=0),
        verified("DAD for a verified auto target is answered", unknown, dad_for(unknown),
                 UNSPECIFIED, told=[knows(unknown)], agent=0),
        verified("DAD for a verified static target is answered", static, dad_for(static),
                 UNSPECIFIED, told=[knows(static)], agent=0),
        case("DAD for an absent static target is not answered", "eth0", dad_for(static),
             "drop_ndp_unverified", told=[knows(static, verified=False)], agent=0),
        case("own address is the kernel's even if somebody verified it", "eth0",
             ask("2001:db8:48::1"), "pass_ndp", told=[knows("2001:db8:48::1")], agent=0),
        case("target without a rule is the kernel's even if somebody verified it", "eth0",
             ask("2001:db8:77::1"), "pass_ndp", told=[knows("2001:db8:77::1")], agent=0),
    ]


EXTRA_RULES = RULES + """\trule 2001:db8:48:dd::/64 {
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


def variants():
    """Scenarios of their own: what the proxy section can say."""
    plain = solicitation(target="2001:db8:49::5")
    dad_frame = solicitation(target="2001:db8:49::5", source=UNSPECIFIED)
    terse = "proxy eth0 {\n\trouter no\n\tsource target\n" + RULES + "}\n"
    lan = """proxy eth1 {
\trule 2001:470:811d::/48 {
\t\tauto
\t}
\trule 2001:db8:b::/48 {
\t\tauto
\t}
}
"""

    through = """proxy eth0 {
\trule 2001:db8:48::/48 {
\t\tiface zttest
\t}
\trule 2001:db8:a:ff::/64 {
\t\tiface zttest
\t}
}
"""

    def on_lan(target):
        frame = solicitation(target=target, options=[sllao(LAN_HOST.mac)])
        return frame[:6] + mac2str(LAN_HOST.mac) + frame[12:]

    def lan_answer(target):
        return advertisement(target=target, to_mac=LAN_HOST.mac, port="eth1")

    tag = tagged(plain, 100)
    return [
        scenario("proxy: router no, source target", configuration(proxy=terse), [
            case("NA has no R flag and comes from the target", "eth0", plain, "ndp_answered",
                 advertisement(target="2001:db8:49::5", source="2001:db8:49::5", router=0)),
            case("answer to DAD has no R flag and comes from the target", "eth0", dad_frame,
                 "ndp_answered", advertisement(target="2001:db8:49::5", source="2001:db8:49::5",
                                               router=0, to=UNSPECIFIED)),
        ]),
        scenario("no proxy", configuration(proxy=""), [
            kernel("NS is the kernel's where nothing is proxied", solicitation()),
            kernel("unicast NS for a member is the kernel's where nothing is proxied",
                   solicitation(destination=TARGET)),
            kernel("DAD is the kernel's where nothing is proxied",
                   solicitation(source=UNSPECIFIED)),
        ]),
        scenario("proxy on a lan", configuration(proxy=lan), [
            case("lan host that asks for a member is answered", "eth1", on_lan(MEMBER.address),
                 "ndp_answered", lan_answer(MEMBER.address)),
            case("lan host that asks for a host of another lan is answered", "eth1",
                 on_lan("2001:470:811d:30::5"), "ndp_answered", lan_answer("2001:470:811d:30::5")),
            kernel("lan host that asks for its neighbour is left to the kernel",
                   on_lan(LAN_HOST.address), port="eth1"),
            kernel("lan host that asks for an address upstream is left to the kernel",
                   on_lan("2001:db8:b::1"), port="eth1"),
            kernel("rules of the lan do not hold on the uplink",
                   solicitation(target=MEMBER.address)),
            case("agent learns on which port a target was asked for", "eth1",
                 on_lan("2001:470:811d::dead"), "ndp_deferred",
                 events=[asked("2001:470:811d::dead", mac=LAN_HOST.mac, port="eth1")]),
        ]),
        scenario("proxy through an interface", configuration(proxy=through), [
            answered("target that the kernel knows on the given port is answered", solicitation()),
            case("target that the kernel knows on another port is not answered", "eth0",
                 solicitation(target=ON_LINK_LAN_HOST.address), "ndp_deferred"),
            case("target that the kernel does not know goes to the agent", "eth0",
                 solicitation(target="2001:db8:48::dead"), "ndp_deferred",
                 events=[asked("2001:db8:48::dead")]),
            case("target that no route covers goes to the agent", "eth0",
                 solicitation(target="2001:db8:a:ff::1"), "ndp_deferred",
                 events=[asked("2001:db8:a:ff::1")]),
            case("target that the agent has verified is answered, whatever the routes", "eth0",
                 solicitation(target="2001:db8:a:ff::1"), "ndp_answered",
                 advertisement(target="2001:db8:a:ff::1"), told=[knows("2001:db8:a:ff::1")],
                 agent=0),
            kernel("own address is the kernel's", solicitation(target="2001:db8:48::1")),
        ]),
        scenario("proxy on a VLAN", configuration(uplink="uplink eth0 {\n\tvlan 100\n}\n"), [
            case("NS with the port's tag is answered with that tag", "eth0", tag, "ndp_answered",
                 tagged(advertisement(target="2001:db8:49::5"), 100)),
            case("NS without the port's tag is not ours", "eth0", plain, "pass_other"),
            case("NS with VID 0 is not ours where frames carry a tag", "eth0", tagged(plain, 0),
                 "pass_other"),
            case("NS with another tag is not ours", "eth0", tagged(plain, 101), "pass_other"),
        ]),
        scenario("ndp-rate", configuration(more="limits {\n\tndp-rate 20\n}\n"), [
            sequence("solicitations beyond ndp-rate are dropped, and answered again later",
                     flood("eth0", plain, 300, "ndp",
                           ("ndp_answered", advertisement(target="2001:db8:49::5")),
                           "drop_ndp_limited"),
                     step("eth0", solicitation(target="2001:db8:ffff:1::10"), "pass_ndp"),
                     step("eth0", solicitation(target="2001:db8:77::1"), "pass_ndp"),
                     change(wait_ms=200),
                     step("eth0", plain, "ndp_answered", advertisement(target="2001:db8:49::5")),
                     once=True),
        ]),
    ]


def floods():
    """Bounds that hold without being configured."""
    unknown = [solicitation(target=f"2001:db8:48::dead:{i:x}") for i in range(1500)]
    plain = solicitation(target="2001:db8:49::5")
    return [
        sequence("a scan hands the agent no more targets than its bucket holds",
                 flood("eth0", unknown, len(unknown), "deferred", ("ndp_deferred",),
                       "drop_unresolved_limited"),
                 step("eth0", plain, "ndp_answered", advertisement(target="2001:db8:49::5")),
                 step("eth0", solicitation(), "ndp_answered", advertisement()), once=True),
        sequence("every NS for a known target is answered where ndp-rate is not set",
                 step("eth0", [plain] * 2000, "ndp_answered",
                      advertisement(target="2001:db8:49::5")), once=True),
    ]


def scenarios():
    cases = validation() + tolerance() + unicast() + to_kernel() + targets() + dad() + agent() + floods()
    return [scenario("Neighbour Discovery", configuration(proxy=PROXY % EXTRA_RULES), cases)
            ] + variants()

