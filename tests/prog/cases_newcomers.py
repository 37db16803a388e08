# SPDX-License-Identifier: GPL-2.0-or-later
"""`policy kernel`: how much of what answers nobody inside reaches the kernel (limits new-flow-rate)."""

from scapy.compat import raw
from scapy.layers.inet import TCP, UDP
from scapy.layers.inet6 import (ICMPv6DestUnreach, ICMPv6EchoReply, ICMPv6EchoRequest,
                                ICMPv6PacketTooBig, IPv6, IPv6ExtHdrFragment)
from scapy.packet import Raw

from net import (BIG_MEMBER, FAR_BEHIND_SIT, FAR_NATIVE, FAR_TUNNEL, LAN2_HOST, LAN_HOST, MEMBER, POOL_MEMBER,
                 REMOTE, REMOTE2, ROUTER, TUNNEL_ADDRESS, Host, arrives, arrives_6in4, change,
                 configuration, drained, flood, kernel_forwards, leaves, packet, scenario, sequence, step)

FAR = Host(FAR_NATIVE, ROUTER.mac, "eth0")
STRANGERS = [FAR._replace(address=f"2001:db8:b:{i:x}::66") for i in range(1, 41)]
MEMBERS = (MEMBER, POOL_MEMBER, BIG_MEMBER, LAN_HOST, LAN2_HOST)
KERNEL = "firewall {\n}\n"
RATE = "limits {\n\tnew-flow-rate 40\n}\n"  # a quarter of it to one
BEYOND = 60
NO_MORE = drained("new", "eth0", "he-ipv6")
STRANGER_V4 = "198.51.100.7"
ESP = 50


def ip(source, destination, body, **fields):
    return IPv6(raw(IPv6(src=source, dst=destination, **fields) / body))


def tcp(flags, port=80, to=4096):
    return TCP(sport=port, dport=to, flags=flags) / Raw(bytes(8))


def outward(body, source=MEMBER, **fields):
    return ip(source.address, FAR_NATIVE, body, **fields)


def inward(body, destination=MEMBER, source=FAR_NATIVE, **fields):
    return ip(source, destination.address, body, **fields)


def sends(body):
    """The kernel forwards what the member sends to the Internet."""
    return kernel_forwards("zttest", "eth0", leaves(FAR, outward(body)))


def comes(body, verdict, count=1, **fields):
    """What comes from the Internet to the member, `count` times."""
    return step("eth0", [arrives(FAR, inward(body, **fields))] * count, verdict)


def syns(destination=MEMBER):
    return [arrives(stranger, inward(tcp("S"), destination, stranger.address))
            for stranger in STRANGERS]


def flooded(frames=None, bucket="new_to_one", within="pass_policy", count=BEYOND):
    return flood("eth0", frames or syns(), count, bucket, (within,), "drop_new_limited")


def case(name, *steps):
    return sequence(name, *steps, once=True)


