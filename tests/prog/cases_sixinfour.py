# SPDX-License-Identifier: GPL-2.0-or-later
"""6in4: RFC 4213, RFC 6040, RFC 6864."""

from scapy.compat import raw
from scapy.layers.inet import ICMP, IP, UDP, IPOption_Router_Alert
from scapy.layers.inet6 import ICMPv6ND_NS, ICMPv6NDOptSrcLLAddr, IPv6, IPv6ExtHdrHopByHop
from scapy.layers.l2 import Dot1Q, Ether
from scapy.packet import Raw

from net import (FAR_NATIVE, FAR_TUNNEL, FAR_TUNNEL2, LAN2_HOST, LAN_HOST, LOCAL, MAC, MEMBER,
                 ON_LINK_MEMBER, POOL_MEMBER, REMOTE, REMOTE2, ROUTER, TUNNEL_ADDRESS,
                 TUNNEL_GATEWAY, ZEROTIER, arrives, arrives_6in4, case, change, configuration,
                 leaves, leaves_6in4, packet, scenario, sequence, solicited_node, step,
                 told_too_big)

NOT_ECT, ECT1, ECT0, CE = range(4)
ECN_NAMES = ("Not-ECT", "ECT(1)", "ECT(0)", "CE")

# RFC 6040 figure 4: DECAPSULATED_ECN[inner][outer]; None is a drop.
DECAPSULATED_ECN = {
    NOT_ECT: {NOT_ECT: NOT_ECT, ECT0: NOT_ECT, ECT1: NOT_ECT, CE: None},
    ECT0: {NOT_ECT: ECT0, ECT0: ECT0, ECT1: ECT1, CE: CE},
    ECT1: {NOT_ECT: ECT1, ECT0: ECT1, ECT1: ECT1, CE: CE},
    CE: {NOT_ECT: CE, ECT0: CE, ECT1: CE, CE: CE},
}


def inbound(destination=MEMBER, source=FAR_TUNNEL, **fields):
    return packet(source, getattr(destination, "address", destination), **fields)


def outbound(source=MEMBER, destination=FAR_TUNNEL, **fields):
    return packet(source.address, destination, **fields)


def decapsulated(name, ip=None, host=MEMBER, changes=None, tail=b"", **outer):
    """The packet in `ip` arrives in 6in4 and goes on to `host`."""
    ip = ip or inbound(host)
    return case(name, "eth0", arrives_6in4(ip, **outer) + tail, "decapsulated",
                leaves(host, ip, **(changes or {})))


def encapsulated(name, ip=None, host=MEMBER, outer=None, tail=b"", **more):
    """The packet in `ip` arrives from `host` and leaves in 6in4."""
    ip = ip or outbound(host)
    return case(name, host.port, arrives(host, ip) + tail, "encapsulated",
                leaves_6in4(ip, **(outer or {})), **more)


def from_broker(name, verdict, ip=None, **outer):
    """A 6in4 packet that stays as it is."""
    return case(name, "eth0", arrives_6in4(ip or inbound(), **outer), verdict)


def too_big(name, size, mtu):
    """A packet of a member is larger than the tunnel carries: the member is told."""
    ip = outbound(size=size)
    return case(name, "zttest", arrives(MEMBER, ip), "too_big_answered",
                told_too_big(MEMBER, ip, mtu))


