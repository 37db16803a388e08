# SPDX-License-Identifier: GPL-2.0-or-later
"""What `up`, `reload` and `down` make of a machine (design §5.1)."""

import json
import os
import re
import time

import pytest
from scapy.layers.inet6 import ICMPv6ND_RA, IPv6
from scapy.layers.l2 import Ether

from lab import (LAN, M1, ONLINK, OVERLAY, ROUTED, TUNNEL, TUNNEL_ADDRESS, TUNNEL_GATEWAY, conf)
from machine import DONE, NOT_UP, USAGE, minimal_conf
from snapshot import difference

pytestmark = pytest.mark.first


def forwarding(machine):
    return {name: machine.gw.sysctl(f"ipv6/conf/{name}/forwarding")
            for name in ("all", "default", "lo", "eth0", "eth1", "eth2", OVERLAY)}


def normalized(lines):
    """Without the numbers of programs: a second `up` replaces them by the same."""
    return [re.sub(r"(xdp/id:|prog/xdp id )\d+.*?( qdisc|$)", r"\1N\2", line) for line in lines]


# All kinds of objects with one XDP program: loading them is what takes time here.
LIGHT = minimal_conf(address=f"{TUNNEL_ADDRESS}/64", gateway=TUNNEL_GATEWAY, routed=ROUTED,
                     ) + f"proxy eth0 {{\n    rule {ONLINK} {{\n        auto\n    }}\n}}\n"


@pytest.mark.parametrize("settings", [
    {"lan": True}, {"tunnel": False}, {"onlink": False, "policy": "kernel"},
], ids=str)
def test_down_leaves_the_machine_as_it_was_before_up(machine, settings):
    before = machine.snapshot()
    machine.gateway.up(conf(**settings))
    assert machine.snapshot() != before
    machine.gateway("down")
    machine.assert_unchanged(before)


TC_FILTER = ("tc filter add dev eth0 ingress prio 6 handle 2 bpf flowid 1: bytecode".split()
             + ["1,6 0 0 0"])


@pytest.mark.parametrize("commands", [
    [], ["sysctl all 1"], ["sysctl eth2 1"], ["sysctl default 1"],
    ["sysctl all 1", "sysctl eth0 0"], ["ip link set eth0 allmulticast on"],
    ["tc qdisc add dev eth0 clsact"], ["tc qdisc add dev eth0 ingress"],
    ["tc qdisc add dev eth0 clsact", TC_FILTER],
    [f"ip -6 route add unreachable {ROUTED} metric 4294967295"],
    ["ip neigh add 192.0.2.1 lladdr 02:00:00:00:00:01 dev eth0 nud reachable"],
    ["ip neigh add 192.0.2.1 lladdr 02:00:00:00:00:01 dev eth0 nud permanent"],
    ["ip -6 rule add from 2001:db8:7::/48 lookup 6400"],
], ids=str)
def test_what_an_administrator_had_set_is_his_after_down(machine, commands):
    for command in commands:
        words = command.split() if isinstance(command, str) else command
        if words[0] == "sysctl":
            machine.gw.sysctl(f"ipv6/conf/{words[1]}/forwarding", words[2])
        else:
            machine.gw.run(*words)
    before = machine.snapshot() + filters(machine) + neighbours(machine)
    machine.gateway.up(LIGHT)
    assert forwarding(machine)["all"] == forwarding(machine)["eth0"] == "1"
    machine.gateway("down")
    assert not difference(before, machine.snapshot() + filters(machine) + neighbours(machine))


def filters(machine):
    return machine.gw.run("tc", "filter", "show", "dev", "eth0", "ingress", check=False
                          ).stdout.splitlines()


def neighbours(machine):
    """Which are there and which are managed; states move by themselves."""
    return [re.sub(r" [A-Z]+ *$", "", line)
            for line in machine.gw.show("-4 neigh").splitlines()]


