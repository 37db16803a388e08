# SPDX-License-Identifier: GPL-2.0-or-later
"""`zt6-bpf announce`: unsolicited advertisements for scripts that take over (RFC 4861 §7.2.6)."""

import time

import pytest
from scapy.layers.inet6 import ICMPv6ND_NA, ICMPv6NDOptDstLLAddr, IPv6
from scapy.layers.l2 import Ether

from conftest import NOT_UP, running
from lab import M1, M2, ONLINK, OVERLAY, conf
from maps import Map, set_verified
from waiting import wait_for
from traffic import ping

FAILED, USAGE = 1, 2
ALL_NODES, ALL_NODES_MAC = "ff02::1", "33:33:00:00:00:01"


@pytest.fixture(scope="module")
def without_agent():
    yield from running({"tunnel": False}, agent=False)


@pytest.fixture
def quiet(without_agent):
    """Nothing is verified yet, and no agent changes what the tests write into its map."""
    with Map(without_agent.gateway, "verified") as verified:
        verified.clear()
    return without_agent


def announcement(lab, target, source=None, router=1):
    """The frame in bytes, as scapy puts it together."""
    mac = lab.gw.mac("eth0")
    return bytes(Ether(src=mac, dst=ALL_NODES_MAC) /
                 IPv6(src=source or lab.gw.link_local("eth0"), dst=ALL_NODES, hlim=255) /
                 ICMPv6ND_NA(R=router, S=0, O=1, tgt=target) / ICMPv6NDOptDstLLAddr(lladdr=mac))


def announce(lab, *arguments, check=True):
    """What the command did, and the advertisements that the router saw."""
    with lab.router.wire("to-gw") as wire:
        done = lab.gateway("announce", *arguments, check=check)
        frames = list(wire.frames(0.3))
    return done, [frame for frame in frames if ICMPv6ND_NA in Ether(frame) and
                  Ether(frame).dst == ALL_NODES_MAC]


def test_every_verified_target_is_announced_to_all_nodes_with_the_override_flag(quiet):
    set_verified(quiet.gateway, "eth0", [M1.onlink, M2.onlink])
    done, frames = announce(quiet)
    assert sorted(frames) == sorted(announcement(quiet, target)
                                    for target in (M1.onlink, M2.onlink))
    assert done.stdout == "eth0: 2 announced\n"


def test_nothing_is_announced_whose_time_is_over(quiet):
    set_verified(quiet.gateway, "eth0", [M1.onlink], seconds=-1)
    done, frames = announce(quiet)
    assert frames == [] and done.stdout == "eth0: 0 announced\n"


@pytest.mark.parametrize("wanted", [[M1.onlink], [f"{M1.onlink}/128"], ["2001:db8:48::33:0:0/96"],
                                    [M1.onlink, f"{M1.onlink}/128"]])
def test_addresses_and_prefixes_choose(quiet, wanted):
    set_verified(quiet.gateway, "eth0", [M1.onlink, M2.onlink])
    done, frames = announce(quiet, *wanted)
    assert frames == [announcement(quiet, M1.onlink)]
    assert done.stdout == "eth0: 1 announced\n"


def test_a_prefix_without_a_verified_target_is_an_error_and_the_others_are_announced(quiet):
    set_verified(quiet.gateway, "eth0", [M1.onlink])
    done, frames = announce(quiet, ONLINK, M2.onlink, check=False)
    assert frames == [announcement(quiet, M1.onlink)]
    assert done.returncode == FAILED
    assert M2.onlink in done.stderr and ONLINK not in done.stderr


def test_router_no_and_source_target_hold_for_announcements_too(fresh):
    fresh.gateway.up(conf(tunnel=False, proxy="router no\nsource target"))
    set_verified(fresh.gateway, "eth0", [M1.onlink])
    _, frames = announce(fresh)
    assert frames == [announcement(fresh, M1.onlink, source=M1.onlink, router=0)]


def test_a_neighbour_that_knew_another_gateway_follows(quiet):
    set_verified(quiet.gateway, "eth0", [M1.onlink])
    quiet.router.ip(f"neigh replace {M1.onlink} lladdr 02:00:00:00:00:99 dev to-gw nud reachable")
    announce(quiet)
    assert quiet.gw.mac("eth0") in quiet.router.show(f"neigh show {M1.onlink} dev to-gw")


def test_announcements_are_limited_to_a_thousand_a_second(quiet):
    targets = [f"2001:db8:48:7::{i:x}" for i in range(1, 201)]
    set_verified(quiet.gateway, "eth0", targets)
    start = time.monotonic()
    done = quiet.gateway("announce")
    assert time.monotonic() - start >= 0.199
    assert done.stdout == "eth0: 200 announced\n"


def test_of_many_targets_none_is_left_out_and_none_comes_twice(quiet):
    targets = [f"2001:db8:48:7::{i:x}" for i in range(1, 201)]
    set_verified(quiet.gateway, "eth0", targets)
    _, frames = announce(quiet)
    assert {Ether(frame)[ICMPv6ND_NA].tgt for frame in frames} == set(targets)
    assert len(frames) == 200


def test_without_a_proxy_there_is_nothing_to_announce(fresh):
    fresh.gateway.up(conf(onlink=False))
    done, frames = announce(fresh)
    assert frames == [] and "no port is a proxy" in done.stdout


def test_a_link_that_is_down_is_an_error_that_says_how_many_were_sent(fresh):
    fresh.gateway.up(conf(tunnel=False))
    set_verified(fresh.gateway, "eth0", [M1.onlink, M2.onlink])
    fresh.gw.ip("link set eth0 down")
    done = fresh.gateway("announce", check=False)
    assert done.returncode == FAILED and "0 of 2" in done.stderr


