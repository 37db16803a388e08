# SPDX-License-Identifier: GPL-2.0-or-later
"""Packets larger than their path: who is told, from where, in which bytes, and that TCP flows.

The path between the tunnel's ends is made narrow at the router, whose kernel then complains of our
outer packets as any router on the way would (RFC 1191)."""

import re
import socket
import time

import pytest
from scapy.layers.inet import ICMP, IP, TCP
from scapy.layers.inet6 import ICMPv6PacketTooBig, IPv6
from scapy.layers.l2 import Ether
from scapy.packet import Raw

from conftest import running
from frames import Path, udp
from lab import (BROKER_V4, GATEWAY, GATEWAY_V4, INET, M1, OVERLAY, TUNNEL, TUNNEL_ADDRESS, Lab,
                 conf)
from probes import needs_no_sit
from traffic import FEW_MEGABYTES, IPV6_HEADERS, ping, ping_sizes, transfer

NARROW = 1400  # of the IPv4 link between router and broker
INNER = NARROW - 20
MTU_EXPIRES = "ipv4/route/mtu_expires"


def narrow(lab, mtu=NARROW):
    """Both ends of the link to the broker."""
    lab.router.ip(f"link set to-broker mtu {mtu}")
    lab.broker.ip(f"link set eth0 mtu {mtu}")


def narrow_lab(policy="off", agent=True):
    """A path that carries less than the gateway's tunnel is set to; the broker knows."""
    for lab in running({"onlink": False, "policy": policy}, agent, tunnel_mtu=INNER):
        assert ping(lab.inet, M1.routed, source=INET, count=2) == 2
        narrow(lab)
        yield lab


@pytest.fixture
def narrowed():
    yield from narrow_lab()


def of_size(size, **fields):
    """A UDP packet of m1 for the Internet, of so many bytes."""
    return udp(M1.routed, INET, payload=bytes(i % 253 for i in range(size - 48)), **fields)


def told(path, packet, timeout=2):
    """What m1 gets in answer to a packet: Packet Too Big as scapy reads it, or None."""
    with path.inside() as inside:
        inside.send(path.outward(packet))
        frame = inside.wait(lambda frame: ICMPv6PacketTooBig in Ether(frame), timeout)
    return frame and Ether(frame)


def arrives(path, packet):
    """The 6in4 packet that comes of one of m1, at the router, or None."""
    frame = path.send_outward(packet, lambda ether: IP in ether and ether[IP].proto == 41)
    return frame and Ether(frame)[IP]


def learn(path, size=1480):
    """Send what is too large for the narrow path, and wait for the router's complaint."""
    with path.outside() as outside, path.inside() as inside:
        inside.send(path.outward(of_size(size)))
        outside.wait(lambda frame: ICMP in Ether(frame), 0.5)
    time.sleep(0.05)


def mtu_learnt_by(namespace, destination):
    """The path MTU that the kernel there has learnt from ICMPv6, or None."""
    found = re.search(r" mtu (\d+)", namespace.show(f"-6 route get {destination}"))
    return found and int(found[1])


def test_packet_too_big_is_right_in_every_byte(lab, counted):
    assert ping(lab.inet, M1.routed, source=INET, count=2) == 2
    path, packet = Path(lab), of_size(2800, hop_limit=33, tc=0xb9, fl=0x54321)
    error = told(path, packet)
    # From an address of the gateway's on the members' network.
    assert error[IPv6].src in lab.gw.show(f"-6 addr show dev {OVERLAY} scope global")
    expected = IPv6(src=error[IPv6].src, dst=M1.routed, hlim=64) / ICMPv6PacketTooBig(
        mtu=1480) / Raw(bytes(packet)[:1232])
    assert bytes(error) == path.to_m1(expected)
    assert len(bytes(error[IPv6])) == 1280
    assert counted()[OVERLAY]["too_big_answered"] == 1
    assert "pass_too_big" not in counted()[OVERLAY]


def test_a_member_learns_from_frames_of_2800_bytes(lab, counted):
    lab.m1.run("ip", "-6", "route", "flush", "cache")  # what earlier tests have taught it
    with lab.m1.socket(socket.AF_INET6, socket.SOCK_DGRAM) as sender:
        sender.bind((M1.routed, 0))
        sender.setsockopt(socket.IPPROTO_IPV6, 23, 2)  # IPV6_MTU_DISCOVER, IPV6_PMTUDISC_DO
        sender.sendto(bytes(2800 - 48), (INET, 9))
        time.sleep(0.2)
        assert mtu_learnt_by(lab.m1, INET) == 1480
        with pytest.raises(OSError):
            sender.sendto(bytes(1481 - 48), (INET, 9))
        sender.sendto(bytes(1480 - 48), (INET, 9))
    assert counted()[OVERLAY]["too_big_answered"] == 1
    assert counted()[OVERLAY]["encapsulated"] == 1


