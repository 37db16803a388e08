# SPDX-License-Identifier: GPL-2.0-or-later
"""Several of each: two tunnels with a routed prefix each, two ZeroTier networks, three uplinks with
a proxy each; and which tunnel a packet takes, by its source (design §4.2, §5.1)."""

import itertools

import pytest
from scapy.layers.inet import IP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import Ether

from conftest import assert_every_packet_counted_once
from frames import is_udp, udp
from gateway import peer
from lab import (BROKER, BROKER_V4, GATEWAY, GATEWAY_V4, INET, M1, NETWORK, ONLINK, OVERLAY,
                 OVERLAY_MTU, ROUTED, TUNNEL, TUNNEL_ADDRESS, TUNNEL_GATEWAY, Lab, overlay_name)
from netns import Namespace
from test_ndp import is_advertisement, solicitation
from traffic import FEW_MEGABYTES, ping, transfer

NETWORK_2 = 0x099113e0600a1b2c
OVERLAY_2 = overlay_name(NETWORK_2)
GATEWAY_2 = "fd09:9113:e060:a1b:2c99:9301:2345:6789"
M3 = "fd09:9113:e060:a1b:2c99:9333:8a13:b4bc"

TUNNEL_2, BROKER_V4_2 = "he2-ipv6", "72.52.104.75"
ROUTED_2, TUNNEL_2_GATEWAY = "2001:470:822d::/48", "2001:470:822d::1"
M1_ROUTED_2 = "2001:470:822d:1::1"  # a /64 of it is the first network's
M3_ROUTED_2 = "2001:470:822d::3"

# The second and third uplink: prefix, router's and gateway's address, IPv4.
UPLINKS = {"eth2": ("2001:db8:49", "198.51.100.2"), "eth3": ("2001:db8:4a", "203.0.113.2")}
M3_ONLINK = {device: f"{prefix}::3" for device, (prefix, _) in UPLINKS.items()}

CONF = f"""
uplink eth0
uplink eth2
uplink eth3
tunnel {TUNNEL} {{
    uplink  eth0
    local   {GATEWAY_V4}
    remote  {BROKER_V4}
    address {TUNNEL_ADDRESS}/64
    gateway {TUNNEL_GATEWAY}
    routed  {ROUTED}
    device  bpf
}}
tunnel {TUNNEL_2} {{
    uplink  eth0
    local   {GATEWAY_V4}
    remote  {BROKER_V4_2}
    address 2001:470:822d::80/64
    gateway {TUNNEL_2_GATEWAY}
    routed  {ROUTED_2}
    device  bpf
}}
zerotier {NETWORK:016x} {{
    interface {OVERLAY}
    prefix {ROUTED} {ONLINK} 2001:470:822d:1::/64
}}
zerotier {NETWORK_2:016x} {{
    interface {OVERLAY_2}
    prefix {ROUTED_2} 2001:db8:49::/48 2001:db8:4a::/48
}}
proxy eth0 {{
    rule {ONLINK} {{
        auto
    }}
}}
proxy eth2 {{
    rule 2001:db8:49::/48 {{
        iface {OVERLAY_2}
    }}
}}
proxy eth3 {{
    rule 2001:db8:4a::/48 {{
        static
    }}
}}
firewall {{
    policy off
}}
"""