def test_announce_of_what_is_not_up_exits_3(fresh):
    fresh.gateway.configure(conf())
    done = fresh.gateway("announce", check=False)
    assert done.returncode == NOT_UP
    assert done.stdout == "" and done.stderr.count("\n") == 1


@pytest.mark.parametrize("arguments", [["everything"], ["192.0.2.1"], ["2001:db8:48::1/48"],
                                       ["2001:db8::/129"], ["--json"]])
def test_wrong_usage_exits_2(quiet, arguments):
    done, frames = announce(quiet, *arguments, check=False)
    assert done.returncode == USAGE and done.stderr and frames == []


# By the agent itself


@pytest.fixture
def agents():
    """A lab with an agent, in which nothing has been asked for yet."""
    yield from running({"tunnel": False, "proxy": "mld yes\n    valid 3s\n    invalid 3s"})


def announcements(frames):
    return [frame for frame in frames if ICMPv6ND_NA in Ether(frame) and
            Ether(frame).dst == ALL_NODES_MAC]


def test_a_member_that_appears_is_announced_once(agents):
    with agents.router.wire("to-gw") as wire:
        assert ping(agents.gw, M1.onlink, source=OVERLAY, count=1) == 1
        time.sleep(0.5)
        assert ping(agents.gw, M1.onlink, source=OVERLAY, count=1) == 1
        frames = announcements(wire.frames(1))
    assert frames == [announcement(agents, M1.onlink)]


def test_a_member_with_another_mac_and_an_uplink_that_was_away_are_announced_again(agents):
    assert ping(agents.gw, M1.onlink, source=OVERLAY, count=1) == 1
    agents.gw.ip(f"neigh replace {M1.onlink} dev {OVERLAY} lladdr 02:00:00:00:00:77 nud reachable")
    with agents.router.wire("to-gw") as wire:
        agents.gw.ip(f"neigh replace {M1.onlink} dev {OVERLAY} lladdr {M1.mac} nud reachable")
        assert announcement(agents, M1.onlink) in announcements(wire.frames(1))
    agents.gw.ip("link set eth0 down")
    with agents.router.wire("to-gw") as wire:
        agents.gw.ip("link set eth0 up")
        assert any(Ether(frame)[ICMPv6ND_NA].tgt == M1.onlink and Ether(frame)[ICMPv6ND_NA].O
                   for frame in announcements(wire.frames(2)))


def test_an_agent_that_starts_again_announces_nothing_that_was_known(agents):
    assert ping(agents.gw, M1.onlink, source=OVERLAY, count=1) == 1
    assert wait_for(lambda: agents.gateway("announce", M1.onlink, check=False).returncode == 0)
    agents.gateway.stop_agent()
    with agents.router.wire("to-gw") as wire:
        agents.gateway.start_agent()
        assert announcements(wire.frames(1)) == []


def test_many_members_at_once_are_announced_at_a_bounded_rate(agents):
    with agents.router.wire("to-gw") as wire:
        agents.gw.ip("\n".join(
            f"neigh replace 2001:db8:48:7::{i:x} dev {OVERLAY} lladdr {M1.mac} nud permanent"
            for i in range(1, 251)))
        first = len(announcements(wire.frames(0.7)))
        rest = len(announcements(wire.frames(4)))
    assert 0 < first <= 200 and first + rest == 250, (first, rest)


def solicited_groups(namespace, device):
    return {word for line in namespace.show(f"-6 maddr show dev {device}").splitlines()
            for word in line.split() if word.startswith("ff02::1:ff")}


def test_groups_of_verified_targets_are_joined_counted_and_left(agents):
    """Two targets that share a group: it is joined once, and left with the last of them."""
    own = solicited_groups(agents.gw, "eth0")
    twins = ["2001:db8:48:7::1:abcd", "2001:db8:48:8::1:abcd"]
    group = "ff02::1:ff01:abcd"
    for twin in twins:
        agents.m1.ip(f"addr add {twin}/128 dev {OVERLAY} nodad")
        assert ping(agents.gw, twin, source=OVERLAY, count=1) == 1
    assert wait_for(lambda: solicited_groups(agents.gw, "eth0") - own == {group})
    agents.m1.ip(f"addr del {twins[0]}/128 dev {OVERLAY}")
    time.sleep(4.5)  # valid is 3 s
    assert solicited_groups(agents.gw, "eth0") - own == {group}
    agents.m1.ip(f"addr del {twins[1]}/128 dev {OVERLAY}")
    assert wait_for(lambda: solicited_groups(agents.gw, "eth0") == own, 8)


def test_no_group_is_left_of_an_agent_that_was_killed(agents):
    own = solicited_groups(agents.gw, "eth0")
    assert ping(agents.gw, M1.onlink, source=OVERLAY, count=1) == 1
    assert wait_for(lambda: solicited_groups(agents.gw, "eth0") != own)
    agents.gateway.agent_process.kill()
    agents.gateway.agent_process.wait()
    assert solicited_groups(agents.gw, "eth0") == own
    agents.gateway.start_agent()  # and the next one joins again
    assert wait_for(lambda: solicited_groups(agents.gw, "eth0") != own)


def test_as_many_groups_are_joined_as_one_socket_does_not_hold(agents):
    agents.gw.ip("\n".join(
        f"neigh replace 2001:db8:48:7::{i:x} dev {OVERLAY} lladdr {M1.mac} nud permanent"
        for i in range(1, 1501)))
    assert wait_for(lambda: len(solicited_groups(agents.gw, "eth0")) >= 1500)
