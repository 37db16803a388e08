# SPDX-License-Identifier: GPL-2.0-or-later
"""The NDP responder, on the segment where the router solicits (RFC 4861, design §4.3).

scapy plays a solicitor of its own beside the router and judges the answers byte by byte; the
router's kernel judges them by its neighbour state machine.
"""

import re
import socket
import time

import pytest
from scapy.layers.inet6 import (ICMPv6ND_NA, ICMPv6ND_NS, ICMPv6NDOptDstLLAddr,
                                ICMPv6NDOptSrcLLAddr, ICMPv6NDOptUnknown, IPv6, in6_getnsma,
                                in6_getnsmac)
from scapy.layers.l2 import Ether
from scapy.packet import Raw
from scapy.utils6 import inet_ntop, inet_pton

from lab import INET, M1, M2, ONLINK_ADDRESS, OVERLAY, conf
from traffic import ping, ping_sizes

SOLICITOR = "fe80::99"
SOLICITOR_MAC = "02:00:00:00:00:99"
NOBODY = "2001:db8:48::dead"
UNCOVERED = "2001:db8:77::1"


def group_of(target):
    """The solicited-node group of a target and its MAC."""
    group = in6_getnsma(inet_pton(socket.AF_INET6, target))
    return inet_ntop(socket.AF_INET6, group), in6_getnsmac(group)


def solicitation(target, source=SOLICITOR, options=None, to=None, to_mac=None, hop_limit=255,
                 **fields):
    """An NS as a multicast one with SLLAO, but for what is said otherwise."""
    group, group_mac = group_of(target)
    frame = (Ether(src=SOLICITOR_MAC, dst=to_mac or group_mac) /
             IPv6(src=source, dst=to or group, hlim=hop_limit) /
             ICMPv6ND_NS(tgt=target, **fields))
    for option in [ICMPv6NDOptSrcLLAddr(lladdr=SOLICITOR_MAC)] if options is None else options:
        frame /= option
    return frame


def advertisement(lab, target, to=SOLICITOR, to_mac=SOLICITOR_MAC, source=None, **flags):
    """The NA that design §4.3 promises, complete, as scapy writes it."""
    mac = lab.gw.mac("eth0")
    return bytes(Ether(src=mac, dst=to_mac) /
                 IPv6(src=source or lab.gw.link_local("eth0"), dst=to, hlim=255) /
                 ICMPv6ND_NA(tgt=target, **{"R": 1, "S": 1, "O": 0, **flags}) /
                 ICMPv6NDOptDstLLAddr(lladdr=mac))


def is_advertisement(frame, target):
    packet = Ether(frame)
    return ICMPv6ND_NA in packet and packet[ICMPv6ND_NA].tgt == target


def answer(lab, frame, target, timeout=2):
    """Send a frame from the router's side and return the advertisement that comes, or None."""
    with lab.router.wire("to-gw") as wire:
        wire.send(frame)
        return wire.wait(lambda reply: is_advertisement(reply, target), timeout)


@pytest.fixture
def known(lab):
    """m1's on-link address, of which the gateway's kernel knows the neighbour."""
    assert ping(lab.gw, M1.onlink, source=OVERLAY, count=1) == 1
    return M1.onlink


NONCE = ICMPv6NDOptUnknown(type=14, len=1, data=b"nonce!")
ALIEN = ICMPv6NDOptUnknown(type=253, len=2, data=bytes(14))
SLLAO = ICMPv6NDOptSrcLLAddr(lladdr=SOLICITOR_MAC)
OTHER_MAC = "02:00:00:00:00:98"


@pytest.mark.parametrize("options, to_mac", [
    ([SLLAO], SOLICITOR_MAC),
    ([], SOLICITOR_MAC),
    ([NONCE, SLLAO], SOLICITOR_MAC),
    ([ALIEN, NONCE, SLLAO, ALIEN], SOLICITOR_MAC),
    ([ICMPv6NDOptDstLLAddr(lladdr=OTHER_MAC)], SOLICITOR_MAC),
    ([ICMPv6NDOptSrcLLAddr(lladdr=OTHER_MAC)], OTHER_MAC),
], ids=["plain", "none", "nonce-first", "many", "target-option", "other-link-address"])
def test_a_multicast_solicitation_gets_the_advertisement_that_scapy_builds(lab, known, counted,
                                                                          options, to_mac):
    reply = answer(lab, solicitation(known, options=options), known)
    assert reply == advertisement(lab, known, to_mac=to_mac)
    assert counted()["eth0"]["ndp_answered"] >= 1


def test_a_unicast_solicitation_without_link_layer_address_is_answered(lab, known):
    probe = solicitation(known, options=[], to=known, to_mac=lab.gw.mac("eth0"))
    assert answer(lab, probe, known) == advertisement(lab, known)


def test_reserved_bits_and_trailing_padding_are_no_fault(lab, known):
    frame = bytes(solicitation(known, res=0xdeadbeef)) + bytes(16)
    assert answer(lab, frame, known) == advertisement(lab, known)


