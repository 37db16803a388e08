# SPDX-License-Identifier: GPL-2.0-or-later
"""What all end-to-end tests share. They need root and what tools/deps installs."""

import os
import signal
import sys
import time

import pytest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from broker_client import PUBLIC, Client  # noqa: E402
from broker_double import Broker  # noqa: E402
from gateway import BINARY  # noqa: E402
from lab import Lab, conf  # noqa: E402
from machine import NOT_UP, Machine  # noqa: E402

_gateways = []  # that are up: what every test is held to, whatever it is about


def pytest_configure(config):
    config.addinivalue_line("markers", "first: takes long, so that others run beside it")
    config.addinivalue_line("markers", "alone: measures, floods or uses up what namespaces share; "
                                       "no other test may run at the same time")
    if os.geteuid():
        pytest.exit("the end-to-end tests make network namespaces and load programs: run as root", 1)
    if not os.access(BINARY, os.X_OK):
        pytest.exit(f"{BINARY} is not there: run make first", 1)
    # So that `kill` leaves as little behind as Ctrl-C.
    signal.signal(signal.SIGTERM, lambda *_: pytest.exit("terminated", 1))
    # A shell's job in the background ignores it, and so would what is started here.
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items):
    """What takes longest comes first: no process is left with it when the others have finished."""
    items.sort(key=lambda item: item.get_closest_marker("first") is None)


def assert_every_packet_counted_once(gateway):
    """On every port rx is the sum of the verdicts (design §2), once the traffic has ebbed away."""
    for _ in range(20):
        unexplained = gateway.counters().unexplained()
        if not unexplained:
            return
        time.sleep(0.05)
    assert not unexplained, f"rx and the sum of verdicts differ: {unexplained}"


@pytest.fixture(autouse=True)
def every_packet_is_counted_once():
    yield
    for gateway in _gateways:
        assert_every_packet_counted_once(gateway)


def running(settings, agent=True, **lab_options):
    """A Lab whose gateway is up with conf(**settings); for fixtures: `yield from running(...)`."""
    with Lab(**lab_options) as lab:
        lab.gateway.up(conf(**settings))
        if agent:
            lab.gateway.start_agent()
        _gateways.append(lab.gateway)
        try:
            yield lab
        finally:
            _gateways.remove(lab.gateway)


@pytest.fixture(scope="session")
def lab():
    """Tunnel, on-link proxy and LAN together, forwarding in XDP."""
    yield from running({"lan": True})


@pytest.fixture
def fresh():
    """A lab of the test's own, its gateway not yet up."""
    with Lab() as lab:
        yield lab
        if lab.gateway("stats", "--json", check=False).returncode != NOT_UP:
            assert_every_packet_counted_once(lab.gateway)


@pytest.fixture
def machine():
    """A gateway's machine alone, as its administrator found it."""
    with Machine() as machine:
        yield machine


@pytest.fixture
def client():
    """A machine with a tunnel to keep, whose uplink has a public address."""
    with Client(PUBLIC) as client:
        yield client


@pytest.fixture
def broker(client):
    """The tunnel broker of `client`."""
    with Broker(client.namespace) as broker:
        yield broker


@pytest.fixture
def counted(lab):
    """Call it to learn what the gateway of `lab` counted since the test began."""
    before = lab.gateway.counters()
    return lambda: lab.gateway.counters() - before
