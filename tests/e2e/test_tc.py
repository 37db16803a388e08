# SPDX-License-Identifier: GPL-2.0-or-later
"""The pipeline in TC: for ports where XDP cannot go, and beside ports where it can."""

import json
import threading
import time

import pytest
from scapy.layers.inet6 import IPv6
from scapy.packet import Raw

from conftest import assert_every_packet_counted_once
from frames import Path
from lab import INET, LAN_HOST, M1, OVERLAY, TUNNEL_GATEWAY, Lab, conf
from maps import set_verified
from test_ndp import answer, solicitation
from traffic import ping, transfer
from ways import set_datapath


# Which ports are in TC; the others are in XDP.
SETS = {
    "all tc": {"uplink": "tc", "overlay": "tc", "lan": "tc"},
    "uplink tc": {"uplink": "tc"},
    "overlay tc": {"overlay": "tc"},
    "lan tc": {"lan": "tc"},
}


@pytest.fixture(scope="module", params=SETS)
def mixed(request):
    with Lab() as lab:
        # Towards ports in TC, as it comes: aggregates on the way in, checksums left to the device.
        # (XDP sees no difference, and would send such frames on with the wrong checksum.)
        ends = {"uplink": ((lab.router, "to-gw"), (lab.gw, "eth0")),
                "lan": ((lab.lan, "eth0"), (lab.gw, "eth1")), "overlay": ()}
        for port in SETS[request.param]:
            for namespace, device in ends[port]:
                namespace.run("ethtool", "-K", device, "tx", "on", "tso", "on", "gso", "on",
                              "gro", "on")
        lab.gateway.up(set_datapath(conf(lan=True), **SETS[request.param]))
        lab.gateway.start_agent()
        yield lab
        assert_every_packet_counted_once(lab.gateway)


def counted(lab, before):
    return lab.gateway.counters() - before


def test_pings_cross_it_in_all_directions(mixed):
    before = mixed.gateway.counters()
    for source, target in ((mixed.inet, M1.onlink), (mixed.inet, M1.routed), (mixed.m1, INET),
                           (mixed.inet, LAN_HOST), (mixed.lan, M1.routed), (mixed.m1, LAN_HOST)):
        assert ping(source, target) == 3, target
    after = counted(mixed, before)
    for port in ("eth0", OVERLAY, "eth1"):
        fast = {name: count for name, count in after[port].items()
                if name in ("forwarded", "decapsulated", "encapsulated")}
        assert sum(fast.values()) >= 4, (port, after[port])


def largest_frame(namespace, device, seconds, out):
    """Thread: the length of the largest frame that arrives on a device."""
    with namespace.wire(device) as wire:
        out.append(max((len(frame) for frame in wire.frames(seconds)), default=0))


@pytest.mark.parametrize("server, address, client, source", [
    ("inet", INET, "m1", M1.onlink), ("m1", M1.onlink, "inet", INET),
    ("broker", TUNNEL_GATEWAY, "m1", M1.routed), ("m1", M1.routed, "broker", TUNNEL_GATEWAY),
    ("lan", LAN_HOST, "m1", M1.routed), ("m1", M1.routed, "lan", LAN_HOST),
    ("lan", LAN_HOST, "broker", TUNNEL_GATEWAY), ("broker", TUNNEL_GATEWAY, "lan", LAN_HOST),
])
def test_tcp_with_offloads_on_is_intact_and_takes_the_fast_path(mixed, server, address, client,
                                                                source):
    before = mixed.gateway.counters()
    done = transfer(getattr(mixed, server), address, getattr(mixed, client), source, 4)
    assert done.intact and done.bytes == 4 << 20
    after = counted(mixed, before)
    fast = sum(count for port in after.verdicts.values() for name, count in port.items()
               if name in ("forwarded", "decapsulated", "encapsulated"))
    passed = sum(count for port in after.verdicts.values() for name, count in port.items()
                 if name.startswith("pass_"))
    assert fast >= 20 * max(passed, 1), after.verdicts


def test_no_frame_of_an_aggregate_is_larger_than_the_path(mixed):
    """What GRO has merged on its way in is cut to fit on its way out."""
    seen = []
    thread = threading.Thread(target=largest_frame, args=(mixed.m1, OVERLAY, 2, seen))
    thread.start()
    assert transfer(mixed.lan, LAN_HOST, mixed.m1, M1.routed, 4).intact
    thread.join()
    assert 1000 < seen[0] <= 1500 + 14


def test_solicitations_are_answered_on_every_kind_of_port(mixed):
    set_verified(mixed.gateway, "eth0", [M1.onlink])
    before = mixed.gateway.counters()
    assert answer(mixed, solicitation(M1.onlink), M1.onlink)
    assert counted(mixed, before)["eth0"]["ndp_answered"] >= 1