def test_duplicate_address_detection_for_a_member_is_defended_to_all_nodes(lab, known):
    probe = solicitation(known, source="::", options=[])
    assert answer(lab, probe, known) == advertisement(
        lab, known, to="ff02::1", to_mac="33:33:00:00:00:01", S=0)


def test_duplicate_address_detection_for_an_unused_address_is_not_answered(lab):
    assert answer(lab, solicitation(NOBODY, source="::", options=[]), NOBODY, timeout=1) is None


INVALID = {
    "hop limit": lambda: solicitation(M1.onlink, hop_limit=254),
    "checksum": lambda: solicitation(M1.onlink, cksum=0x1234),
    "code": lambda: solicitation(M1.onlink, code=1),
    "option of length 0": lambda: solicitation(
        M1.onlink, options=[ICMPv6NDOptUnknown(type=14, len=0, data=b"nonce!")]),
    "option that overruns": lambda: solicitation(
        M1.onlink, options=[ICMPv6NDOptUnknown(type=14, len=2, data=b"nonce!")]),
    "DAD with a link-layer address": lambda: solicitation(M1.onlink, source="::"),
    "DAD to a unicast address": lambda: solicitation(M1.onlink, source="::", to=M1.onlink,
                                                     options=[]),
    "multicast source": lambda: solicitation(M1.onlink, source="ff02::99"),
    "multicast target": lambda: solicitation("ff02::1:ff00:1"),
}


@pytest.mark.parametrize("fault", INVALID)
def test_an_invalid_solicitation_is_dropped_and_counted(lab, known, counted, fault):
    target = "ff02::1:ff00:1" if fault == "multicast target" else known
    assert answer(lab, INVALID[fault](), target, timeout=0.3) is None
    assert counted()["eth0"].get("drop_ndp_invalid") == 1


def test_a_truncated_solicitation_is_dropped_and_counted(lab, known, counted):
    group, group_mac = group_of(known)
    frame = Ether(src=SOLICITOR_MAC, dst=group_mac) / IPv6(src=SOLICITOR, dst=group, hlim=255,
                                                           nh=58) / Raw(b"\x87" + bytes(19))
    assert answer(lab, frame, known, timeout=0.3) is None
    assert counted()["eth0"].get("drop_ndp_invalid") == 1


def test_the_gateways_own_addresses_are_answered_by_its_kernel(lab, counted):
    for own in (ONLINK_ADDRESS, lab.gw.link_local("eth0")):
        assert answer(lab, solicitation(own), own) == advertisement(lab, own, source=own, O=1)
    verdicts = counted()["eth0"]
    assert verdicts["pass_ndp"] >= 2 and "ndp_answered" not in verdicts


def test_a_target_without_rule_is_left_to_the_kernel(lab, counted):
    assert answer(lab, solicitation(UNCOVERED), UNCOVERED, timeout=0.3) is None
    verdicts = counted()["eth0"]
    assert verdicts["pass_ndp"] >= 1 and "ndp_answered" not in verdicts


def test_a_member_that_nobody_has_spoken_to_is_found_by_the_agent(lab, counted):
    lab.gw.run("ip", "-6", "neigh", "flush", "dev", OVERLAY)
    lab.router.run("ip", "-6", "neigh", "flush", "dev", "to-gw")
    assert ping(lab.inet, M2.onlink, count=1, wait=4) == 1
    assert counted()["eth0"]["ndp_deferred"] >= 1


def test_the_agents_own_answer_is_the_advertisement_that_scapy_builds(lab, counted):
    """To the solicitor that was first, as soon as the member has answered inside."""
    lab.gw.run("ip", "-6", "neigh", "flush", "dev", OVERLAY)
    reply = answer(lab, solicitation(M2.onlink), M2.onlink)
    assert reply == advertisement(lab, M2.onlink)
    assert counted()["eth0"].get("ndp_deferred") == 1 and "ndp_answered" not in counted()["eth0"]


def test_a_target_that_is_nowhere_is_never_answered(lab, counted):
    with lab.router.wire("to-gw") as wire:
        for _ in range(4):
            wire.send(solicitation(NOBODY))
            assert wire.wait(lambda reply: is_advertisement(reply, NOBODY), 1) is None
    verdicts = counted()["eth0"]
    assert "ndp_answered" not in verdicts
    assert verdicts.get("ndp_deferred", 0) + verdicts.get("drop_ndp_unverified", 0) >= 4


def test_members_are_not_answered_for_each_other_inside(lab, counted):
    """m1 solicits m2: m2 itself answers, the gateway must not."""
    lab.m1.run("ip", "-6", "neigh", "flush", "dev", OVERLAY)
    assert ping(lab.m1, M2.onlink, source=M1.onlink, count=1) == 1
    assert M2.mac in lab.m1.show(f"-6 neigh show {M2.onlink} dev {OVERLAY}")
    assert "ndp_answered" not in counted()[OVERLAY]


