# SPDX-License-Identifier: GPL-2.0-or-later
"""Forwarding between Ethernet ports, the guard (BCP 38), and what is never forwarded."""

from scapy.compat import raw
from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.inet6 import (ICMPv6EchoRequest, IPv6, IPv6ExtHdrDestOpt, IPv6ExtHdrFragment,
                                IPv6ExtHdrHopByHop, IPv6ExtHdrRouting)
from scapy.layers.l2 import ARP, Dot1AD, Dot1Q, Ether
from scapy.packet import Raw

from net import (BEHIND_MEMBER, BIG_MEMBER, FAR_NATIVE, FAR_TUNNEL, LAN2_HOST, LAN_HOST,
                 LINK_LOCAL, MAC, MEMBER, NEIGHBOUR, ON_LINK_LAN_HOST, ON_LINK_MEMBER,
                 ON_LINK_ROUTER, POOL_MEMBER, ROUTER, STALE, STALE_MEMBER, TUNNEL_ADDRESS,
                 TUNNEL_GATEWAY, Host, arrives, arrives_6in4, case, change, configuration, leaves,
                 packet, scenario, sequence, step, told_too_big)

# Somebody on the native Internet, whose packets ROUTER hands over and takes.
FAR = Host(FAR_NATIVE, ROUTER.mac, "eth0")
MTU = {"eth0": 1500, "zttest": 2800, "eth2": 9000}
FAR_MEMBER = Host("2001:db8:48:b7::1", "32:00:00:00:00:05", "zttest")  # behind ON_LINK_MEMBER


def forwarded(name, source, destination, ip=None, tail=b"", ether=None, **more):
    """The packet in `ip` arrives from one host and goes on to the other."""
    ip = ip or packet(source.address, destination.address)
    return case(name, source.port, arrives(source, ip, **(ether or {})) + tail, "forwarded",
                leaves(destination, ip), **more)


def stays(name, verdict, source, destination, ether=None, **fields):
    """A packet from a host to an address stays as it is."""
    address = getattr(destination, "address", destination)
    return case(name, source.port,
                arrives(source, packet(source.address, address, **fields), **(ether or {})),
                verdict)


def too_big(name, source, destination, size, mtu):
    """A packet from a host is larger than its path: the host is told."""
    ip = packet(source.address, destination, size)
    return case(name, source.port, arrives(source, ip), "too_big_answered",
                told_too_big(source, ip, mtu))


def between_ports():
    pairs = (
        ("Internet to overlay", FAR, MEMBER), ("Internet to pool address", FAR, POOL_MEMBER),
        ("Internet to on-link member", FAR, ON_LINK_MEMBER), ("Internet to lan", FAR, LAN_HOST),
        ("Internet to a prefix behind a member", FAR, BEHIND_MEMBER),
        ("upstream router to overlay", ROUTER, MEMBER),
        ("on-link router, its address in the members' /48, to overlay", ON_LINK_ROUTER,
         ON_LINK_MEMBER),
        ("on-link neighbour to overlay", NEIGHBOUR, MEMBER),
        ("overlay to Internet", MEMBER, FAR), ("on-link member to Internet", ON_LINK_MEMBER, FAR),
        ("overlay to on-link neighbour", MEMBER, NEIGHBOUR),
        ("overlay to upstream router", MEMBER, ROUTER), ("overlay to lan", MEMBER, LAN_HOST),
        ("overlay to another overlay", MEMBER, BIG_MEMBER),
        ("prefix behind a member to Internet", BEHIND_MEMBER, FAR),
        ("lan to Internet", LAN_HOST, FAR), ("lan to on-link neighbour", LAN_HOST, NEIGHBOUR),
        ("lan to overlay", LAN_HOST, MEMBER), ("lan to another lan", LAN_HOST, LAN2_HOST),
        ("lan's second prefix to overlay", ON_LINK_LAN_HOST, ON_LINK_MEMBER),
        ("lan to a prefix behind a member", LAN2_HOST, BEHIND_MEMBER),
    )
    return [forwarded(f"{name}: forwarded", source, to) for name, source, to in pairs]


def back_where_it_came_from():
    return [
        stays("uplink to uplink is not ours", "pass_other", FAR, NEIGHBOUR),
        stays("overlay to the same overlay is not ours", "pass_other", MEMBER, POOL_MEMBER),
        stays("lan to the same lan is not ours", "pass_other", LAN_HOST, ON_LINK_LAN_HOST),
    ]


