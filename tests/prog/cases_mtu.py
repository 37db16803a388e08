# SPDX-License-Identifier: GPL-2.0-or-later
"""What is larger than its path: Packet Too Big (RFC 4443 §3.2), and the path MTU that ICMPv4 tells
(RFC 1191, RFC 4213 §3.2.2)."""

from scapy.compat import raw
from scapy.layers.inet import ICMP, IP, UDP, IPOption_NOP
from scapy.layers.inet6 import (ICMPv6EchoReply, ICMPv6EchoRequest, ICMPv6TimeExceeded, IPv6,
                                IPv6ExtHdrDestOpt, IPv6ExtHdrFragment, IPv6ExtHdrRouting)
from scapy.layers.l2 import Dot1Q, Ether
from scapy.packet import Raw

from net import (BIG_MEMBER, FAR_NATIVE, FAR_TUNNEL, FAR_TUNNEL2, LAN2_HOST, LAN_HOST, LOCAL, MAC,
                 MEMBER, REMOTE, ROUTER, Host, arrives, case, change, configuration, event, flood,
                 leaves, leaves_6in4, packet, scenario, sequence, step, told_too_big)
from tcp import lowered, segment

FAR = Host(FAR_NATIVE, ROUTER.mac, "eth0")
COMPLAINER = "198.51.100.1"  # some router between us and the broker
OUTER = 20
OPEN_ID = {"any": (14 + 4, 2), "ipv4_checksum": True}


def outbound(size, **fields):
    return packet(MEMBER.address, FAR_TUNNEL, size, **fields)


def fits(size, **more):
    """A step: a packet of a member goes into the tunnel."""
    ip = outbound(size)
    return step("zttest", arrives(MEMBER, ip), "encapsulated", leaves_6in4(ip), **more)


def fits_in_pieces(size):
    """A step: it goes, without Don't Fragment and with an identification of its own."""
    ip = outbound(size)
    return step("zttest", [arrives(MEMBER, ip)] * 4, "encapsulated", leaves_6in4(ip, flags=0),
                **OPEN_ID)


def answered(size, mtu):
    """A step: the member is told what its path carries."""
    ip = outbound(size)
    return step("zttest", arrives(MEMBER, ip), "too_big_answered", told_too_big(MEMBER, ip, mtu))


def answered_by_us(name, ip, host=MEMBER, mtu=1480, frame=None, **more):
    return case(name, host.port, frame or arrives(host, ip), "too_big_answered",
                told_too_big(host, ip, mtu), **more)


def left_to_kernel(name, ip, host=MEMBER, **more):
    return case(name, host.port, arrives(host, ip), "pass_too_big", **more)


def filled(header, size=1500):
    """The packet, with a payload that makes it `size` bytes long."""
    return IPv6(raw(header / Raw(bytes(i % 251 for i in range(size - len(header))))))


