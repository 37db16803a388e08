# SPDX-License-Identifier: GPL-2.0-or-later
"""6in4 where the kernel has `sit` (design §4.4): XDP takes what it fully understands, all else goes
through the kernel's device and comes out right. test_differential compares the two at large."""

import time

import pytest
from scapy.layers.inet import IP, IPOption_NOP, IPOption_Router_Alert, fragment
from scapy.layers.inet6 import (ICMPv6EchoRequest, ICMPv6PacketTooBig, ICMPv6TimeExceeded, IPv6,
                                IPv6ExtHdrHopByHop, PadN)
from scapy.layers.l2 import Ether

from conftest import running
from frames import Path, is_udp, udp
from lab import BROKER_V4, GATEWAY_V4, INET, M1, M2, OVERLAY, TUNNEL, TUNNEL_ADDRESS
from probes import needs_sit
from traffic import ping, transfer

pytestmark = needs_sit()

MEGABYTES = 3  # emulation is slow
SETTINGS = {"onlink": False, "sixinfour": "device sit\ndefault yes\nmetric 512"}


@pytest.fixture(scope="module", name="lab")
def sit_lab():
    """The tunnel is the way to the IPv6 Internet, for the kernel's errors too. There is no agent:
    nobody but the packets under test makes the kernel look for neighbours."""
    yield from running(SETTINGS, agent=False)


@pytest.fixture
def path(lab):
    assert ping(lab.inet, M1.routed, source=INET, count=2) == 2
    return Path(lab)


def six_in_four(packet, **fields):
    """A packet as the broker sends it."""
    return IP(**{"src": BROKER_V4, "dst": GATEWAY_V4, "proto": 41, "flags": "DF", "id": 0,
                 "ttl": 60, **fields}) / packet


def outer(packet, **fields):
    """The outer header that `sit` shall write. With DF the identification says nothing."""
    return IP(**{"src": GATEWAY_V4, "dst": BROKER_V4, "proto": 41, "ttl": 255, "flags": "DF",
                 "tos": 0, "id": 0, **fields}) / packet


def without_id(frame):
    """In bytes, with the identification of the outer header 0."""
    frame = Ether(frame)
    if IP in frame:
        frame[IP].id = 0
        del frame[IP].chksum
    return bytes(frame)


# What XDP leaves to sit, and arrives


def plain():
    return udp(INET, M1.routed, payload=bytes(range(256)) * 3)


def with_hop_by_hop():
    return IPv6(src=INET, dst=M1.routed) / IPv6ExtHdrHopByHop(options=[PadN(optdata=b"\0" * 4)]) / (
        plain().payload)


LEFT_TO_SIT = {
    "two fragments": (plain, lambda inner: fragment(six_in_four(inner, flags=0, id=7), 500),
                      "pass_fragment", 2),
    "fragments in reverse": (plain, lambda inner: fragment(six_in_four(inner, flags=0, id=8),
                                                           300)[::-1], "pass_fragment", 3),
    "router alert": (plain, lambda inner: [six_in_four(inner, options=[IPOption_Router_Alert()])],
                     "pass_extension_header", 1),
    "padding options": (plain, lambda inner: [six_in_four(inner, options=[IPOption_NOP()] * 40)],
                        "pass_extension_header", 1),
    "hop-by-hop options": (with_hop_by_hop, lambda inner: [six_in_four(inner)],
                           "pass_extension_header", 1),
}


@pytest.mark.parametrize("case", LEFT_TO_SIT)
def test_what_xdp_leaves_to_sit_comes_out_right(path, counted, case):
    make, wrap, verdict, packets = LEFT_TO_SIT[case]
    inner = make()
    with path.outside() as outside, path.inside() as inside:
        for packet in wrap(inner):
            outside.send(path.inward(packet))
        got = inside.wait(lambda frame: is_udp(Ether(frame)))
    inner.hlim -= 1
    assert got == path.to_m1(inner)
    assert counted()["eth0"].get(verdict) == packets
    # Behind sit the packet is whole: TC forwards what the pipeline understands.
    assert counted()[TUNNEL] == ({"pass_extension_header": 1} if case == "hop-by-hop options"
                                 else {"decapsulated": 1})


def test_the_first_packet_to_a_member_waits_for_its_neighbour_and_arrives(lab, path, counted):
    with path.outside() as outside, lab.m2.wire(OVERLAY) as inside:
        outside.send(path.inward(six_in_four(udp(INET, M2.routed))))
        got = inside.wait(lambda frame: is_udp(Ether(frame)))
    assert got == bytes(Ether(src=lab.gw.mac(OVERLAY), dst=M2.mac) /
                        udp(INET, M2.routed, hop_limit=63))
    assert counted()["eth0"].get("pass_unresolved") == 1


# What the kernel answers, through sit


