# SPDX-License-Identifier: GPL-2.0-or-later
"""Members on an Ethernet segment behind the gateway (design §1, T3)."""

from scapy.layers.l2 import Ether

from frames import is_udp, udp
from lab import GATEWAY, INET, LAN_ADDRESS, LAN_HOST, M1, M2, OVERLAY
from traffic import FEW_MEGABYTES, ping, transfer


def test_a_host_on_the_lan_reaches_the_internet_through_the_tunnel(lab, counted):
    assert ping(lab.lan, INET) == 3
    assert ping(lab.inet, LAN_HOST) == 3
    assert transfer(lab.inet, INET, lab.lan, LAN_HOST, FEW_MEGABYTES).intact
    assert transfer(lab.lan, LAN_HOST, lab.inet, INET, FEW_MEGABYTES).intact
    assert counted()["eth1"]["encapsulated"] >= FEW_MEGABYTES << 9
    assert counted()["eth0"]["decapsulated"] >= FEW_MEGABYTES << 9


def test_a_host_on_the_lan_and_a_member_reach_each_other(lab, counted):
    assert ping(lab.m1, LAN_HOST, source=M1.routed) == 3
    assert ping(lab.lan, M1.routed) == 3
    assert transfer(lab.m1, M1.routed, lab.lan, LAN_HOST, FEW_MEGABYTES).intact
    assert counted()[OVERLAY]["forwarded"] >= FEW_MEGABYTES << 9
    # Acknowledgements: the receiver decides for how many segments it sends one.
    assert counted()["eth1"]["forwarded"] >= FEW_MEGABYTES << 5


def test_the_gateways_lan_address_is_its_kernels(lab, counted):
    assert ping(lab.lan, LAN_ADDRESS) == 3
    assert ping(lab.inet, LAN_ADDRESS) == 3
    assert counted()["eth1"]["pass_local"] >= 3


def test_the_lan_cannot_send_from_a_members_address_nor_a_member_from_the_lans(lab, counted):
    assert ping(lab.m1, LAN_HOST, source=M1.routed, count=1) == 1
    with lab.m1.wire(OVERLAY) as inside, lab.lan.wire("eth0") as lan:
        lan.send(Ether(src=lab.lan.mac("eth0"), dst=lab.gw.mac("eth1")) /
                 udp(M2.routed, M1.routed))
        assert inside.wait(lambda frame: is_udp(Ether(frame)), 0.3) is None
        inside.send(Ether(src=M1.mac, dst=GATEWAY.mac) / udp("2001:470:811d:10::11", LAN_HOST))
        assert lan.wait(lambda frame: is_udp(Ether(frame)), 0.3) is None
    assert counted()["eth1"].get("drop_spoofed") == 1
    assert counted()[OVERLAY].get("drop_spoofed") == 1
