# SPDX-License-Identifier: GPL-2.0-or-later
"""`up --try`: nobody is locked out for longer than he said."""

import contextlib
import fcntl
import json
import os
import re
import signal
import time

import pytest

from lab import ROUTED, TUNNEL_ADDRESS, TUNNEL_GATEWAY
from machine import FAILED, NOT_UP, USAGE, minimal_conf

SECONDS = 5
LATE = 20  # seconds in which a loaded machine has gone back
LATER = 60  # and has, after that, done what waited for it
LONG = 120  # seconds: a time that does not end during the test


def text(port):
    return minimal_conf(address=f"{TUNNEL_ADDRESS}/64", gateway=TUNNEL_GATEWAY, routed=ROUTED
                        ) + "lan eth1 {\n prefix 2001:470:811d:10::/64\n}\n" \
                            f"firewall {{\n allow tcp {port}\n}}\n"


def rules(machine):
    return machine.gw.run("nft", "--stateless", "list", "ruleset").stdout


def trial(machine):
    return json.loads(machine.gateway("status", "--json", check=False).stdout)["trial"]


def timer(machine):
    with open(f"/run/zt6-bpf/{machine.name}/trial", encoding="ascii") as file:
        return int(file.read().split()[0])


def test_what_nobody_confirms_goes_back_to_nothing(machine):
    before = machine.snapshot()
    machine.gateway.configure(text(22))
    done = machine.gateway("up", "--try", f"{SECONDS}s")
    assert f"up for {SECONDS} s" in done.stdout
    assert "tcp dport 22" in rules(machine)
    assert 0 < trial(machine)["seconds_left"] <= SECONDS
    assert "back to the state before in" in machine.gateway("status", check=False).stdout
    machine.assert_unchanged(before, seconds=LATE)
    machine.fails("confirm", status=NOT_UP)


def test_what_nobody_confirms_goes_back_to_the_configuration_of_before(machine):
    machine.gateway.up(text(22))
    listed = rules(machine)
    machine.gateway.configure(text(443).replace("mtu", "metric 7\n mtu"))
    machine.gateway("up", "--try", f"{SECONDS}s")
    assert "tcp dport 443" in rules(machine)
    deadline = time.monotonic() + LATE
    while rules(machine) != listed and time.monotonic() < deadline:
        time.sleep(0.1)
    assert rules(machine) == listed
    assert trial(machine) is None
    message = machine.fails("confirm", status=FAILED)
    assert "nothing is on trial" in message
    # What is up now is known again: a second trial finds its way back, too.
    machine.gateway("up", "--try", f"{LONG}s")
    machine.gateway("confirm")


def test_what_is_confirmed_stays(machine):
    machine.gateway.configure(text(22))
    machine.gateway("up", "--try", f"{SECONDS}s")
    machine.gateway("confirm")
    assert trial(machine) is None
    time.sleep(SECONDS + 2)
    assert "tcp dport 22" in rules(machine)
    machine.fails("confirm", status=FAILED)


@pytest.mark.parametrize("command", ["up", "reload", "down"])
def test_a_later_command_of_somebody_who_is_there_ends_the_trial(machine, command):
    before = machine.snapshot()
    machine.gateway.configure(text(22))
    machine.gateway("up", "--try", f"{LONG}s")
    process = timer(machine)
    machine.gateway(command)
    deadline = time.monotonic() + 5
    while os.path.exists(f"/proc/{process}") and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not os.path.exists(f"/proc/{process}"), "nobody waits any more"
    if command == "down":
        machine.assert_unchanged(before)
    else:
        assert "tcp dport 22" in rules(machine)


@contextlib.contextmanager
def busy(machine):
    """Somebody else is at work on the instance: whatever changes it waits."""
    with open(f"/run/zt6-bpf/{machine.name}/lock", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def waits_for_lock(pid):
    """Whether the process sleeps in flock(2)."""
    with contextlib.suppress(FileNotFoundError), open("/proc/locks", encoding="ascii") as locks:
        return any(re.match(rf"\d+: +-> FLOCK +ADVISORY +WRITE +{pid} ", line) for line in locks)
    return False


@pytest.mark.parametrize("command", ["up", "reload", "down"])
def test_a_command_at_the_very_end_of_the_trial_is_not_undone_by_it(machine, command):
    """It has begun when the time is over, and is not done yet: here because it waits for another."""
    before = machine.snapshot()
    machine.gateway.up(text(22))
    machine.gateway.configure(text(80))
    machine.gateway("up", "--try", f"{SECONDS}s")
    process = timer(machine)
    machine.gateway.configure(text(443))
    with busy(machine):
        later = machine.start(command)
        machine.wait_for(lambda: waits_for_lock(later.pid), LATE)
        machine.wait_for(lambda: waits_for_lock(process), LATE)
    assert later.wait(LATER) == 0
    machine.wait_for(lambda: not os.path.exists(f"/proc/{process}"), LATER)
    if command == "down":
        machine.assert_unchanged(before)
    else:
        assert "tcp dport 443" in rules(machine)
        assert trial(machine) is None


def test_the_end_of_the_session_does_not_end_the_trial(machine):
    """The session is a process group that gets SIGHUP, and SIGTERM, as when the line is cut."""
    before = machine.snapshot()
    machine.gateway.configure(text(22))
    session = machine.start("up", "--try", f"{SECONDS}s", start_new_session=True)
    while not os.path.exists(f"/run/zt6-bpf/{machine.name}/trial"):
        assert session.poll() in (None, 0)
        time.sleep(0.02)
    for number in (signal.SIGHUP, signal.SIGTERM):
        try:
            os.killpg(session.pid, number)
        except ProcessLookupError:
            break
    session.wait(10)
    machine.assert_unchanged(before, seconds=LATE)


def test_an_up_that_fails_leaves_no_trial(machine):
    machine.gateway.configure(text(22).replace("lan eth1", "lan lo"))
    before = machine.snapshot()
    machine.fails("up", "--try", f"{SECONDS}s")
    machine.assert_unchanged(before)
    assert not os.path.exists(f"/run/zt6-bpf/{machine.name}")


def test_two_trials_at_a_time_are_refused_but_not_after_one_that_has_died(machine):
    machine.gateway.configure(text(22))
    machine.gateway("up", "--try", f"{LONG}s")
    assert "another trial goes on" in machine.fails("up", "--try", f"{LONG}s")
    process = timer(machine)
    os.kill(process, signal.SIGKILL)
    while os.path.exists(f"/proc/{process}"):
        time.sleep(0.02)
    machine.gateway("up", "--try", f"{LONG}s")
    assert timer(machine) != process
    machine.gateway("confirm")


@pytest.mark.parametrize("duration", ["60", "0s", "s", "-1s", "1h", "90000s", "1440m1", "ms"])
def test_what_is_no_duration_is_refused(machine, duration):
    machine.gateway.configure(text(22))
    assert "is not a duration" in machine.fails("up", f"--try={duration}", status=USAGE)
