# SPDX-License-Identifier: GPL-2.0-or-later
"""Other tunnels on the machine are not disturbed: their packets reach the kernel as they came, and
leave as it sends them. And errors of the IPv4 network about ours reach whom they concern."""

import socket
import struct

import pytest
from scapy.layers.inet import ICMP, IP, UDP, fragment
from scapy.layers.inet6 import ICMPv6DestUnreach, IPv6, IPv6ExtHdrHopByHop
from scapy.layers.l2 import Ether
from scapy.packet import Raw

from conftest import running
from frames import Path, is_udp, udp
from lab import BROKER_V4, GATEWAY_V4, INET, M1
from probes import needs, needs_sit
from traffic import ping, transfer

STRANGER_V4 = "198.51.100.7"
ESP, GRE = 50, 47
WIREGUARD_PORT = 51820


@pytest.fixture
def path(lab):
    assert ping(lab.inet, M1.routed, source=INET, count=2) == 2
    return Path(lab)


def payload(size=200):
    return Raw(bytes(range(256)) * 6)[Raw].load[:size]


def packets(protocol, source):
    """What a tunnel of that kind sends to the gateway, with a header that it may have."""
    outer = {"src": source, "dst": GATEWAY_V4, "ttl": 60, "flags": "DF", "tos": 0xb8}
    if protocol == "udp":
        return [IP(**outer) / UDP(sport=WIREGUARD_PORT, dport=WIREGUARD_PORT) / Raw(
            b"\4\0\0\0" + payload())]
    if protocol == "6in4":
        return [IP(**outer, proto=41) / udp(INET, M1.routed)]
    # An ESP packet that looks like 6in4 behind its header is none.
    inner = bytes(udp(INET, M1.routed))
    return [IP(**outer, proto=protocol) / Raw(struct.pack("!II", 0x1234, 1) + inner),
            IP(**outer, proto=protocol) / Raw(inner)]


@pytest.mark.parametrize("protocol, source", [
    (ESP, BROKER_V4), (ESP, STRANGER_V4), (GRE, BROKER_V4), (4, BROKER_V4), ("6in4", STRANGER_V4)])
def test_packets_of_other_tunnels_reach_the_kernel_untouched(lab, path, counted, protocol, source):
    number = 41 if protocol == "6in4" else protocol
    with lab.gw.socket(socket.AF_INET, socket.SOCK_RAW, number) as kernel, \
            path.outside() as outside, path.inside() as inside:
        kernel.settimeout(2)
        for packet in packets(protocol, source):
            outside.send(path.inward(packet))
            assert kernel.recv(65536) == bytes(packet)
        assert not inside.wait(lambda frame: is_udp(Ether(frame)), 0.2)
    assert counted()["eth0"]["pass_other"] >= len(packets(protocol, source))


@pytest.mark.parametrize("source", [BROKER_V4, STRANGER_V4])
@pytest.mark.parametrize("pieces", [1, 3])
def test_udp_as_of_wireguard_reaches_its_socket(lab, path, counted, source, pieces):
    packet = packets("udp", source)[0]
    if pieces > 1:
        packet[IP].flags = 0
    with lab.gw.socket(socket.AF_INET, socket.SOCK_DGRAM) as kernel, path.outside() as outside:
        kernel.bind((GATEWAY_V4, WIREGUARD_PORT))
        kernel.settimeout(2)
        for piece in [packet] if pieces == 1 else fragment(packet, 80):
            outside.send(path.inward(piece))
        assert kernel.recv(65536) == b"\4\0\0\0" + payload()
    assert counted()["eth0"]["pass_other"] >= pieces


@pytest.mark.parametrize("protocol", [ESP, GRE, 4])
def test_what_the_kernel_sends_for_other_tunnels_leaves_as_it_is(lab, path, protocol):
    packet = IP(src=GATEWAY_V4, dst=BROKER_V4, proto=protocol, ttl=64, id=77, flags="DF") / Raw(
        payload())
    with lab.gw.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW) as kernel, \
            path.outside() as outside:
        kernel.sendto(bytes(packet), (BROKER_V4, 0))
        assert outside.wait(lambda frame: frame[23] == protocol) == path.to_router(packet)


