# SPDX-License-Identifier: GPL-2.0-or-later
"""Interfaces that small kernels lack, and that have no native XDP: 802.1Q and dummy."""

import json
import time

import pytest
from scapy.layers.l2 import Dot1Q, Ether

from lab import INET, LAN, LAN_ADDRESS, LAN_HOST, M1, NETWORK, ONLINK, OVERLAY, Lab, conf
from probes import needs_dummy, needs_vlan
from test_ndp import answer, is_advertisement, solicitation
from traffic import ping, transfer

VLAN = 100


def tag(namespace, device, address=None):
    """DEVICE.100, up."""
    name = f"{device}.{VLAN}"
    namespace.ip(f"""
        link add link {device} name {name} type vlan id {VLAN}
        link set {name} up""")
    if address:
        namespace.ip(f"addr add {address} dev {name} nodad")
    while "state UP" not in namespace.show(f"link show {name}"):
        time.sleep(0.01)  # the kernel gets round to it later
    return name


# 802.1Q beside a port of ours


def datapath_of(gateway, name):
    status = json.loads(gateway("status", "--json", check=False).stdout)
    return next(port["datapath"] for port in status["ports"] if port["name"] == name)


@pytest.fixture
def tagged(lab):
    """A VLAN between the router and the gateway, on the gateway's uplink."""
    names = tag(lab.router, "to-gw", "2001:db8:78::1/64"), tag(lab.gw, "eth0", "2001:db8:78::2/64")
    yield names
    lab.router.ip(f"link del {names[0]}")
    lab.gw.ip(f"link del {names[1]}")


@needs_vlan()
def test_a_vlan_on_the_uplink_works_as_before(lab, tagged):
    assert ping(lab.gw, "2001:db8:78::1") == 3
    assert ping(lab.router, "2001:db8:78::2") == 3
    assert transfer(lab.router, "2001:db8:78::1", lab.gw, "2001:db8:78::2", 1).intact
    assert ping(lab.inet, M1.onlink, source=INET) == 3


@needs_vlan()
def test_a_tagged_solicitation_is_not_answered_on_the_untagged_port(lab, tagged, counted):
    assert ping(lab.gw, M1.onlink, source=OVERLAY, count=1) == 1
    frame = solicitation(M1.onlink)
    frame.payload = Dot1Q(vlan=VLAN) / frame.payload
    assert answer(lab, frame, M1.onlink, timeout=0.5) is None
    assert counted()["eth0"]["pass_other"] >= 1


@needs_vlan()
def test_a_solicitation_whose_tag_the_device_carries_is_not_answered(lab, tagged, counted):
    """veth hands the tag over beside the frame, as drivers do that strip tags in hardware: XDP cannot
    see it, so that with a VLAN above the port `auto` takes TC."""
    lab.gateway("reload")
    assert datapath_of(lab.gateway, "eth0") == "tc"
    assert ping(lab.gw, M1.onlink, source=OVERLAY, count=1) == 1
    lab.router.ip(f"route add {M1.onlink}/128 dev {tagged[0]}")
    try:
        with lab.router.wire("to-gw") as wire:
            assert ping(lab.router, M1.onlink, count=1, wait=1) == 0
            assert not wire.wait(lambda frame: is_advertisement(frame, M1.onlink), 0.1)
        assert "ndp_answered" not in counted()["eth0"]
    finally:
        lab.router.ip(f"route del {M1.onlink}/128 dev {tagged[0]}")
        lab.gw.ip(f"link del {tagged[1]}")
        lab.gateway("reload")
        tag(lab.gw, "eth0")
    assert datapath_of(lab.gateway, "eth0") == "xdp"


@needs_vlan()
def test_a_solicitation_with_a_priority_tag_is_answered(lab):
    """VLAN 0 is no VLAN (IEEE 802.1Q): the frame is the port's own."""
    assert ping(lab.gw, M1.onlink, source=OVERLAY, count=1) == 1
    frame = solicitation(M1.onlink)
    frame.payload = Dot1Q(vlan=0, prio=5) / frame.payload
    assert answer(lab, frame, M1.onlink)


VLAN_UPLINK = f"""
uplink eth0 {{
    vlan {VLAN}
}}
zerotier {NETWORK:016x} {{
    interface {OVERLAY}
}}
proxy eth0 {{
    rule {ONLINK} {{
        static
    }}
}}
"""


@needs_vlan()
def test_vlan_on_an_uplink_is_its_device_and_answers_with_the_tag_alone(machine):
    target = "2001:db8:48::77"
    device = tag(machine.gw, "eth0", "2001:db8:48:fffe::80/64")
    inner = tag(machine.far, "eth0")
    before = machine.snapshot()
    machine.gateway.up(VLAN_UPLINK)
    assert datapath_of(machine.gateway, device) == "tc"
    with machine.far.wire(inner) as inside, machine.far.wire("eth0") as outside:
        outside.send(solicitation(target))
        assert not outside.wait(lambda frame: is_advertisement(frame, target), 0.3)
        inside.send(solicitation(target))
        reply = inside.wait(lambda frame: is_advertisement(frame, target))
        assert Ether(reply).src == machine.gw.mac(device)
    machine.gateway("down")
    machine.assert_unchanged(before)


