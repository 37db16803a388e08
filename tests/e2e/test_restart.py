# SPDX-License-Identifier: GPL-2.0-or-later
"""Restart and upgrade without loss: 100,000 packets per second run through all of it (design §2,
principle 5).

A machine that is busy with other things may not send that many in time; then it takes longer, and
the report says how fast they were. ZT6_TEST_STREAM_SECONDS is how long they would take at full
speed.
"""

import json
import os
import signal
import time

import pytest

from crowded import Crowded, conf
from gateway import peer

pytestmark = pytest.mark.alone

RATE = 100_000
SECONDS = int(os.environ.get("ZT6_TEST_STREAM_SECONDS", 12))
MEMBERS = 100
QUEUE_LOSS = 0.05  # what the veth's queues may lose of them on a busy machine
NEWER = "9.9.9"  # version of the second binary; see e2e.mk


@pytest.fixture(scope="module")
def crowded():
    with Crowded(MEMBERS) as made:
        yield made


@pytest.fixture
def street(crowded):
    """The gateway is up, its members are known, and packets reach them."""
    crowded.gateway.up(conf())
    crowded.gateway.start_agent()
    crowded.meet(MEMBERS)
    yield crowded
    crowded.gateway.stop_agent()
    crowded.gateway("down", check=False)


def kill_agent(gateway):
    os.kill(gateway.agent_process.pid, signal.SIGKILL)
    gateway.agent_process.wait()


def newer(crowded, *arguments):
    """The command by another build of the program."""
    return crowded.gw.run(peer("zt6-bpf-newer"), "-c", crowded.gateway.conf_path, "--instance",
                          crowded.gateway.instance, *arguments)


def journaled_version(crowded):
    with open(crowded.journal, encoding="utf-8") as file:
        return json.loads(file.readline())["version"]


def assert_none_lost(stream, capsys):
    with capsys.disabled():
        print(f"\n  {stream}")
    assert stream.sent["sent"] == stream.packets
    assert stream.duplicated == 0 and stream.sink["strange"] == 0
    assert stream.lost == stream.queued_away
    assert stream.queued_away <= QUEUE_LOSS * stream.packets
    assert not [name for name in stream.verdicts if name.startswith("drop")]


def test_nothing_is_lost_while_the_agent_dies_and_comes_back_and_the_gateway_is_changed(
        street, capsys):
    gateway = street.gateway
    changes = [
        conf(proxy="valid 20s\n    router no"),
        conf(limits="cache-entries 4096\n    members 8192"),  # other maps
        conf(method="static"),
        conf(),
    ]
    with street.stream(RATE, RATE * SECONDS, destinations=MEMBERS) as stream:
        time.sleep(0.5)
        kill_agent(gateway)
        time.sleep(0.5)
        gateway.start_agent()
        for changed in changes:
            gateway.configure(changed)
            gateway("reload")
            time.sleep(0.2)
        kill_agent(gateway)
        gateway("reload")
        gateway.start_agent()
        assert gateway("status").returncode == 0
    assert_none_lost(stream, capsys)


def test_nothing_is_lost_while_a_newer_build_takes_over_and_its_agent_too(street, capsys):
    gateway = street.gateway
    assert journaled_version(street) != NEWER
    with street.stream(RATE, RATE * SECONDS, destinations=MEMBERS) as stream:
        time.sleep(0.5)
        newer(street, "up")
        gateway.stop_agent()
        with street.gw.daemon(peer("zt6-bpf-newer"), "-c", gateway.conf_path, "--instance",
                              gateway.instance, "agent"):
            time.sleep(1.5)
            assert f'"{NEWER}"' in newer(street, "status", "--json").stdout
        assert journaled_version(street) == NEWER
        gateway("up")  # and back
        gateway.start_agent()
    assert_none_lost(stream, capsys)
