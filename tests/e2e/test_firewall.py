# SPDX-License-Identifier: GPL-2.0-or-later
"""The shipped rules (design §4.6; RFC 6092, RFC 4890): what the Internet can open, and what not, on-link
and through the tunnel, under the default policy."""

import json
import socket
import time

import pytest
from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.inet6 import (ICMPv6DestUnreach, ICMPv6EchoReply, ICMPv6EchoRequest,
                                ICMPv6PacketTooBig, ICMPv6ParamProblem, ICMPv6TimeExceeded,
                                ICMPv6Unknown, IPv6, IPv6ExtHdrRouting)
from scapy.layers.l2 import Ether

from conftest import running
from frames import Path
from lab import (BROKER_V4, GATEWAY_V4, INET, LAN_HOST, M1, M2, ONLINK_ADDRESS, TUNNEL_ADDRESS,
                 conf)
from traffic import FEW_MEGABYTES, ping, transfer

RATE = 500  # echo requests, and errors of no known flow, per second
MARKER = 60999  # a port that is open: what was sent before it has been decided when it arrives

ALLOWED = f"""
    allow tcp 22, 8000-8010 to {M1.onlink}
    allow tcp 22, 8000-8010 to {M1.routed}
    allow tcp 443 from {INET}
    allow tcp 25 from 2001:db8:1:5::/64
    allow udp 60000-61000
    allow icmpv6 144
    allow udp 53 to {TUNNEL_ADDRESS}
"""


@pytest.fixture(scope="module")
def guarded():
    for lab in running({"policy": "kernel", "lan": True, "firewall": ALLOWED}):
        # A first one may be lost to the search for the neighbour.
        assert ping(lab.inet, M1.routed, source=INET, count=5) > 0
        assert ping(lab.inet, M1.onlink, source=INET, count=5) > 0
        yield lab


class Internet:
    """Sends to a member from outside, by the way that leads to the address."""

    def __init__(self, lab, address):
        self.path = Path(lab)
        self.address = address

    def frame(self, packet):
        if self.address == M1.routed:
            packet = IP(src=BROKER_V4, dst=GATEWAY_V4, proto=41, flags="DF", id=0) / packet
        return self.path.inward(packet)

    def packet(self, payload, source=INET):
        return IPv6(src=source, dst=self.address) / payload

    def arriving(self, packets):
        """Those of `packets` (IPv6, in the order of sending) that reach the member."""
        sent = [packet.copy() for packet in packets]
        for packet in sent:
            packet.hlim = 64
        marker = self.packet(UDP(sport=999, dport=MARKER) / b"the last one")
        arrived = []
        with self.path.outside() as outside, self.path.inside() as inside:
            for packet in sent + [marker]:
                outside.send(self.frame(packet))
            for data in inside.frames(3):
                frame = Ether(data)
                if IPv6 not in frame or frame[IPv6].dst != self.address:
                    continue
                if UDP in frame and frame[UDP].dport == MARKER:
                    break
                arrived.append(bytes(frame[IPv6])[40:])
            else:
                raise AssertionError("what is allowed did not arrive")
        return [packet for packet in packets if bytes(packet)[40:] in arrived]

    def passes(self, payload, source=INET):
        packet = self.packet(payload, source)
        return self.arriving([packet]) == [packet]


@pytest.fixture(params=["on-link", "tunnel"])
def internet(guarded, request):
    return Internet(guarded, M1.routed if request.param == "tunnel" else M1.onlink)


def syn(port):
    return TCP(sport=40000, dport=port, flags="S", seq=1)


def datagram(port):
    return UDP(sport=40000, dport=port) / b"unsolicited"


LISTED = [syn(22), syn(8000), syn(8010), syn(443), datagram(60000), datagram(61000),
          ICMPv6Unknown(type=144)]
UNLISTED = [syn(21), syn(23), syn(7999), syn(8011), syn(25), syn(60000), datagram(22), datagram(443),
            datagram(59999), datagram(61001), datagram(53), datagram(9993), ICMPv6Unknown(type=145)]


