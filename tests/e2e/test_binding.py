# SPDX-License-Identifier: GPL-2.0-or-later
"""Members' bindings: an address belongs to a node, and a prefix behind a member to that member."""

import json

import pytest

from lab import INET, M1, M2, M2_MANUAL, OVERLAY, Lab, conf
from traffic import ping

BEHIND = "2001:470:811d:90::/64"
BEHIND_HOST = "2001:470:811d:90::1"
OUTSIDE = "2001:db8:77::/64"  # of nobody's else
OUTSIDE_HOST = "2001:db8:77::1"


@pytest.fixture(scope="module")
def lab():
    with Lab() as made:
        for address in (BEHIND_HOST, OUTSIDE_HOST):
            made.m1.ip(f"addr add {address}/128 dev lo")
        for namespace in (made.m1, made.m2):
            namespace.sysctl("ipv6/conf/all/forwarding", 1)
        made.router.ip(f"route add {OUTSIDE} via 2001:db8:48:ffff::80")
        yield made


@pytest.fixture
def bound(lab):
    """Call it with what `bind` shall be."""
    def up(bind):
        lab.gateway.up(conf(onlink=False, overlay=f"""
            via {M1.rfc4193} {BEHIND} {OUTSIDE}
            bind {bind}"""))
        return lab.gateway
    yield up
    lab.gateway("down", check=False)
    assert "proto 64" not in lab.gw.run("ip", "-6", "route").stdout


def unbound(gateway):
    port = next(port for port in gateway.stats()["ports"] if port["name"] == OVERLAY)
    return port["unbound"]["packets"]


class Spoofing:
    """A member has an address of another's, and the routes to answer there."""

    def __init__(self, namespace, address):
        self.namespace, self.address = namespace, address

    def __enter__(self):
        self.namespace.ip(f"addr add {self.address}/128 dev {OVERLAY} nodad")

    def __exit__(self, *_):
        self.namespace.ip(f"addr del {self.address}/128 dev {OVERLAY}")


def members(gateway):
    return {member["address"]: member
            for member in json.loads(gateway("members", "--json").stdout)["members"]}


def test_a_prefix_behind_a_member_is_routed_and_its_route_goes_with_the_gateway(lab, bound):
    gateway = bound("off")
    for prefix in (BEHIND, OUTSIDE):
        route = lab.gw.run("ip", "-6", "route", "show", prefix).stdout
        assert f"dev {OVERLAY} proto 64" in route and "via fd15:9924:d630:8e1d:7e99:9333" in route
    assert ping(lab.inet, BEHIND_HOST) == 3
    assert ping(lab.m1, INET, source=BEHIND_HOST) == 3
    before = gateway.counters()
    assert ping(lab.m1, INET, source=OUTSIDE_HOST) == 3
    assert (gateway.counters() - before)[OVERLAY].get("drop_spoofed", 0) == 0
    gateway("down")
    for prefix in (BEHIND, OUTSIDE):
        assert not lab.gw.run("ip", "-6", "route", "show", prefix).stdout


def test_enforced_bindings_let_members_use_their_own_addresses(lab, bound):
    gateway = bound("enforce")
    for namespace, address in ((lab.m1, M1.routed), (lab.m2, M2.routed), (lab.m1, BEHIND_HOST)):
        assert ping(namespace, INET, source=address) == 3
    assert unbound(gateway) == 0
    binding = members(gateway)[M1.routed]["binding"]
    assert binding == {"by": "derived", "node": f"{M1.id:010x}", "holds": True,
                       "unbound_packets": 0}
    assert members(gateway)[BEHIND_HOST]["binding"]["by"] == "via"
    assert members(gateway)[BEHIND_HOST]["binding"]["node"] == f"{M1.id:010x}"


@pytest.mark.parametrize("address", [M1.routed, BEHIND_HOST, M2_MANUAL])
def test_enforced_bindings_drop_what_comes_from_anothers_mac(lab, bound, address):
    """M2_MANUAL is its own, but nothing says so: it is refused rather than believed."""
    gateway = bound("enforce")
    before = gateway.counters()
    with lab.inet.wire("eth0") as wire:
        if address == M2_MANUAL:
            assert ping(lab.m2, INET, source=address, wait=0.3) == 0
        else:
            with Spoofing(lab.m2, address):
                assert ping(lab.m2, INET, source=address, wait=0.3) == 0
        leaked = [frame for frame in wire.frames(0.3) if frame[12:14] == b"\x86\xdd" and
                  frame[20] == 58 and frame[54] == 128]
    assert not leaked
    assert (gateway.counters() - before)[OVERLAY]["drop_spoofed"] == 3
    assert unbound(gateway) == 3
    assert "sources bound to another MAC" in gateway("stats").stdout


def test_counted_violations_are_shown_and_let_through(lab, bound):
    gateway = bound("count")
    with Spoofing(lab.m2, M1.routed):
        assert ping(lab.m1, INET, source=M1.routed) == 3
        before = gateway.counters()
        ping(lab.m2, INET, source=M1.routed, wait=0.3)
    assert (gateway.counters() - before)[OVERLAY].get("drop_spoofed", 0) == 0
    assert unbound(gateway) == 3
    member = members(gateway)[M1.routed]
    assert member["binding"]["unbound_packets"] == 3
    assert member["mac"] == M1.mac and member["binding"]["holds"] is True
    line = next(line for line in gateway("members").stdout.splitlines() if M1.routed in line)
    assert "derived !" in line
    status = gateway("status", check=False)
    assert "3 packets from addresses of others" in status.stdout
    assert f"{M2.id:010x}" in status.stdout  # who it was


def test_a_reload_changes_what_is_bound(lab, bound):
    bound("off")
    gateway = bound("enforce")
    with Spoofing(lab.m2, M1.routed):
        assert ping(lab.m2, INET, source=M1.routed, wait=0.3) == 0
        bound("off")
        before = unbound(gateway)
        ping(lab.m2, INET, source=M1.routed, wait=0.3)
        assert unbound(gateway) == before