def payloads():
    """Whatever is behind the IPv6 header goes on untouched."""
    header = IPv6(src=LAN_HOST.address, dst=MEMBER.address, hlim=33, tc=0xFF, fl=0xFFFFF)
    contents = (
        ("TCP SYN", TCP(dport=80, flags="S", options=[("MSS", 1220)])),
        ("TCP FIN", TCP(dport=80, flags="FA")), ("echo request", ICMPv6EchoRequest(data=b"x" * 9)),
        ("destination options", IPv6ExtHdrDestOpt() / UDP()),
        ("routing header", IPv6ExtHdrRouting(addresses=["2001:db8::1"]) / UDP()),
        ("first fragment", IPv6ExtHdrFragment(m=1, id=9) / UDP() / Raw(b"y" * 8)),
        ("last fragment", IPv6ExtHdrFragment(offset=4, id=9, nh=17) / Raw(b"z" * 8)),
        ("IPv4 in IPv6", IP(src="10.0.0.1") / UDP()),
        ("unknown protocol 253", Raw(b"\x01\x02\x03")),
    )
    cases = []
    for name, content in contents:
        ip = header / content
        if "253" in name:
            ip[IPv6].nh = 253
        cases.append(forwarded(f"{name} is forwarded untouched", LAN_HOST, MEMBER, IPv6(raw(ip))))
    bare = IPv6(src=LAN_HOST.address, dst=MEMBER.address, nh=59, plen=0)
    cases += [
        forwarded("packet without payload is forwarded", LAN_HOST, MEMBER, bare),
        forwarded("packet without payload, padded to 60 bytes, is forwarded without padding",
                  LAN_HOST, MEMBER, bare, tail=b"\0" * 6),
        forwarded("packet with much padding is forwarded without it", LAN_HOST, MEMBER,
                  tail=b"\xee" * 300),
    ]
    plain = packet(LAN_HOST.address, MEMBER.address)
    tag = raw(Ether(src=LAN_HOST.mac, dst=MAC["eth1"]) / Dot1Q(vlan=0, type=0x86DD) /
              Raw(raw(plain)))
    cases.append(case("packet with a tag of VID 0 is forwarded without tag", "eth1", tag,
                      "forwarded", leaves(MEMBER, plain)))
    hop_by_hop = header / IPv6ExtHdrHopByHop() / UDP()
    cases.append(case("packet with a hop-by-hop header is the kernel's", "eth1",
                      arrives(LAN_HOST, hop_by_hop), "pass_extension_header"))
    jumbogram = IPv6(src=LAN_HOST.address, dst=MEMBER.address, nh=0, plen=0)
    cases.append(case("jumbogram (RFC 2675) is the kernel's", "eth1",
                      arrives(LAN_HOST, jumbogram) + b"\x11\0\xc2\x04\0\x01\0\0" + bytes(64),
                      "pass_extension_header"))
    return cases