def test_up_makes_what_forwarding_needs(machine):
    machine.gateway.up(conf(lan=True))
    assert set(forwarding(machine).values()) == {"1"}
    assert machine.gw.sysctl("ipv4/conf/lo/forwarding") == "1"
    assert machine.gw.sysctl("ipv4/ip_forward") == "0"

    device = machine.gw.show(f"-d link show {TUNNEL}")
    assert "mtu 1480" in device and "UP" in device
    assert "tun type tun" in device and "persist on" in device or "sit ip6ip" in device
    address = machine.gw.show(f"-6 addr show dev {TUNNEL}")
    assert f"inet6 {TUNNEL_ADDRESS}/64" in address and "noprefixroute" in address
    assert "tentative" not in address

    routes = machine.routes()
    assert any(line.startswith(f"{TUNNEL_GATEWAY} dev {TUNNEL} proto 64") for line in routes)
    for prefix in (ROUTED, ONLINK):
        assert f"unreachable {prefix} dev lo proto 64 metric 4294967295 pref medium" in routes
        assert any(line.startswith(f"{prefix} dev {OVERLAY} proto 64") for line in routes)
    # The lan's connected route is the kernel's own: no second one.
    assert [line.split(" proto ")[1].split()[0] for line in routes if line.startswith(LAN)
            ] == ["kernel"]
    assert "ALLMULTI" in machine.gw.show("link show eth0")
    assert "ALLMULTI" not in machine.gw.show("link show eth1")
    if "tun type tun" in device:
        assert "managed" in machine.gw.show("neigh show 192.0.2.1")


def test_the_tunnels_own_prefix_does_not_swallow_members(machine):
    machine.gateway.up(conf())
    assert M1.routed.startswith("2001:470:811d::")  # the address's own /64
    assert machine.way(M1.routed) == OVERLAY
    assert machine.way(TUNNEL_GATEWAY) == TUNNEL
    assert machine.way(TUNNEL_ADDRESS) == "lo"


def test_default_source_routes_by_the_source_alone(machine):
    machine.gateway.up(conf())
    internet = "2001:db8:1::2"
    assert machine.way(internet) == "eth0"
    assert machine.way(internet, f"from {M1.routed} iif {OVERLAY}") == TUNNEL
    assert machine.way(internet, f"from {TUNNEL_ADDRESS}") == TUNNEL
    assert machine.way(internet, f"from {M1.onlink} iif {OVERLAY}") == "eth0"
    # Main's specific routes still win.
    assert machine.way(M1.onlink, f"from {M1.routed} iif {OVERLAY}") == OVERLAY


def test_the_tunnels_address_outside_of_what_is_routed_has_a_rule_too(machine):
    machine.gateway.up(minimal_conf(routed=ROUTED))
    assert machine.way("2001:db8:1::2", "from 2001:db8:7::80") == TUNNEL


@pytest.mark.parametrize("value, metric", [("yes", 1024), ("yes", 77), ("no", None)])
def test_default_yes_and_no(machine, value, metric):
    machine.gw.run("ip", "-6", "route", "del", "default")
    settings = {"default": value, "gateway": "2001:db8:7::1"}
    if metric:
        settings["metric"] = metric
    before = machine.snapshot()
    machine.gateway.up(minimal_conf(**settings))
    expected = [f"default via 2001:db8:7::1 dev {TUNNEL} proto 64 metric {metric}"]
    assert [line.split(" onlink")[0] for line in machine.routes("default")
            ] == (expected if metric else [])
    assert "64" not in machine.gw.show("-6 rule")
    machine.gateway("down")
    machine.assert_unchanged(before)


def test_two_tunnels_have_a_table_each(machine):
    machine.gw.ip("addr add 192.0.2.81/24 dev eth0")
    before = machine.snapshot()
    machine.gateway.up(minimal_conf(routed="2001:470:811d::/48") + """
        tunnel second {
            local 192.0.2.81
            remote 198.51.100.1
            address 2001:db8:8::80/64
            routed 2001:470:811d:8::/64
        }""")
    internet = "2001:db8:1::2"
    # The more specific source wins, whatever the order in the file.
    assert machine.way(internet, "from 2001:470:811d:9::1 iif eth1") == TUNNEL
    assert machine.way(internet, "from 2001:470:811d:8::1 iif eth1") == "second"
    machine.gateway("down")
    machine.assert_unchanged(before)