def whose():
    """What belongs to no configured tunnel is the kernel's business."""
    plain = arrives_6in4(inbound())
    other = Ether(src=ROUTER.mac, dst=MAC["eth0"])
    tagged = Ether(src=ROUTER.mac, dst=MAC["eth0"]) / Dot1Q(vlan=7) / IP(plain[14:])
    return [
        decapsulated("6in4 from the remote to the local address is decapsulated"),
        decapsulated("6in4 for a lan host is decapsulated", host=LAN_HOST),
        decapsulated("6in4 for a pool address in the tunnel's own /64 is decapsulated",
                     host=POOL_MEMBER),
        decapsulated("6in4 for a member of the on-link prefix is decapsulated",
                     host=ON_LINK_MEMBER),
        decapsulated("6in4 from the tunnel's gateway is decapsulated",
                     inbound(source=TUNNEL_GATEWAY)),
        from_broker("6in4 from another remote is not ours", "pass_other", src="72.52.104.75"),
        from_broker("6in4 from the gateway's own IPv4 address is not ours", "pass_other",
                    src=LOCAL),
        from_broker("6in4 to another local address is not ours", "pass_other", dst="192.0.2.11"),
        from_broker("6in4 with local and remote exchanged is not ours", "pass_other", src=LOCAL,
                    dst=REMOTE),
        from_broker("6in4 in a frame for another MAC is not ours", "pass_other",
                    ether={"dst": "02:00:00:00:99:99"}),
        from_broker("6in4 in a broadcast frame is not ours", "pass_other",
                    ether={"dst": "ff:ff:ff:ff:ff:ff"}),
        from_broker("6in4 in a multicast frame is not ours", "pass_other",
                    ether={"dst": "01:00:5e:00:00:01"}),
        case("6in4 with a VLAN tag that is not configured is not ours", "eth0", raw(tagged),
             "pass_other"),
        case("6in4 that arrives on a lan as if the broker had sent it is forged", "eth1",
             arrives_6in4(inbound(), ether={"dst": MAC["eth1"]}), "drop_spoofed"),
        case("6in4 that arrives on the overlay as if the broker had sent it is forged", "zttest",
             arrives_6in4(inbound(), ether={"dst": MAC["zttest"]}), "drop_spoofed"),
        case("6in4 of somebody else that arrives on the overlay is not ours", "zttest",
             arrives_6in4(inbound(), ether={"dst": MAC["zttest"]}, src=REMOTE2), "pass_other"),
        case("UDP from the remote to the local address is not ours", "eth0",
             raw(other / IP(src=REMOTE, dst=LOCAL) / UDP() / Raw(bytes(60))), "pass_other"),
        case("ICMPv4 from the remote is not ours", "eth0",
             raw(other / IP(src=REMOTE, dst=LOCAL) / ICMP() / Raw(bytes(60))), "pass_other"),
        case("GRE from the remote is not ours", "eth0",
             raw(other / IP(src=REMOTE, dst=LOCAL, proto=47) / Raw(bytes(60))), "pass_other"),
        from_broker("6in4 for the tunnel's own address is the kernel's", "pass_local",
                    inbound(TUNNEL_ADDRESS)),
        from_broker("6in4 for another own address is the kernel's", "pass_local",
                    inbound("2001:470:811d:10::1")),
        from_broker("6in4 with hop limit 1 for an own address is the kernel's", "pass_local",
                    inbound(TUNNEL_ADDRESS, hlim=1)),
    ]