def sizes():
    """Frames of 64 to 2814 bytes and jumbo frames, against the MTU of the port they leave by."""
    cases = []
    for frame in (62, 64, 65, 127, 128, 129, 512, 1294, 1514):
        cases.append(forwarded(f"frame of {frame} bytes goes from overlay to uplink", MEMBER, FAR,
                               packet(MEMBER.address, FAR.address, frame - 14)))
    for frame in (64, 1514, 1515, 2048, 2813, 2814):
        cases.append(forwarded(f"frame of {frame} bytes goes from lan to overlay", LAN_HOST, MEMBER,
                               packet(LAN_HOST.address, MEMBER.address, frame - 14)))
        cases.append(forwarded(f"frame of {frame} bytes goes from overlay to lan", MEMBER, LAN_HOST,
                               packet(MEMBER.address, LAN_HOST.address, frame - 14)))
    for frame in (3014, 4096, 9013, 9014):
        cases.append(forwarded(f"frame of {frame} bytes goes from lan to lan", LAN_HOST, LAN2_HOST,
                               packet(LAN_HOST.address, LAN2_HOST.address, frame - 14)))
    limits = ((MEMBER, FAR, 1501, "uplink"), (MEMBER, FAR, 2800, "uplink"),
              (LAN_HOST, FAR, 1501, "uplink"), (LAN_HOST, MEMBER, 2801, "overlay"),
              (LAN_HOST, MEMBER, 9000, "overlay"), (FAR, MEMBER, 2801, "overlay"),
              (LAN_HOST, LAN2_HOST, 9001, "lan"))
    for source, to, size, port in limits:
        cases.append(too_big(f"packet of {size} bytes from {source.port} is too big for the {port}",
                             source, to.address, size, min(size - 1, MTU[to.port])))
    return cases + [
        forwarded("packet as large as the route's own MTU is forwarded", FAR, MEMBER._replace(
            address="2001:470:811d:40::5"), packet(FAR.address, "2001:470:811d:40::5", 1300)),
        too_big("packet larger than the route's own MTU is too big", FAR, "2001:470:811d:40::5",
                1301, 1300),
        forwarded("frame of 3014 bytes fits an overlay of that MTU", LAN_HOST, BIG_MEMBER,
                  packet(LAN_HOST.address, BIG_MEMBER.address, 3000)),
        # The TAP would lose it silently.
        stays("frame in fragments is the kernel's where it would go to a TAP", "pass_too_big",
              LAN_HOST, BIG_MEMBER, size=8000),
        case("padding is trimmed from a frame in fragments", "eth1",
             arrives(LAN_HOST, packet(LAN_HOST.address, LAN2_HOST.address, 5000)) + b"\xee" * 900,
             "forwarded", leaves(LAN2_HOST, packet(LAN_HOST.address, LAN2_HOST.address, 5000))),
    ]


def hop_limit():
    cases = []
    for hlim in (2, 64, 255):
        cases.append(forwarded(f"hop limit {hlim} is decremented", FAR, MEMBER,
                               packet(FAR.address, MEMBER.address, hlim=hlim)))
    for hlim in (1, 0):
        for source, to in ((FAR, MEMBER), (MEMBER, FAR), (LAN_HOST, LAN2_HOST)):
            cases.append(stays(f"hop limit {hlim} from {source.port} goes to the kernel",
                               "pass_hop_limit", source, to, hlim=hlim))
        cases.append(stays(f"hop limit {hlim} does not matter to an own address", "pass_local",
                           FAR, TUNNEL_ADDRESS, hlim=hlim))
    return cases


def routes():
    """What the FIB says."""
    cases = []
    for source in (FAR, LAN_HOST):
        cases += [
            stays(f"{source.port}: no neighbour goes to the kernel", "pass_unresolved", source,
                  "2001:470:811d::dead"),
            stays(f"{source.port}: no neighbour for the next hop goes to the kernel",
                  "pass_unresolved", source, "2001:db8:48:c0::1"),
            stays(f"{source.port}: unreachable route goes to the kernel", "pass_no_route", source,
                  "2001:470:811d:a1::1"),
            stays(f"{source.port}: blackhole route drops", "drop_blackhole", source,
                  "2001:470:811d:a2::1"),
            stays(f"{source.port}: prohibit route goes to the kernel", "pass_no_route", source,
                  "2001:470:811d:a3::1"),
        ]
    stale = packet(FAR.address, STALE_MEMBER.address)
    dead = "ip neighbour replace 2001:470:811d::fa11 dev zttest nud failed"
    return cases + [
        sequence("neighbour that is STALE is sent to", change(STALE),
                 step("eth0", arrives(FAR, stale), "forwarded", leaves(STALE_MEMBER, stale))),
        sequence("neighbour that has FAILED goes to the kernel", change(dead),
                 step("eth0", arrives(FAR, packet(FAR.address, "2001:470:811d::fa11")),
                      "pass_unresolved"),
                 cleanup=["ip neighbour del 2001:470:811d::fa11 dev zttest || true"]),
        sequence("no route at all goes to the kernel", change("ip -6 route del default"),
                 step("zttest", arrives(MEMBER, packet(MEMBER.address, "2001:db8:dddd::1")),
                      "pass_no_route"), once=True,
                 cleanup=["ip -6 route replace default via 2001:470:811d::1 dev he-ipv6"]),
        case("unresolved destination from the tunnel stays in its outer header", "eth0",
             arrives_6in4(packet(FAR_TUNNEL, "2001:470:811d::dead")), "pass_unresolved"),
        case("blackhole route drops what comes from the tunnel", "eth0",
             arrives_6in4(packet(FAR_TUNNEL, "2001:470:811d:a2::1")), "drop_blackhole"),
        case("unreachable route keeps what comes from the tunnel in its outer header", "eth0",
             arrives_6in4(packet(FAR_TUNNEL, "2001:470:811d:a1::1")), "pass_no_route"),
    ]


