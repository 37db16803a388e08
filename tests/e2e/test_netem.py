# SPDX-License-Identifier: GPL-2.0-or-later
"""A bad uplink: loss, reordering and duplication, by the kernel's netem."""

import os
import re
import socket
import threading
import time

import pytest

from lab import INET, M1
from probes import needs_netem
from traffic import ping, transfer

pytestmark = needs_netem()

MEGABYTES = 2
SECONDS = float(os.environ.get("ZT6_TEST_NETEM_SECONDS", 8))  # 60 for the whole of the test
MESSAGE = 64
# On the wires towards the gateway and towards the Internet: XDP sends past the gateway's own qdiscs.
WIRES = "to-gw", "to-inet", "to-broker"
TROUBLE = "delay 3ms 2ms 25% loss 2% duplicate 1% reorder 25% 50%"


@pytest.fixture
def bad_uplink(lab):
    for wire in WIRES:
        lab.router.run("tc", "qdisc", "replace", "dev", wire, "root", "netem", *TROUBLE.split())
    yield
    for wire in WIRES:
        lab.router.run("tc", "qdisc", "del", "dev", wire, "root")


def dropped(lab):
    """Packets that netem has taken away on the wire to the gateway."""
    shown = lab.router.run("tc", "-s", "qdisc", "show", "dev", "to-gw").stdout
    return int(re.search(r"dropped (\d+)", shown)[1])


@pytest.mark.parametrize("address", [M1.routed, M1.onlink], ids=["tunnel", "on-link"])
def test_connections_survive_and_every_packet_is_counted(lab, bad_uplink, counted, address):
    """That counters add up holds after every test (conftest)."""
    assert transfer(lab.inet, INET, lab.m1, address, MEGABYTES, timeout=60).intact
    assert transfer(lab.m1, address, lab.inet, INET, MEGABYTES, timeout=60).intact
    assert dropped(lab) > 0
    verdicts = counted()["eth0"]
    assert verdicts["decapsulated" if address == M1.routed else "forwarded"] >= MEGABYTES << 9
    assert ping(lab.inet, address, source=INET, count=50) >= 30


def echo(listener):
    connection, _ = listener.accept()
    with connection:
        while data := connection.recv(4096):
            connection.sendall(data)


@pytest.mark.parametrize("address", [M1.routed, M1.onlink], ids=["tunnel", "on-link"])
def test_a_connection_lives_for_as_long_as_the_trouble_lasts(lab, bad_uplink, address):
    """Small messages back and forth, one at a time: none is lost, doubled or out of its order."""
    before = dropped(lab)
    with lab.inet.socket(socket.AF_INET6, socket.SOCK_STREAM) as listener, \
            lab.m1.socket(socket.AF_INET6, socket.SOCK_STREAM) as client:
        listener.bind((INET, 0))
        listener.listen(1)
        server = threading.Thread(target=echo, args=(listener,), daemon=True)
        server.start()
        client.settimeout(30)
        client.bind((address, 0))
        client.connect((INET, listener.getsockname()[1]))
        end, number = time.monotonic() + SECONDS, 0
        while time.monotonic() < end:
            message = number.to_bytes(8, "big") * (MESSAGE // 8)
            client.sendall(message)
            assert client.recv(MESSAGE, socket.MSG_WAITALL) == message
            number += 1
        client.shutdown(socket.SHUT_WR)
        assert client.recv(1) == b""
        server.join(5)
    assert number >= 5 * SECONDS and dropped(lab) > before