def inner_source():
    """RFC 4213 §3.6, and our own prefixes."""
    martian = ("ff00::", "ff02::1", "ff0e::1", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "::1",
               "::2", "::1:0", "::8000:0", "::ffff:ffff", "::192.0.2.10", "::ffff:0:0",
               "::ffff:192.0.2.1", "::ffff:255.255.255.255")
    honest = ("feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "0:0:0:0:0:1::", "0:0:0:0:1::",
              "::fffe:ffff:ffff", "8000::1", "0:1::", "2001:470:811c:ffff:ffff:ffff:ffff:ffff",
              "2001:470:811e::", "2001:db8:47:ffff:ffff:ffff:ffff:ffff", "2001:db8:4a::")
    own = ("2001:470:811d::", MEMBER.address, "2001:470:811d:ffff:ffff:ffff:ffff:ffff",
           LAN_HOST.address, LAN2_HOST.address, ON_LINK_MEMBER.address, "2001:db8:49::1",
           TUNNEL_ADDRESS, "2001:470:811d:10::1", "2001:db8:48:ff::1")
    cases = [from_broker(f"inner source {address} is dropped (RFC 4213 §3.6)", "drop_inner_source",
                         inbound(source=address)) for address in martian]
    cases += [from_broker(f"inner source {address} is dropped for the gateway itself as well",
                          "drop_inner_source", inbound(TUNNEL_ADDRESS, source=address))
              for address in ("ff02::1", "::1", "::2", "::ffff:192.0.2.1")]
    cases += [decapsulated(f"inner source {address}, outside the martian and own prefixes, passes",
                           inbound(source=address)) for address in honest]
    cases += [from_broker(f"inner source {address}, one of ours, is dropped", "drop_spoofed",
                          inbound(source=address)) for address in own]
    return cases + [
        from_broker("inner source :: is excepted from the martians, but not forwarded",
                    "drop_spoofed", inbound(source="::")),
        from_broker("inner link-local source is not forwarded", "pass_no_route",
                    inbound(source="fe80::1")),
        from_broker("inner link-local destination is not forwarded", "pass_local",
                    inbound("fe80::2", source="fe80::1")),
        from_broker("inner multicast destination is not forwarded", "pass_local",
                    inbound("ff0e::1")),
        from_broker("inner loopback destination is not forwarded",
                    "pass_local", inbound("::1")),
        from_broker("inner Neighbour Solicitation is the kernel's", "pass_ndp",
                    IPv6(src="fe80::1", dst=solicited_node(MEMBER.address), hlim=255) /
                    ICMPv6ND_NS(tgt=MEMBER.address) /
                    ICMPv6NDOptSrcLLAddr(lladdr="02:00:00:00:00:01")),
    ]


def hairpin():
    return [
        from_broker("tunnel never leads back into the tunnel", "drop_spoofed",
                    inbound("2001:db8:a::2")),
        from_broker("tunnel never leads back to its own gateway", "drop_spoofed",
                    inbound(TUNNEL_GATEWAY)),
        from_broker("tunnel does not lead to the native Internet", "pass_other",
                    inbound(FAR_NATIVE)),
    ]


def outer_header():
    ip = inbound()
    plain = arrives_6in4(ip)
    hop_by_hop = IPv6(src=FAR_TUNNEL, dst=MEMBER.address) / IPv6ExtHdrHopByHop() / UDP()
    option = IPOption_Router_Alert()
    cases = [
        from_broker("first fragment of an outer packet is the kernel's", "pass_fragment",
                    flags="MF"),
        from_broker("last fragment of an outer packet is the kernel's", "pass_fragment", frag=10),
        from_broker("middle fragment of an outer packet is the kernel's", "pass_fragment",
                    flags="MF", frag=10),
        from_broker("fragment at the largest offset is the kernel's", "pass_fragment", frag=8191),
        decapsulated("outer DF does not make a fragment", flags="DF"),
        from_broker("outer IPv4 options are the kernel's", "pass_extension_header",
                    options=[option]),
        from_broker("40 bytes of outer IPv4 options are the kernel's", "pass_extension_header",
                    options=[option] * 10),
        from_broker("inner hop-by-hop header is the kernel's", "pass_extension_header",
                    IPv6(raw(hop_by_hop))),
        from_broker("bad outer checksum is dropped", "drop_malformed", chksum=0x1234),
        from_broker("outer checksum of 0 that is not its checksum is dropped", "drop_malformed",
                    chksum=0),
    ]
    cases += [
        case(f"outer checksum that misses a flipped bit in byte {offset} is dropped", "eth0",
             plain[:14 + offset] + bytes([plain[14 + offset] ^ 0x10]) + plain[15 + offset:],
             "drop_malformed") for offset in (1, 4, 8, 10, 11)
    ]
    cases += [decapsulated(f"outer TTL {ttl} is of no matter to the inner packet", ttl=ttl)
              for ttl in (1, 64, 255)]
    cases += [decapsulated("outer DSCP does not reach the inner packet", inbound(tc=0x28),
                           tos=0xB8, changes={"tc": 0x28})]
    return cases