def own_addresses():
    own = (TUNNEL_ADDRESS, "2001:470:811d:10::1", "2001:db8:48::1", "2001:db8:ffff:1::10",
           "2001:db8:48:ff::2")
    cases = [stays(f"{source.port}: own address {address} is the kernel's", "pass_local", source,
                   address) for source in (FAR, MEMBER, LAN_HOST) for address in own]
    fd = "fd15:9924:d630:8e1d:7e99:9300"
    return cases + [
        stays("member's RFC 4193 address reaches the gateway's", "pass_local",
              MEMBER._replace(address=f"{fd}::2"), f"{fd}::1"),
        stays("member's RFC 4193 address reaches the gateway's public one", "pass_local",
              MEMBER._replace(address=f"{fd}::2"), TUNNEL_ADDRESS),
        stays("lan host's link-local address reaches the gateway's", "pass_local",
              LAN_HOST._replace(address="fe80::10:5"), LINK_LOCAL["eth1"]),
    ]


def never_forwarded():
    ip = packet(FAR.address, MEMBER.address)
    cases = []
    for source in (FAR, MEMBER, LAN_HOST):
        port = source.port
        for to in ("fe80::1", "fe80::32", "febf:ffff::1"):
            cases.append(stays(f"{port}: link-local {to} is not forwarded",
                               "pass_local", source, to))
        for to in ("ff02::1", "ff02::1:ff00:5", "ff05::2", "ff0e::1"):
            cases.append(stays(f"{port}: multicast {to} is not forwarded",
                               "pass_local", source, to,
                               ether={"dst": "33:33:00:00:00:01"}))
            cases.append(stays(f"{port}: multicast {to} in a unicast frame is not forwarded",
                               "pass_local", source, to))
        cases += [
            stays(f"{port}: link-local source is not forwarded",
                  "pass_no_route" if source == FAR else "drop_spoofed",
                  source._replace(address="fe80::9"), FAR if source != FAR else MEMBER),
            stays(f"{port}: frame for another MAC is not forwarded", "pass_other", source,
                  FAR if source != FAR else MEMBER, ether={"dst": "02:00:00:00:99:99"}),
            stays(f"{port}: broadcast frame is not forwarded", "pass_other", source,
                  FAR if source != FAR else MEMBER, ether={"dst": "ff:ff:ff:ff:ff:ff"}),
            stays(f"{port}: multicast frame with a unicast packet is not forwarded", "pass_other",
                  source, FAR if source != FAR else MEMBER, ether={"dst": "33:33:00:00:00:05"}),
            stays(f"{port}: frame for an own address and another MAC is not ours", "pass_other",
                  source, TUNNEL_ADDRESS, ether={"dst": "02:00:00:00:99:99"}),
        ]
        for to in ("::", "::1", "::2", "::ffff:192.0.2.1"):
            cases.append(stays(f"{port}: destination {to} is not forwarded",
                               "pass_local", source, to))
    # One bit off in each byte of the MAC.
    for byte in range(6):
        mac = bytearray.fromhex(MAC["eth0"].replace(":", ""))
        mac[byte] ^= 0x80
        text = ":".join(f"{part:02x}" for part in mac)
        cases.append(case(f"frame for {text} instead of {MAC['eth0']} is not ours", "eth0",
                          arrives(FAR, ip, dst=text), "pass_other"))
    return cases


