# SPDX-License-Identifier: GPL-2.0-or-later
"""Neighbour Discovery, the messages: RFC 4861 §7.1.1 and §7.2.4, RFC 4862 §7.1.1, RFC 6980."""

from scapy.compat import raw
from scapy.layers.inet6 import (ICMPv6EchoRequest, ICMPv6MLReport, ICMPv6ND_NA, ICMPv6ND_RA,
                                ICMPv6ND_Redirect, ICMPv6ND_RS, ICMPv6NDOptDstLLAddr,
                                ICMPv6NDOptUnknown, IPv6, IPv6ExtHdrDestOpt, IPv6ExtHdrFragment,
                                IPv6ExtHdrHopByHop, RouterAlert, in6_chksum)
from scapy.layers.l2 import Dot1AD, Ether
from scapy.packet import Raw
from scapy.utils import mac2str
from ipaddress import IPv6Address

from nd import (ALL_NODES, ALL_NODES_MAC, CONFIGURATION, NONCE, SOLICITOR, SOLICITOR_MAC, TARGET,
                UNSPECIFIED, advertisement, answered, invalid, kernel, sllao, solicitation, tagged)
from net import LINK_LOCAL, MAC, MEMBER, ROUTER, case, multicast_mac, scenario, solicited_node


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
    """The 16-bit word at `offset` that makes the frame's ICMPv6 checksum `wanted` (RFC 1624)."""
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
                 solicitation(options=[NONCE, sllao(elsewhere)]), to_mac=elsewhere),
        answered("NS with a TLLAO, which means nothing in it, is answered",
                 solicitation(options=[tllao, sllao(elsewhere)]), to_mac=elsewhere),
        answered("NS with an experimental option is answered",
                 solicitation(options=[unknown, sllao(elsewhere)]), to_mac=elsewhere),
        answered("NS with a long unknown option before the SLLAO is answered",
                 solicitation(options=[long_unknown, sllao(elsewhere)]), to_mac=elsewhere),
        answered("NS with ten options before the SLLAO is answered",
                 solicitation(options=[unknown] * 10 + [sllao(elsewhere)]), to_mac=elsewhere),
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
    for options, how in (([sllao()], "with SLLAO"), ([], "without SLLAO"),
                         ([NONCE], "with a nonce")):
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
        case("NS that has come over a router is dropped on a port without proxy, too", "eth1",
             solicitation(hlim=64), "drop_ndp_invalid"),
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


def scenarios():
    cases = validation() + tolerance() + unicast() + to_kernel()
    return [scenario("Neighbour Discovery: messages", CONFIGURATION, cases)]
