# SPDX-License-Identifier: GPL-2.0-or-later
"""Idle, the agent sleeps, and members are left alone. Neither is disturbed by what others do."""

import time

from crowded import Crowded, conf
from machine import Machine
from processes import cpu_seconds, wake_ups

MEMBERS = 100  # the kernel has room for few, in all namespaces together
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


def test_idle_members_are_left_alone():
    with Crowded(MEMBERS) as street:
        street.gateway.up(conf(proxy="keepalive no"))
        street.gateway.start_agent()
        street.meet(MEMBERS, "stale")
        time.sleep(3)  # what has come up may still be advertising itself
        before = street.solicited()
        time.sleep(5)
        assert street.solicited() == before