def test_both_ends_of_a_connection_announce_what_the_tunnel_carries(lab):
    """Before any packet of theirs is lost: SYN and SYN-ACK, as they arrive."""
    seen = {}
    for name, server, address, client, source in (
            ("member opens", lab.inet, INET, lab.m1, M1.routed),
            ("member is opened to", lab.m1, M1.routed, lab.inet, INET)):
        at_server = server.wire("eth0" if server is lab.inet else OVERLAY)
        at_client = client.wire(OVERLAY if client is lab.m1 else "eth0")
        with at_server, at_client:
            assert transfer(server, address, client, source, 1).intact
            for end, wire in (("server", at_server), ("client", at_client)):
                syn = Ether(wire.wait(lambda frame: TCP in Ether(frame) and
                                      Ether(frame)[TCP].flags.S))
                seen[name, end] = dict(syn[TCP].options)["MSS"]
                checksum = syn[TCP].chksum
                del syn[TCP].chksum
                assert Ether(bytes(syn))[TCP].chksum == checksum
    assert set(seen.values()) == {1420}, seen


def test_tcp_flows_over_a_path_that_is_narrower_than_the_tunnel(narrowed):
    path = Path(narrowed)
    before = narrowed.gateway.counters()
    with path.inside() as inside:
        assert transfer(narrowed.m1, M1.routed, narrowed.inet, INET, FEW_MEGABYTES).intact
        answer = inside.wait(lambda frame: ICMPv6PacketTooBig in Ether(frame), 0.5)
    assert Ether(answer)[ICMPv6PacketTooBig].mtu == INNER
    assert transfer(narrowed.inet, INET, narrowed.m1, M1.routed, FEW_MEGABYTES).intact
    counted = narrowed.gateway.counters() - before
    # One round of complaints, not one for every segment.
    assert 1 <= counted[OVERLAY]["too_big_answered"] < 50
    assert mtu_learnt_by(narrowed.m1, INET) == INNER


def test_what_fits_a_narrow_path_passes_and_what_does_not_is_answered(narrowed):
    path = Path(narrowed)
    assert ping(narrowed.m1, INET, source=M1.routed) == 3
    learn(path)
    for size in (1480, INNER + 1):
        assert told(path, of_size(size))[ICMPv6PacketTooBig].mtu == INNER
    assert arrives(path, of_size(INNER)).len == NARROW
    assert f"up to {INNER} bytes" in narrowed.gateway("explain", INET, "from", M1.routed).stdout
    assert f"the path carries packets of {INNER} bytes now" in narrowed.gateway(
        "status", check=False).stdout
    sizes = [0, 56, 1200, INNER - IPV6_HEADERS - 1, INNER - IPV6_HEADERS]
    assert ping_sizes(narrowed.m1, INET, M1.routed, sizes) == []


def test_a_connection_after_the_fact_announces_what_the_narrow_path_carries(narrowed):
    learn(Path(narrowed))
    with narrowed.inet.wire("eth0") as wire:
        assert transfer(narrowed.inet, INET, narrowed.m1, M1.routed, 1).intact
        syn = wire.wait(lambda frame: TCP in Ether(frame) and Ether(frame)[TCP].flags.S)
    assert dict(Ether(syn)[TCP].options)["MSS"] == INNER - 60


def test_a_path_below_1280_gets_packets_in_pieces():
    """RFC 4213 §3.2.2. The router fragments them, the broker puts them together."""
    for lab in running({"onlink": False}):
        assert ping(lab.inet, M1.routed, source=INET, count=2) == 2
        path = Path(lab)
        lab.router.ip("link set to-broker mtu 1000")
        learn(path)
        assert told(path, of_size(1281))[ICMPv6PacketTooBig].mtu == 1280
        # That link carries no IPv6 any more: what comes out is seen where it leaves the tunnel.
        with lab.broker.wire("tun0") as end, path.outside() as outside, path.inside() as inside:
            inside.send(path.outward(of_size(1280)))
            sent = Ether(outside.wait(lambda frame: IP in Ether(frame)))[IP]
            arrived = IPv6(end.wait(lambda packet: len(packet) == 1280))
        assert sent.len == 1300 and not sent.flags.DF and sent.id
        assert bytes(arrived.payload) == bytes(of_size(1280).payload)


def test_what_was_learnt_is_forgotten_in_time():
    with Lab() as lab:
        lab.gw.sysctl(MTU_EXPIRES, 3)
        lab.gateway.up(conf(onlink=False))
        assert ping(lab.inet, M1.routed, source=INET, count=2) == 2
        path = Path(lab)
        narrow(lab)
        before = time.monotonic()
        learn(path)
        assert told(path, of_size(1480))[ICMPv6PacketTooBig].mtu == INNER
        narrow(lab, 1500)
        # An entry of the route cache may live on for a second.
        deadline = time.monotonic() + 6
        while not arrives(path, of_size(1480)):
            assert time.monotonic() < deadline
        assert time.monotonic() > before + 2.5, "it was forgotten at once"


