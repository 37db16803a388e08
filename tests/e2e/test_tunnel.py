# SPDX-License-Identifier: GPL-2.0-or-later
"""6in4 through the broker (design §1, T1, and §4.4), with the members' addresses in the first /64
of the /48, which the tunnel's own address would swallow with a connected /64."""

import socket

import pytest
from scapy.layers.inet import IP, IPOption_Router_Alert
from scapy.layers.inet6 import ICMPv6DestUnreach, ICMPv6PacketTooBig, ICMPv6TimeExceeded, IPv6
from scapy.layers.l2 import Ether
from scapy.packet import Padding, Raw

from conftest import running
from frames import Path, udp
from lab import (BROKER, BROKER_V4, GATEWAY, GATEWAY_V4, INET, M1, M2, M2_MANUAL, ONLINK_ADDRESS,
                 ONLINK_ROUTER, OVERLAY, TUNNEL, TUNNEL_ADDRESS, TUNNEL_GATEWAY, conf)
from traffic import FEW_MEGABYTES, IPV6_HEADERS, MEGABYTES, ping, ping_sizes, transfer

NOT_ECT, ECT_1, ECT_0, CE = range(4)


@pytest.fixture
def path(lab):
    assert ping(lab.inet, M1.routed, source=INET, count=2) == 2
    return Path(lab)


def six_in_four(packet, source=BROKER_V4, destination=GATEWAY_V4, **fields):
    """A packet as the broker sends it."""
    return IP(src=source, dst=destination, proto=41, flags="DF", id=0, ttl=60, **fields) / packet


def outer(packet, **fields):
    """The outer header that the gateway promises with the defaults of design §5.2."""
    return IP(**{"src": GATEWAY_V4, "dst": BROKER_V4, "proto": 41, "ttl": 255, "flags": "DF",
                 "id": 0, "tos": 0, **fields}) / packet


# What the gateway sends


@pytest.mark.parametrize("ecn", [NOT_ECT, ECT_1, ECT_0, CE])
def test_the_outer_header_is_the_promised_one_and_carries_the_inner_ecn(path, counted, ecn):
    got = path.send_outward(udp(M1.routed, INET, tc=0xb8 | ecn, fl=0x54321))
    assert got == path.to_router(outer(udp(M1.routed, INET, hop_limit=63, tc=0xb8 | ecn,
                                           fl=0x54321), tos=ecn))
    assert counted()[OVERLAY]["encapsulated"] >= 1


@pytest.mark.parametrize("payload", [0, 1, 2, 1432])
def test_the_outer_length_and_checksum_fit_every_payload(path, payload):
    packet = udp(M1.routed, INET, payload=bytes(range(256)) * 6)
    packet[Raw].load = packet[Raw].load[:payload]
    got = path.send_outward(packet)
    packet.hlim -= 1
    assert got == path.to_router(outer(packet))


def test_a_member_sends_its_last_hop_limit_to_the_kernel(path, counted):
    with path.inside() as inside:
        inside.send(path.outward(udp(M1.routed, INET, hop_limit=1)))
        reply = inside.wait(lambda frame: ICMPv6TimeExceeded in Ether(frame))
    assert Ether(reply)[IPv6].dst == M1.routed
    assert counted()[OVERLAY]["pass_hop_limit"] == 1


def test_a_packet_larger_than_the_tunnel_gets_packet_too_big_with_its_mtu(path, counted):
    with path.inside() as inside:
        inside.send(path.outward(udp(M1.routed, INET, payload=bytes(1433))))
        reply = inside.wait(lambda frame: ICMPv6PacketTooBig in Ether(frame))
    assert Ether(reply)[ICMPv6PacketTooBig].mtu == 1480
    assert counted()[OVERLAY]["too_big_answered"] == 1


def test_a_member_cannot_send_into_the_tunnel_from_elsewhere(path, counted):
    for source in ("2001:db8:dead::1", TUNNEL_ADDRESS, TUNNEL_GATEWAY):
        assert path.send_outward(udp(source, INET), timeout=0.3) is None
    assert counted()[OVERLAY]["drop_spoofed"] == 3


# What arrives from the broker


