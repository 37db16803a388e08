# SPDX-License-Identifier: GPL-2.0-or-later
"""The wall clock may jump: nothing of the gateway goes by it. Its own clock is CLOCK_MONOTONIC, as the
programs' is.

Only where ZT6_TEST_MAY_SET_CLOCK is set, in the virtual machine of tests/vm: all processes of a
machine share the clock.
"""

import contextlib
import os
import time

import pytest

from conftest import running
from lab import M1, M2, OVERLAY
from test_ndp import answer, solicitation
from traffic import ping

pytestmark = pytest.mark.skipif("ZT6_TEST_MAY_SET_CLOCK" not in os.environ,
                                reason="the clock of this machine is not for tests to set")

DAY = 86400
VALID = 4  # seconds


@pytest.fixture(scope="module")
def lab():
    yield from running({"tunnel": False, "proxy": f"timeout 200ms\n    retries 1\n"
                                                  f"    valid {VALID}s\n    invalid 2s"})


@contextlib.contextmanager
def clock_ahead_by(seconds):
    start, wall = time.monotonic(), time.time()
    time.clock_settime(time.CLOCK_REALTIME, wall + seconds)
    try:
        yield
    finally:
        time.clock_settime(time.CLOCK_REALTIME, wall + time.monotonic() - start)


@pytest.mark.parametrize("gone, jump", [
    ("2001:db8:48::90e1", 400 * DAY), ("2001:db8:48::90e2", -400 * DAY),
    ("2001:db8:48::90e3", 3600), ("2001:db8:48::90e4", -3600)])
def test_a_jump_of_the_wall_clock_changes_nothing(lab, gone, jump):
    """Each has an address of its own: that the last one has gone may still be remembered."""
    lab.m2.ip(f"addr add {gone}/128 dev {OVERLAY} nodad")
    try:
        for member in (M1.onlink, gone):
            assert answer(lab, solicitation(member), member)
        lab.gw.run("ip", "neigh", "del", M2.onlink, "dev", OVERLAY, check=False)
        with clock_ahead_by(jump):
            # What is known stays known, what is new is found, what has gone is forgotten in time.
            assert answer(lab, solicitation(M1.onlink), M1.onlink)
            assert answer(lab, solicitation(M2.onlink), M2.onlink)
            lab.m2.ip(f"addr del {gone}/128 dev {OVERLAY}")
            time.sleep(VALID + 2)
            assert answer(lab, solicitation(gone), gone, timeout=1) is None
            assert ping(lab.inet, M1.onlink) == 3
            assert lab.gateway("status").returncode == 0
    finally:
        lab.m2.run("ip", "addr", "del", f"{gone}/128", "dev", OVERLAY, check=False)