def not_ipv6():
    ether = Ether(src=ROUTER.mac, dst=MAC["eth0"])
    ip = raw(packet(FAR.address, MEMBER.address))
    frames = (
        ("ARP", ether / ARP(pdst="192.0.2.10")),
        ("broadcast ARP", Ether(src=ROUTER.mac, dst="ff:ff:ff:ff:ff:ff") / ARP()),
        ("IPv4", ether / IP(src="192.0.2.1", dst="192.0.2.10") / UDP() / Raw(b"a" * 40)),
        ("IPv4 with a bad checksum, not 6in4",
         ether / IP(src="192.0.2.1", dst="192.0.2.10", chksum=1) / UDP() / Raw(b"a" * 40)),
        ("LLDP", Ether(src=ROUTER.mac, dst="01:80:c2:00:00:0e", type=0x88CC) / Raw(b"a" * 46)),
        ("802.3 frame with a length", Ether(src=ROUTER.mac, dst=MAC["eth0"], type=60) /
         Raw(b"a" * 60)),
        ("MPLS", Ether(src=ROUTER.mac, dst=MAC["eth0"], type=0x8847) / Raw(b"a" * 60)),
        ("PPPoE", Ether(src=ROUTER.mac, dst=MAC["eth0"], type=0x8864) / Raw(b"a" * 60)),
        ("IPv6 with a VLAN tag that is not configured", ether / Dot1Q(vlan=5) / Raw(ip)),
        ("IPv6 with an 802.1ad tag", ether / Dot1AD(vlan=0, type=0x86DD) / Raw(ip)),
        ("IPv6 with VID 0 within VID 5", ether / Dot1Q(vlan=5) / Dot1Q(vlan=0, type=0x86DD) /
         Raw(ip)),
        ("IPv6 with VID 5 within VID 0", ether / Dot1Q(vlan=0) / Dot1Q(vlan=5, type=0x86DD) /
         Raw(ip)),
        ("frame of 14 bytes of an unknown type",
         Ether(src=ROUTER.mac, dst=MAC["eth0"], type=0x1234)),
    )
    return [case(f"{name} is not ours", "eth0", raw(frame), "pass_other") for name, frame in frames]


def malformed():
    ip = packet(LAN_HOST.address, MEMBER.address, size=120)
    whole = arrives(LAN_HOST, ip)

    def changed(offset, value):
        return whole[:offset] + value + whole[offset + len(value):]

    cases = [case(f"IPv6 header of version {version} is dropped", "eth1",
                  changed(14, bytes([version << 4])), "drop_malformed")
             for version in (0, 4, 5, 7, 15)]
    cases += [case(f"payload length {length} of 80 bytes is dropped", "eth1",
                   changed(18, length.to_bytes(2, "big")), "drop_malformed")
              for length in (81, 82, 1500, 65535)]
    cut = [whole[:end] for end in range(14, len(whole))]
    tag = raw(Ether(src=LAN_HOST.mac, dst=MAC["eth1"]) / Dot1Q(vlan=0, type=0x86DD) / Raw(raw(ip)))
    return cases + [
        case("packet truncated at any byte is dropped", "eth1", cut, "drop_malformed"),
        case("packet behind a tag of VID 0 truncated at any byte is dropped", "eth1",
             [tag[:end] for end in range(18, len(tag))], "drop_malformed"),
        case("frame truncated within its tag goes nowhere", "eth1",
             [tag[:end] for end in range(14, 18)], "pass_other"),
    ]


def guard():
    """BCP 38, by role; longest match."""
    spoofed = []
    tries = (
        (MEMBER, FAR, "overlay", (FAR_NATIVE, LAN_HOST.address, LAN2_HOST.address,
                                  BIG_MEMBER.address, TUNNEL_ADDRESS, "2001:db8:48::1",
                                  "2001:470:811d:10::1", "2001:db8:48:20::5",
                                  ROUTER.address, "2001:470:811c:ffff::1", "2001:470:811e::1",
                                  TUNNEL_GATEWAY)),
        (LAN_HOST, FAR, "lan", (FAR_NATIVE, MEMBER.address, LAN2_HOST.address, BIG_MEMBER.address,
                                ON_LINK_MEMBER.address, "2001:470:811d:10::1",
                                "2001:470:811d:11::", "2001:470:811d:f:ffff:ffff:ffff:ffff")),
        (FAR, MEMBER, "uplink", (MEMBER.address, POOL_MEMBER.address, LAN_HOST.address,
                                 ON_LINK_MEMBER.address, "2001:db8:49::1", TUNNEL_ADDRESS,
                                 "2001:db8:ffff:1::10", TUNNEL_GATEWAY, "2001:470:811d::",
                                 "2001:470:811d:ffff:ffff:ffff:ffff:ffff")),
    )
    for host, to, port, sources in tries:
        spoofed += [stays(f"source {source} from the {port} is spoofed", "drop_spoofed",
                          host._replace(address=source), to) for source in sources]
    martian = ("ff02::1", "ff0e::1", "::1", "::2", "::ffff:ffff", "::ffff:192.0.2.1")
    for host, to in ((FAR, MEMBER), (MEMBER, FAR), (LAN_HOST, FAR)):
        spoofed += [stays(f"{host.port}: martian source {source} is spoofed", "drop_spoofed",
                          host._replace(address=source), to) for source in martian]
        spoofed.append(stays(f"{host.port}: source :: is not forwarded",
                             "drop_spoofed", host._replace(address="::"), to))
    spoofed += [
        stays("spoofed source to another member is not forwarded", "drop_spoofed",
              MEMBER._replace(address=FAR_NATIVE), POOL_MEMBER),
        stays("source that is no member's does not enter the tunnel", "drop_spoofed",
              MEMBER._replace(address=FAR_NATIVE), FAR_TUNNEL),
    ]
    return spoofed + [
        forwarded("first address of a lan's prefix is no spoof", LAN_HOST._replace(
            address="2001:470:811d:10::"), FAR),
        forwarded("last address of a lan's prefix is no spoof", LAN_HOST._replace(
            address="2001:470:811d:10:ffff:ffff:ffff:ffff"), FAR),
        forwarded("last address of the overlay's prefix is no spoof", MEMBER._replace(
            address="2001:470:811d:ffff:ffff:ffff:ffff:ffff"), FAR),
    ]