def floods():
    everybody = [frame for frames in zip(*map(syns, MEMBERS)) for frame in frames]
    tunnelled = [arrives_6in4(ip(FAR_TUNNEL, MEMBER.address, tcp("S", port)))
                 for port in range(1, 41)]
    return [
        case("SYNs to one member are limited", flooded()),
        case("datagrams to one member are limited",
             flooded([arrives(stranger, inward(UDP(sport=1, dport=2) / Raw(bytes(8)),
                                               source=stranger.address))
                      for stranger in STRANGERS])),
        case("data of no connection is limited", flooded([arrives(FAR, inward(tcp("PA")))])),
        case("echo requests are limited",
             flooded([arrives(FAR, inward(ICMPv6EchoRequest(id=7) / Raw(bytes(8))))])),
        case("echo replies that nobody has asked for are limited",
             flooded([arrives(FAR, inward(ICMPv6EchoReply(id=7) / Raw(bytes(8))))])),
        case("protocols without ports are limited",
             flooded([arrives(FAR, inward(Raw(bytes(32)), nh=ESP))])),
        case("fragments are limited",
             flooded([arrives(FAR, inward(IPv6ExtHdrFragment(id=1, m=1) / Raw(bytes(32))))])),
        case("packets with too few bytes for a transport are limited",
             flooded([arrives(FAR, inward(Raw(b"1234"), nh=17))])),
        case("packets at the end of their hops are limited",
             flooded([arrives(FAR, inward(tcp("S"), hlim=1))], within="pass_hop_limit")),
        case("SYNs through the tunnel are limited", flooded(tunnelled)),
        case("a flood of one member leaves the others what they need", flooded(),
             *[step("eth0", syns(member)[:4], "pass_policy") for member in MEMBERS[1:]]),
        case("a flood of one member takes nothing from the same by the tunnel", flooded(),
             step("eth0", tunnelled[:8], "pass_policy")),
        case("a flood of all members is limited as a whole",
             flooded(everybody, "new", count=40 * len(MEMBERS))),
        case("a flood by one port is limited by that one", flooded(),
             step("eth1", arrives(LAN_HOST, ip(LAN_HOST.address, MEMBER.address, tcp("S"))),
                  "pass_policy")),
        case("the bucket fills again", flooded(), change(wait_ms=400),
             step("eth0", syns()[:2], "pass_policy")),
        case("members open as many flows as they like", flooded(),
             step("zttest", [arrives(MEMBER, outward(tcp("S", port))) for port in range(1, 101)],
                  "pass_policy"),
             step("eth1", [arrives(LAN_HOST, ip(LAN_HOST.address, MEMBER.address, tcp("S", port)))
                           for port in range(1, 101)], "pass_policy")),
        case("what is for the gateway itself is not limited", flooded(),
             step("eth0", [arrives(FAR, ip(FAR_NATIVE, TUNNEL_ADDRESS, tcp("S")))] * BEYOND,
                  "pass_local")),
    ]


def behind_sit():
    """What the kernel's `sit` has taken out of 6in4 comes by once more, and has buckets of its own."""
    def out_of_sit(destination, port=1):
        return raw(ip(FAR_BEHIND_SIT, destination.address, tcp("S", port)))

    def all_members(make):
        return [make(member, port) for port in range(1, 41) for member in MEMBERS]

    raw_ones = all_members(out_of_sit)
    outer = all_members(lambda member, port: arrives_6in4(
        ip(FAR_BEHIND_SIT, member.address, tcp("S", port))))
    nobody = [raw(ip(FAR_BEHIND_SIT, f"2001:470:811d::dead:{i:x}", tcp("S"))) for i in range(300)]
    nobody_outer = [arrives_6in4(frame) for frame in nobody]

    def scanned(port, frames, bucket):
        return flood(port, frames, len(frames), bucket, ("pass_unresolved",),
                     "drop_unresolved_limited")

    answer = UDP(sport=53, dport=4096) / Raw(bytes(8))
    asked = kernel_forwards("zttest", "he-ipv6", leaves(FAR, ip(
        MEMBER.address, FAR_BEHIND_SIT, UDP(sport=4096, dport=53) / Raw(bytes(8)))))
    return [
        case("SYNs out of sit to one member are limited",
             {**flooded([out_of_sit(MEMBER, port) for port in range(1, 41)]), "port": "he-ipv6"}),
        case("SYNs out of sit are limited as a whole",
             {**flooded(raw_ones, "new_tunnel", count=len(raw_ones)), "port": "he-ipv6"}),
        case("what came in 6in4 leaves to the same behind sit what it needs",
             flooded(outer, "new", count=len(outer)),
             step("he-ipv6", raw_ones[:len(MEMBERS)], "pass_policy")),
        case("what comes out of sit leaves to 6in4 what it needs",
             {**flooded(raw_ones, "new_tunnel", count=len(raw_ones)), "port": "he-ipv6"},
             step("eth0", outer[:len(MEMBERS)], "pass_policy")),
        case("what answers a member passes behind sit, whatever the rate", asked,
             {**flooded(raw_ones, "new_tunnel", count=len(raw_ones)), "port": "he-ipv6"},
             step("he-ipv6", [raw(ip(FAR_BEHIND_SIT, MEMBER.address, answer))] * BEYOND,
                  "pass_policy")),
        case("a scan through sit takes one token of each bucket for what it looks for",
             scanned("eth0", nobody_outer, "unresolved"), scanned("he-ipv6", nobody, "tunnel")),
    ]


