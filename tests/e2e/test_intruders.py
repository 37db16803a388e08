# SPDX-License-Identifier: GPL-2.0-or-later
"""The shipped rules against somebody who means it: what nobody has asked for does not come in, in
whatever guise; and what stops, stops. In XDP and in TC, on-link and through the tunnel."""

import itertools
import signal
import socket
import time

import pytest
from scapy.layers.inet import IP, UDP
from scapy.layers.inet6 import ICMPv6EchoRequest, IPv6
from scapy.layers.l2 import Ether
from scapy.packet import Raw

import conntrack
import intruders
from conftest import assert_every_packet_counted_once
from frames import Path
from lab import (BROKER_V4, GATEWAY, GATEWAY_V4, INET, LAN_HOST, M1, M2, ONLINK_ADDRESS,
                 TUNNEL_ADDRESS, Lab, conf)
from test_policy import UDP_PROTOCOL, Stream, assert_stops
from test_tc import set_datapath
from traffic import ping
from waiting import wait_for

LISTED = 60000
ESP, SCTP = 50, 132
ALLOWED = f"allow udp {LISTED}\n allow protocol {ESP}, {SCTP} to {M1.onlink}"
QUIET = 0.6  # seconds after which nothing of what was sent is still on its way

_words = itertools.count()


@pytest.fixture(scope="module", params=["xdp", "tc"])
def way(request):
    """eth1 is in no section: a network of the gateway's that is nobody's business here."""
    text = conf(policy="kernel", firewall=ALLOWED)
    if request.param == "tc":
        text = set_datapath(text, uplink="tc", overlay="tc")
    with Lab() as lab:
        lab.gateway.up(text)
        lab.gateway.start_agent()
        for address in (M1.routed, M1.onlink):
            assert wait_for(lambda: ping(lab.inet, address, count=1, wait=1))
        yield lab
        assert_every_packet_counted_once(lab.gateway)


@pytest.fixture(params=["on-link", "tunnel"])
def member(request):
    return M1.routed if request.param == "tunnel" else M1.onlink


def frame(path, address, packet):
    if address in (M1.routed, TUNNEL_ADDRESS):
        packet = IP(src=BROKER_V4, dst=GATEWAY_V4, proto=41, flags="DF", id=0) / packet
    return path.inward(packet)


def word():
    return b"\xfb%06d\xfb" % next(_words)


def arriving(lab, address, attempts):
    """The names of those of `attempts` (name, make) of which m1 sees anything. What is listed, sent
    after them, does arrive."""
    path = Path(lab)
    words = {}
    last = word()
    with path.outside() as outside, path.inside() as inside:
        for number, (name, make) in enumerate(attempts):
            words[name] = word()
            for packet in make(words[name]):
                outside.send(frame(path, address, packet))
            if number % 20 == 19:
                time.sleep(0.01)
        outside.send(frame(path, address, IPv6(src=INET, dst=address) /
                           UDP(sport=9, dport=LISTED) / last))
        seen = list(inside.frames(QUIET))
    assert any(last in data for data in seen), "what is listed did not arrive"
    return [name for name, mark in words.items() if any(mark in data for data in seen)]


def test_what_nobody_asked_for_does_not_come_in_whatever_it_looks_like(way, member):
    attempts = [*intruders.tcp(member), *intruders.udp(member, LISTED),
                *intruders.within_tunnels(member, LISTED),
                *intruders.behind_headers(member, LISTED), *intruders.in_fragments(member, LISTED)]
    others = [*intruders.other_protocols(member), *intruders.sctp(member)]
    listed = [f"protocol {ESP}", "SCTP INIT"] if member == M1.onlink else []
    before = way.gateway.counters()
    assert arriving(way, member, attempts) == []
    assert arriving(way, member, others) == listed
    counted = (way.gateway.counters() - before)["eth0"]
    assert "decapsulated" not in counted and "forwarded" not in counted


def test_no_icmpv6_message_comes_in_that_rfc_4890_does_not_name(way, member):
    ghost = IPv6(src=member, dst="2001:db8:1::77") / UDP(sport=4, dport=5)
    attempts = [*intruders.errors_that_nobody_needs(member, ghost), *intruders.other_messages(member)]
    assert arriving(way, member, attempts) == []


def test_who_says_to_be_inside_does_not_come_in_by_what_is_listed(way, member):
    sources = [M2.routed, M2.onlink, M2.rfc4193, GATEWAY.rfc4193, ONLINK_ADDRESS, TUNNEL_ADDRESS,
               member, "::1", "::", "ff02::1", "fe80::1", "::ffff:192.0.2.1"]
    assert arriving(way, member, intruders.from_inside(member, sources, LISTED)) == []


def test_a_members_own_address_of_zerotier_is_not_open_by_what_is_listed(way):
    """A neighbour on the uplink could take the gateway for the way there."""
    path, mark = Path(way), word()
    with path.outside() as outside, path.inside() as inside:
        for payload in (UDP(sport=9, dport=LISTED) / mark, ICMPv6EchoRequest(data=mark)):
            outside.send(path.inward(IPv6(src=INET, dst=M1.rfc4193) / payload))
        assert not any(mark in data for data in inside.frames(QUIET))