def test_what_is_listed_comes_in_and_nothing_else(internet):
    payloads = [payload for pair in zip(LISTED, UNLISTED) for payload in pair] + UNLISTED[len(LISTED):]
    packets = [internet.packet(payload) for payload in payloads]
    expected = [packet for payload, packet in zip(payloads, packets) if payload in LISTED]
    assert internet.arriving(packets) == expected


def test_the_source_decides_where_it_is_listed(internet):
    assert internet.passes(syn(25), source="2001:db8:1:5::9")
    assert not internet.passes(syn(443), source="2001:db8:1::3")


def test_a_member_that_is_not_named_is_not_opened(guarded):
    with guarded.m2.socket(socket.AF_INET6, socket.SOCK_STREAM) as listener:
        listener.bind(("::", 22))
        listener.listen()
        for address in (M2.routed, M2.onlink):
            with guarded.inet.socket(socket.AF_INET6, socket.SOCK_STREAM) as client:
                client.settimeout(0.5)
                with pytest.raises(TimeoutError):
                    client.connect((address, 22))


@pytest.mark.parametrize("flags", ["A", "SA", "FA", "R", "", "FPU"])
def test_tcp_without_a_flow_does_not_come_in_whatever_its_flags(internet, flags):
    assert not internet.passes(TCP(sport=40001, dport=4000, flags=flags, seq=1, ack=1))


# ICMPv6


def quoted(internet):
    """A packet of no flow that anybody has seen, as an error quotes it."""
    return IPv6(src=internet.address, dst="2001:db8:1::77") / UDP(sport=4, dport=5) / b"12345678"


ERRORS = {
    "destination unreachable": [ICMPv6DestUnreach(code=code) for code in range(7)],
    "packet too big": [ICMPv6PacketTooBig(mtu=1400)],
    "time exceeded": [ICMPv6TimeExceeded(code=0), ICMPv6TimeExceeded(code=1)],
    "parameter problem": [ICMPv6ParamProblem(code=code, ptr=6) for code in range(3)],
}


@pytest.mark.parametrize("error", ERRORS)
def test_errors_that_must_not_be_dropped_come_in_even_without_a_flow(internet, error):
    """RFC 4890 §4.3.1 and §4.3.2."""
    packets = [internet.packet(head / quoted(internet)) for head in ERRORS[error]]
    assert internet.arriving(packets) == packets


def test_other_icmpv6_does_not_come_in(internet):
    """Errors and messages of RFC 4890 §4.3.3 to §4.3.5, and an answer that nobody asked for."""
    packets = [internet.packet(ICMPv6Unknown(type=kind, msgbody=bytes(24)))
               for kind in (100, 127, 133, 134, 135, 136, 137, 138, 139, 141, 145, 148, 200)]
    packets.append(internet.packet(ICMPv6EchoReply(id=1, seq=1)))
    packets.append(internet.packet(ICMPv6TimeExceeded(code=2) / quoted(internet)))
    assert internet.arriving(packets) == []


def test_a_routing_header_of_type_0_does_not_come_in(internet):
    packet = internet.packet(IPv6ExtHdrRouting(addresses=["2001:db8:1::9"], segleft=1) /
                             datagram(60000))
    assert internet.arriving([packet]) == []


def is_echo_request(frame):
    return ICMPv6EchoRequest in Ether(frame)


def test_pings_come_in_at_a_bounded_rate_also_as_one_flow(guarded):
    internet = Internet(guarded, M1.onlink)
    flood = 4 * RATE
    frame = bytes(internet.frame(internet.packet(ICMPv6EchoRequest(id=7, seq=1))))
    arrived, start = 0, time.monotonic()
    with internet.path.outside() as outside, internet.path.inside() as inside:
        for number in range(flood):
            outside.send(frame)
            if number % 100 == 0:
                arrived += sum(map(is_echo_request, inside.frames(0.001)))
        seconds = time.monotonic() - start
        arrived += sum(map(is_echo_request, inside.frames(0.5)))
    assert RATE // 10 < arrived < min(flood, RATE * (1.2 + seconds))


