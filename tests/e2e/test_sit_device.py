# SPDX-License-Identifier: GPL-2.0-or-later
"""The tunnel's interface as the kernel's own 6in4 device (design §4.4): what `up`, `reload` and
`down` make of it."""

import json

import pytest

from gateway import BINARY
from lab import BROKER_V4, GATEWAY_V4, TUNNEL, TUNNEL_ADDRESS, conf
from machine import minimal_conf
from probes import needs_sit

pytestmark = needs_sit()

# What a loader needs, and nothing else that root has.
PRODUCTION = "--bounding-set=-all,+net_admin,+bpf,+perfmon"


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


def test_the_kernels_device_encapsulates_itself(machine):
    """`sit` has no XDP, and needs none of our programs at its egress but the policy's."""
    machine.gateway.up(tunnel_conf())
    egress = machine.gw.run("tc", "filter", "show", "dev", TUNNEL, "egress").stdout
    assert "zt6_tunnel_egress" not in egress
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


# Devices that are there already


@pytest.mark.parametrize("made", ["", "dev eth0 "], ids=["unbound", "bound to the uplink"])
def test_an_existing_sit_with_the_same_parameters_is_adopted_and_outlives_down(machine, made):
    """As ifupdown's v4tunnel stanza leaves it: with a connected prefix, which stays as it is."""
    machine.gw.ip(f"""
        link add {TUNNEL} type sit local {GATEWAY_V4} remote {BROKER_V4} {made}ttl 255
        link set {TUNNEL} mtu 1480 up
        addr add {TUNNEL_ADDRESS}/64 dev {TUNNEL} nodad""")
    before, index = machine.snapshot(), machine.gw.link_index(TUNNEL)
    for command in ("up", "up", "reload"):
        machine.gateway.configure(tunnel_conf())
        machine.gateway(command)
        assert link(machine) == DEFAULTS and machine.gw.link_index(TUNNEL) == index
    machine.gateway("down")
    machine.assert_unchanged(before)
    assert machine.gw.link_index(TUNNEL) == index


@pytest.mark.parametrize("there, wanted", [
    ("ttl 64", "ttl 255"), ("ttl 255 tos 0x20", "tos 0"), ("ttl 255 local 192.0.2.81", "local"),
    ("ttl 255 remote 192.0.2.7", "remote"), ("ttl 255 dev eth1", "sit"), ("mtu 1400", "mtu 1480"),
    ("down", "up"),
], ids=str)
def test_an_existing_sit_with_other_parameters_is_an_error_that_shows_both(machine, there, wanted):
    machine.gw.ip(f"""
        addr add 192.0.2.81/32 dev eth0
        link add {TUNNEL} type sit local {GATEWAY_V4} remote {BROKER_V4} ttl 255
        link set {TUNNEL} mtu 1480 up""")
    if there == "down" or there.startswith("mtu"):
        machine.gw.ip(f"link set {TUNNEL} {there}")
    else:
        machine.gw.ip(f"tunnel change {TUNNEL} mode sit {there}")
        machine.gw.ip(f"link set {TUNNEL} mtu 1480")
    before = machine.snapshot()
    machine.gateway.configure(tunnel_conf())
    message = machine.fails("up").splitlines()
    assert there.replace("tos 0x20", "tos 32").split()[-1] in message[1], message
    assert wanted in message[2] and message[1] != message[2].replace("wanted", "there"), message
    machine.assert_unchanged(before)


def test_an_adopted_sit_is_not_changed_by_a_reload(machine):
    machine.gw.ip(f"""
        link add {TUNNEL} type sit local {GATEWAY_V4} remote {BROKER_V4} ttl 255
        link set {TUNNEL} mtu 1480 up""")
    machine.gateway.up(tunnel_conf())
    machine.gateway.configure(tunnel_conf(ttl="64"))
    assert "ttl 255" in machine.fails("reload")
    assert link(machine) == DEFAULTS


def test_with_several_uplinks_the_device_is_bound_to_its_own(machine):
    """The main table has one way to the remote end; the other tunnel's lies elsewhere."""
    machine.gw.ip("addr add 198.51.100.2/24 dev eth1")
    machine.gateway.up("uplink eth1\n" + tunnel_conf(uplink="eth0") + """
tunnel other {
    uplink eth1
    local 198.51.100.2
    remote 198.51.100.9
    address 2001:db8:9::80/64
}
""")
    for name, uplink in ((TUNNEL, "eth0"), ("other", "eth1")):
        assert json.loads(machine.gw.show(f"-d -j link show {name}"))[0]["link"] == uplink


# `local auto`


def test_the_device_follows_the_uplinks_address(machine):
    machine.gateway.up(tunnel_conf(local="auto"))
    machine.gateway.start_agent()
    index = machine.gw.link_index(TUNNEL)
    machine.gw.ip(f"""
        addr del {GATEWAY_V4}/24 dev eth0
        addr add 192.0.2.99/24 dev eth0""")
    machine.wait_for(lambda: link(machine) == {**DEFAULTS, "local": "192.0.2.99"})
    assert machine.gw.link_index(TUNNEL) == index
    machine.gateway("up")
    assert link(machine)["local"] == "192.0.2.99"


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
