# SPDX-License-Identifier: GPL-2.0-or-later
"""The tunnel's interface as the kernel's own 6in4 device (design §4.4): what `up`, `reload` and
`down` make of it."""

import json

import pytest

from gateway import BINARY
from lab import BROKER_V4, GATEWAY_V4, TUNNEL, TUNNEL_ADDRESS, conf
from machine import Machine, minimal_conf
from probes import needs_sit

pytestmark = needs_sit()

# What a loader needs, and nothing else that root has.
PRODUCTION = "--bounding-set=-all,+net_admin,+bpf,+perfmon"


@pytest.fixture
def machine():
    with Machine() as machine:
        yield machine


def tunnel_conf(**settings):
    """Without an address in the way of the machine's own."""
    return minimal_conf(address=f"{TUNNEL_ADDRESS}/64", **settings)


def link(machine, name=TUNNEL):
    """What `ip` knows of the interface: driver, parameters, MTU."""
    found = json.loads(machine.gw.show(f"-d -j link show {name}"))[0]
    info = found["linkinfo"]
    data = info.get("info_data", {})
    return {"kind": info["info_kind"], "mtu": found["mtu"], "up": "UP" in found["flags"],
            **{key: data.get(key) for key in ("local", "remote", "ttl", "tos", "pmtudisc")}}


DEFAULTS = {"kind": "sit", "mtu": 1480, "up": True, "local": GATEWAY_V4, "remote": BROKER_V4,
            "ttl": 255, "tos": None, "pmtudisc": True}


@pytest.mark.parametrize("settings, differs", [
    ({}, {}),
    ({"device": "auto"}, {}),
    ({"device": "sit"}, {}),
    ({"ttl": "64", "tos": "32", "mtu": "1400"}, {"ttl": 64, "tos": "0x20", "mtu": 1400}),
    ({"ttl": "0", "tos": "inherit", "pmtudisc": "no"},
     {"ttl": 0, "tos": "0x1", "pmtudisc": False}),
    ({"local": "auto", "mtu": "1280"}, {"mtu": 1280}),
], ids=str)
def test_the_kernels_device_gets_the_parameters_of_the_file(machine, settings, differs):
    before = machine.snapshot()
    machine.gateway.up(tunnel_conf(**settings))
    assert link(machine) == {**DEFAULTS, **differs}
    machine.gateway("down")
    machine.assert_unchanged(before)


def test_device_bpf_is_used_only_on_request(machine):
    machine.gateway.up(tunnel_conf(device="bpf"))
    assert link(machine)["kind"] == "tun"


def test_the_kernels_device_takes_no_program_of_ours(machine):
    """`sit` has no XDP, and needs no TC program: it encapsulates itself."""
    machine.gateway.up(tunnel_conf())
    assert "clsact" not in machine.gw.run("tc", "qdisc", "show").stdout
    assert "xdp" not in machine.gw.show(f"link show {TUNNEL}")


def test_changed_parameters_are_applied_to_the_device_that_is_there(machine):
    machine.gateway.up(tunnel_conf())
    index = machine.gw.link_index(TUNNEL)
    machine.gateway.configure(tunnel_conf(ttl="64", tos="32", mtu="1400"))
    machine.gateway("reload")
    assert link(machine) == {**DEFAULTS, "ttl": 64, "tos": "0x20", "mtu": 1400}
    assert machine.gw.link_index(TUNNEL) == index


def test_up_repairs_what_was_changed_on_the_device(machine):
    machine.gateway.up(tunnel_conf())
    machine.gw.ip(f"tunnel change {TUNNEL} ttl 7")
    machine.gw.ip(f"link set {TUNNEL} mtu 1300")
    machine.gateway("up")
    assert link(machine) == DEFAULTS


def test_the_whole_gateway_goes_without_a_trace(machine):
    before = machine.snapshot()
    machine.gateway.up(conf(lan=True))
    assert link(machine) == DEFAULTS
    machine.gateway("down")
    machine.assert_unchanged(before)


@pytest.mark.parametrize("device", ["sit", "bpf"])
def test_up_and_down_need_three_capabilities(machine, device):
    def privileged(command):
        machine.gw.run("setpriv", PRODUCTION, BINARY, "-c", machine.gateway.conf_path,
                       "--instance", machine.name, command)

    before = machine.snapshot()
    machine.gateway.configure(tunnel_conf(device=device))
    privileged("up")
    assert link(machine)["up"]
    privileged("down")
    machine.assert_unchanged(before)


@pytest.mark.parametrize("name", [TUNNEL, "sit-other"])
def test_a_sit_of_somebody_else_is_named_and_stays(machine, name):
    """Of our name, or between our addresses, of which the kernel takes one only."""
    machine.gw.ip(f"""
        link add {name} type sit local {GATEWAY_V4} remote {BROKER_V4} ttl 9
        link set {name} up""")
    before = machine.snapshot()
    machine.gateway.configure(tunnel_conf())
    assert TUNNEL in machine.fails("up")
    machine.assert_unchanged(before)


def test_a_sit_to_another_broker_is_left_alone(machine):
    machine.gw.ip(f"""
        link add other type sit local {GATEWAY_V4} remote 192.0.2.77 ttl 9
        addr add 2001:db8:77::1/64 dev other
        link set other up""")
    before, other = machine.snapshot(), link(machine, "other")
    machine.gateway.up(tunnel_conf())
    assert link(machine, "other") == other
    machine.gateway("down")
    machine.assert_unchanged(before)