def lengths():
    """The inner length is the IPv6 payload length, the rest is padding."""
    ip = inbound(size=148)

    def outer_length(value):
        return arrives_6in4(ip, len=value)

    def inner_length(value):
        changed = ip.copy()
        changed.plen = value
        return arrives_6in4(changed)

    cases = [
        decapsulated(f"{count} bytes of Ethernet padding do not reach the member", ip,
                     tail=b"\xee" * count) for count in (1, 2, 46, 500)
    ]
    for count in (1, 4, 300):
        frame = arrives_6in4(IPv6(raw(ip)) / Raw(b""), len=20 + 148 + count) + b"\xdd" * count
        cases.append(case(f"{count} bytes of IPv4 padding do not reach the member", "eth0", frame,
                          "decapsulated", leaves(MEMBER, ip)))
        cases.append(case(f"{count} bytes of IPv4 padding and Ethernet padding do not reach the"
                          " member", "eth0", frame + b"\xcc" * 6, "decapsulated",
                          leaves(MEMBER, ip)))
    cases += [
        case(f"outer length {value} of a frame with 168 bytes of IPv4 is dropped", "eth0",
             outer_length(value), "drop_malformed")
        for value in (0, 1, 19, 20, 59, 60, 167, 169, 1500, 65535)
    ]
    cases += [
        case(f"inner length {value} of 108 bytes is dropped", "eth0", inner_length(value),
             "drop_malformed") for value in (109, 110, 1400, 65535)
    ]
    cases += [
        case("inner IP version 4 is dropped", "eth0",
             arrives_6in4(Raw(b"\x45" + raw(ip)[1:])), "drop_malformed"),
        case("inner IP version 0 is dropped", "eth0",
             arrives_6in4(Raw(b"\x00" + raw(ip)[1:])), "drop_malformed"),
        case("outer header length of 16 bytes is dropped", "eth0",
             arrives_6in4(ip, ihl=4), "drop_malformed"),
        case("outer IP version 6 in an IPv4 frame is dropped", "eth0",
             arrives_6in4(ip, version=6), "drop_malformed"),
    ]
    empty = IPv6(src=FAR_TUNNEL, dst=MEMBER.address, nh=59, plen=0)
    cases.append(decapsulated("inner packet without payload is decapsulated", empty))
    cases.append(decapsulated("inner packet without payload, padded, is decapsulated", empty,
                              tail=b"\0" * 30))
    whole = arrives_6in4(ip)
    cut = [whole[:end] for end in range(34, len(whole))]
    cases.append(case("6in4 truncated anywhere behind its IPv4 header is dropped", "eth0", cut,
                      "drop_malformed"))
    cases.append(case("6in4 truncated within its IPv4 header goes nowhere", "eth0",
                      [whole[:end] for end in range(14, 34)], "pass_other"))
    consistent = [arrives_6in4(Raw(raw(ip)[:end])) for end in range(148)]
    cases.append(case("inner packet truncated at any byte is dropped", "eth0", consistent,
                      "drop_malformed"))
    return cases


def ecn():
    cases = []
    for inner in range(4):
        for outer in range(4):
            result = DECAPSULATED_ECN[inner][outer]
            ip = inbound(tc=0xB8 | inner)
            name = f"decapsulation of {ECN_NAMES[inner]} in {ECN_NAMES[outer]} "
            if result is None:
                cases.append(from_broker(name + "is dropped (RFC 6040 §4.2)", "drop_ecn", ip,
                                         tos=outer))
            else:
                cases.append(decapsulated(name + f"gives {ECN_NAMES[result]}", ip, tos=outer,
                                          changes={"tc": 0xB8 | result}))
    for inner in range(4):
        for dscp in (0, 0x04, 0xB8, 0xFC):
            cases.append(encapsulated(f"encapsulation of {ECN_NAMES[inner]} with DSCP {dscp >> 2}"
                                      f" copies the ECN bits", outbound(tc=dscp | inner),
                                      outer={"tos": inner}))
    return cases


