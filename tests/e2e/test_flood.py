# SPDX-License-Identifier: GPL-2.0-or-later
"""A scan by 10,000 solicitations per second costs the agent next to nothing, and its members do not
notice; beside it the same scan against the distribution's ndppd.

ZT6_TEST_FLOOD_SECONDS=60 for the full length.
"""

import contextlib
import json
import os
import re
import subprocess
import threading
import time

import pytest

from conftest import running
from gateway import peer
from lab import M1, M2, ONLINK, OVERLAY
from processes import cpu_seconds, own_kilobytes, percentile
from test_ndp import is_advertisement, solicitation
from traffic import ping

pytestmark = pytest.mark.alone

SECONDS = int(os.environ.get("ZT6_TEST_FLOOD_SECONDS", 10))
RATE = 10_000
M3 = "2001:db8:48:3::3"
LIVE = (M1.onlink, M2.onlink, M3)
DEFERRED_RATE = 100  # targets handed to the agent per second: unresolved-rate's default
TIMEOUT_MS, RETRIES = 200, 1  # of a target inside
PROXY = f"timeout {TIMEOUT_MS}ms\n    retries {RETRIES}\n    valid 5s"
ATTEMPTS = 2 * (RETRIES + 1)  # a forgotten neighbour may be asked for twice
PROMPT = 0.1  # seconds within which 99 of 100 solicitations for members are answered
RETRANSMISSION = 1  # seconds after which a solicitor asks again (RFC 4861 §10): none has to
QUEUE_LOSS = 0.02  # of the scan, in the veth's queue on a busy machine


class Solicitor:
    """Asks for the live members in turn, as long as the body of the `with` statement takes."""

    def __init__(self, lab):
        self.wire = lab.router.wire("to-gw")
        self.seconds, self.unanswered = [], 0
        self.over = threading.Event()
        self.thread = threading.Thread(target=self._ask)

    def _ask(self):
        frames = {target: bytes(solicitation(target)) for target in LIVE}
        while not self.over.wait(0.05):
            for target, frame in frames.items():
                start = time.monotonic()
                self.wire.send(frame)
                if self.wire.wait(lambda reply, wanted=target: is_advertisement(reply, wanted),
                                  RETRANSMISSION):
                    self.seconds.append(time.monotonic() - start)
                else:
                    self.unanswered += 1

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()
        self.wire.close()

    def __str__(self):
        shares = ", ".join(f"{name} {1000 * percentile(self.seconds, share):.2f} ms"
                           for name, share in (("median", 0.5), ("99 %", 0.99), ("longest", 1))
                           ) if self.seconds else "none"
        return f"{len(self.seconds)} answered ({shares}), {self.unanswered} not"


def solicitations_inside(lab):
    """That the gateway's kernel has sent by the overlay so far."""
    counters = lab.gw.run("cat", f"/proc/net/dev_snmp6/{OVERLAY}").stdout
    return int(re.search(r"Icmp6OutNeighborSolicits\s+(\d+)", counters)[1])


class Scan:
    """One flood, and what it cost a process."""

    def __init__(self, lab, process):
        cpu, self.kilobytes = cpu_seconds(process.pid), own_kilobytes(process.pid)
        solicited = solicitations_inside(lab)
        with Solicitor(lab) as self.members:
            self.sent = json.loads(lab.router.run(
                peer("flood"), "to-gw", ONLINK.split("/", maxsplit=1)[0], RATE, SECONDS).stdout)
            self.cpu = (cpu_seconds(process.pid) - cpu) / self.sent["seconds"]
        self.grown = own_kilobytes(process.pid) - self.kilobytes
        self.rate = (solicitations_inside(lab) - solicited) / self.sent["seconds"]

    def __str__(self):
        return (f"{100 * self.cpu:.2f} % of a core, {self.kilobytes} kB and {self.grown:+} kB, "
                f"{self.rate:.0f} solicitations inside per second; members: {self.members}")


@contextlib.contextmanager
def ndppd(lab, path):
    """The distribution's daemon on the same ports, with the same rule."""
    path.write_text(f"proxy eth0 {{\n timeout {TIMEOUT_MS}\n rule {ONLINK} {{\n"
                    f"  iface {OVERLAY}\n }}\n}}\n", encoding="ascii")
    lab.gw.sysctl("ipv6/conf/all/forwarding", 1)
    with lab.gw.daemon("ndppd", "-c", path, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL) as process:
        time.sleep(1)
        assert process.poll() is None
        yield process


@pytest.fixture
def scanned():
    for lab in running({"proxy": PROXY, "tunnel": False}):
        lab.m2.ip(f"addr add {M3}/128 dev {OVERLAY}")
        for member in LIVE:
            assert ping(lab.inet, member, count=2) == 2
        yield lab


def test_a_scan_of_ten_thousand_per_second_leaves_the_agent_idle_and_its_members_answered(
        scanned, tmp_path, capsys):
    lab = scanned
    before = lab.gateway.counters()
    ours = Scan(lab, lab.gateway.agent_process)
    verdicts = (lab.gateway.counters() - before)["eth0"]
    again = own_kilobytes(lab.gateway.agent_process.pid)

    lab.gateway.stop_agent()
    lab.gateway("down")
    with ndppd(lab, tmp_path / "ndppd.conf") as process:
        theirs = Scan(lab, process)
    with capsys.disabled():
        print(f"\n{ours.sent['sent']} solicitations in {ours.sent['seconds']:.1f} s"
              f"\n  zt6-bpf agent: {ours}\n  ndppd 0.2.5:   {theirs}")

    assert ours.sent["seconds"] < 1.2 * SECONDS
    taken = sum(verdicts.get(name, 0) for name in (
        "ndp_deferred", "drop_unresolved_limited", "drop_ndp_unverified", "drop_ndp_limited"))
    assert taken >= (1 - QUEUE_LOSS) * ours.sent["sent"]
    assert ours.cpu < 0.05
    assert ours.grown <= 1024 and again <= ours.kilobytes + 1024
    assert ours.rate <= ATTEMPTS * DEFERRED_RATE
    assert verdicts["ndp_deferred"] <= DEFERRED_RATE * (ours.sent["seconds"] + 3)
    assert ours.members.unanswered == 0
    assert percentile(ours.members.seconds, 0.99) < PROMPT
    assert ours.cpu < theirs.cpu