def cabled(lab, kind, far="192.0.2.1"):
    """A tunnel device of that kind between the gateway and the router, each end with an address."""
    for namespace, local, remote, address in ((lab.gw, GATEWAY_V4, far, "2001:db8:79::2/64"),
                                              (lab.router, far, GATEWAY_V4, "2001:db8:79::1/64")):
        namespace.ip(f"""
            link add other type {kind} local {local} {"" if "6rd" in kind else f"remote {remote}"}
            link set other up
            addr add {address} dev other nodad""")


@pytest.mark.parametrize("kind", [
    pytest.param("gre", marks=needs("GRE", "ip link add probe type gre local 192.0.2.1 remote "
                                    "192.0.2.2")),
    pytest.param("sit", marks=needs_sit())])
def test_a_tunnel_device_beside_ours_works_as_before(lab, path, kind):
    cabled(lab, kind)
    try:
        assert ping(lab.gw, "2001:db8:79::1") == 3 and ping(lab.router, "2001:db8:79::2") == 3
        assert transfer(lab.router, "2001:db8:79::1", lab.gw, "2001:db8:79::2", 1).intact
        assert ping(lab.inet, M1.routed, source=INET) == 3
    finally:
        lab.gw.ip("link del other")
        lab.router.ip("link del other")


@needs_sit()
def test_6rd_beside_ours_works_as_before(lab, path):
    """RFC 5969: one device for all remote ends, which the inner address names: 192.0.2.x is
    2001:db8:c000:2xx::/64 with the prefix 2001:db8::/32."""
    try:
        for namespace, local in ((lab.gw, GATEWAY_V4), (lab.router, "192.0.2.1")):
            address = "2001:db8:" + ":".join(
                socket.inet_aton(local)[i:i + 2].hex() for i in (0, 2)) + "::1"
            namespace.ip(f"""
                tunnel add 6rd mode sit local {local} ttl 64
                tunnel 6rd dev 6rd 6rd-prefix 2001:db8::/32
                link set 6rd up
                addr add {address}/32 dev 6rd nodad""")
        assert ping(lab.gw, "2001:db8:c000:201::1") == 3
        assert ping(lab.router, "2001:db8:c000:250::1") == 3
        assert ping(lab.inet, M1.routed, source=INET) == 3
    finally:
        for namespace in (lab.gw, lab.router):
            namespace.ip("link del 6rd")


# ICMPv4 errors about our own outer packets


@pytest.fixture(name="sit", scope="module")
def sit_lab():
    yield from running({"onlink": False, "sixinfour": "device sit"}, agent=False)


def is_address_unreachable(frame):
    return ICMPv6DestUnreach in Ether(frame) and Ether(frame)[ICMPv6DestUnreach].code == 3


def with_hop_by_hop(packet):
    """So that the kernel sends it, not XDP."""
    return IPv6(src=packet.src, dst=packet.dst) / IPv6ExtHdrHopByHop() / packet.payload


@needs_sit()
@pytest.mark.parametrize("kind, code", [(3, 1), (3, 0), (11, 0)],
                         ids=["host unreachable", "net unreachable", "time exceeded"])
def test_an_error_about_what_xdp_sent_reaches_the_member_by_way_of_sit(sit, kind, code):
    """Whoever on the way has to drop our outer packet says so to the gateway, and quotes 8 bytes of
    it besides the header (RFC 792). sit counts that as its own, and tells the senders of what
    comes through it next (net/ipv6/sit.c: err_count); not so with somebody else's packet."""
    assert ping(sit.inet, M1.routed, source=INET, count=2) == 2
    path = Path(sit)
    sent = Ether(path.send_outward(udp(M1.routed, INET)))[IP]
    stranger = sent.copy()
    stranger.dst = STRANGER_V4
    for quoted, answered in ((stranger, False), (sent, True)):
        error = IP(src="192.0.2.1", dst=GATEWAY_V4) / ICMP(type=kind, code=code) / Raw(
            bytes(quoted)[:28])
        with path.outside() as outside, path.inside() as inside:
            outside.send(path.inward(error))
            inside.send(path.outward(with_hop_by_hop(udp(M1.routed, INET))))
            assert outside.wait(lambda frame: is_udp(Ether(frame)))
            got = inside.wait(is_address_unreachable, 0.5)
        assert bool(got) == answered
    assert Ether(got)[IPv6].dst == M1.routed
