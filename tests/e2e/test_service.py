# SPDX-License-Identifier: GPL-2.0-or-later
"""The agent as a service: what it tells its manager, what it logs, how often it wakes up."""

import os
import re
import signal
import socket
import time

import pytest

from gateway import BINARY
from lab import LAN
from machine import DONE, Machine
from netns import stop
from waiting import wait_for

CONF = f"uplink eth0\nlan eth1 {{\n    prefix {LAN}\n}}\n"


@pytest.fixture
def machine():
    with Machine() as machine:
        machine.gateway.up(CONF)
        yield machine


@pytest.fixture
def manager(machine):
    """What sd_notify(3) sends to: a name without a file, for the agent is another user."""
    with machine.gw.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(f"\0{machine.name}")
        listener.settimeout(5)
        yield listener


@pytest.fixture
def agent(machine, manager):
    os.environ["NOTIFY_SOCKET"] = f"@{machine.name}"
    try:
        process = machine.start("agent")
    finally:
        del os.environ["NOTIFY_SOCKET"]
    yield process
    stop(process)


def told(manager, wanted):
    """The first message that begins so; others in between are left out."""
    while True:
        message = manager.recv(4096).decode()
        if message.startswith(wanted):
            return message


def test_the_manager_is_told_of_readiness_reloads_life_and_the_end(manager, agent):
    assert told(manager, "READY=1")
    assert told(manager, "WATCHDOG=1")
    before = time.monotonic_ns() // 1000
    agent.send_signal(signal.SIGHUP)
    reloading = re.fullmatch(r"RELOADING=1\nMONOTONIC_USEC=(\d+)", told(manager, "RELOADING=1"))
    assert before <= int(reloading[1]) <= time.monotonic_ns() // 1000
    assert told(manager, "READY=1")
    agent.terminate()
    assert told(manager, "STOPPING=1")
    assert agent.wait(5) == DONE


def test_sigterm_leaves_programs_and_routes_in_place(machine, agent, manager):
    told(manager, "READY=1")
    before = machine.snapshot()
    agent.terminate()
    assert agent.wait(5) == DONE
    machine.assert_unchanged(before)
    assert "prog/xdp" in machine.gw.show("link show eth0")


def test_an_idle_agent_wakes_up_once_a_second_at_most(agent, manager):
    told(manager, "READY=1")
    time.sleep(2)

    def wakeups():
        with open(f"/proc/{agent.pid}/status", encoding="ascii") as status:
            return int(re.search(r"^voluntary_ctxt_switches:\s(\d+)", status.read(), re.M)[1])

    before = wakeups()
    time.sleep(8)
    assert wakeups() - before <= 10


def test_sighup_makes_again_what_somebody_has_changed(machine, agent, manager):
    key = "ipv6/neigh/eth1/retrans_time_ms"
    told(manager, "READY=1")
    assert machine.gw.sysctl(key) == "500"
    machine.gw.sysctl(key, 1000)
    agent.send_signal(signal.SIGHUP)
    assert wait_for(lambda: machine.gw.sysctl(key) == "500")


def test_the_journal_gets_levels_and_a_terminal_words(machine):
    machine.gateway("down")
    reader, writer = os.pipe()
    with os.fdopen(reader) as lines:
        info = os.fstat(writer)
        for stream, expected in ((f"{info.st_dev}:{info.st_ino}", "<3>instance"),
                                 ("1:2", "zt6-bpf: instance")):
            process = machine.gw.popen("env", f"JOURNAL_STREAM={stream}", BINARY, "--instance",
                                       machine.name, "agent", stderr=writer)
            process.wait(5)
            assert lines.readline().startswith(expected)
        os.close(writer)
