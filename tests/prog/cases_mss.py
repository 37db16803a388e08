# SPDX-License-Identifier: GPL-2.0-or-later
"""TCP's MSS, lowered to what the path carries in segments that open a connection."""

from scapy.compat import raw
from scapy.layers.inet import TCP
from scapy.layers.inet6 import IPv6, IPv6ExtHdrDestOpt
from scapy.layers.l2 import Ether
from scapy.packet import Raw

from cases_mtu import teaches
from net import (FAR_NATIVE, FAR_TUNNEL, LAN2_HOST, LAN_HOST, MAC, MEMBER, ROUTER, Host, arrives,
                 arrives_6in4, behind_xdp, case, configuration, leaves, leaves_6in4, packet,
                 scenario, sequence, step)
from tcp import lowered, segment

FAR = Host(FAR_NATIVE, ROUTER.mac, "eth0")
TUNNEL_MSS = 1480 - 60
USUAL = [("MSS", 2740), ("SAckOK", b""), ("Timestamp", (7, 0)), ("NOP", None), ("WScale", 7)]


def raw_segment(source, destination, options, offset=None, flags=0x02, cut=None):
    """The same with options that are just bytes, and a data offset that need not fit."""
    offset = 5 + (len(options) + 3) // 4 if offset is None else offset
    tcp = TCP(sport=4096, dport=443, dataofs=offset, flags=flags)
    whole = raw(tcp)[:20] + options
    whole = whole[:cut]
    return IPv6(raw(IPv6(src=source, dst=destination, nh=6, plen=len(whole)) / Raw(whole)))


def outward(name, options, mss=TUNNEL_MSS, **more):
    """A member's segment leaves by the tunnel; mss None: as it was."""
    ip = segment(MEMBER.address, FAR_TUNNEL, options, **more)
    return case(name, "zttest", arrives(MEMBER, ip), "encapsulated",
                leaves_6in4(lowered(ip, mss) if mss is not None else ip))


def inward(name, options, mss=TUNNEL_MSS, **more):
    ip = segment(FAR_TUNNEL, MEMBER.address, options, **more)
    return case(name, "eth0", arrives_6in4(ip), "decapsulated",
                leaves(MEMBER, lowered(ip, mss) if mss is not None else ip))


def between(name, source, destination, options, mss=None):
    ip = segment(source.address, destination.address, options)
    return case(name, source.port, arrives(source, ip), "forwarded",
                leaves(destination, lowered(ip, mss) if mss is not None else ip))


def untouched(name, *segments):
    """Segments that leave as they are, both ways."""
    steps = []
    for ip in segments:
        back = ip.copy()
        back.src, back.dst = FAR_TUNNEL, MEMBER.address
        steps += [step("zttest", arrives(MEMBER, ip), "encapsulated", leaves_6in4(ip)),
                  step("eth0", arrives_6in4(back), "decapsulated", leaves(MEMBER, back))]
    return sequence(name, *steps)


