# SPDX-License-Identifier: GPL-2.0-or-later
"""State is bounded, whatever arrives (design §2, principle 6; RFC 6583)."""

import glob
import ipaddress
import json
import random
import struct
import threading
import time

import pytest
from scapy.layers.inet import IP
from scapy.layers.inet6 import ICMPv6ND_NS
from scapy.layers.l2 import Ether

from conftest import running
from frames import Path, udp
from lab import BROKER_V4, GATEWAY_V4, INET, M1, ONLINK, ROUTED
from netns import run
from processes import own_kilobytes
from test_ndp import advertisement, is_advertisement, solicitation
from traffic import ping, transfer

pytestmark = pytest.mark.alone

SCAN = 100_000
CHUNK = 1000  # frames between two calls of every_chunk()
BURST = 100  # the queue of a veth holds 256 frames
PAUSE = 0.002  # seconds between bursts: two seconds of scan, or more
LIVE = 0.99  # of the pings: on a busy machine that queue overflows all the same
UNRESOLVED_RATE = 100  # packets per second and port: the default of design §5.2
SLACK = 3  # seconds' worth of the rate that its burst may add
SOLICITATIONS = 3  # of the kernel for one neighbour: mcast_solicit
NEIGHBOUR_LIMIT = 1024  # net.ipv6.neigh.default.gc_thresh3 of a kernel that nobody tuned
TARGET_IN_NS = 14 + 40 + 8
DESTINATION_IN_6IN4 = 14 + 20 + 24


@pytest.fixture
def scanned():
    for lab in running({}):
        assert ping(lab.inet, M1.routed, count=2) == 2
        assert ping(lab.inet, M1.onlink, count=2) == 2
        yield lab


def hosts(prefix):
    """SCAN random addresses of a /48, the same ones each time. All have the Internet checksum of
    the prefix itself, so that one frame fits all of them."""
    network = int(ipaddress.ip_network(prefix).network_address).to_bytes(16, "big")
    generator = random.Random(prefix)
    for _ in range(SCAN):
        words = struct.unpack("!4H", generator.randbytes(8))
        balance = -sum(words) % 0xffff
        yield network[:6] + struct.pack("!5H", *words, balance)


def flood(wire, frame, offset, prefix, every_chunk=lambda: None):
    """Send `frame` once for each of hosts(prefix), which stands at `offset`. Returns seconds."""
    buffer = bytearray(frame)
    start = time.monotonic()
    for number, address in enumerate(hosts(prefix)):
        buffer[offset:offset + 16] = address
        wire.socket.send(buffer)
        if number % CHUNK == CHUNK - 1:
            every_chunk()
        if number % BURST == BURST - 1:
            time.sleep(PAUSE)
    return time.monotonic() - start


def map_bytes(lab):
    """What the kernel says that the instance's pinned maps take."""
    maps = [run("bpftool", "-j", "map", "show", "pinned", path, check=False).stdout
            for path in glob.glob(f"/sys/fs/bpf/zt6-bpf/{lab.name}/**", recursive=True)]
    sizes = [json.loads(text) for text in maps if text]
    return sum(size["bytes_memlock"] for size in sizes if "bytes_memlock" in size)


def neighbours(lab):
    return len(lab.gw.show("-6 neigh show nud all").splitlines())


class Live:
    """Pings a member for as long as the body of the `with` statement takes."""

    def __init__(self, lab, address):
        self.lab, self.address = lab, address
        self.sent = self.answered = 0
        self.over = threading.Event()
        self.thread = threading.Thread(target=self._ping)

    def _ping(self):
        while not self.over.is_set():
            self.sent += 10
            self.answered += ping(self.lab.inet, self.address, count=10, interval=0.02)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()


def test_a_scan_through_the_tunnel_costs_a_fixed_amount_and_disturbs_nobody(scanned):
    lab, path = scanned, Path(scanned)
    frame = path.inward(IP(src=BROKER_V4, dst=GATEWAY_V4, proto=41, flags="DF", id=0) /
                        udp(INET, ROUTED.split("/", maxsplit=1)[0]))
    before, maps = lab.gateway.counters(), map_bytes(lab)
    memory = own_kilobytes(lab.gateway.agent_process.pid)
    with path.outside() as wire, path.inside() as inside:
        with Live(lab, M1.routed) as live:
            seconds = flood(wire, bytes(frame), DESTINATION_IN_6IN4, ROUTED)
        solicited = sum(ICMPv6ND_NS in Ether(seen) for seen in inside.frames(0.5))
    verdicts = (lab.gateway.counters() - before)["eth0"]

    # A full queue of the veth loses a few before they arrive.
    assert verdicts["pass_unresolved"] + verdicts["drop_unresolved_limited"] >= 0.99 * SCAN
    assert verdicts["pass_unresolved"] <= UNRESOLVED_RATE * (seconds + SLACK)
    assert solicited <= SOLICITATIONS * UNRESOLVED_RATE * (seconds + SLACK)
    assert neighbours(lab) < NEIGHBOUR_LIMIT
    assert map_bytes(lab) == maps
    assert own_kilobytes(lab.gateway.agent_process.pid) <= memory + 1024
    assert live.answered >= LIVE * live.sent > 0
    assert transfer(lab.inet, INET, lab.m1, M1.routed, 20).intact


def test_a_scan_by_solicitations_costs_a_fixed_amount_and_disturbs_nobody(scanned):
    lab = scanned
    frame = bytes(solicitation(ONLINK.split("/", maxsplit=1)[0]))
    expected = advertisement(lab, M1.onlink)
    before, maps = lab.gateway.counters(), map_bytes(lab)
    memory = own_kilobytes(lab.gateway.agent_process.pid)
    unanswered = 0
    with lab.router.wire("to-gw") as wire, lab.router.wire("to-gw") as solicitor:
        def solicit_m1():
            nonlocal unanswered
            solicitor.send(solicitation(M1.onlink))
            reply = solicitor.wait(lambda seen: is_advertisement(seen, M1.onlink))
            unanswered += reply != expected

        with Live(lab, M1.onlink) as live:
            flood(wire, frame, TARGET_IN_NS, ONLINK, solicit_m1)
    verdicts = (lab.gateway.counters() - before)["eth0"]

    assert unanswered == 0
    assert verdicts["ndp_answered"] >= SCAN // CHUNK
    assert "drop_ndp_invalid" not in verdicts
    assert neighbours(lab) < NEIGHBOUR_LIMIT
    assert map_bytes(lab) == maps
    assert own_kilobytes(lab.gateway.agent_process.pid) <= memory + 1024
    assert live.answered >= LIVE * live.sent > 0