@pytest.mark.parametrize("padding", [0, 5, 46])
def test_a_decapsulated_packet_is_the_inner_one_without_padding(path, counted, padding):
    inner = udp(INET, M1.routed, payload=b"x", tc=0xb8, fl=0x54321)
    got = path.send_inward(six_in_four(inner) / Padding(bytes(padding)))
    inner.hlim -= 1
    assert got == path.to_m1(inner)
    assert counted()["eth0"]["decapsulated"] >= 1


def ecn_leaving(inner, outer_ecn):
    """RFC 6040 §4.2, figure 4; None: the packet must be dropped."""
    if outer_ecn == CE:
        return None if inner == NOT_ECT else CE
    return ECT_1 if (inner, outer_ecn) == (ECT_0, ECT_1) else inner


@pytest.mark.parametrize("outer_ecn", [NOT_ECT, ECT_1, ECT_0, CE])
@pytest.mark.parametrize("inner_ecn", [NOT_ECT, ECT_1, ECT_0, CE])
def test_congestion_marks_survive_decapsulation(path, counted, inner_ecn, outer_ecn):
    got = path.send_inward(six_in_four(udp(INET, M1.routed, tc=inner_ecn), tos=outer_ecn),
                           timeout=0.3 if (inner_ecn, outer_ecn) == (NOT_ECT, CE) else 2)
    expected = ecn_leaving(inner_ecn, outer_ecn)
    if expected is None:
        assert got is None and counted()["eth0"]["drop_ecn"] == 1
    else:
        assert got == path.to_m1(udp(INET, M1.routed, hop_limit=63, tc=expected))


@pytest.mark.parametrize("source", ["ff02::99", "::1", "::192.0.2.1", "::ffff:192.0.2.1"])
def test_inner_sources_that_no_host_has_are_dropped(path, counted, source):
    assert path.send_inward(six_in_four(udp(source, M1.routed)), timeout=0.3) is None
    assert counted()["eth0"].get("drop_inner_source") == 1


@pytest.mark.parametrize("source", [M2.routed, M2_MANUAL, M2.onlink, TUNNEL_ADDRESS])
def test_our_own_prefixes_do_not_come_out_of_the_tunnel(path, counted, source):
    assert path.send_inward(six_in_four(udp(source, M1.routed)), timeout=0.3) is None
    verdicts = counted()["eth0"]
    assert verdicts.get("drop_spoofed", 0) + verdicts.get("drop_inner_source", 0) == 1


def test_the_tunnels_far_end_may_speak_to_members(path, counted):
    """Its address lies in the members' /48."""
    assert path.send_inward(six_in_four(udp(TUNNEL_GATEWAY, M1.routed)))
    assert counted()["eth0"]["decapsulated"] >= 1


@pytest.mark.parametrize("ends", [{"source": "72.52.104.75"}, {"destination": "192.0.2.1"}],
                         ids=["source", "destination"])
def test_6in4_between_other_ends_reaches_the_kernel_untouched(lab, path, counted, ends):
    if "destination" in ends:
        lab.gw.ip("addr add 192.0.2.81/32 dev eth0")
        ends = {"destination": "192.0.2.81"}
    packet = six_in_four(udp(INET, M1.routed), **ends)
    try:
        with lab.gw.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_IPV6) as kernel:
            kernel.settimeout(2)
            assert path.send_inward(packet, timeout=0.3) is None
            assert kernel.recv(65536) == bytes(packet)
    finally:
        if "destination" in ends:
            lab.gw.ip("addr del 192.0.2.81/32 dev eth0")
    assert counted()["eth0"]["pass_other"] >= 1


ODD = {
    "fragment": (lambda inner: six_in_four(inner, frag=4), "pass_fragment"),
    "first fragment": (lambda inner: IP(src=BROKER_V4, dst=GATEWAY_V4, proto=41, flags="MF",
                                        id=9) / inner, "pass_fragment"),
    "options": (lambda inner: six_in_four(inner, options=[IPOption_Router_Alert()]),
                "pass_extension_header"),
    "checksum": (lambda inner: six_in_four(inner, chksum=0x1234), "drop_malformed"),
    "total length beyond the frame": (lambda inner: six_in_four(inner, len=1400),
                                      "drop_malformed"),
    "inner length beyond the outer": (lambda inner: six_in_four(IPv6(src=INET, dst=M1.routed,
                                                                     plen=1000, nh=17) /
                                                                Raw(bytes(64))),
                                      "drop_malformed"),
    "no inner version 6": (lambda inner: six_in_four(Raw(b"\x45" + bytes(inner)[1:])),
                           "drop_malformed"),
    "last hop limit": (lambda inner: six_in_four(udp(INET, M1.routed, hop_limit=1)),
                       "pass_hop_limit"),
}