def advertise(machine):
    """One Router Advertisement on eth0, until the kernel has its route."""
    machine.gw.sysctl("ipv6/conf/eth0/accept_ra", 1)
    advertisement = (Ether(src=machine.far.mac("eth0"), dst="33:33:00:00:00:01")
                     / IPv6(src=machine.far.link_local("eth0"), dst="ff02::1", hlim=255)
                     / ICMPv6ND_RA(routerlifetime=1800))
    with machine.far.wire("eth0") as wire:
        for _ in range(50):
            wire.send(advertisement)
            time.sleep(0.1)
            if "proto ra" in machine.gw.show("-6 route show default"):
                return
    raise AssertionError("the kernel takes no Router Advertisement")


@pytest.mark.parametrize("uplink", ["eth0", "eth2"])
def test_the_default_route_of_a_router_advertisement_survives(machine, uplink):
    """Also on an interface that is no port of ours: forwarding is the whole machine's."""
    advertise(machine)
    machine.gateway.up(f"uplink {uplink}\nlan eth1 {{\n    prefix {LAN}\n}}\n")
    assert machine.gw.sysctl("ipv6/conf/eth0/accept_ra") == "2"
    assert "proto ra" in machine.gw.show("-6 route show default")
    machine.gateway("up")
    machine.gateway("down")
    assert machine.gw.sysctl("ipv6/conf/eth0/accept_ra") == "1"
    assert machine.gw.sysctl("ipv6/conf/eth0/forwarding") == "0"
    assert "proto ra" in machine.gw.show("-6 route show default")


def test_up_twice_changes_nothing(machine):
    before = machine.snapshot()
    machine.gateway.up(conf(lan=True))
    first = machine.snapshot()
    with open(machine.journal, encoding="utf-8") as file:
        journal = file.read()
    machine.gateway("up")
    assert normalized(machine.snapshot()) == normalized(first)
    with open(machine.journal, encoding="utf-8") as file:
        assert file.read() == journal
    machine.gateway("down")
    machine.assert_unchanged(before)


@pytest.mark.parametrize("command", ["up", "reload"])
def test_a_changed_file_applies_the_difference(machine, command):
    before = machine.snapshot()
    machine.gateway.up(conf(lan=True))
    index = machine.gw.link_index(TUNNEL)

    machine.gateway.configure(conf(onlink=False).replace("{\n    local", "{\n    mtu 1400\n"
                                                         "    default yes\n    metric 512\n    local"))
    machine.gateway(command)
    assert machine.gw.link_index(TUNNEL) == index
    assert "mtu 1400" in machine.gw.show(f"link show {TUNNEL}")
    assert "ALLMULTI" not in machine.gw.show("link show eth0")
    assert "64" not in machine.gw.show("-6 rule")
    assert not any(ONLINK in line for line in machine.routes())
    assert any(f"dev {TUNNEL} proto 64" in line for line in machine.routes("default"))
    assert not machine.routes("table 6400")
    assert "xdp" not in machine.gw.show("link show eth1")
    machine.gateway("down")
    machine.assert_unchanged(before)


@pytest.fixture
def sit(machine):
    """The kernel's own 6in4 driver, which small kernels lack."""
    if machine.gw.run("ip", "link", "add", "probe", "type", "sit", "remote", "192.0.2.1",
                      check=False).returncode:
        pytest.skip("this kernel has no sit")
    machine.gw.ip("link del probe")


@pytest.mark.usefixtures("sit")
def test_a_sit_device_is_changed_in_its_place(machine):
    machine.gw.ip("addr add 192.0.2.81/24 dev eth0")
    before = machine.snapshot()
    machine.gateway.up(LIGHT)
    index = machine.gw.link_index(TUNNEL)
    shown = machine.gw.show(f"-d link show {TUNNEL}")
    assert "sit ip6ip remote 72.52.104.74 local 192.0.2.80 ttl 255 pmtudisc" in shown
    for old, new, expected in (
            ("local 192.0.2.80", "local 192.0.2.81", "local 192.0.2.81 ttl 255 pmtudisc"),
            ("routed", "mtu 1400\n    routed", "mtu 1400"),
            ("routed", "ttl 0\n    tos inherit\n    routed", "ttl inherit tos inherit"),
            ("routed", "ttl 0\n    pmtudisc no\n    routed", "ttl inherit nopmtudisc"),
            ("remote 72.52.104.74", "remote 198.51.100.1", "remote 198.51.100.1")):
        machine.gateway.up(LIGHT.replace(old, new))
        assert expected in machine.gw.show(f"-d link show {TUNNEL}"), expected
        assert {line.split()[0] for line in
                machine.gateway("up", "--dry-run").stdout.splitlines()} == {"attach"}
    assert machine.gw.link_index(TUNNEL) == index
    machine.gateway.up(LIGHT.replace("routed", "device bpf\n    routed"))
    assert "tun type tun" in machine.gw.show(f"-d link show {TUNNEL}")
    machine.gateway.up(LIGHT.replace(f"tunnel {TUNNEL}", "tunnel other"))
    assert TUNNEL not in machine.gw.show("link")
    machine.gateway("down")
    machine.assert_unchanged(before)