# Flows of members


@pytest.mark.parametrize("address", [M1.onlink, M1.routed], ids=["on-link", "tunnel"])
def test_answers_to_a_members_own_flows_come_in(guarded, address):
    assert ping(guarded.m1, INET, source=address) == 3
    assert transfer(guarded.inet, INET, guarded.m1, address, FEW_MEGABYTES).intact
    with guarded.inet.socket(socket.AF_INET6, socket.SOCK_DGRAM) as server, \
            guarded.m1.socket(socket.AF_INET6, socket.SOCK_DGRAM) as client:
        server.bind((INET, 5353))
        client.bind((address, 0))
        for sock in (server, client):
            sock.settimeout(2)
        client.sendto(b"question", (INET, 5353))
        question, source = server.recvfrom(100)
        server.sendto(b"answer to " + question, source)
        assert client.recv(100) == b"answer to question"


@pytest.mark.parametrize("address", [M1.onlink, M1.routed], ids=["on-link", "tunnel"])
def test_a_listed_service_of_a_member_works(guarded, address):
    with guarded.m1.socket(socket.AF_INET6, socket.SOCK_STREAM) as listener, \
            guarded.inet.socket(socket.AF_INET6, socket.SOCK_STREAM) as client:
        listener.bind((address, 22))
        listener.listen()
        client.settimeout(2)
        client.connect((address, 22))
        connection, _ = listener.accept()
        with connection:
            connection.sendall(b"SSH-2.0\r\n")
            assert client.recv(100) == b"SSH-2.0\r\n"


def test_between_overlay_and_lan_all_is_open(guarded):
    for here, there, address in ((guarded.lan, guarded.m1, M1.routed),
                                 (guarded.m1, guarded.lan, LAN_HOST)):
        with there.socket(socket.AF_INET6, socket.SOCK_STREAM) as listener, \
                here.socket(socket.AF_INET6, socket.SOCK_STREAM) as client:
            listener.bind((address, 1234))
            listener.listen()
            client.settimeout(3)
            client.connect((address, 1234))


def test_the_lan_is_closed_to_the_internet(guarded):
    assert ping(guarded.inet, LAN_HOST, count=2) == 2
    with guarded.inet.socket(socket.AF_INET6, socket.SOCK_STREAM) as client:
        client.settimeout(0.5)
        with pytest.raises(TimeoutError):
            client.connect((LAN_HOST, 22))


def mss_of(frame):
    return dict(option for option in Ether(frame)[TCP].options if option[1] is not None)["MSS"]


def has_syn(frame):
    packet = Ether(frame)
    return TCP in packet and packet[TCP].flags.S


def test_the_mss_of_a_syn_fits_the_tunnel_both_ways(guarded):
    internet = Internet(guarded, M1.routed)
    path = internet.path
    large = TCP(sport=40002, dport=22, flags="S", seq=1, options=[("MSS", 2740)])
    with path.outside() as outside, path.inside() as inside:
        inside.send(path.outward(IPv6(src=M1.routed, dst=INET) / large))
        assert mss_of(outside.wait(lambda frame: b"\x02\x04" in frame and IP in Ether(frame)
                                   and has_syn(frame))) == 1420
    with path.outside() as outside, path.inside() as inside:
        outside.send(internet.frame(internet.packet(large)))
        assert mss_of(inside.wait(has_syn)) == 1420
    small = TCP(sport=40003, dport=22, flags="S", seq=1, options=[("MSS", 1220)])
    with path.outside() as outside, path.inside() as inside:
        outside.send(internet.frame(internet.packet(small)))
        assert mss_of(inside.wait(has_syn)) == 1220


# The gateway itself


def connects(namespace, address, port):
    with namespace.socket(socket.AF_INET6, socket.SOCK_STREAM) as client:
        client.settimeout(0.7)
        try:
            client.connect((address, port))
        except TimeoutError:
            return False
        except ConnectionRefusedError:
            pass  # which the gateway's kernel has said
        return True