class Several(Lab):
    """And a member m3, in the second network only."""

    def __enter__(self):
        super().__enter__()
        try:
            self.m3 = Namespace(f"{self.name}-m3")
            self._stack.callback(self.m3.remove)
            self._more_uplinks()
            self._second_broker()
            self._second_network()
        except BaseException:
            self._stack.close()
            raise
        return self

    def _more_uplinks(self):
        for device, (prefix, address) in UPLINKS.items():
            self._cable(self.router, f"to-{device}", self.gw, device)
            self.router.attach_xdp(f"to-{device}", peer("pass.bpf.o"), "xdp.frags")
            self.router.ip(f"""
                addr add {prefix}:ffff::1/64 dev to-{device}
                route add {prefix}::/48 dev to-{device}""")
            self.gw.ip(f"""
                addr add {address}/24 dev {device}
                addr add {prefix}:ffff::80/64 dev {device}""")

    def _second_broker(self):
        self.broker.ip(f"addr add {BROKER_V4_2}/24 dev eth0")
        self._stack.enter_context(self.broker.daemon(
            peer("sixinfour_peer"), "tun1", BROKER_V4_2, GATEWAY_V4, ready="READY"))
        self.broker.ip(f"""
            addr add {TUNNEL_2_GATEWAY}/128 dev tun1
            route add {ROUTED_2} dev tun1""")
        self.router.ip(f"route add {ROUTED_2} via {BROKER}")

    def _second_network(self):
        taps = [f"{namespace.path},{OVERLAY_2},{mac}" for namespace, mac in
                ((self.gw, "2e:1a:94:50:a3:92"), (self.m3, "2e:1a:94:50:a3:93"))]
        self._stack.enter_context(self.m3.daemon(
            peer("tapswitch"), "-m", OVERLAY_MTU, *taps, ready="READY"))
        self.gw.ip(f"addr add {GATEWAY_2}/88 dev {OVERLAY_2}")
        self.m1.ip(f"addr add {M1_ROUTED_2}/64 dev {OVERLAY}")
        addresses = "".join(f"addr add {address}/48 dev {OVERLAY_2}\n"
                            for address in (M3_ROUTED_2, *M3_ONLINK.values()))
        self.m3.ip(f"""
            addr add {M3}/88 dev {OVERLAY_2}
            {addresses}
            route add ::/1 via {GATEWAY_2}
            route add 8000::/1 via {GATEWAY_2}""")


@pytest.fixture(scope="module")
def several():
    with Several() as lab:
        lab.gateway.up(CONF)
        lab.gateway.start_agent()
        yield lab


@pytest.fixture(autouse=True)
def all_is_counted(several):
    yield
    assert_every_packet_counted_once(several.gateway)


def members(lab):
    """(name space, address) of every member in every prefix."""
    return [(lab.m1, M1.routed), (lab.m1, M1_ROUTED_2), (lab.m1, M1.onlink), (lab.m3, M3_ROUTED_2),
            *((lab.m3, address) for address in M3_ONLINK.values())]


def test_every_prefix_leads_to_its_members_and_back(several):
    for member, address in members(several):
        assert ping(several.inet, address, source=INET) == 3, address
        assert ping(member, INET, source=address) == 3, address


def test_every_port_has_its_part(several):
    before = several.gateway.counters()
    for _, address in members(several):
        assert ping(several.inet, address, source=INET, count=5) == 5
    counted = several.gateway.counters() - before
    assert counted["eth0"]["decapsulated"] >= 15 and counted["eth0"]["forwarded"] >= 5
    assert counted["eth2"]["forwarded"] >= 5 and counted["eth3"]["forwarded"] >= 5
    assert counted[OVERLAY]["encapsulated"] >= 10 and counted[OVERLAY]["forwarded"] >= 5
    assert counted[OVERLAY_2]["encapsulated"] >= 5 and counted[OVERLAY_2]["forwarded"] >= 10


def way_of(frame):
    """Where the frame that left by eth0 goes: a tunnel's remote end, or the router."""
    packet = Ether(frame)
    return packet[IP].dst if IP in packet else "native"


