# SPDX-License-Identifier: GPL-2.0-or-later
"""Plain forwarding between the uplink and the overlay: the on-link /48 (design §1, T2)."""

import time

import pytest
from scapy.layers.inet import UDP
from scapy.layers.inet6 import (ICMPv6PacketTooBig, ICMPv6TimeExceeded, IPv6, IPv6ExtHdrFragment,
                                IPv6ExtHdrHopByHop)
from scapy.layers.l2 import Ether
from scapy.packet import Raw

from conftest import running
from frames import PORT, Path, udp
from lab import (GATEWAY, INET, M1, M2, ONLINK_ADDRESS, ONLINK_ROUTER, OVERLAY, OVERLAY_MTU, conf)
from traffic import IPV6_HEADERS, MEGABYTES, ping, ping_sizes, transfer

STRANGER = "2001:db8:dead::1"


@pytest.fixture
def path(lab):
    """Everybody on the way knows their neighbours."""
    assert ping(lab.inet, M1.onlink, source=INET, count=2) == 2
    return Path(lab)


def test_a_frame_inward_changes_in_its_addresses_and_hop_limit_only(path, counted):
    got = path.send_inward(udp(INET, M1.onlink, tc=0xb9, fl=0x12345))
    assert got == path.to_m1(udp(INET, M1.onlink, hop_limit=63, tc=0xb9, fl=0x12345))
    assert counted()["eth0"]["forwarded"] >= 1


def test_a_frame_outward_changes_in_its_addresses_and_hop_limit_only(path, counted):
    got = path.send_outward(udp(M1.onlink, INET, tc=0xb9, fl=0x12345))
    assert got == path.to_router(udp(M1.onlink, INET, hop_limit=63, tc=0xb9, fl=0x12345))
    assert counted()[OVERLAY]["forwarded"] >= 1


def test_a_hop_limit_of_one_is_the_kernels_to_answer(path, counted):
    with path.outside() as outside:
        outside.send(path.inward(udp(INET, M1.onlink, hop_limit=1)))
        reply = outside.wait(lambda frame: ICMPv6TimeExceeded in Ether(frame))
    assert Ether(reply)[IPv6].dst == INET
    assert counted()["eth0"]["pass_hop_limit"] == 1


def test_a_packet_larger_than_the_way_out_is_the_kernels_to_answer(path, counted):
    with path.inside() as inside:
        inside.send(path.outward(udp(M1.onlink, INET, payload=bytes(2000))))
        reply = inside.wait(lambda frame: ICMPv6PacketTooBig in Ether(frame))
    assert Ether(reply)[ICMPv6PacketTooBig].mtu == 1500
    assert counted()[OVERLAY]["too_big_answered"] == 1


def test_fragments_of_ipv6_are_forwarded_as_they_are(lab, path, counted):
    # The first answer has fragments of the overlay's size and only tells m1 of the path's MTU.
    assert ping(lab.inet, M1.onlink, source=INET, count=4, size=4000) >= 3
    fragment = IPv6(src=INET, dst=M1.onlink) / IPv6ExtHdrFragment(nh=17, offset=100, id=7) / Raw(
        bytes(64))
    got = path.send_inward(fragment, lambda packet: IPv6ExtHdrFragment in packet)
    fragment.hlim -= 1
    assert got == path.to_m1(fragment)
    assert "pass_fragment" not in counted()["eth0"]


def test_a_hop_by_hop_header_goes_through_the_kernel(path, counted):
    packet = IPv6(src=INET, dst=M1.onlink) / IPv6ExtHdrHopByHop() / UDP(sport=1, dport=PORT)
    assert path.send_inward(packet)
    assert counted()["eth0"]["pass_extension_header"] == 1


@pytest.mark.parametrize("source", [STRANGER, M2.routed.replace("811d", "811e"), ONLINK_ADDRESS,
                                    "::1", "ff02::1"])
def test_a_member_cannot_send_from_an_address_outside_the_overlay(path, counted, source):
    assert path.send_outward(udp(source, INET), timeout=0.3) is None
    assert counted()[OVERLAY].get("drop_spoofed") == 1


@pytest.mark.parametrize("source", [M2.onlink, M2.routed, "2001:470:811d:10::10", ONLINK_ADDRESS,
                                    "::ffff:192.0.2.1"])
def test_the_internet_cannot_send_from_addresses_inside(path, counted, source):
    assert path.send_inward(udp(source, M1.onlink), timeout=0.3) is None
    assert counted()["eth0"].get("drop_spoofed") == 1


def test_a_neighbour_on_the_uplinks_own_link_may_speak_to_members(path, counted):
    """The router's address lies in the members' /48, and on eth0's own more specific prefix."""
    assert path.send_inward(udp(ONLINK_ROUTER, M1.onlink))
    assert counted()["eth0"]["forwarded"] >= 1


def test_link_local_and_multicast_are_never_forwarded(path, counted):
    for packet in (udp("fe80::99", M1.onlink), udp(INET, "ff0e::1"), udp(INET, "fe80::1")):
        assert path.send_inward(packet, timeout=0.3) is None
    assert "forwarded" not in counted()["eth0"]


