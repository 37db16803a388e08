# SPDX-License-Identifier: GPL-2.0-or-later
"""ECN and traffic class through the TC programs of `device bpf` (RFC 6040): what the gateway itself
sends and gets. The fast path's table is with the golden packets, the kernel's `sit` marks by an older
RFC."""

import itertools
import socket

import pytest
from scapy.layers.inet import IP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import Ether

from conftest import running
from frames import PORT, Path, udp
from lab import BROKER_V4, GATEWAY_V4, INET, M1, TUNNEL, TUNNEL_ADDRESS
from probes import needs_no_sit
from traffic import ping

NOT_ECT, ECT_1, ECT_0, CE = range(4)
DSCPS = (0x00, 0x28, 0xb8, 0xfc)

# RFC 6040 figure 4: LEAVES[inner][outer]; None is a drop.
LEAVES = {
    NOT_ECT: {NOT_ECT: NOT_ECT, ECT_1: NOT_ECT, ECT_0: NOT_ECT, CE: None},
    ECT_1: {NOT_ECT: ECT_1, ECT_1: ECT_1, ECT_0: ECT_1, CE: CE},
    ECT_0: {NOT_ECT: ECT_0, ECT_1: ECT_1, ECT_0: ECT_0, CE: CE},
    CE: {NOT_ECT: CE, ECT_1: CE, ECT_0: CE, CE: CE},
}

pytestmark = needs_no_sit()


def gateway_with(tos):
    for lab in running({"onlink": False, "sixinfour": f"tos {tos}"}):
        assert ping(lab.inet, M1.routed, source=INET, count=2) == 2
        yield lab


@pytest.fixture(scope="module")
def fixed():
    yield from gateway_with(0x40)


@pytest.fixture(scope="module")
def inherited():
    yield from gateway_with("inherit")


def sent_by_gateway(lab, traffic_class):
    """The outer TOS and the inner traffic class of a packet that the gateway itself sends."""
    with Path(lab).outside() as outside, \
            lab.gw.socket(socket.AF_INET6, socket.SOCK_DGRAM) as sender:
        sender.bind((TUNNEL_ADDRESS, 0))
        sender.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_TCLASS, traffic_class)
        sender.sendto(b"marked", (INET, PORT))
        frame = Ether(outside.wait(lambda frame: b"marked" in frame))
    assert frame[IP].src == GATEWAY_V4
    return frame[IP].tos, frame[IPv6].tc


def test_the_outer_mark_is_the_inner_one_beside_a_fixed_dscp(fixed):
    for dscp, ecn in itertools.product(DSCPS, range(4)):
        assert sent_by_gateway(fixed, dscp | ecn) == (0x40 | ecn, dscp | ecn)


def test_the_outer_traffic_class_is_the_inner_one_where_it_is_inherited(inherited):
    for dscp, ecn in itertools.product(DSCPS, range(4)):
        assert sent_by_gateway(inherited, dscp | ecn) == (dscp | ecn, dscp | ecn)


@pytest.mark.parametrize("inner", range(4))
@pytest.mark.parametrize("outer", range(4))
def test_what_the_gateway_gets_is_marked_by_both_headers(fixed, inner, outer):
    before = fixed.gateway.counters()
    path = Path(fixed)
    for dscp in DSCPS:
        packet = IP(src=BROKER_V4, dst=GATEWAY_V4, proto=41, flags="DF", tos=0x88 | outer) / udp(
            INET, TUNNEL_ADDRESS, tc=dscp | inner)
        with fixed.gw.socket(socket.AF_INET6, socket.SOCK_DGRAM) as receiver, \
                path.outside() as outside:
            receiver.bind((TUNNEL_ADDRESS, PORT))
            receiver.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVTCLASS, 1)
            receiver.settimeout(0.2 if LEAVES[inner][outer] is None else 2)
            outside.send(path.inward(packet))
            try:
                _, messages, _, _ = receiver.recvmsg(100, 100)
            except TimeoutError:
                assert LEAVES[inner][outer] is None
                continue
        assert [int.from_bytes(data, "little") for _, kind, data in messages
                if kind == socket.IPV6_TCLASS] == [dscp | LEAVES[inner][outer]]
    if LEAVES[inner][outer] is None:
        counted = fixed.gateway.counters() - before
        assert counted["eth0"].get("drop_ecn", 0) + counted[TUNNEL].get("drop_ecn", 0) == len(DSCPS)