@needs_vlan()
def test_vlan_without_a_device_is_refused_with_the_command_that_makes_one(machine):
    machine.gateway.configure(VLAN_UPLINK)
    before = machine.snapshot()
    assert f"ip link add link eth0 name eth0.{VLAN} type vlan id {VLAN}" in machine.fails("up")
    machine.assert_unchanged(before)


@needs_vlan()
def test_the_untagged_port_and_a_vlan_of_it_are_two_ports(machine):
    device = tag(machine.gw, "eth0", "2001:db8:77::1/64")
    machine.gateway.up(f"""
uplink eth0
lan {device} {{
    prefix 2001:db8:77::/64
}}
""")
    assert datapath_of(machine.gateway, "eth0") == datapath_of(machine.gateway, device) == "tc"


# Ports without native XDP


def uplink_conf(device, datapath="auto"):
    return f"""
uplink {device} {{
    datapath {datapath}
}}
zerotier {NETWORK:016x} {{
    interface {OVERLAY}
}}
proxy {device} {{
    rule {ONLINK} {{
        static
    }}
}}
"""


def refused(machine, device):
    """`up` with that uplink says what to do, and changes nothing."""
    before = machine.snapshot()
    machine.gateway.configure(uplink_conf(device, "xdp"))
    message = machine.fails("up")
    assert f"{device}: cannot attach XDP" in message and "xdp-generic" in message
    machine.assert_unchanged(before)


def runs_in_tc(machine, device):
    """`up` with that uplink finds out by itself that XDP cannot go there, and says why."""
    before = machine.snapshot()
    machine.gateway.up(uplink_conf(device))
    status = json.loads(machine.gateway("status", "--json", check=False).stdout)
    port = next(port for port in status["ports"] if port["name"] == device)
    assert (port["datapath"], port["reason"]) == ("tc", "the driver has no native XDP")
    machine.gateway("down")
    machine.assert_unchanged(before)


@needs_dummy()
def test_a_dummy_is_refused_with_the_remedy_for_xdp_and_runs_in_tc(machine):
    machine.gw.ip("""
        link add dummy0 type dummy
        link set dummy0 up""")
    refused(machine, "dummy0")
    runs_in_tc(machine, "dummy0")


@needs_dummy()
def test_a_dummy_works_with_generic_xdp_and_is_left_as_it_was(machine):
    machine.gw.ip("""
        link add dummy0 type dummy
        link set dummy0 up""")
    before = machine.snapshot()
    machine.gateway.up(uplink_conf("dummy0", "xdp-generic"))
    assert "xdpgeneric" in machine.gw.show("link show dummy0")
    machine.gateway("down")
    machine.assert_unchanged(before)


@needs_vlan()
def test_a_vlan_device_is_refused_with_the_remedy_for_xdp_and_runs_in_tc(machine):
    device = tag(machine.gw, "eth0", "2001:db8:48:fffe::80/64")
    refused(machine, device)
    runs_in_tc(machine, device)


@needs_vlan()
@pytest.mark.parametrize("datapath", ["tc", "xdp-generic"])
def test_a_vlan_device_answers_inside_its_vlan(machine, datapath):
    target = "2001:db8:48::77"
    device = tag(machine.gw, "eth0", "2001:db8:48:fffe::80/64")
    tag(machine.far, "eth0")
    before = machine.snapshot()
    machine.gateway.up(uplink_conf(device, datapath))
    with machine.far.wire(device) as inside, machine.far.wire("eth1") as elsewhere:
        inside.send(solicitation(target))
        reply = inside.wait(lambda frame: is_advertisement(frame, target))
        assert Ether(reply).src == machine.gw.mac(device)
        assert not elsewhere.wait(lambda frame: is_advertisement(frame, target), 0.1)
    ports = {port["name"]: port for port in json.loads(machine.gateway("stats", "--json").stdout)
             ["ports"]}
    assert ports[device]["datapath"].startswith(datapath)
    assert ports[device]["verdicts"]["ndp_answered"]["packets"] == 1
    machine.gateway("down")
    machine.assert_unchanged(before)


@needs_vlan()
def test_traffic_reaches_a_lan_in_a_vlan():
    """A VLAN device takes no frames from XDP (it has no ndo_xdp_xmit): the kernel sends them."""
    with Lab() as lab:
        lab.gw.ip(f"addr del {LAN_ADDRESS}/64 dev eth1")
        lab.lan.ip(f"addr del {LAN_HOST}/64 dev eth0")
        device = tag(lab.gw, "eth1", f"{LAN_ADDRESS}/64")
        host = tag(lab.lan, "eth0", f"{LAN_HOST}/64")
        lab.lan.ip(f"route replace default via {LAN_ADDRESS} dev {host}")
        lab.gateway.up(conf(more=f"lan {device} {{\n    prefix {LAN}\n    datapath xdp-generic\n}}"))
        assert ping(lab.lan, INET, source=LAN_HOST) == 3
        assert ping(lab.inet, LAN_HOST, source=INET) == 3
        assert ping(lab.m1, LAN_HOST, source=M1.routed) == 3
        assert transfer(lab.inet, INET, lab.lan, LAN_HOST, 1).intact