def about(quoted, kind=None):
    """An ICMPv6 error about a packet of the member's."""
    return (kind or ICMPv6PacketTooBig(mtu=1280)) / Raw(raw(quoted)[:64])


def answers():
    udp = UDP(sport=4096, dport=53) / Raw(bytes(8))
    back = UDP(sport=53, dport=4096) / Raw(bytes(8))
    echo = ICMPv6EchoRequest(id=7, seq=3) / Raw(bytes(8))
    opens = tcp("S", port=4096, to=80)
    router = "2001:db8:b:77::1"
    return [
        case("what answers a member's SYN passes, whatever the rate", sends(opens), NO_MORE,
             comes(tcp("SA"), "pass_policy", BEYOND), comes(tcp("A"), "pass_policy", BEYOND)),
        case("FIN, RST and what follows pass, whatever the rate", sends(opens), NO_MORE,
             *[comes(tcp(flags), "pass_policy", 5) for flags in ("PA", "FA", "R", "RA", "A")]),
        case("FIN that the kernel has forwarded does not make the last ACK a newcomer",
             sends(opens), sends(tcp("FA", port=4096, to=80)),
             kernel_forwards("eth0", "zttest", leaves(MEMBER, inward(tcp("FA")))), NO_MORE,
             comes(tcp("A"), "pass_policy")),
        case("SYN is a newcomer, whoever sends it", sends(opens), NO_MORE,
             comes(tcp("S"), "drop_new_limited")),
        case("an answer from another port or to another port is none", sends(opens), NO_MORE,
             comes(tcp("SA", port=81), "drop_new_limited"),
             comes(tcp("SA", to=4097), "drop_new_limited"),
             comes(back, "drop_new_limited"),
             comes(tcp("SA"), "drop_new_limited", source="2001:db8:b::2"),
             comes(tcp("SA"), "pass_policy")),
        case("datagrams that answer a member pass, whatever the rate", sends(udp), NO_MORE,
             comes(back, "pass_policy", BEYOND)),
        case("echo replies pass by their identifier, whatever the rate", sends(echo), NO_MORE,
             comes(ICMPv6EchoReply(id=7, seq=4) / Raw(bytes(8)), "pass_policy", BEYOND),
             comes(ICMPv6EchoReply(id=8, seq=4) / Raw(bytes(8)), "drop_new_limited"),
             comes(ICMPv6EchoRequest(id=7, seq=4) / Raw(bytes(8)), "drop_new_limited")),
        case("protocols without ports pass by their addresses",
             kernel_forwards("zttest", "eth0", leaves(FAR, outward(Raw(bytes(32)), nh=ESP))),
             NO_MORE, comes(Raw(bytes(32)), "pass_policy", BEYOND, nh=ESP),
             comes(Raw(bytes(32)), "drop_new_limited", nh=ESP + 1)),
        case("errors about what a member has sent pass, whatever the rate", sends(opens),
             sends(udp), sends(echo), NO_MORE,
             comes(about(outward(opens)), "pass_policy", BEYOND, source=router),
             comes(about(outward(udp)), "pass_policy", source=router),
             comes(about(outward(echo), ICMPv6DestUnreach()), "pass_policy", source=router),
             comes(about(outward(tcp("S", port=4097, to=80))), "drop_new_limited", source=router),
             comes(about(outward(ICMPv6EchoRequest(id=8))), "drop_new_limited", source=router),
             comes(about(outward(ICMPv6EchoReply(id=7))), "drop_new_limited", source=router),
             comes(ICMPv6PacketTooBig() / Raw(raw(outward(udp))[:40]), "drop_new_limited",
                   source=router)),
        case("errors about nothing are limited",
             flooded([arrives(stranger, inward(about(outward(udp)), source=stranger.address))
                      for stranger in STRANGERS])),
        case("answers take nothing from newcomers", sends(udp), comes(back, "pass_policy", BEYOND),
             step("eth0", syns()[:8], "pass_policy")),
        case("answers through the tunnel pass, whatever the rate",
             kernel_forwards("zttest", "he-ipv6",
                             leaves(FAR, ip(MEMBER.address, FAR_TUNNEL, udp))),
             NO_MORE,
             step("eth0", [arrives_6in4(ip(FAR_TUNNEL, MEMBER.address, back))] * BEYOND,
                  "pass_policy")),
        case("who sends among members makes no stranger known",
             kernel_forwards("eth1", "zttest", leaves(MEMBER, ip(FAR_NATIVE, MEMBER.address, udp))),
             NO_MORE, comes(back, "drop_new_limited")),
        case("what comes from outside does not make its sender known",
             kernel_forwards("eth0", "zttest", leaves(MEMBER, inward(back))), NO_MORE,
             comes(back, "drop_new_limited")),
    ]