def test_the_source_chooses_the_tunnel_packet_by_packet(several):
    """One member, one destination: the route cache has to tell the sources apart."""
    ways = {M1.routed: BROKER_V4, M1_ROUTED_2: BROKER_V4_2, M1.onlink: "native"}
    for source in ways:
        assert ping(several.m1, INET, source=source) == 3
    before = several.gateway.counters()
    with several.router.wire("to-gw") as outside, several.m1.wire(OVERLAY) as inside:
        for source in itertools.chain(*itertools.repeat(ways, 10)):
            inside.send(Ether(src=M1.mac, dst=GATEWAY.mac) / udp(source, INET))
        got = [(Ether(frame)[IPv6].src, way_of(frame)) for frame in outside.frames(1)
               if is_udp(Ether(frame))]
    assert sorted(got) == sorted(list(ways.items()) * 10)
    counted = (several.gateway.counters() - before)[OVERLAY]
    assert counted["encapsulated"] >= 20 and counted["forwarded"] >= 10


def test_a_rule_of_the_administrator_is_honoured_within_a_second(several):
    """A route that only some sources take: from then on it holds for XDP, too."""
    several.gw.run("ip", "-6", "route", "add", "default", "via", TUNNEL_2_GATEWAY, "dev", TUNNEL_2,
                   "table", "99")
    several.gw.run("ip", "-6", "rule", "add", "from", f"{M1.onlink}/128", "lookup", "99",
                   "priority", "50")
    try:
        with several.router.wire("to-gw") as outside, several.m1.wire(OVERLAY) as inside:
            for _ in range(20):
                inside.send(Ether(src=M1.mac, dst=GATEWAY.mac) / udp(M1.onlink, INET))
                frame = outside.wait(lambda frame: is_udp(Ether(frame)), 0.1)
                if way_of(frame) == BROKER_V4_2:
                    return
            assert way_of(frame) == BROKER_V4_2
    finally:
        several.gw.run("ip", "-6", "rule", "del", "priority", "50")
        several.gw.run("ip", "-6", "route", "flush", "table", "99")


@pytest.mark.parametrize("device, target", [
    ("eth2", M3_ONLINK["eth2"]), ("eth3", M3_ONLINK["eth3"]), ("eth3", "2001:db8:4a::dead")])
def test_each_proxy_answers_for_its_own_prefix(several, device, target):
    assert ping(several.inet, M3_ONLINK[device], source=INET) == 3
    for port in UPLINKS:
        with several.router.wire(f"to-{port}") as wire:
            wire.send(solicitation(target))
            reply = wire.wait(lambda frame: is_advertisement(frame, target), 0.5)
        assert (reply is not None) == (port == device), (port, target)


def test_networks_and_tunnels_are_no_way_round_the_guard(several):
    """A member of one network with an address of the other's, and out of one tunnel from the
    prefix of the other."""
    before = several.gateway.counters()
    with several.router.wire("to-gw") as outside, several.m1.wire(OVERLAY) as inside:
        inside.send(Ether(src=M1.mac, dst=GATEWAY.mac) / udp(M3_ROUTED_2, INET))
        outside.send(Ether(src=several.router.mac("to-gw"), dst=several.gw.mac("eth0")) /
                     IP(src=BROKER_V4_2, dst=GATEWAY_V4, proto=41) / udp(M1.routed, M1_ROUTED_2))
        assert not outside.wait(lambda frame: is_udp(Ether(frame)), 0.3)
        assert not inside.wait(lambda frame: is_udp(Ether(frame)), 0.1)
    counted = several.gateway.counters() - before
    assert counted[OVERLAY]["drop_spoofed"] == 1 and counted["eth0"]["drop_spoofed"] == 1


def test_bulk_flows_through_both_tunnels_and_between_the_networks(several):
    assert transfer(several.inet, INET, several.m1, M1.routed, FEW_MEGABYTES).intact
    assert transfer(several.inet, INET, several.m1, M1_ROUTED_2, FEW_MEGABYTES).intact
    assert transfer(several.m1, M1.onlink, several.m3, M3_ROUTED_2, FEW_MEGABYTES).intact
    assert ping(several.gw, TUNNEL_2_GATEWAY) == 3 and ping(several.gw, TUNNEL_GATEWAY) == 3