def limits():
    """Hop limit and MTU."""
    cases = [decapsulated(f"hop limit {hlim} is decremented on the way in", inbound(hlim=hlim))
             for hlim in (2, 3, 128, 255)]
    cases += [from_broker(f"hop limit {hlim} goes to the kernel with the outer header on",
                          "pass_hop_limit", inbound(hlim=hlim)) for hlim in (1, 0)]
    cases += [encapsulated(f"hop limit {hlim} is decremented on the way out", outbound(hlim=hlim))
              for hlim in (2, 3, 128, 255)]
    cases += [case(f"hop limit {hlim} on the way out goes to the kernel", "zttest",
                   arrives(MEMBER, outbound(hlim=hlim)), "pass_hop_limit") for hlim in (1, 0)]
    cases += [encapsulated(f"packet of {size} bytes is encapsulated", outbound(size=size))
              for size in (48, 49, 1279, 1280, 1479, 1480)]
    cases += [too_big(f"packet of {size} bytes is too big for the tunnel", size, 1480)
              for size in (1481, 1500, 2800)]
    cases += [
        decapsulated("inner packet as large as the member route's MTU is decapsulated",
                     inbound("2001:470:811d:40::5", size=1300)),
        from_broker("inner packet larger than the member route's MTU is too big", "pass_too_big",
                    inbound("2001:470:811d:40::5", size=1301)),
        decapsulated("inner packet as large as the tunnel allows is decapsulated",
                     inbound(size=1480)),
    ]
    return cases


def encapsulation():
    bare = IPv6(src=MEMBER.address, dst=FAR_TUNNEL, nh=59, plen=0, hlim=9)
    inner = IPv6(src=MEMBER.address, dst=FAR_TUNNEL, nh=41) / outbound()
    plain = outbound()
    return [
        encapsulated("packet of a member is encapsulated: TTL 255, DF, ID 0, DSCP 0"),
        encapsulated("packet of a member at its pool address is encapsulated", host=POOL_MEMBER),
        encapsulated("packet of a lan host is encapsulated", host=LAN_HOST),
        encapsulated("packet of a host on another lan is encapsulated", host=LAN2_HOST),
        encapsulated("packet for the tunnel's gateway is encapsulated",
                     outbound(destination=TUNNEL_GATEWAY)),
        encapsulated("packet without payload is encapsulated", bare),
        encapsulated("Ethernet padding is not encapsulated", bare, tail=b"\0" * 6),
        encapsulated("much Ethernet padding is not encapsulated", tail=b"\xee" * 300),
        encapsulated("IPv6 in IPv6 is encapsulated like anything else", IPv6(raw(inner))),
        case("packet of a stranger upstream is not encapsulated", "eth0",
             arrives(ROUTER, packet(FAR_NATIVE, FAR_TUNNEL)), "pass_other"),
        sequence("packet goes to the kernel while the IPv4 next hop is not resolved",
                 change("ip neighbour del 192.0.2.1 dev eth0"),
                 step("zttest", arrives(MEMBER, plain), "pass_unresolved"),
                 change("ip neighbour replace 192.0.2.1 lladdr 02:00:00:00:e0:01 dev eth0"
                        " nud permanent"),
                 step("zttest", arrives(MEMBER, plain), "encapsulated", leaves_6in4(plain)),
                 cleanup=["ip neighbour replace 192.0.2.1 lladdr 02:00:00:00:e0:01 dev eth0"
                          " nud permanent"]),
        sequence("packet is encapsulated once the kernel has used the tunnel, too",
                 change("ping -6 -c 1 -W 1 -I he-ipv6 2001:db8:a::1 > /dev/null || true"),
                 step("zttest", arrives(MEMBER, plain), "encapsulated", leaves_6in4(plain))),
    ]


