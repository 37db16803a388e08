# SPDX-License-Identifier: GPL-2.0-or-later
"""Two instances in one network namespace: what both need, such as forwarding, stays until the last of
them goes, and then is what it was before the first one came."""

import contextlib

import pytest

from gateway import Gateway
from lab import ROUTED, TUNNEL_ADDRESS, TUNNEL_GATEWAY
from machine import minimal_conf

LIBERAL = "netfilter/nf_conntrack_tcp_be_liberal"
COMMON = {"ipv6/conf/all/forwarding": "1", "ipv6/conf/eth2/forwarding": "1", LIBERAL: "1",
          "ipv6/conf/eth0/forwarding": "1"}

# The one has a tunnel, the other a segment of its own.
CONFS = (minimal_conf(address=f"{TUNNEL_ADDRESS}/64", gateway=TUNNEL_GATEWAY, routed=ROUTED),
         "uplink eth2\nlan eth1 {\n    prefix 2001:470:811d:10::/64\n}\n")


@pytest.fixture
def instances(machine):
    with contextlib.ExitStack() as stack:
        second = Gateway(machine.gw, f"{machine.name}-second")
        stack.callback(second.close)
        yield machine.gateway, second


def common(machine):
    return {key: machine.gw.sysctl(key) for key in COMMON}


@pytest.mark.parametrize("order", ["01 01", "01 10", "10 01", "10 10"])
@pytest.mark.parametrize("setting", [{}, {"ipv6/conf/eth2/forwarding": "1"},
                                     {"ipv6/conf/all/forwarding": "1"}], ids=str)
def test_what_two_instances_need_goes_with_the_second(machine, instances, order, setting):
    for key, value in setting.items():
        machine.gw.sysctl(key, value)
    before = machine.snapshot()
    came, goes = ([int(digit) for digit in word] for word in order.split())
    for index in came:
        instances[index].up(CONFS[index])
    assert common(machine) == COMMON
    instances[goes[0]]("down")
    assert common(machine) == COMMON
    instances[goes[1]]("down")
    machine.assert_unchanged(before)


def test_an_instance_that_comes_back_has_its_part_again(machine, instances):
    before = machine.snapshot()
    first, second = instances
    first.up(CONFS[0])
    second.up(CONFS[1])
    first("down")
    first.up()
    first("up")  # which finds all in place
    second("down")
    assert common(machine) == COMMON
    first("down")
    machine.assert_unchanged(before)


def test_an_instance_that_failed_to_come_takes_nothing_from_the_other(machine, instances):
    first, second = instances
    first.up(CONFS[0])
    second.configure(CONFS[1].replace("eth1", "lo"))
    assert second("up", check=False).returncode == 1
    assert common(machine) == COMMON


def test_an_advertised_default_route_survives_until_nobody_forwards(machine, instances):
    """accept_ra is 2 as long as anybody forwards, whoever has set it."""
    machine.gw.sysctl("ipv6/conf/eth0/accept_ra", 1)
    before = machine.snapshot()
    first, second = instances
    first.up(CONFS[0])
    second.up(CONFS[1])
    first("down")
    assert machine.gw.sysctl("ipv6/conf/eth0/accept_ra") == "2"
    second("down")
    machine.assert_unchanged(before)