@pytest.mark.usefixtures("sit")
def test_a_sit_device_with_the_same_ends_is_said(machine):
    machine.gw.ip("link add elsewhere type sit local 192.0.2.80 remote 72.52.104.74")
    machine.gateway.configure(LIGHT)
    before = machine.snapshot()
    assert "another sit device has the same local and remote" in machine.fails("up")
    machine.assert_unchanged(before)


def test_a_renamed_tunnel_takes_the_place_of_the_old(machine):
    before = machine.snapshot()
    machine.gateway.up(LIGHT)
    machine.gateway.configure(LIGHT.replace(f"tunnel {TUNNEL}", "tunnel other"))
    machine.gateway("up")
    assert TUNNEL not in machine.gw.show("link")
    assert machine.way(TUNNEL_GATEWAY) == "other"
    assert machine.way("2001:db8:1::2", f"from {TUNNEL_ADDRESS}") == "other"
    machine.gateway("down")
    machine.assert_unchanged(before)


def test_up_repairs_what_was_taken_away(machine):
    before = machine.snapshot()
    machine.gateway.up(LIGHT)
    index = machine.gw.link_index(TUNNEL)
    whole = machine.snapshot() + neighbours(machine)
    for damage in (f"route del {TUNNEL_GATEWAY} dev {TUNNEL}", f"route del unreachable {ROUTED}",
                   "-6 route flush table 6400", "-6 rule del prio 30081",
                   f"addr del {TUNNEL_ADDRESS}/64 dev {TUNNEL}",
                   "link set eth0 allmulticast off", f"link set {TUNNEL} mtu 1300",
                   "neigh flush dev eth0", f"link set {TUNNEL} down", f"link del {TUNNEL}"):
        if "neigh" in damage and not neighbours(machine):
            continue  # with sit the kernel looks for the next hop as it sends
        machine.gw.run("ip", *damage.split())
        assert machine.snapshot() + neighbours(machine) != whole, damage
        machine.gateway("up")
        renumbered = machine.gw.link_index(TUNNEL)
        repaired = [line.replace(f": {renumbered}: ", f": {index}: ")
                    for line in machine.snapshot() + neighbours(machine)]
        assert not difference(normalized(whole), normalized(repaired)), damage
    machine.gateway("down")
    machine.assert_unchanged(before)


def test_down_leaves_alone_what_somebody_has_changed_since(machine):
    machine.gateway.up(LIGHT)
    machine.gw.sysctl("ipv6/conf/eth2/forwarding", 0)
    machine.gw.sysctl("ipv4/conf/lo/forwarding", 0)
    machine.gw.ip(f"""
        link del {TUNNEL}
        tuntap add name {TUNNEL} mode tun
        route add 2001:db8:9::/48 dev eth0 proto 64""")
    done = machine.gateway("-v", "down")
    assert "net/ipv4/conf/lo/forwarding is 0 and not our 1 any more" in done.stderr
    assert f"{TUNNEL} is not the one that we made any more" in done.stderr
    assert set(forwarding(machine).values()) == {"0"}
    assert TUNNEL in machine.gw.show("link")
    assert any("2001:db8:9::/48" in line for line in machine.routes())


def test_filters_of_others_keep_the_qdisc_that_we_made(machine):
    machine.gateway.up(LIGHT)
    assert len(filters(machine)) == 2
    machine.gw.run(*TC_FILTER)
    machine.gateway("down")
    assert "clsact" in machine.gw.run("tc", "qdisc", "show", "dev", "eth0").stdout
    assert "handle 0x2" in filters(machine)[-1] and "zt6" not in "".join(filters(machine))