def error_of_the_kernel(path, packet, layer):
    """Send from the broker; the error that comes back through the tunnel, in its frame."""
    with path.outside() as outside:
        outside.send(path.inward(six_in_four(packet)))
        got = outside.wait(lambda frame: layer in Ether(frame))
    assert got, "no error came back"
    return Ether(got)


def assert_from_the_tunnel(path, error, quoted):
    assert bytes(error)[:14] == path.to_router(b"")[:12] + b"\x08\x00"
    expected = IP(bytes(outer(error[IPv6])))
    assert without_id(bytes(Ether() / error[IP])) == bytes(Ether() / expected)
    assert error[IPv6].src == TUNNEL_ADDRESS and error[IPv6].dst == INET
    assert bytes(error[IPv6].payload)[8:] == bytes(quoted)[:1280 - 48]


def test_the_last_hop_limit_is_answered_through_the_tunnel(path, counted):
    packet = udp(INET, M1.routed, hop_limit=1)
    assert_from_the_tunnel(path, error_of_the_kernel(path, packet, ICMPv6TimeExceeded), packet)
    assert counted()["eth0"]["pass_hop_limit"] == 1


def test_what_is_too_big_for_the_way_inward_is_answered_through_the_tunnel(lab, path, counted):
    """Only locked MTUs bind forwarding; the route before is cached for a second at most."""
    route = f"route {{}} {M1.routed}/128 dev {OVERLAY} mtu lock 1300"
    lab.gw.ip(route.format("add"))
    try:
        time.sleep(1.2)
        packet = udp(INET, M1.routed, payload=bytes(1301 - 48))
        error = error_of_the_kernel(path, packet, ICMPv6PacketTooBig)
        assert_from_the_tunnel(path, error, packet)
        assert error[ICMPv6PacketTooBig].mtu == 1300
        assert counted()["eth0"]["pass_too_big"] == 1
    finally:
        lab.gw.ip(route.format("del"))


def test_what_is_too_big_for_the_tunnel_is_answered_with_its_mtu(path, counted):
    with path.inside() as inside:
        inside.send(path.outward(udp(M1.routed, INET, payload=bytes(1481 - 48))))
        error = inside.wait(lambda frame: ICMPv6PacketTooBig in Ether(frame))
    assert Ether(error)[ICMPv6PacketTooBig].mtu == 1480
    assert counted()[OVERLAY]["too_big_answered"] == 1


def test_the_gateway_itself_sends_through_sit_as_xdp_would(lab, path):
    """The kernel's outer header is that of the fast path (design §5.2: ttl, tos, pmtudisc)."""
    with path.outside() as outside:
        assert ping(lab.gw, INET, source=TUNNEL_ADDRESS, count=1) == 1
        got = Ether(outside.wait(lambda frame: ICMPv6EchoRequest in Ether(frame)))
    assert without_id(bytes(got)) == path.to_router(outer(got[IPv6]))


# The path as a whole


@pytest.mark.parametrize("direction", ["download", "upload"])
def test_tcp_flows_through_xdp_beside_sit(lab, path, counted, direction):
    if direction == "download":
        done = transfer(lab.inet, INET, lab.m1, M1.routed, MEGABYTES)
    else:
        done = transfer(lab.m1, M1.routed, lab.inet, INET, MEGABYTES)
    assert done.bytes == MEGABYTES << 20 and done.intact
    bulk = (MEGABYTES << 20) // 1420
    assert counted()["eth0"]["decapsulated"] >= (bulk if direction == "download" else 10)
    assert counted()[OVERLAY]["encapsulated"] >= (bulk if direction == "upload" else 10)


def test_tcp_of_the_gateway_itself_flows_through_sit(lab, path, counted):
    assert transfer(lab.inet, INET, lab.gw, TUNNEL_ADDRESS, MEGABYTES).intact
    assert transfer(lab.gw, TUNNEL_ADDRESS, lab.inet, INET, MEGABYTES).intact
    assert counted()["eth0"]["pass_local"] >= 10


def test_another_sit_on_the_machine_works_as_before(lab, path, counted):
    """Its packets reach the kernel untouched, whatever arrives from our broker beside them."""
    for namespace, local, remote, address in (
            (lab.gw, GATEWAY_V4, "192.0.2.1", "2001:db8:77::2"),
            (lab.router, "192.0.2.1", GATEWAY_V4, "2001:db8:77::1")):
        namespace.ip(f"""
            link add other type sit local {local} remote {remote}
            link set other up
            addr add {address}/64 dev other nodad""")
    try:
        assert ping(lab.gw, "2001:db8:77::1", count=2) == 2
        assert ping(lab.router, "2001:db8:77::2", count=2) == 2
        assert transfer(lab.router, "2001:db8:77::1", lab.gw, "2001:db8:77::2", 1).intact
        assert counted()["eth0"]["pass_other"] >= 4
        assert ping(lab.inet, M1.routed, source=INET) == 3
    finally:
        lab.gw.ip("link del other")
        lab.router.ip("link del other")
    assert TUNNEL in lab.gw.show("link")