def test_a_network_that_no_section_names_does_not_speak_for_members(way):
    """Nor so make the hole that an answer would come in by."""
    marks = {source: word() for source in (M1.onlink, M1.routed, M1.rfc4193, LAN_HOST)}
    with way.router.wire("to-gw") as outside, way.lan.wire("eth0") as lan:
        for source, mark in marks.items():
            lan.send(Ether(src=way.lan.mac("eth0"), dst=way.gw.mac("eth1")) /
                     IPv6(src=source, dst=INET) / UDP(sport=9, dport=9) / mark)
        seen = b"".join(outside.frames(QUIET))
    assert [source for source, mark in marks.items() if mark in seen] == [LAN_HOST]


# Beside a flow


@pytest.fixture
def flow(way, member):
    """UDP of m1 with INET, of which both have sent: its port."""
    with way.inet.socket(socket.AF_INET6, socket.SOCK_DGRAM) as server, \
            way.m1.socket(socket.AF_INET6, socket.SOCK_DGRAM) as client:
        server.bind((INET, 0))
        port = server.getsockname()[1]
        client.bind((member, port))
        for one in (server, client):
            one.settimeout(2)
        for _ in range(4):
            client.sendto(b"?", (INET, port))
            server.recv(8)
            server.sendto(b"!", (member, port))
            client.recv(8)
        yield port


def test_a_flow_opens_nothing_beside_itself(way, member, flow):
    def datagram(source=INET, sport=flow, dport=flow, protocol=UDP_PROTOCOL):
        def make(mark):
            packet = IPv6(src=source, dst=member) / UDP(sport=sport, dport=dport) / mark
            return [IPv6(src=source, dst=member, nh=protocol) / Raw(bytes(packet)[40:])]
        return make

    attempts = {"the flow itself": datagram(), "another port there": datagram(sport=flow - 1),
                "another port here": datagram(dport=flow - 1),
                "another host": datagram(source="2001:db8:1::3"),
                "UDP-Lite": datagram(protocol=136), "TCP": datagram(protocol=6)}
    assert arriving(way, member, attempts.items()) == ["the flow itself"]


def test_errors_about_a_flow_come_in_but_not_those_that_have_no_meaning(way, member, flow):
    quoted = IPv6(src=member, dst=INET) / UDP(sport=flow, dport=flow) / bytes(8)
    known = [(f"ICMPv6 type {kind}", intruders.icmpv6(member, kind, 0, quoted)) for kind in range(1, 5)]
    unknown = list(intruders.errors_that_nobody_needs(member, quoted))
    assert arriving(way, member, unknown + known) == [name for name, _ in known]


def test_a_flow_that_conntrack_forgets_stops_within_a_second(way):
    """In TC what the fast path sends passes the witness, too, and is no proof."""
    before = way.gateway.counters()
    with Stream(way, 5101) as stream:
        assert (way.gateway.counters() - before)["eth0"]["decapsulated"] > 100
        assert_stops(stream, lambda: conntrack.delete(way.gw, UDP_PROTOCOL, M1.routed, 5101, INET, 5101))


def test_a_flow_that_is_newly_denied_stops_within_a_second(way):
    before = way.gateway.counters()
    with Stream(way, 5102) as stream:
        assert (way.gateway.counters() - before)["eth0"]["decapsulated"] > 100
        try:
            assert_stops(stream, lambda: way.gw.run(
                "nft", "table ip6 denied { chain c { type filter hook forward priority 10; "
                f"ip6 daddr {M1.routed} udp dport 5102 drop; }}; }}"))
        finally:
            way.gw.run("nft", "delete table ip6 denied")


# The gateway itself


def heard(lab, packets):
    """The names of those of `packets` (name, make) that reach the gateway's own ICMPv6 through the
    tunnel, past the input hook."""
    path, words = Path(lab), {}
    with lab.gw.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6) as own, \
            path.outside() as outside:
        own.settimeout(QUIET)
        for name, make in packets:
            words[name] = word()
            for packet in make(words[name]):
                outside.send(frame(path, TUNNEL_ADDRESS, packet))
        seen = []
        try:
            while True:
                seen.append(own.recv(2048))
        except TimeoutError:
            return [name for name, mark in words.items() if any(mark in data for data in seen)]


def test_the_gateway_hears_in_the_tunnel_what_rfc_4890_names_and_no_more(way):
    """§4.4.1, without what finds routers and neighbours by broadcast: a tunnel has none to find."""
    ghost = IPv6(src=TUNNEL_ADDRESS, dst="2001:db8:1::77") / UDP(sport=4, dport=5)
    errors = [(f"{kind}/{code}", intruders.icmpv6(TUNNEL_ADDRESS, kind, code, ghost))
              for kind, code in ((1, 0), (1, 4), (2, 0), (3, 0), (3, 1), (4, 0), (4, 1), (4, 2))]
    echo = [("128/0", intruders.icmpv6(TUNNEL_ADDRESS, 128, 0))]
    refused = [*intruders.errors_that_nobody_needs(TUNNEL_ADDRESS, ghost),
               *intruders.other_messages(TUNNEL_ADDRESS)]
    assert heard(way, refused) == []
    assert heard(way, errors + echo) == [name for name, _ in errors + echo]


# Last: nobody looks after the gateway any more


def test_nothing_falls_open_when_the_agent_is_killed(way, member):
    with Stream(way, 5103) as stream:
        way.gateway.agent_process.send_signal(signal.SIGKILL)
        way.gateway.agent_process.wait()
        attempts = [*intruders.tcp(member), *intruders.udp(member, LISTED)]
        assert arriving(way, member, attempts) == []
        assert time.monotonic() - stream.arrivals[-1] < 1, "what goes on goes on"
    way.gateway.start_agent()