def who_is_answered():
    header = IPv6(src=MEMBER.address, dst=FAR_TUNNEL, hlim=33, tc=0xFF, fl=0xFFFFF)
    error = header / ICMPv6TimeExceeded() / outbound(1440)
    tagged = raw(Ether(src=MEMBER.mac, dst=MAC["zttest"]) / Dot1Q(vlan=0, prio=5, type=0x86DD) /
                 Raw(raw(outbound(1500))))
    return [
        answered_by_us("too big an echo request is answered", filled(header / ICMPv6EchoRequest())),
        answered_by_us("too big an echo reply is answered", filled(header / ICMPv6EchoReply())),
        answered_by_us("too big a fragment of UDP is answered",
                       filled(header / IPv6ExtHdrFragment(m=1, id=9, nh=17) / UDP())),
        answered_by_us("too big an unknown protocol is answered",
                       filled(IPv6(src=MEMBER.address, dst=FAR_TUNNEL, nh=253))),
        left_to_kernel("too big an ICMPv6 error is the kernel's, who is silent", IPv6(raw(error))),
        left_to_kernel("too big a fragment of ICMPv6 is the kernel's",
                       filled(header / IPv6ExtHdrFragment(m=1, id=9, nh=58))),
        left_to_kernel("too big a fragment of what extends is the kernel's",
                       filled(header / IPv6ExtHdrFragment(m=1, id=9, nh=60))),
        left_to_kernel("too big a packet with destination options is the kernel's",
                       filled(header / IPv6ExtHdrDestOpt() / UDP())),
        left_to_kernel("too big a packet with a routing header is the kernel's",
                       filled(header / IPv6ExtHdrRouting(addresses=["2001:db8::1"]) / UDP())),
        *(left_to_kernel(f"too big a packet with next header {nh} is the kernel's",
                         filled(IPv6(src=MEMBER.address, dst=FAR_TUNNEL, nh=nh)))
          for nh in (51, 135, 139, 140)),
        answered_by_us("port without an address answers from the tunnel's",
                       packet(BIG_MEMBER.address, FAR_TUNNEL, 1481), BIG_MEMBER),
        answered_by_us("lan host is answered from the lan's address",
                       packet(LAN_HOST.address, FAR_TUNNEL, 9000), LAN_HOST),
        answered_by_us("frame with a tag of VID 0 is answered without tag", outbound(1500),
                       frame=tagged),
        answered_by_us("padding is not quoted", outbound(1481),
                       frame=arrives(MEMBER, outbound(1481)) + b"\xee" * 200),
        answered_by_us("frame in fragments is answered where enough of it is in one piece",
                       outbound(2800), linear=14 + 1232),
        left_to_kernel("frame in fragments is the kernel's where the part to quote is not in one"
                       " piece", outbound(2800), linear=14 + 1231),
        case("hop limit comes before size", "zttest", arrives(MEMBER, outbound(1500, hlim=1)),
             "pass_hop_limit"),
        case("spoofed source is not answered", "zttest",
             arrives(MEMBER, packet(LAN_HOST.address, FAR_TUNNEL, 1500)), "drop_spoofed"),
        case("unspecified source is not answered", "zttest",
             arrives(MEMBER, packet("::", FAR_TUNNEL, 1500)), "drop_spoofed"),
        case("multicast is not answered", "zttest",
             arrives(MEMBER, packet(MEMBER.address, "ff0e::1", 1500)), "pass_local"),
        case("frame to a group is not answered", "zttest",
             arrives(MEMBER, outbound(1500), dst="33:33:00:00:00:01"), "pass_other"),
    ]


def rates():
    big = packet(LAN_HOST.address, FAR_TUNNEL, 1500)
    return [
        sequence("answers beyond ptb-rate are not given, and are again later",
                 flood("zttest", arrives(MEMBER, outbound(1500)), 100, "too_big",
                       ("too_big_answered", told_too_big(MEMBER, outbound(1500), 1480)),
                       "drop_too_big_limited"),
                 fits(1480),
                 step("eth1", arrives(LAN_HOST, big), "too_big_answered",
                      told_too_big(LAN_HOST, big, 1480)),
                 change(wait_ms=200), answered(1500, 1480), once=True),
    ]


# --- ICMPv4 --------------------------------------------------------------------------------


def quoted(size=1500, **fields):
    """What a router quotes of our outer packet of `size` bytes."""
    fields = {"src": LOCAL, "dst": REMOTE, "ttl": 200, "id": 0, "flags": "DF", "proto": 41,
              "len": size, **fields}
    return raw(IP(**fields) / Raw(raw(outbound(size - OUTER))))


def frag_needed(mtu, quote=None, length=OUTER + 8, tail=b"", icmp=None, **fields):
    """The complaint, with the first `length` bytes of `quote`."""
    fields = {"src": COMPLAINER, "dst": LOCAL, "ttl": 60, **fields}
    icmp = {"type": 3, "code": 4, "nexthopmtu": mtu, **(icmp or {})}
    return raw(Ether(src=ROUTER.mac, dst=MAC["eth0"]) / IP(**fields) / ICMP(**icmp) /
               Raw((quoted() if quote is None else quote)[:length])) + tail


def complains(frame, learnt=False):
    """A step: the message goes on to the kernel; the agent hears of what is learnt from it."""
    told = [event("::", "::", "00:00:00:00:00:00", "he-ipv6", kind="path_mtu")]
    return step("eth0", frame, "pass_other", events=told if learnt else [])


def teaches(mtu, **more):
    return complains(frag_needed(mtu, **more), learnt=True)