def test_interfaces_that_come_later_lose_the_forwarding_that_they_inherited(machine):
    machine.gateway.up(LIGHT)
    machine.gw.ip("link add later type veth peer name reatl")
    assert machine.gw.sysctl("ipv6/conf/later/forwarding") == "1"
    machine.gateway("down")
    assert machine.gw.sysctl("ipv6/conf/later/forwarding") == "0"


@pytest.mark.parametrize("gone", [[TUNNEL], ["eth0"], ["eth0", OVERLAY, "eth1", TUNNEL]])
def test_down_works_when_interfaces_have_gone(machine, gone):
    machine.gateway.up(conf(lan=True))
    for device in gone:
        machine.gw.ip(f"link del {device}")
    machine.gateway("down")
    assert TUNNEL not in machine.gw.show("link")
    assert not any("proto 64" in line for line in machine.routes("table all"))
    assert "64" not in machine.gw.show("-6 rule")
    assert "xdp" not in machine.gw.show("link")
    assert "clsact" not in machine.gw.run("tc", "qdisc", "show").stdout
    assert set(forwarding_of_all(machine)) == {"0"}
    assert not os.path.exists(f"/sys/fs/bpf/zt6-bpf/{machine.name}")
    assert not os.path.exists(f"/run/zt6-bpf/{machine.name}")


def forwarding_of_all(machine):
    with machine.gw.enter():
        names = os.listdir("/proc/sys/net/ipv6/conf")
    return [machine.gw.sysctl(f"ipv6/conf/{name}/forwarding") for name in names]


def test_a_dry_run_names_everything_and_touches_nothing(machine):
    machine.gateway.configure(conf(lan=True))
    before = machine.snapshot()
    shown = machine.gateway("up", "--dry-run").stdout
    machine.assert_unchanged(before)
    for expected in ("make    sysctl net/ipv6/conf/all/forwarding = 1",
                     f"address {TUNNEL_ADDRESS}/64 dev {TUNNEL} noprefixroute",
                     f"make    route {ROUTED} dev {OVERLAY} metric 1024",
                     f"make    route unreachable {ONLINK} metric 4294967295",
                     f"rule priority 30081 from {ROUTED} lookup 6400",
                     "make    link eth0 allmulticast on", "attach  program dev eth1"):
        assert expected in shown
    assert f"route {LAN}" not in shown  # it is there already

    machine.gateway("up")
    up = machine.snapshot()
    assert {line.split()[0] for line in machine.gateway("up", "--dry-run").stdout.splitlines()
            } == {"attach"}
    machine.gateway.configure(conf())
    machine.gw.ip(f"route del {TUNNEL_GATEWAY} dev {TUNNEL}")
    shown = machine.gateway("up", "--dry-run").stdout
    assert f"repair  route {TUNNEL_GATEWAY}/128 dev {TUNNEL}" in shown
    machine.gw.ip(f"route add {TUNNEL_GATEWAY} dev {TUNNEL} proto 64")
    machine.assert_unchanged(up)


def test_the_journal_tells_what_was_there_before(machine):
    machine.gw.sysctl("ipv6/conf/eth2/forwarding", 1)
    machine.gateway.up(LIGHT)
    with open(machine.journal, encoding="utf-8") as file:
        header, *lines = [json.loads(line) for line in file]
    assert header["schema"] == 1
    assert header["netns"]["inode"] == os.stat(machine.gw.path).st_ino
    before = {line["kind"]: line["before"] for line in lines}
    assert before["forwarding"]["eth2"] == "1" and before["forwarding"]["eth0"] == "0"
    assert {line["op"] for line in lines} == {"make"}


def test_nothing_is_up(machine):
    for command in ("down", "reload"):
        assert "is not up" in machine.fails(command, status=NOT_UP)
    assert not os.path.exists(f"/run/zt6-bpf/{machine.name}")


@pytest.mark.parametrize("arguments", [["up", "now"], ["up", "--fast"], ["down", "--all"],
                                       ["reload", "x"]])
def test_wrong_usage(machine, arguments):
    machine.gateway.configure(conf())
    assert arguments[-1] in machine.fails(*arguments, status=USAGE)


def test_two_at_once_take_turns(machine):
    machine.gateway.configure(LIGHT)
    before = machine.snapshot()
    processes = [machine.start("up") for _ in range(3)]
    assert [process.wait(60) for process in processes] == [DONE] * 3
    machine.gateway("down")
    machine.assert_unchanged(before)