def test_status_tells_where_the_programs_are(mixed, request):
    ports = {port["name"]: port["datapath"] for port in
             json.loads(mixed.gateway("status", "--json", check=False).stdout)["ports"]}
    for name, section in (("eth0", "uplink"), (OVERLAY, "overlay"), ("eth1", "lan")):
        in_tc = section in SETS[request.node.callspec.params["mixed"]]
        assert ports[name] == ("tc" if in_tc else "xdp+tc")


def test_explain_speaks_for_both_programs(mixed):
    assert ping(mixed.m1, INET) == 3
    done = mixed.gateway("explain", INET, "from", M1.onlink, "--json")
    assert json.loads(done.stdout)["packets"][0]["verdict"] == "forwarded"


def test_under_policy_kernel_established_flows_take_the_fast_path_in_tc_too(fresh):
    """Ours is not the kernel's word: what TC itself sends does not prolong a flow."""
    fresh.gateway.up(set_datapath(conf(policy="kernel", lan=True), **SETS["all tc"]))
    fresh.gateway.start_agent()
    before = fresh.gateway.counters()
    assert transfer(fresh.inet, INET, fresh.m1, M1.routed, 20).intact
    after = counted(fresh, before)
    assert after["eth0"]["decapsulated"] >= (20 << 20) // 1440 - 1000
    assert after[OVERLAY]["encapsulated"] >= 500
    for port in ("eth0", OVERLAY):
        assert 3 <= after[port]["pass_policy"] <= 1000


def takes_the_fast_path(lab):
    """Whether three pings were forwarded by the programs, both ways."""
    before = lab.gateway.counters()
    answered = ping(lab.inet, M1.onlink, wait=1)
    after = counted(lab, before)
    return answered == 3 and all(after[port].get("forwarded", 0) >= 3 for port in ("eth0", OVERLAY))


@pytest.mark.parametrize("ports", ["all tc", "uplink tc"])
def test_programs_follow_a_tap_that_comes_back(fresh, ports):
    fresh.gateway.up(set_datapath(conf(lan=True), **SETS[ports]))
    fresh.gateway.start_agent()
    assert ping(fresh.inet, M1.onlink) == 3
    fresh.restart_zerotier()
    deadline = time.monotonic() + 10
    while not takes_the_fast_path(fresh):
        assert time.monotonic() < deadline


@pytest.mark.parametrize("first, second", [("all tc", "none"), ("none", "all tc"),
                                           ("uplink tc", "overlay tc")])
def test_a_reload_moves_ports_between_xdp_and_tc(fresh, first, second):
    sets = {**SETS, "none": {}}
    fresh.gateway.up(set_datapath(conf(lan=True), **sets[first]))
    fresh.gateway.start_agent()
    assert ping(fresh.inet, M1.onlink) == 3
    fresh.gateway.configure(set_datapath(conf(lan=True), **sets[second]))
    fresh.gateway("reload")
    before = fresh.gateway.counters()
    assert ping(fresh.inet, M1.onlink) == 3
    assert counted(fresh, before)["eth0"]["forwarded"] >= 3
    ports = {port["name"]: port["datapath"] for port in
             json.loads(fresh.gateway("status", "--json", check=False).stdout)["ports"]}
    for name, section in (("eth0", "uplink"), (OVERLAY, "overlay"), ("eth1", "lan")):
        others = "xdp+tc" if sets[second] else "xdp"
        assert ports[name] == ("tc" if section in sets[second] else others)


def mute(source, destination):
    """A packet that nobody answers: "no next header" (RFC 8200 §4.7)."""
    return IPv6(src=source, dst=destination, nh=59) / Raw(b"counted")


def test_each_packet_is_counted_once_whichever_program_sends_it(mixed):
    path, count = Path(mixed), 200
    assert ping(mixed.inet, M1.onlink) == 3 and ping(mixed.inet, LAN_HOST) == 3
    before = mixed.gateway.counters()
    with path.outside() as outside, path.inside() as inside:
        for _ in range(count):
            outside.send(path.inward(mute(INET, M1.onlink)))
            inside.send(path.outward(mute(M1.onlink, INET)))
            inside.send(path.outward(mute(M1.routed, LAN_HOST)))
        arrived = sum(b"counted" in frame for frame in inside.frames(1))
    after = counted(mixed, before)
    assert arrived == count
    assert after["eth0"]["forwarded"] == count
    assert after[OVERLAY]["forwarded"] == 2 * count
    assert not after.unexplained()