@pytest.mark.parametrize("oddity", ODD)
def test_what_is_odd_is_not_forwarded_by_xdp(path, counted, oddity):
    make, verdict = ODD[oddity]
    got = path.send_inward(make(udp(INET, M1.routed)), timeout=0.3)
    # Options stop nobody but XDP: where the kernel has sit, it forwards such a packet.
    assert got is None or oddity == "options"
    assert counted()["eth0"].get(verdict) == 1


# The path as a whole


@pytest.mark.parametrize("direction", ["download", "upload"])
def test_100_megabytes_of_tcp_arrive_intact_through_the_tunnel(lab, counted, direction):
    if direction == "download":
        done = transfer(lab.inet, INET, lab.m1, M1.routed, MEGABYTES)
    else:
        done = transfer(lab.m1, M1.routed, lab.inet, INET, MEGABYTES)
    assert done.bytes == MEGABYTES << 20 and done.intact
    bulk = (MEGABYTES << 20) // 1420
    assert counted()["eth0"]["decapsulated"] >= (bulk if direction == "download" else 5 * MEGABYTES)
    assert counted()[OVERLAY]["encapsulated"] >= (bulk if direction == "upload" else 5 * MEGABYTES)
    assert "pass_policy" not in counted()["eth0"]


def test_all_addresses_of_all_members_work_through_the_tunnel(lab):
    for member, address in ((lab.m1, M1.routed), (lab.m2, M2.routed), (lab.m2, M2_MANUAL)):
        assert ping(lab.inet, address) == 3
        assert ping(member, INET, source=address) == 3
        assert ping(lab.broker, address, source=BROKER) == 3


@pytest.mark.parametrize("address", [TUNNEL_ADDRESS, TUNNEL_GATEWAY, ONLINK_ADDRESS])
def test_members_reach_the_gateways_own_addresses_in_their_prefix(lab, address):
    """They take the whole prefix to be on-link, and solicit."""
    source = M1.onlink if address == ONLINK_ADDRESS else M1.routed
    assert ping(lab.m1, address, source=source) == 3
    assert f"lladdr {GATEWAY.mac}" in lab.m1.show(f"-6 neigh show {address}")


def test_the_gateway_itself_speaks_through_the_tunnel(lab, counted):
    assert ping(lab.inet, TUNNEL_ADDRESS) == 3
    assert ping(lab.gw, INET, source=TUNNEL_ADDRESS) == 3
    assert ping(lab.gw, TUNNEL_GATEWAY) == 3
    assert transfer(lab.inet, INET, lab.gw, TUNNEL_ADDRESS, FEW_MEGABYTES).intact
    assert transfer(lab.gw, TUNNEL_ADDRESS, lab.inet, INET, FEW_MEGABYTES).intact
    assert counted()["eth0"]["pass_local"] >= 9


def test_an_address_that_nobody_has_is_unreachable_and_does_not_bounce(lab, counted):
    with lab.inet.wire("eth0") as wire:
        lab.inet.run("ping", "-6", "-n", "-c", "1", "-W", "4", "2001:470:811d:99::1", check=False)
        assert wire.wait(lambda frame: ICMPv6DestUnreach in Ether(frame), 0.1)
    assert counted()["eth0"]["pass_unresolved"] >= 1
    assert "encapsulated" not in counted()["eth0"]