def learning():
    cases = [
        sequence(f"path of {mtu} bytes carries packets of {mtu - OUTER}", teaches(mtu),
                 fits(mtu - OUTER), answered(mtu - OUTER + 1, mtu - OUTER), fits(1280),
                 answered(2800, mtu - OUTER), once=True) for mtu in (1499, 1492, 1400, 1301)
    ]
    cases += [
        sequence(f"path of {mtu} bytes gets packets of 1280 in pieces", teaches(mtu),
                 fits_in_pieces(1280), fits_in_pieces(64), answered(1281, 1280),
                 answered(1480, 1280), once=True) for mtu in (1299, 1280, 576, 68)
    ]
    return cases + [
        sequence("path of 1300 bytes carries 1280 whole", teaches(1300), fits(1280),
                 answered(1281, 1280), once=True),
        sequence("cached route does not outlive what is learnt", fits(1480), teaches(1400),
                 answered(1480, 1380), fits(1380), once=True),
        sequence("path becomes smaller twice", teaches(1450), answered(1480, 1430), teaches(1400),
                 answered(1430, 1380), once=True),
        sequence("message never makes a path larger", teaches(1400),
                 complains(frag_needed(1450)), answered(1480, 1380), fits(1380), once=True),
        sequence("message again changes nothing", teaches(1400), complains(frag_needed(1400)),
                 complains(frag_needed(1400)), answered(1381, 1380), fits(1380), once=True),
        sequence("no message makes it smaller than 1280", teaches(600),
                 complains(frag_needed(576)), fits_in_pieces(1280), once=True),
        sequence("router that tells no MTU means the next plateau", teaches(0),
                 answered(1480, 1472), fits(1472),
                 complains(frag_needed(0, quoted(1492)), learnt=True), fits_in_pieces(1280),
                 answered(1281, 1280), once=True),
        sequence("message with all of the packet is believed", teaches(1400, length=548),
                 answered(1480, 1380), once=True),
        sequence("message with an odd number of bytes is believed", teaches(1400, length=501),
                 answered(1480, 1380), once=True),
        sequence("message with padding is believed", teaches(1400, tail=b"\xee" * 60),
                 answered(1480, 1380), once=True),
        sequence("packets of other ways are as large as ever", teaches(1400),
                 step("zttest", arrives(MEMBER, packet(MEMBER.address, FAR_NATIVE, 1500)),
                      "forwarded", leaves(FAR, packet(MEMBER.address, FAR_NATIVE, 1500))),
                 once=True),
    ]


def disbelieved():
    """Bad input, and messages about what is not ours."""
    whole = frag_needed(1400)
    wrong = {
        "from a router that was not asked about us (quoted source)":
            frag_needed(1400, quoted(src="192.0.2.11")),
        "about packets to somebody else": frag_needed(1400, quoted(dst="203.0.113.9")),
        "about another protocol": frag_needed(1400, quoted(proto=17)),
        "about a packet that could be fragmented": frag_needed(1400, quoted(flags=0)),
        "about an IPv4 packet with options":
            frag_needed(1400, quoted(options=[IPOption_NOP()] * 4), length=32),
        "about what holds no IPv6": frag_needed(1400, quoted()[:20] + b"\x45" + bytes(7)),
        "for another address": frag_needed(1400, dst="192.0.2.11"),
        "of another type": frag_needed(1400, icmp={"type": 11}),
        "of another code": frag_needed(1400, icmp={"code": 3}),
        "with a wrong ICMP checksum": frag_needed(1400, icmp={"chksum": 0x1234}),
        "with a wrong IPv4 checksum": frag_needed(1400, chksum=0x1234),
        "that is a first fragment": frag_needed(1400, flags="MF"),
        "that is a later fragment": frag_needed(1400, frag=1),
        "with IPv4 options": frag_needed(1400, options=[IPOption_NOP()] * 4),
        "with more than 576 bytes": frag_needed(1400, length=549),
        "of an MTU that no link has": frag_needed(67),
        "of an MTU of 1": frag_needed(1),
        "of an MTU as large as the path's": frag_needed(1500),
        "of a larger MTU than the path's": frag_needed(9000),
        "of an MTU of 65535": frag_needed(65535),
        "that says it is longer than its frame": frag_needed(1400, len=600),
        "that says it is shorter than a quote": frag_needed(1400, len=55),
        "with a frame to a group": b"\x01\x00\x5e\x00\x00\x01" + whole[6:],
    }
    cases = [sequence(f"message {name} teaches nothing", complains(frame), fits(1480), once=True)
             for name, frame in wrong.items()]
    cut = [whole[:end] for end in range(14, len(whole))]
    less = [frag_needed(1400, length=length) for length in range(OUTER + 8)]
    return cases + [
        sequence("message truncated at any byte teaches nothing", complains(cut), fits(1480),
                 once=True),
        sequence("message that quotes too little teaches nothing", complains(less), fits(1480),
                 once=True),
        sequence("message on another port teaches nothing",
                 step("eth1", bytes.fromhex(
                     MAC["eth1"].replace(":", "")) + whole[6:], "pass_other", events=[]),
                 fits(1480), once=True),
    ]