def test_the_gateway_is_closed_in_the_tunnel_and_as_before_on_its_uplink(guarded):
    assert not connects(guarded.inet, TUNNEL_ADDRESS, 22)
    assert connects(guarded.inet, ONLINK_ADDRESS, 22)
    assert ping(guarded.inet, TUNNEL_ADDRESS) == 3
    assert ping(guarded.gw, INET, source=TUNNEL_ADDRESS) == 3
    assert transfer(guarded.inet, INET, guarded.gw, TUNNEL_ADDRESS, 1).intact


def answered(lab, port):
    """Whether a datagram to the gateway in the tunnel reaches a socket of it."""
    with lab.gw.socket(socket.AF_INET6, socket.SOCK_DGRAM) as server, \
            lab.inet.socket(socket.AF_INET6, socket.SOCK_DGRAM) as client:
        server.bind((TUNNEL_ADDRESS, port))
        server.settimeout(0.7)
        client.sendto(b"x", (TUNNEL_ADDRESS, port))
        try:
            return server.recv(10) == b"x"
        except TimeoutError:
            return False


def test_the_gateway_takes_zerotier_and_what_is_listed_for_it(guarded):
    assert answered(guarded, 9993) and answered(guarded, 53)
    assert not answered(guarded, 60000), "listed for members alone"


def test_protocol_41_is_taken_from_the_broker_alone(guarded):
    path = Path(guarded)
    inner = IPv6(src=INET, dst=TUNNEL_ADDRESS) / ICMPv6EchoRequest(id=3)

    def stranger(to):
        with path.outside() as outside:
            outside.send(path.inward(IP(src="198.51.100.1", dst=to, proto=41) / inner))
            return outside.wait(lambda frame: IP in Ether(frame) and
                                Ether(frame)[IP].dst == "198.51.100.1", 0.5)

    counted = guarded.gateway.counters()
    assert stranger(GATEWAY_V4) is None, "not even an ICMP error"
    assert (guarded.gateway.counters() - counted)["eth0"]["drop_not_broker"] == 1
    # What is for no tunnel of ours, or comes when no program runs, meets the rule.
    guarded.gw.ip("addr add 192.0.2.77/24 dev eth0")
    before = dropped(guarded, "ip", "input")
    assert stranger("192.0.2.77") is None
    assert dropped(guarded, "ip", "input") == before + 1


def dropped(lab, family, chain):
    """Packets that the rules of a chain have dropped."""
    listed = json.loads(lab.gw.run("nft", "--json", "list", "chain", family, f"zt6-{lab.name}",
                                   chain).stdout)["nftables"]
    return sum(expression["counter"]["packets"] for entry in listed if "rule" in entry
               for expression in entry["rule"]["expr"] if "counter" in expression)


def test_a_flow_that_is_listed_no_longer_stops_within_a_second(fresh):
    """Opened from outside, and carried by the fast path in between."""
    fresh.gateway.up(conf(policy="kernel", firewall="allow tcp 22\nallow udp 22"))
    fresh.gateway.start_agent()
    assert ping(fresh.inet, M1.onlink, count=5) > 0
    with fresh.m1.socket(socket.AF_INET6, socket.SOCK_STREAM) as listener, \
            fresh.inet.socket(socket.AF_INET6, socket.SOCK_STREAM) as client:
        listener.bind((M1.onlink, 22))
        listener.listen()
        client.settimeout(3)
        client.connect((M1.onlink, 22))
        server, _ = listener.accept()
        with server:
            server.settimeout(1)

            def echoed():
                client.send(b"x")
                try:
                    server.sendall(server.recv(10))
                except TimeoutError:
                    return False
                return True

            assert all(echoed() for _ in range(20))
            fresh.gateway.up(conf(policy="kernel", firewall="allow tcp 23"))
            time.sleep(1)
            assert not echoed()
            fresh.gateway.up(conf(policy="kernel", firewall="allow tcp 22"))
            assert any(echoed() for _ in range(5)), "and goes on when it is listed again"