def clamped():
    cases = []
    for way, where in ((outward, "into"), (inward, "out of")):
        cases += [way(f"MSS of {'SYN' if flags == 'S' else 'SYN-ACK'} is lowered {where} the tunnel",
                      USUAL, flags=flags) for flags in ("S", "SA")]
        cases += [way(f"MSS of SYN with flags {flags} is lowered {where} the tunnel", USUAL,
                      flags=flags) for flags in ("SEC", "SAE", "SP", "SF")]
        cases += [way(f"MSS {mss} is lowered {where} the tunnel", [("MSS", mss)])
                  for mss in (1421, 1440, 1460, 8940, 32768, 65535)]
        cases += [way(f"MSS {mss} is never raised {where} the tunnel", [("MSS", mss)], mss=None)
                  for mss in (1420, 1419, 536, 1, 0)]
        cases += [way(f"MSS behind {count} bytes of padding is lowered {where} the tunnel",
                      [("NOP", None)] * count + [("MSS", 1440)]) for count in range(1, 10)]
        cases += [
            way(f"MSS is lowered {where} the tunnel when it comes last",
                [*USUAL[1:], ("MSS", 1440)]),
            way(f"MSS is lowered {where} the tunnel with all options that fit",
                [("MSS", 1440), ("NOP", None)] + [(254, b"experiment")] * 2 + [(30, b"mptcp123")]),
            way(f"MSS is lowered {where} the tunnel when the SYN carries data", USUAL,
                payload=b"fast open" * 20),
            way(f"MSS is lowered {where} the tunnel when the SYN fills it", USUAL,
                payload=bytes(range(256)) * 5 + bytes(100)),
            way(f"SYN without options has nothing to be lowered {where} the tunnel", [], mss=None),
            way(f"SYN without MSS has nothing to be lowered {where} the tunnel", USUAL[1:],
                mss=None),
            way(f"MSS behind the end of the options is no option {where} the tunnel",
                [("EOL", None), ("MSS", 1440)], mss=None),
        ]
        cases += [way(f"MSS of a segment with flags {flags} is not looked at {where} the tunnel",
                      USUAL, flags=flags, mss=None) for flags in ("A", "FA", "R", "SR", "", "PA")]
    return cases + [
        between("MSS is lowered from overlay to a smaller uplink", MEMBER, FAR, USUAL, 1440),
        between("MSS is lowered from a larger lan to the overlay", LAN_HOST, MEMBER,
                [("MSS", 8940)], 2740),
        between("MSS is lowered from the overlay to a larger lan", MEMBER, LAN_HOST,
                [("MSS", 8940)], 2740),
        between("MSS is lowered from uplink to overlay", FAR, MEMBER, [("MSS", 8940)], 1440),
        between("MSS is not looked at between ports of one MTU", LAN_HOST, LAN2_HOST,
                [("MSS", 65535)]),
    ]


def checksums():
    """Every sum that the update can meet: both carries, and both zeroes."""
    ips = [segment(MEMBER.address, FAR_TUNNEL, [*([("NOP", None)] * odd), ("MSS", mss)], ack=ack)
           for odd in (0, 1) for mss in (1421, 1532, 5516, 65535) for ack in range(0, 65536, 3449)]
    steps = [step("zttest", arrives(MEMBER, ip), "encapsulated",
                  leaves_6in4(lowered(ip, TUNNEL_MSS))) for ip in ips]
    # The sum of the rest of the packet makes the checksum 0 before and 0xffff-complement after.
    for wanted in (0x0000, 0x0001, 0xFFFE):
        for odd in (0, 1):
            options = [("NOP", None)] * odd + [("MSS", 1440)]
            ip = segment(MEMBER.address, FAR_TUNNEL, options, window=0)
            window = (ip[TCP].chksum - wanted) % 65535
            ip = segment(MEMBER.address, FAR_TUNNEL, options, window=window)
            steps.append(step("zttest", arrives(MEMBER, ip), "encapsulated",
                              leaves_6in4(lowered(ip, TUNNEL_MSS))))
    return [sequence("checksum is exact, whatever it was", *steps)]


def malformed():
    """Options that contradict the header are left alone, as is everything else of the segment."""
    def bad(options, **more):
        return raw_segment(MEMBER.address, FAR_TUNNEL, options, **more)

    mss = b"\x02\x04\x05\xa0"
    return [
        untouched("option of length 0 is left alone", bad(b"\x08\x00\x02\x04\x05\xa0\x00\x00"),
                  bad(b"\x02\x00\x05\xa0"), bad(mss + b"\x08\x00\x00\x00")),
        untouched("option of length 1 is left alone", bad(b"\x08\x01\x02\x04\x05\xa0\x00\x00"),
                  bad(b"\x02\x01\x05\xa0"), bad(mss + b"\x08\x01\x00\x00")),
        untouched("MSS of a wrong length is left alone", bad(b"\x02\x03\x05\xa0"),
                  bad(b"\x02\x05\x05\xa0\x00\x00\x00\x00"), bad(b"\x02\x02\x05\xa0")),
        untouched("option that overruns the header is left alone", bad(b"\x02\x05\x05\xa0"),
                  bad(mss + b"\x08\x0a\x00\x00"), bad(mss + b"\x08\xff\x00\x00"),
                  bad(b"\x08\xff\x00\x00" + mss), bad(b"\x01\x01\x02\x04"),
                  bad(b"\x01\x02\x04\x05"), bad(b"\x01\x01\x01\x02"), bad(b"\x01\x01\x01\x08"),
                  bad(mss * 9 + b"\x01\x01\x01\x02")),
        untouched("two MSS options are left alone", bad(mss + mss),
                  bad(mss + b"\x01\x01\x01\x01" + mss)),
        untouched("data offset below 5 is left alone",
                  *(bad(mss, offset=offset) for offset in range(5))),
        untouched("data offset of 5 means no options", bad(mss, offset=5)),
        untouched("data offset behind the end of the packet is left alone",
                  *(bad(mss, offset=offset) for offset in range(7, 16))),
        untouched("TCP header truncated at any byte is left alone",
                  *(bad(mss, cut=cut) for cut in range(24))),
        untouched("40 bytes of options without MSS are left alone", bad(b"\x01" * 40),
                  bad(b"\x08\x0a" + bytes(8) + b"\x05\x1e" + bytes(28)), bad(b"\x08\x28" + mss * 9
                                                                             + b"\x02\x04")),
    ]


