# SPDX-License-Identifier: GPL-2.0-or-later
"""limits new-flow-rate: a flood of packets that answer nobody reaches the kernel at that rate, and what
answers a member at any rate."""

import contextlib
import socket
import subprocess
import time

import pytest
from scapy.layers.inet import TCP, UDP
from scapy.layers.inet6 import (ICMPv6PacketTooBig, IPv6, IPv6ExtHdrDestOpt, IPv6ExtHdrFragment,
                                IPv6ExtHdrHopByHop)
from scapy.layers.l2 import Ether
from scapy.packet import Raw

import conntrack
from conftest import running
from frames import Path
from gateway import peer
from lab import INET, M1, M2
from test_storms import DESTINATION, ETHER, IPV6, SOURCE, syns_to_one_member
from traffic import FEW_MEGABYTES, ping, transfer
from waiting import wait_for

pytestmark = pytest.mark.alone

RATE = 40  # packets a second, a quarter of it to one member
TO_ONE = RATE // 4
FLOOD_RATE = 5000
FLOOD_SECONDS = 30  # at most: it ends with what it disturbs
LISTED = 2222  # the flood is for another port, and goes nowhere


@pytest.fixture(scope="module")
def limited():
    """Without an agent: none of this may depend on it."""
    settings = {"policy": "kernel", "method": "static", "firewall": f"allow tcp {LISTED}",
                "more": f"limits {{\n    new-flow-rate {RATE}\n}}"}
    for lab in running(settings, agent=False):
        for member in (lab.m1, lab.m2):
            address = M1.onlink if member is lab.m1 else M2.onlink
            assert ping(member, INET, source=address, count=3) >= 2
        yield lab


@contextlib.contextmanager
def flood(lab, frame, *places):
    """A flood of frames while the body runs; it begins when the burst is used up."""
    process = lab.router.popen(peer("storm"), "to-gw", FLOOD_RATE, FLOOD_SECONDS,
                               bytes(frame).hex(), *places, stdout=subprocess.PIPE)
    try:
        time.sleep(0.5)
        yield
        assert process.poll() is None, "it ended too early to say anything"
    finally:
        process.kill()
        process.wait()


@contextlib.contextmanager
def counted_flood(lab, plan):
    """What becomes of it and of all else that comes in by eth0."""
    before = lab.gateway.counters()
    with flood(lab, *plan):
        yield lambda: (lab.gateway.counters() - before)["eth0"]


def syn_flood(lab):
    """From random sources to m1."""
    return counted_flood(lab, syns_to_one_member(lab))


def behind(lab, extension, body=None):
    """Packets with an extension header from random sources to m1."""
    frame = (Ether(src=lab.router.mac("to-gw"), dst=lab.gw.mac("eth0")) /
             IPv6(src="2001:db8:66::", dst=M1.onlink) / extension /
             (body or UDP(sport=1, dport=2) / Raw(bytes(8))))
    return frame, ETHER + SOURCE + 6, ETHER + SOURCE + 10, 4


UNPARSED = {  # and the verdict within the rate
    "hop-by-hop options": (IPv6ExtHdrHopByHop, "pass_extension_header"),
    "destination options": (IPv6ExtHdrDestOpt, "pass_policy"),
    "later fragments": (lambda: IPv6ExtHdrFragment(offset=4, m=1, id=7, nh=17), "pass_policy"),
}