def variants():
    """Scenarios of their own: what the tunnel section can say."""
    inherit = "\tttl 0\n\ttos inherit\n\tpmtudisc no\n"
    unset = {"flags": 0}
    open_id = (14 + 4, 2)

    # RFC 6864 §4.3: what may be fragmented needs an ID of its own.
    def without_df(name, ip, **outer):
        return case(name, "zttest", [arrives(MEMBER, ip)] * 4, "encapsulated",
                    leaves_6in4(ip, **unset, **outer), any=open_id, ipv4_checksum=True)

    cases = [without_df(f"outer TTL is the inner hop limit, {hlim} when it leaves",
                        outbound(hlim=hlim + 1), ttl=hlim, tos=0) for hlim in (1, 63, 254)]
    cases += [without_df(f"outer TOS is the inner traffic class {tc:#04x}", outbound(tc=tc),
                         ttl=63, tos=tc) for tc in (0, 0x03, 0xB8, 0xB9, 0xFC, 0xFF)]
    fixed = "\tttl 64\n\ttos 187\n\tmtu 1280\n"
    with_tos = [encapsulated(f"outer DSCP is the configured one, the ECN bits {ECN_NAMES[inner]}"
                             " are the packet's", outbound(tc=0x28 | inner),
                             outer={"ttl": 64, "tos": 184 | inner}) for inner in range(4)]
    with_tos += [
        encapsulated("packet of 1280 bytes fits a tunnel of that MTU", outbound(size=1280),
                     outer={"ttl": 64, "tos": 184}),
        too_big("packet of 1281 bytes does not fit a tunnel of MTU 1280", 1281, 1280),
    ]
    return [
        scenario("tunnel: ttl 0, tos inherit, pmtudisc no", configuration(tunnel=inherit), cases),
        scenario("tunnel: ttl 64, tos 187, mtu 1280", configuration(tunnel=fixed), with_tos),
        two_tunnels(),
    ]


def two_tunnels():
    second = f"""tunnel he2-ipv6 {{
\tlocal {LOCAL}
\tremote {REMOTE2}
\taddress 2001:470:822d::80/64
\tgateway 2001:470:822d::1
\trouted 2001:470:822d::/48
\tdevice bpf
}}
"""
    zerotier = ZEROTIER.replace("2001:db8:49::/48", "2001:db8:49::/48 2001:470:822d::/48")
    member = MEMBER._replace(address="2001:470:822d::5")
    cases = [
        decapsulated("packet of the first tunnel is decapsulated"),
        decapsulated("packet of the second tunnel is decapsulated",
                     inbound(member, source=FAR_TUNNEL2), src=REMOTE2),
        encapsulated("packet routed to the first tunnel goes to its remote"),
        encapsulated("packet routed to the second tunnel goes to its remote",
                     outbound(member, destination=FAR_TUNNEL2), outer={"dst": REMOTE2}),
        from_broker("first tunnel never leads into the second", "drop_spoofed",
                    inbound(FAR_TUNNEL2)),
        from_broker("second tunnel never leads into the first", "drop_spoofed",
                    inbound(FAR_TUNNEL, source=FAR_TUNNEL2), src=REMOTE2),
        from_broker("prefix routed by the second tunnel is no source in the first",
                    "drop_spoofed", inbound(source=member.address)),
        from_broker("6in4 from neither remote is not ours", "pass_other", src="203.0.113.10"),
    ]
    return scenario("two tunnels", configuration(zerotier=zerotier, more=second), cases, last=True,
                    setup=["ip -6 route add 2001:470:822d::/48 dev zttest metric 5000",
                           "ip neighbour add 2001:470:822d::5 lladdr 32:00:00:00:00:05 dev zttest"
                           " nud permanent"],
                    cleanup=["ip -6 route del 2001:470:822d::/48 dev zttest"])


def scenarios():
    cases = (whose() + inner_source() + hairpin() + outer_header() + lengths() + ecn() + limits() +
             encapsulation())
    return [scenario("6in4", configuration(), cases)] + variants()
