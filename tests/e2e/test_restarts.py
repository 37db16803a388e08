# SPDX-License-Identifier: GPL-2.0-or-later
"""zerotier-one restarts: its TAP is destroyed and made anew, and members' packets flow again."""

import bisect
import contextlib
import os
import socket
import threading
import time

import pytest

from lab import GATEWAY, INET, M1, NETWORK, OVERLAY, Lab, conf
from zerotier_double import Switch, Tap, ZeroTier

pytestmark = pytest.mark.alone

RESTARTS = int(os.environ.get("ZT6_TEST_RESTARTS", 50))
ALLOWED = 0.3  # seconds from the TAP being up
PORT = 4096
INTERVAL = 0.002  # between two packets of a flow


class RestartLab(Lab):
    """A Lab whose gateway has its TAP from a double of the service, in the service's own steps; the
    member beside it stays."""

    def _zerotier(self):
        self.switch = Switch()
        self._stack.callback(self.switch.close)
        self.service = ZeroTier(self.gw, NETWORK, node=GATEWAY.id, pace=0.1)
        self.service.switch = self.switch
        # Addresses are tentative at first, as they are on a machine.
        self.gw.sysctl("ipv6/conf/default/accept_dad", 1)
        self._stack.enter_context(self.service)
        member = Tap(self.m1, OVERLAY, M1.mac, switch=self.switch)
        self._stack.callback(member.close)
        self.m1.ip(f"""
            addr add {M1.rfc4193}/88 dev {OVERLAY}
            addr add {M1.routed}/48 dev {OVERLAY}
            route add ::/1 via {GATEWAY.rfc4193} proto static metric 5000""")


class Flow:
    """Datagrams from one namespace to an address of another, and when each arrived."""

    def __init__(self, source, address_from, sink, address_to):
        self.sender = source.socket(socket.AF_INET6, socket.SOCK_DGRAM)
        self.sender.bind((address_from, 0))
        self.receiver = sink.socket(socket.AF_INET6, socket.SOCK_DGRAM)
        self.receiver.bind((address_to, PORT))
        self.receiver.settimeout(0.1)
        self.to = (address_to, PORT)
        self.arrivals = []
        self.stopping = False

    def _send(self):
        while not self.stopping:
            with contextlib.suppress(OSError):
                self.sender.sendto(b"x" * 64, self.to)
            time.sleep(INTERVAL)

    def _receive(self):
        while not self.stopping:
            with contextlib.suppress(TimeoutError):
                self.receiver.recv(128)
                self.arrivals.append(time.monotonic())

    def __enter__(self):
        self.threads = [threading.Thread(target=self._send),
                        threading.Thread(target=self._receive)]
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stopping = True
        for thread in self.threads:
            thread.join()
        self.sender.close()
        self.receiver.close()

    def first_after(self, then, within):
        """Seconds from `then` to the first arrival after it, or None."""
        end = then + within
        while time.monotonic() < end:
            index = bisect.bisect_right(self.arrivals, then)
            if index < len(self.arrivals):
                return self.arrivals[index] - then
            time.sleep(0.005)
        return None


@pytest.fixture
def lab():
    with RestartLab() as made:
        os.environ["ZEROTIER_HOME"] = made.service.home
        made.gateway.up(conf(onlink=False, overlay="interface auto").replace(
            f"    interface {OVERLAY}\n", ""))
        made.gateway.start_agent()
        yield made
        made.gateway.stop_agent()
        del os.environ["ZEROTIER_HOME"]


def test_packets_flow_again_at_once_after_each_of_many_restarts(lab):
    delays = {"in": [], "out": []}
    with Flow(lab.inet, INET, lab.m1, M1.routed) as into, \
            Flow(lab.m1, M1.routed, lab.inet, INET) as out:
        assert into.first_after(time.monotonic(), 5) and out.first_after(time.monotonic(), 5)
        for _ in range(RESTARTS):
            lab.service.restart()
            up_at = lab.service.tap.up_at
            for name, flow in (("in", into), ("out", out)):
                delays[name].append(flow.first_after(up_at, 5))
            into.arrivals.clear()
            out.arrivals.clear()
    for name, measured in delays.items():
        assert None not in measured, (name, measured)
        print(f"{name}: median {sorted(measured)[len(measured) // 2] * 1000:.0f} ms, "
              f"longest {max(measured) * 1000:.0f} ms")
    late = {name: [round(delay, 3) for delay in measured if delay > ALLOWED]
            for name, measured in delays.items()}
    assert not late["in"] and not late["out"], late