def test_without_native_ipv6_the_gateways_errors_leave_through_the_tunnel(fresh):
    """The kernel takes an error's source from the tunnel's interface, which the rules of `default
    source` know; all else that the machine itself sends is left alone."""
    fresh.gw.ip(f"route del default via {ONLINK_ROUTER}")
    fresh.gateway.up(conf(onlink=False))
    assert ping(fresh.inet, M1.routed, count=2) == 2
    with fresh.inet.wire("eth0") as wire:
        wire.send(Ether(src=fresh.inet.mac("eth0"), dst=fresh.router.mac("to-inet")) /
                  udp(INET, M1.routed, hop_limit=3))
        error = Ether(wire.wait(lambda frame: ICMPv6TimeExceeded in Ether(frame)))
    assert (error[IPv6].src, error[IPv6].dst) == (TUNNEL_ADDRESS, INET)
    assert "unreachable" in fresh.gw.run("ip", "-6", "route", "get", INET, check=False).stderr


def test_no_route_is_longer_than_a_members_pool(lab):
    """The address has no connected prefix: every member's route is the overlay's (§4.4)."""
    for address in (M1.routed, M2.routed, M2_MANUAL):
        assert f"dev {OVERLAY}" in lab.gw.show(f"-6 route get {address}")
    assert f"dev {TUNNEL}" in lab.gw.show(f"-6 route get {TUNNEL_GATEWAY}")


def test_pings_of_every_size_up_to_the_tunnels_mtu_come_back_unchanged(lab, path, counted):
    sizes = range(0, 1480 - IPV6_HEADERS + 1)
    assert ping_sizes(lab.inet, M1.routed, INET, sizes) == []
    assert counted()["eth0"]["decapsulated"] >= len(sizes)
    assert counted()[OVERLAY]["encapsulated"] >= len(sizes)


def test_inherited_fields_and_no_path_mtu_discovery_show_in_the_outer_header(fresh):
    fresh.gateway.up(conf(onlink=False, sixinfour="ttl 0\ntos inherit\npmtudisc no"))
    assert ping(fresh.inet, M1.routed, count=2) == 2
    path, ids = Path(fresh), set()
    for _ in range(4):
        got = Ether(path.send_outward(udp(M1.routed, INET, hop_limit=33, tc=0xb9)))
        ids.add(got[IP].id)
        assert bytes(got) == path.to_router(outer(udp(M1.routed, INET, hop_limit=32, tc=0xb9),
                                                  ttl=32, tos=0xb9, flags=0, id=got[IP].id))
    assert len(ids) > 1, "without DF the identification must differ (RFC 6864 §4.3)"


def test_under_policy_kernel_what_is_no_flow_goes_through_the_kernel():
    for lab in running({"onlink": False, "policy": "kernel\n    rules none"}):
        assert ping(lab.inet, M1.routed) == 3
        assert ping(lab.inet, TUNNEL_ADDRESS) == 3
        assert transfer(lab.inet, INET, lab.m1, M1.routed, 20).intact
        assert transfer(lab.m1, M1.routed, lab.inet, INET, 20).intact
        assert ping_sizes(lab.inet, M1.routed, INET, range(0, 1480 - IPV6_HEADERS + 1)) == []
        counted = lab.gateway.counters()
        assert counted["eth0"]["pass_policy"] >= 1480 - IPV6_HEADERS
        assert counted[OVERLAY]["pass_policy"] >= 1480 - IPV6_HEADERS
        assert counted["eth0"]["decapsulated"] >= 10000
        assert counted[OVERLAY]["encapsulated"] >= 10000


def test_without_zerotiers_routes_the_gateway_installs_its_own():
    for lab in running({"onlink": False}, zerotier_routes=False):
        assert ping(lab.inet, M1.routed) == 3


def test_a_prefix_that_somebody_connects_to_the_tunnel_and_that_swallows_members_is_told(fresh):
    fresh.gateway.up(conf(onlink=False))
    fresh.gw.ip(f"addr add 2001:470:811d:20::99/64 dev {TUNNEL} nodad")
    remedy = f"ip -6 address change 2001:470:811d:20::99/64 dev {TUNNEL} noprefixroute"
    assert remedy in fresh.gateway("up").stderr
    fresh.gw.ip(remedy.removeprefix("ip -6 "))
    assert "noprefixroute" not in fresh.gateway("up").stderr
    fresh.gw.ip(f"addr add 2001:db8:99::1/64 dev {TUNNEL} nodad")  # nobody's inside
    assert "noprefixroute" not in fresh.gateway("up").stderr