@contextlib.contextmanager
def listening(namespace, address, port=0):
    with namespace.socket(socket.AF_INET6, socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((address, port))
        listener.listen(8)
        listener.settimeout(5)
        yield listener


def connect(client, source, listener):
    """Both ends of a new connection, which has one second to come about: no SYN is sent twice."""
    one = client.socket(socket.AF_INET6, socket.SOCK_STREAM)
    one.settimeout(0.9)
    one.bind((source, 0))
    one.connect(listener.getsockname()[:2])
    other, _ = listener.accept()
    for end in (one, other):
        end.settimeout(5)
    return one, other


def say(one, other):
    for source, destination in ((one, other), (other, one)):
        source.sendall(b"flood?")
        assert destination.recv(64) == b"flood?"


def test_a_flood_of_one_member_reaches_the_kernel_at_the_rate(limited):
    with syn_flood(limited) as counted:
        start = time.monotonic()
        before = counted()
        time.sleep(2)
        after = counted()
        took = time.monotonic() - start
    passed = after["pass_policy"] - before["pass_policy"]
    assert passed <= TO_ONE * (took + 1)
    assert passed >= TO_ONE
    assert after["drop_new_limited"] - before["drop_new_limited"] >= 10 * passed


def test_connections_of_members_go_on_open_and_end_in_a_flood(limited):
    lab = limited
    with listening(lab.inet, INET) as listener:
        old = connect(lab.m1, M1.onlink, listener)
        say(*old)
        time.sleep(1.5)  # the kernel's word is old
        with syn_flood(lab) as counted:
            say(*old)
            new = [connect(lab.m1, M1.onlink, listener) for _ in range(5)]
            for ends in new:
                say(*ends)
            # By the far end, as a download ends, by FIN; and by RST.
            port = old[0].getsockname()[1]
            old[1].close()
            assert old[0].recv(1) == b""
            old[0].close()
            new[0][1].setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            new[0][1].close()
            with pytest.raises(ConnectionResetError):
                new[0][0].recv(1)
            # Both FINs have reached conntrack; of the last ACK a CPU may still know the flow.
            assert wait_for(lambda: [line.split()[5] for line in conntrack.entries(lab.gw)
                                     if f"sport={port} " in line] in (["TIME_WAIT"], ["LAST_ACK"]))
            assert transfer(lab.inet, INET, lab.m1, M1.onlink, FEW_MEGABYTES).intact
            assert counted()["drop_new_limited"] > 1000
        for ends in new:
            for end in ends:
                end.close()


def test_answers_to_datagrams_and_echo_requests_pass_in_a_flood(limited):
    lab = limited
    with lab.inet.socket(socket.AF_INET6, socket.SOCK_DGRAM) as server, \
            lab.m1.socket(socket.AF_INET6, socket.SOCK_DGRAM) as client, syn_flood(lab):
        server.bind((INET, 0))
        client.bind((M1.onlink, 0))
        client.settimeout(2)
        server.settimeout(2)
        for _ in range(20):
            client.sendto(b"question", server.getsockname()[:2])
            _, asker = server.recvfrom(64)
            server.sendto(b"answer", asker)
            assert client.recv(64) == b"answer"
        assert ping(lab.m1, INET, source=M1.onlink, count=5) >= 4


def test_a_flood_of_one_member_does_not_keep_others_from_being_reached(limited):
    lab = limited
    with listening(lab.m2, M2.onlink, LISTED) as listener, syn_flood(lab) as counted:
        for _ in range(4):
            ends = connect(lab.inet, INET, listener)
            say(*ends)
            for end in ends:
                end.close()
        assert counted()["drop_new_limited"] > 1000


def test_packet_too_big_about_a_live_flow_passes_in_a_storm_of_forged_ones(limited):
    lab = limited
    path = Path(lab)
    router = "2001:db8:3::77"

    def about(source_port, port):
        quoted = IPv6(src=M1.onlink, dst=INET) / TCP(sport=source_port, dport=port)
        return (Ether(src=lab.router.mac("to-gw"), dst=lab.gw.mac("eth0")) /
                IPv6(src=router, dst=M1.onlink) / ICMPv6PacketTooBig(mtu=1280) / quoted)

    with listening(lab.inet, INET) as listener, path.inside() as inside:
        one, other = connect(lab.m1, M1.onlink, listener)
        with one, other:
            ports = one.getsockname()[1], listener.getsockname()[1]
            before = lab.gateway.counters()
            # Other flows that there are not: the quoted address of the far end differs.
            quoted = ETHER + IPV6 + 8
            with flood(lab, about(*ports), quoted + DESTINATION + 6, quoted + DESTINATION + 10,
                       4), path.outside() as outside:
                for _ in range(5):
                    outside.send(bytes(about(*ports)))
                told = [inside.wait(lambda frame: ICMPv6PacketTooBig in Ether(frame) and
                                    bytes(about(*ports))[ETHER + IPV6:] == frame[ETHER + IPV6:], 2)
                        for _ in range(5)]
            assert all(told)
            assert (lab.gateway.counters() - before)["eth0"]["drop_new_limited"] > 1000


@pytest.mark.parametrize("kind", UNPARSED)
def test_a_flood_of_what_is_not_parsed_reaches_the_kernel_at_the_rate_and_leaves_a_download(
        limited, kind):
    lab = limited
    make, within = UNPARSED[kind]
    with counted_flood(lab, behind(lab, make())) as counted:
        start = time.monotonic()
        before = counted()
        assert transfer(lab.inet, INET, lab.m1, M1.onlink, FEW_MEGABYTES).intact
        time.sleep(1)
        after = counted()
        took = time.monotonic() - start
    limited_ones = after["drop_new_limited"] - before.get("drop_new_limited", 0)
    assert limited_ones >= FLOOD_RATE // 4
    if within == "pass_extension_header":  # the download's own packets pass by another verdict
        assert after[within] - before[within] <= TO_ONE * (took + 1)


def test_an_answer_in_fragments_arrives_in_a_flood_of_fragments(limited):
    """As of a name server's: a question in one packet, an answer of 4000 bytes, again and again, while
    fragments to the same member, and to another one, come in at any rate."""
    lab = limited
    answer = bytes(range(250)) * 16
    to_another = behind(lab, IPv6ExtHdrFragment(offset=4, m=1, id=7, nh=17))
    to_another[0][IPv6].dst = M2.onlink
    with lab.inet.socket(socket.AF_INET6, socket.SOCK_DGRAM) as server, \
            lab.m1.socket(socket.AF_INET6, socket.SOCK_DGRAM) as client, \
            flood(lab, *to_another), counted_flood(
                lab, behind(lab, IPv6ExtHdrFragment(offset=4, m=1, id=7, nh=17))) as counted:
        server.bind((INET, 0))
        client.bind((M1.onlink, 0))
        for end in (server, client):
            end.settimeout(2)
        for _ in range(20):
            client.sendto(b"question", server.getsockname()[:2])
            _, asker = server.recvfrom(64)
            server.sendto(answer, asker)
            assert client.recv(8192) == answer
        assert counted()["drop_new_limited"] > 1000