def duplicate(lab, address):
    """What the router's own Duplicate Address Detection makes of an address on the segment."""
    lab.router.sysctl("ipv6/conf/to-gw/accept_dad", 1)
    lab.router.sysctl("ipv6/conf/to-gw/dad_transmits", 1)
    try:
        lab.router.ip(f"addr add {address}/128 dev to-gw")
        for _ in range(30):
            state = lab.router.show(f"-6 addr show dev to-gw to {address}")
            if "dadfailed" in state or "tentative" not in state:
                return "dadfailed" in state
            time.sleep(0.1)
        raise TimeoutError(f"{address} is still tentative: {state}")
    finally:
        lab.router.ip(f"addr del {address}/128 dev to-gw")
        lab.router.sysctl("ipv6/conf/to-gw/accept_dad", 0)


def test_a_host_on_the_segment_cannot_take_an_address_in_use(lab, known):
    assert duplicate(lab, known)
    assert duplicate(lab, ONLINK_ADDRESS)


def test_a_host_on_the_segment_can_take_an_address_that_is_free(lab):
    assert not duplicate(lab, "2001:db8:48::beef")


VALID = {"REACHABLE", "STALE", "DELAY", "PROBE"}


def neighbour_state(lab, address):
    """What the router's kernel believes of an address on the segment."""
    entry = lab.router.show(f"-6 neigh show {address} dev to-gw")
    return re.search(r"([A-Z]+)\s*$", entry)[1]


def unconfirming_ping(lab, address):
    """Whether a ping from the Internet is answered. iputils' ping says MSG_CONFIRM, and on its way
    through namespaces of one kernel that mark confirms the neighbour entries of every hop."""
    return ping_sizes(lab.inet, address, INET, [56]) == []


def test_unicast_probes_of_the_routers_kernel_keep_a_member_reachable(lab, known, counted):
    """Its timers shortened: half a dozen rounds of REACHABLE, STALE, DELAY, PROBE in seconds."""
    timers = {"base_reachable_time_ms": 500, "delay_first_probe_time": 0}
    before = {key: lab.router.sysctl(f"ipv6/neigh/to-gw/{key}") for key in timers}
    for key, value in timers.items():
        lab.router.sysctl(f"ipv6/neigh/to-gw/{key}", value)
    # An entry that exists keeps the timer that it was given.
    lab.router.run("ip", "-6", "neigh", "flush", "dev", "to-gw")
    try:
        states = []
        for _ in range(50):
            assert unconfirming_ping(lab, known)
            states.append(neighbour_state(lab, known))
            time.sleep(0.1)
    finally:
        for key, value in before.items():
            lab.router.sysctl(f"ipv6/neigh/to-gw/{key}", value)
    assert "REACHABLE" in states[25:] and set(states) <= VALID, states
    assert counted()["eth0"]["ndp_answered"] >= 3


def test_a_static_rule_answers_for_targets_that_nobody_has(fresh):
    fresh.gateway.up(conf(tunnel=False, method="static"))
    assert answer(fresh, solicitation(NOBODY), NOBODY) == advertisement(fresh, NOBODY)
    assert fresh.gateway.counters()["eth0"]["ndp_answered"] == 1


def test_a_static_rule_lets_new_hosts_pass_duplicate_address_detection(fresh):
    fresh.gateway.up(conf(tunnel=False, method="static"))
    assert answer(fresh, solicitation(NOBODY, source="::", options=[]), NOBODY, 1) is None


def test_without_dad_a_rule_leaves_duplicate_address_detection_alone(fresh):
    fresh.gateway.up(conf(tunnel=False, method="static", rule="dad no"))
    assert ping(fresh.gw, M1.onlink, source=OVERLAY, count=1) == 1
    probe = solicitation(M1.onlink, source="::", options=[])
    assert answer(fresh, probe, M1.onlink, 0.5) is None


def test_router_no_clears_the_router_flag(fresh):
    fresh.gateway.up(conf(tunnel=False, method="static", proxy="router no"))
    assert answer(fresh, solicitation(NOBODY), NOBODY) == advertisement(fresh, NOBODY, R=0)


def test_source_target_sends_advertisements_from_the_target(fresh):
    fresh.gateway.up(conf(tunnel=False, method="static", proxy="source target"))
    assert answer(fresh, solicitation(NOBODY), NOBODY) == advertisement(fresh, NOBODY,
                                                                       source=NOBODY)


def test_without_agent_an_auto_rule_answers_for_what_the_kernel_knows(fresh):
    fresh.gateway.up(conf(tunnel=False))
    assert answer(fresh, solicitation(M1.onlink), M1.onlink, timeout=1) is None
    assert ping(fresh.gw, M1.onlink, source=OVERLAY, count=1) == 1
    assert answer(fresh, solicitation(M1.onlink), M1.onlink) == advertisement(fresh, M1.onlink)


def test_an_auto_rule_does_not_answer_for_what_is_on_the_solicitors_side(fresh):
    """The kernel's route for the target leaves by the port that the solicitation came in on."""
    fresh.gateway.up(conf(tunnel=False))
    fresh.gw.ip(f"route add {NOBODY}/128 dev eth0")
    fresh.gw.run("ip", "neigh", "add", NOBODY, "lladdr", SOLICITOR_MAC, "dev", "eth0")
    assert answer(fresh, solicitation(NOBODY), NOBODY, timeout=0.5) is None
    assert "ndp_answered" not in fresh.gateway.counters()["eth0"]