def complaint(mtu, source=GATEWAY_V4, **fields):
    """A router's, of a 6in4 packet from there to the broker."""
    quoted = bytes(IP(src=source, dst=BROKER_V4, proto=41, flags="DF", len=1500) /
                   Raw(bytes(of_size(1480))))[:28]
    return IP(src="192.0.2.1", dst=GATEWAY_V4) / ICMP(
        type=3, code=4, nexthopmtu=mtu, **fields) / Raw(quoted)


def assert_without_effect(lab, complaints):
    assert ping(lab.inet, M1.routed, source=INET, count=2) == 2
    path = Path(lab)
    with path.outside() as outside:
        for packet in complaints:
            outside.send(path.inward(packet))
    time.sleep(1.1)  # what the kernel learns, an entry of the route cache may not know for a second
    assert arrives(path, of_size(1480)).len == 1500


def test_a_forged_complaint_has_no_effect(lab, counted):
    """About a packet that was never sent from here, or with a sum that is wrong."""
    assert_without_effect(lab, [complaint(1300, source="192.0.2.81"), complaint(1300, chksum=1)])
    assert "too_big_answered" not in counted()[OVERLAY]


@needs_no_sit()
def test_a_complaint_that_names_no_possible_path_has_no_effect(lab, counted):
    """Beside `sit` the kernel takes it for its least, 552 bytes (`route/min_pmtu`), and ours is the
    kernel's word."""
    assert_without_effect(lab, [complaint(20)])
    assert "too_big_answered" not in counted()[OVERLAY]


def test_packet_too_big_of_the_internet_reaches_the_member(lab, counted):
    lab.m1.run("ip", "-6", "route", "flush", "cache")
    lab.router.ip("link set to-inet mtu 1300")
    try:
        path = Path(lab)
        assert ping(lab.m1, INET, source=M1.routed) == 3
        error = told(path, of_size(1400))
        assert error[ICMPv6PacketTooBig].mtu == 1300 and error[Ether].src == GATEWAY.mac
        assert error[IPv6].src.startswith("2001:db8:")
        assert transfer(lab.m1, M1.routed, lab.inet, INET, 2).intact
        assert "too_big_answered" not in counted()[OVERLAY]
    finally:
        lab.router.ip("link set to-inet mtu 1500")
        lab.m1.run("ip", "-6", "route", "flush", "cache")


def tun_mtu(lab):
    return int(re.search(r" mtu (\d+)", lab.gw.show(f"link show {TUNNEL}"))[1])


def test_under_policy_kernel_the_kernel_knows_of_the_narrow_path():
    for lab in narrow_lab(policy="kernel\n    rules none"):
        path = Path(lab)
        learn(path)
        assert told(path, of_size(1480))[ICMPv6PacketTooBig].mtu == INNER
        assert arrives(path, of_size(INNER)).len == NARROW
        assert transfer(lab.m1, M1.routed, lab.inet, INET, FEW_MEGABYTES).intact
        assert transfer(lab.inet, INET, lab.m1, M1.routed, FEW_MEGABYTES).intact
        # And the gateway itself.
        assert transfer(lab.gw, TUNNEL_ADDRESS, lab.inet, INET, 2).intact


@needs_no_sit()
def test_the_agent_gives_the_tunnels_interface_the_mtu_of_its_path():
    with Lab() as lab:
        lab.gw.sysctl(MTU_EXPIRES, 3)
        lab.gateway.up(conf(onlink=False, policy="kernel"))
        lab.gateway.start_agent()
        assert ping(lab.inet, M1.routed, source=INET, count=2) == 2
        narrow(lab)
        learn(Path(lab))
        assert tun_mtu(lab) == INNER
        lab.gw.ip(f"link set {TUNNEL} mtu 1480")  # as `up` would do it
        time.sleep(1.2)
        assert tun_mtu(lab) == INNER
        time.sleep(3)
        assert tun_mtu(lab) == 1480


@needs_no_sit()
def test_without_an_agent_the_gateways_own_large_packets_go_in_pieces():
    for lab in narrow_lab(agent=False):
        path = Path(lab)
        learn(path)
        with path.outside() as outside, \
                lab.gw.socket(socket.AF_INET6, socket.SOCK_DGRAM) as sender:
            sender.bind((TUNNEL_ADDRESS, 0))
            for size, whole in ((1480, False), (INNER, True)):
                sender.sendto(bytes(size - 48), (INET, 9))
                sent = Ether(outside.wait(lambda frame: IP in Ether(frame) and
                                          Ether(frame)[IP].src == GATEWAY_V4))[IP]
                assert sent.len == size + 20 and bool(sent.flags.DF) == whole
        assert transfer(lab.gw, TUNNEL_ADDRESS, lab.inet, INET, 2).intact