def elsewhere():
    """What is not TCP right behind the IPv6 header, and what lies behind the packet."""
    tcp = TCP(sport=4096, dport=443, flags="S", options=[("MSS", 1440)])
    header = IPv6(src=MEMBER.address, dst=FAR_TUNNEL)
    cut = raw_segment(MEMBER.address, FAR_TUNNEL, b"\x02\x04\x05\xa0", cut=20)
    tail = b"\x02\x04\x05\xa0"
    return [
        untouched("TCP behind another header is left alone",
                  IPv6(raw(header / IPv6ExtHdrDestOpt() / tcp))),
        untouched("UDP that looks like a SYN is left alone",
                  IPv6(raw(IPv6(src=MEMBER.address, dst=FAR_TUNNEL, nh=17) / Raw(raw(tcp))))),
        case("padding is no option", "zttest", arrives(MEMBER, cut) + tail, "encapsulated",
             leaves_6in4(cut)),
    ]


def learnt():
    ip = segment(MEMBER.address, FAR_TUNNEL, USUAL)
    back = segment(FAR_TUNNEL, MEMBER.address, USUAL, flags="SA")
    return [
        sequence("MSS follows the path MTU both ways", teaches(1400),
                 step("zttest", arrives(MEMBER, ip), "encapsulated",
                      leaves_6in4(lowered(ip, 1320))),
                 step("eth0", arrives_6in4(back), "decapsulated",
                      leaves(MEMBER, lowered(back, 1320))), once=True),
        sequence("MSS never falls below 1220", teaches(576),
                 step("eth0", arrives_6in4(back), "decapsulated",
                      leaves(MEMBER, lowered(back, 1220))), once=True),
    ]


def behind():
    """The TC program that takes what XDP passed up."""
    def handed_on(ip, changed):
        out = Ether(src=ROUTER.mac, dst=MAC["eth0"], type=0x0800) / Raw(raw(changed))
        return arrives_6in4(ip), "decapsulated", raw(out)

    cases = []
    for odd in (0, 1):
        ip = segment(FAR_TUNNEL, MEMBER.address, [("NOP", None)] * odd + USUAL, flags="SA")
        cases.append(behind_xdp(f"MSS at an {('even', 'odd')[odd]} offset is lowered behind XDP, too",
                                *handed_on(ip, lowered(ip, TUNNEL_MSS))))
    ip = segment(FAR_TUNNEL, MEMBER.address, [("MSS", 1220)])
    cases.append(behind_xdp("small MSS stays behind XDP, too", *handed_on(ip, ip)))
    ip = raw_segment(FAR_TUNNEL, MEMBER.address, b"\x02\x04\x05\xa0\x08\x00\x00\x00")
    cases.append(behind_xdp("bad options stay behind XDP, too", *handed_on(ip, ip)))
    return cases


def scenarios():
    kernel = configuration(firewall="firewall {\n\tpolicy kernel\n}\n")
    syn = segment(MEMBER.address, FAR_TUNNEL, USUAL)
    return [
        scenario("MSS", configuration(), clamped() + checksums() + malformed() + elsewhere() +
                 learnt() + behind()),
        scenario("MSS under policy kernel", kernel, [
            case("SYN goes to the kernel as it is", "zttest", arrives(MEMBER, syn), "pass_policy"),
            case("UDP does, too", "zttest", arrives(MEMBER, packet(MEMBER.address, FAR_TUNNEL)),
                 "pass_policy"),
        ]),
    ]