def two_tunnels():
    second = f"""tunnel he2-ipv6 {{
\tlocal {LOCAL}
\tremote 203.0.113.9
\taddress 2001:470:822d::80/64
\tgateway 2001:470:822d::1
\trouted 2001:470:822d::/48
\tdevice bpf
}}
"""
    ip = packet(MEMBER.address, FAR_TUNNEL2, 1480)
    other = step("zttest", arrives(MEMBER, ip), "encapsulated", leaves_6in4(ip, dst="203.0.113.9"))
    return scenario("two tunnels, two paths", configuration(more=second), [
        sequence("what is learnt of one tunnel's path is not believed of the other's", other,
                 teaches(1400), answered(1480, 1380), other, once=True),
    ], last=True)


def tagged_uplink():
    def tag(frame):
        return frame[:12] + b"\x81\x00\x00\x64" + frame[12:]

    ip = packet(FAR.address, "2001:470:811d:40::5", 1301)
    fitting = outbound(1380)
    syn = segment(MEMBER.address, FAR_TUNNEL, [("MSS", 8940)])
    return scenario("path MTU on a VLAN", configuration(uplink="uplink eth0 {\n\tvlan 100\n}\n"), [
        case("too big a packet on a VLAN is answered on it", "eth0", tag(arrives(FAR, ip)),
             "too_big_answered", tag(told_too_big(FAR, ip, 1300))),
        sequence("message on the VLAN is believed", complains(tag(frag_needed(1400)), learnt=True),
                 answered(1381, 1380),
                 step("zttest", arrives(MEMBER, fitting), "encapsulated",
                      tag(leaves_6in4(fitting))),
                 step("zttest", arrives(MEMBER, syn), "encapsulated",
                      tag(leaves_6in4(lowered(syn, 1320)))), once=True),
        sequence("message without the tag teaches nothing", complains(frag_needed(1400)),
                 answered(1481, 1480), once=True),
    ])


def scenarios():
    ageing = "/proc/sys/net/ipv4/route/mtu_expires"
    slow = "limits {\n\tptb-rate 20\n}\n"
    lan = packet(LAN_HOST.address, LAN2_HOST.address, 9000)
    return [
        scenario("too big", configuration(), who_is_answered() + [
            case("packet as large as its path is not too big", "eth1", arrives(LAN_HOST, lan),
                 "forwarded", leaves(LAN2_HOST, lan)),
        ]),
        scenario("ptb-rate", configuration(more=slow), rates()),
        scenario("path MTU", configuration(), learning() + disbelieved()),
        scenario("path MTU: ageing", configuration(), [
            sequence("what is learnt is believed for as long as the kernel believes it",
                     teaches(1400), answered(1480, 1380), change(bump=False, wait_ms=600),
                     answered(1480, 1380), change(bump=False, wait_ms=1600), fits(1480),
                     teaches(1450), answered(1480, 1430), once=True),
        ], setup=[f"echo 2 > {ageing}"], cleanup=[f"echo 600 > {ageing}"]),
        scenario("path MTU: pmtudisc no", configuration(tunnel="\tpmtudisc no\n"), [
            sequence("message about packets that may be fragmented teaches nothing",
                     complains(frag_needed(1400)), fits_in_pieces(1480), once=True),
        ]),
        tagged_uplink(),
        two_tunnels(),
    ]
