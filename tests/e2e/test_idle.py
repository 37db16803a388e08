# SPDX-License-Identifier: GPL-2.0-or-later
"""Idle, the agent sleeps."""

import time

import pytest

from crowded import conf
from machine import Machine
from processes import cpu_seconds, wake_ups

pytestmark = pytest.mark.alone

SECONDS = 10
SLACK = 2  # the first and the last second are not whole ones


def test_idle_the_agent_wakes_up_at_most_once_a_second():
    with Machine() as machine:
        machine.gateway.up(conf())
        machine.gateway.start_agent()
        pid = machine.gateway.agent_process.pid
        time.sleep(3)  # what has come up may still be advertising itself
        before, cpu = wake_ups(pid), cpu_seconds(pid)
        time.sleep(SECONDS)
        assert wake_ups(pid) - before <= SECONDS + SLACK
        assert cpu_seconds(pid) - cpu <= 0.02 * SECONDS