def test_ipv4_and_arp_of_the_gateway_itself_are_untouched(lab, counted):
    lab.router.run("ip", "neigh", "flush", "dev", "to-gw")
    lab.router.run("ping", "-n", "-c", "2", "-i", "0.1", "192.0.2.80")
    assert counted()["eth0"]["pass_other"] >= 3  # ARP and two echo requests


def test_the_gateways_own_ipv6_works_as_without_it(lab, counted):
    assert ping(lab.inet, ONLINK_ADDRESS) == 3
    assert ping(lab.gw, INET) == 3
    assert ping(lab.m1, GATEWAY.rfc4193) == 3
    assert counted()["eth0"]["pass_local"] >= 6


def test_routes_of_the_administrator_decide(lab, path, counted):
    for kind, verdict in (("blackhole", "drop_blackhole"), ("unreachable", "pass_no_route")):
        lab.gw.ip(f"route add {kind} {STRANGER}/128")
        try:
            assert path.send_outward(udp(M1.onlink, STRANGER), timeout=0.3) is None
            assert counted()[OVERLAY].get(verdict) == 1
        finally:
            lab.gw.ip(f"route del {kind} {STRANGER}/128")


def test_a_route_that_changes_is_followed_at_once(lab, path):
    """The cache would hold the old one for up to a second; the agent flushes it."""
    packet = udp(M1.onlink, STRANGER)
    assert path.send_outward(packet)
    lab.gw.ip(f"route add blackhole {STRANGER}/128")
    time.sleep(0.2)
    try:
        assert path.send_outward(packet, timeout=0.3) is None
    finally:
        lab.gw.ip(f"route del blackhole {STRANGER}/128")


@pytest.mark.parametrize("direction", ["download", "upload"])
def test_100_megabytes_of_tcp_arrive_intact_through_xdp(lab, counted, direction):
    if direction == "download":
        done = transfer(lab.inet, INET, lab.m1, M1.onlink, MEGABYTES)
    else:
        done = transfer(lab.m1, M1.onlink, lab.inet, INET, MEGABYTES)
    assert done.bytes == MEGABYTES << 20 and done.intact
    bulk = (MEGABYTES << 20) // 1440
    busy, acknowledging = ("eth0", OVERLAY) if direction == "download" else (OVERLAY, "eth0")
    assert counted()[busy]["forwarded"] >= bulk
    assert counted()[acknowledging]["forwarded"] >= 5 * MEGABYTES
    assert counted()[busy].get("pass_policy", 0) == 0


@pytest.fixture(scope="module")
def wide():
    """The Ethernet outside carries as much as the overlay."""
    yield from running({"tunnel": False}, segment_mtu=OVERLAY_MTU)


def test_pings_of_every_size_from_64_to_2814_bytes_come_back_unchanged(wide):
    assert ping(wide.inet, M1.onlink, count=2) == 2
    before = wide.gateway.counters()
    sizes = range(64 - 14 - IPV6_HEADERS, OVERLAY_MTU - IPV6_HEADERS + 1)
    assert ping_sizes(wide.inet, M1.onlink, INET, sizes) == []
    counted = wide.gateway.counters() - before
    assert counted["eth0"]["forwarded"] >= len(sizes)
    assert counted[OVERLAY]["forwarded"] >= len(sizes)


@pytest.fixture(scope="module")
def kernel_policy():
    """The default policy: what is no established flow stays with the kernel."""
    yield from running({"tunnel": False, "policy": "kernel"})


def test_under_policy_kernel_pings_are_the_kernels(kernel_policy):
    lab = kernel_policy
    before = lab.gateway.counters()
    assert ping(lab.inet, M1.onlink, count=20) == 20
    counted = lab.gateway.counters() - before
    for port in ("eth0", OVERLAY):
        assert counted[port]["pass_policy"] >= 19
        assert "forwarded" not in counted[port]
    assert counted["eth0"].get("ndp_answered", 0) + counted["eth0"].get("ndp_deferred", 0) >= 1


def test_under_policy_kernel_nftables_decides(kernel_policy):
    lab = kernel_policy
    assert ping(lab.inet, M1.onlink, count=1) == 1
    lab.gw.run("nft", "add table inet t; add chain inet t f { type filter hook forward priority 0; }; "
               f"add rule inet t f ip6 daddr {M1.onlink} drop")
    try:
        assert ping(lab.inet, M1.onlink, count=2, wait=0.3) == 0
    finally:
        lab.gw.run("nft", "delete table inet t")


def test_a_member_that_moves_to_another_mac_is_followed(fresh):
    fresh.gateway.up(conf(tunnel=False))
    fresh.gateway.start_agent()
    assert ping(fresh.inet, M1.onlink, count=2) == 2
    fresh.m1.ip(f"addr del {M1.onlink}/48 dev {OVERLAY}")
    fresh.m2.ip(f"addr add {M1.onlink}/48 dev {OVERLAY}")
    fresh.m2.run("ping", "-6", "-n", "-c", "1", "-I", M1.onlink, GATEWAY.rfc4193)
    fresh.gw.run("ip", "neigh", "replace", M1.onlink, "lladdr", M2.mac, "dev", OVERLAY,
                 "nud", "stale")
    assert ping(fresh.inet, M1.onlink, count=2) == 2
