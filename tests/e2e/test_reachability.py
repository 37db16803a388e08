# SPDX-License-Identifier: GPL-2.0-or-later
"""What the router's kernel believes of a member in the long run. It takes its time: other files run
beside it."""

import re
import time

import pytest

from conftest import running
from lab import M1, OVERLAY
from test_ndp import VALID, neighbour_state, unconfirming_ping
from traffic import ping

SECONDS = 75


@pytest.fixture
def lab():
    yield from running({"tunnel": False})


@pytest.mark.first
def test_the_routers_kernel_keeps_a_member_reachable_for_over_a_minute(lab):
    """A wrong S bit, or unicast solicitations unanswered, hide for as long as the first answer is
    believed: up to 45 s."""
    assert ping(lab.gw, M1.onlink, source=OVERLAY, count=1) == 1
    states, lost = [], 0
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        lost += not unconfirming_ping(lab, M1.onlink)
        states.append(neighbour_state(lab, M1.onlink))
        time.sleep(0.4)
    assert lost == 0
    assert set(states) <= VALID
    rounds = re.findall(r"(?:DELAY|PROBE|STALE) REACHABLE", " ".join(states))
    assert len(rounds) >= 1, f"the entry was never confirmed again: {states}"