def brokers():
    """6in4 that is for one of our tunnels and from none of our brokers."""
    inner = packet(FAR_TUNNEL, MEMBER.address)

    def from_stranger(verdict, count=3, **outer):
        return step("eth0", [arrives_6in4(inner, **{"src": STRANGER_V4, **outer})] * count, verdict)

    def to_group(verdict):
        return step("eth0", arrives_6in4(inner, {"dst": "ff:ff:ff:ff:ff:ff"}, src=STRANGER_V4),
                    verdict)

    alone = [
        case("6in4 from elsewhere is dropped", from_stranger("drop_not_broker")),
        case("6in4 from elsewhere is dropped in fragments, too",
             from_stranger("drop_not_broker", flags="MF"),
             from_stranger("drop_not_broker", frag=8)),
        case("6in4 from elsewhere is dropped whatever its header says",
             from_stranger("drop_not_broker", chksum=1),
             from_stranger("drop_not_broker", ihl=6)),
        case("6in4 from elsewhere to another address is the kernel's",
             from_stranger("pass_other", dst="192.0.2.11")),
        case("6in4 of the broker to another address is the kernel's",
             from_stranger("pass_other", src=REMOTE, dst="192.0.2.11")),
        case("6in4 from elsewhere to a group is the kernel's", to_group("pass_other")),
        case("6in4 of a broker that is none yet is dropped", from_stranger("drop_not_broker",
                                                                        src=REMOTE2)),
    ]
    second = f"""tunnel he2-ipv6 {{
\tlocal 192.0.2.11
\tremote {REMOTE2}
\taddress 2001:470:822d::80/64
\tgateway 2001:470:822d::1
\trouted 2001:470:822d::/48
\tdevice bpf
}}
"""
    two = [
        case("6in4 from elsewhere to either tunnel is dropped", from_stranger("drop_not_broker"),
             from_stranger("drop_not_broker", dst="192.0.2.11")),
        case("6in4 between one tunnel's broker and the other's address is the kernel's",
             from_stranger("pass_other", src=REMOTE2),
             from_stranger("pass_other", src=REMOTE, dst="192.0.2.11")),
    ]
    others = [case("6in4 from elsewhere is the kernel's where its rules are yours",
                   from_stranger("pass_other", BEYOND))]
    return [
        scenario("brokers", configuration(firewall=KERNEL), alone),
        scenario("brokers of two tunnels", configuration(firewall=KERNEL, more=second), two,
                 setup=["ip address add 192.0.2.11/24 dev eth0"],
                 cleanup=["ip address del 192.0.2.11/24 dev eth0"], last=True),
        scenario("brokers, rules none", configuration(firewall="firewall {\n\trules none\n}\n"),
                 others),
        scenario("brokers, policy off", configuration(), others),
    ]


def scenarios():
    unlimited = [case("without policy nobody is a newcomer",
                      step("eth0", [arrives(FAR, inward(tcp("S"), hlim=1))] * BEYOND,
                           "pass_hop_limit"))]
    return [
        scenario("newcomers", configuration(firewall=KERNEL, more=RATE), floods() + answers()),
        scenario("newcomers behind sit", configuration(firewall=KERNEL, more=RATE.replace(
            "}", "\tunresolved-rate 10\n}")), behind_sit()),
        scenario("newcomers, policy off", configuration(more=RATE), unlimited),
    ] + brokers()