def policy_kernel():
    """`policy kernel`: first packets take the kernel's path, whatever XDP could do with them."""
    from nd import advertisement, asked, solicitation

    member = packet(FAR_TUNNEL, MEMBER.address)
    return [
        stays("uplink to overlay is left to the kernel's policy", "pass_policy", FAR, MEMBER),
        stays("overlay to uplink is left to the kernel's policy", "pass_policy", MEMBER, FAR),
        stays("overlay to tunnel is left to the kernel's policy", "pass_policy", MEMBER,
              FAR_TUNNEL),
        stays("lan to overlay is left to the kernel's policy", "pass_policy", LAN_HOST, MEMBER),
        stays("lan to lan is left to the kernel's policy", "pass_policy", LAN_HOST, LAN2_HOST),
        case("6in4 is left to the kernel's policy, its outer header on", "eth0",
             arrives_6in4(member), "pass_policy"),
        case("6in4 with padding is left to the kernel's policy, its padding on", "eth0",
             arrives_6in4(member) + b"\0" * 9, "pass_policy"),
        case("6in4 whose ECN bits would change is left to the kernel's policy unchanged", "eth0",
             arrives_6in4(packet(FAR_TUNNEL, MEMBER.address, tc=2), tos=3), "pass_policy"),
        stays("own address is the kernel's under any policy", "pass_local", FAR, TUNNEL_ADDRESS),
        stays("hop limit is checked before policy", "pass_hop_limit", FAR, MEMBER, hlim=1),
        too_big("MTU is checked before policy", MEMBER, FAR.address, 1501, 1500),
        too_big("tunnel's MTU is checked before policy", MEMBER, FAR_TUNNEL, 1481, 1480),
        stays("neighbour is looked for before policy", "pass_unresolved", FAR,
              "2001:470:811d::dead"),
        stays("blackhole is a blackhole under any policy", "drop_blackhole", FAR,
              "2001:470:811d:a2::1"),
        stays("guard holds under any policy", "drop_spoofed", MEMBER._replace(address=FAR_NATIVE),
              FAR),
        case("inner sources are checked under any policy", "eth0",
             arrives_6in4(packet("::1", MEMBER.address)), "drop_inner_source"),
        stays("truncated packet is dropped under any policy", "drop_malformed", FAR, MEMBER,
              plen=1000),
        case("NS is answered under any policy", "eth0", solicitation(), "ndp_answered",
             advertisement()),
        case("NS for an unknown target goes to the agent under any policy", "eth0",
             solicitation(target="2001:db8:48::dead"), "ndp_deferred",
             events=[asked("2001:db8:48::dead")]),
    ]


def scenarios():
    cases = (between_ports() + back_where_it_came_from() + payloads() + sizes() + hop_limit() +
             routes() + own_addresses() + never_forwarded() + not_ipv6() + malformed() + guard())
    kernel = "firewall {\n\tpolicy kernel\n}\n"
    return [
        scenario("forwarding", configuration(), cases),
        scenario("policy kernel", configuration(firewall=kernel), policy_kernel()),
        scenario("policy kernel by default", configuration(firewall=""), policy_kernel()[:1]),
    ]
