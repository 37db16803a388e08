# SPDX-License-Identifier: GPL-2.0-or-later
"""`zt6-bpf explain`: what would happen to a packet, without its happening."""

import json
import os
import struct
import time

import pytest
from scapy.layers.inet import IP, UDP
from scapy.layers.inet6 import ICMPv6ND_NA, ICMPv6ND_NS, ICMPv6NDOptDstLLAddr, IPv6
from scapy.layers.l2 import Ether
from scapy.packet import Raw

from conftest import NOT_UP, running
from frames import Path
from gateway import peer
from lab import (BROKER_V4, GATEWAY, GATEWAY_V4, INET, LAN, LAN_HOST, M1, M2, ONLINK_ADDRESS,
                 ONLINK_ROUTER, OVERLAY, ROUTED, TUNNEL, TUNNEL_ADDRESS, conf)
from maps import Map, address_key, port_slot, set_absent, set_verified
from netns import run
from traffic import ping

pytestmark = pytest.mark.first

FAILED, USAGE = 1, 2
NOBODY = "2001:db8:48::dead"
STRANGER = "2001:db8:dead::1"


@pytest.fixture(scope="module")
def quiet():
    """No agent changes what the tests write into its maps."""
    with_lan = {"lan": True}
    for lab in running(with_lan, agent=False):
        set_verified(lab.gateway, "eth0", [M1.onlink], seconds=3600)
        assert ping(lab.inet, M1.onlink) == 3
        assert ping(lab.inet, M1.routed, count=5) >= 3
        yield lab


def explain(lab, *arguments):
    answer = json.loads(lab.gateway("explain", *arguments, "--json").stdout)
    assert answer["schema"] == 1
    return answer["packets"]


def only(packets, kind, port):
    found = [packet for packet in packets if (packet["kind"], packet["port"]) == (kind, port)]
    assert len(found) == 1, f"{kind} on {port}: {len(found)} in {packets}"
    return found[0]


def frame(packet):
    return Ether(bytes.fromhex(packet["frame"]))


def test_a_verified_target_is_explained_with_the_very_advertisement(quiet):
    packet = only(explain(quiet, M1.onlink), "solicitation", "eth0")
    assert packet["verdict"] == "ndp_answered" and packet["action"] == "reply"
    assert packet["rule"] == {"prefix": "2001:db8:48::/48", "method": "auto"}
    assert "verified" in packet["words"]["target"]
    mac = quiet.gw.mac("eth0")
    wanted = IPv6(src=quiet.gw.link_local("eth0"), dst="fe80::1", hlim=255) / ICMPv6ND_NA(
        R=1, S=1, O=0, tgt=M1.onlink) / ICMPv6NDOptDstLLAddr(lladdr=mac)
    assert bytes(frame(packet)[IPv6]) == bytes(wanted)


def test_a_packet_inward_is_explained_as_forwarded_to_the_members_mac(quiet):
    packet = only(explain(quiet, M1.onlink, "from", INET), "packet", "eth0")
    assert packet["verdict"] == "forwarded" and packet["source_assumed"] is False
    assert packet["route"]["prefix"] == "2001:db8:48::/48"
    assert packet["route"]["device"] == OVERLAY
    assert packet["neighbour"]["address"] == M1.onlink and packet["neighbour"]["mac"] == M1.mac
    got = frame(packet)
    assert (got.src, got.dst) == (GATEWAY.mac, M1.mac)
    assert (got[IPv6].src, got[IPv6].dst, got[IPv6].hlim) == (INET, M1.onlink, 63)
    checksum = got[UDP].chksum
    del got[UDP].chksum
    assert Ether(bytes(got))[UDP].chksum == checksum


def test_a_packet_out_of_the_tunnel_is_explained_on_the_tunnels_port(quiet):
    packet = only(explain(quiet, M1.routed, "from", INET), "packet", TUNNEL)
    assert packet["verdict"] == "decapsulated" and packet["device"] == "eth0"
    assert f"{BROKER_V4} -> {GATEWAY_V4}" in packet["words"]["port"]
    assert frame(packet).dst == M1.mac and IP not in frame(packet)


def test_a_packet_outward_through_the_tunnel_is_explained_as_6in4(quiet):
    packet = only(explain(quiet, INET, "from", M1.routed), "packet", OVERLAY)
    assert packet["verdict"] == "encapsulated"
    got = frame(packet)
    assert (got[IP].src, got[IP].dst, got[IP].proto) == (GATEWAY_V4, BROKER_V4, 41)
    assert got[IPv6].dst == INET
    assert got.dst == quiet.router.mac("to-gw")


def test_without_a_source_each_plausible_port_is_explained(quiet):
    ports = {(packet["kind"], packet["port"]) for packet in explain(quiet, M1.onlink)}
    assert ports == {("solicitation", "eth0"), ("packet", "eth0"), ("packet", TUNNEL),
                     ("packet", "eth1")}
    outward = {(packet["kind"], packet["port"]) for packet in explain(quiet, INET)}
    assert outward == {("packet", OVERLAY), ("packet", "eth1")}


def test_a_source_inside_comes_from_where_the_kernel_routes_it_to(quiet):
    assert [packet["port"] for packet in explain(quiet, M1.onlink, "from", LAN_HOST)] == ["eth1"]
    assert [packet["port"] for packet in explain(quiet, LAN_HOST, "from", M2.routed)] == [OVERLAY]


def test_the_port_can_be_chosen(quiet):
    packets = explain(quiet, INET, "from", LAN_HOST, "--port", OVERLAY)
    assert [packet["port"] for packet in packets] == [OVERLAY]
    assert packets[0]["verdict"] == "drop_spoofed"


def test_the_guard_says_to_whom_a_spoofed_source_belongs(quiet):
    packet = only(explain(quiet, M1.onlink, "from", LAN_HOST, "--port", "eth0"), "packet", "eth0")
    assert packet["verdict"] == "drop_spoofed" and packet["action"] == "drop"
    assert packet["owner"] == {"prefix": LAN, "port": "eth1", "own": False}
    assert LAN in packet["words"]["guard"] and "eth1" in packet["words"]["guard"]


def test_a_neighbour_on_the_uplinks_own_link_may_speak_though_its_prefix_is_inside(quiet):
    packet = only(explain(quiet, M1.onlink, "from", ONLINK_ROUTER, "--port", "eth0"), "packet",
                  "eth0")
    assert packet["verdict"] == "forwarded"
    assert "own link" in packet["words"]["guard"]


def test_the_gateways_own_address_is_the_kernels(quiet):
    packets = explain(quiet, ONLINK_ADDRESS)
    assert only(packets, "solicitation", "eth0")["verdict"] == "pass_ndp"
    assert only(packets, "packet", "eth0")["verdict"] == "pass_local"
    assert only(packets, "packet", TUNNEL)["verdict"] == "pass_local"
    assert "own" in only(packets, "solicitation", "eth0")["words"]["target"]


def test_a_target_that_the_agent_did_not_find_is_explained_as_not_answered(quiet):
    gone = "2001:db8:48::90"
    set_absent(quiet.gateway, "eth0", [gone])
    packet = only(explain(quiet, gone), "solicitation", "eth0")
    assert packet["verdict"] == "drop_ndp_unverified"
    assert "absent" in packet["words"]["target"]


@pytest.mark.parametrize("kind, verdict", [("blackhole", "drop_blackhole"),
                                           ("unreachable", "pass_no_route"),
                                           ("prohibit", "pass_no_route")])
def test_routes_of_the_administrator_are_named(quiet, kind, verdict):
    quiet.gw.ip(f"route add {kind} {STRANGER}/128")
    try:
        packet = only(explain(quiet, STRANGER, "from", M1.onlink), "packet", OVERLAY)
    finally:
        quiet.gw.ip(f"route del {kind} {STRANGER}/128")
    assert packet["verdict"] == verdict
    assert packet["route"]["type"] == kind
    assert packet["words"]["route"].startswith(kind)


def test_an_unknown_member_is_explained_without_being_looked_for(quiet):
    """Neither the agent nor the kernel nor the overlay hears of it."""
    before = quiet.gateway.counters()
    with quiet.m1.wire(OVERLAY) as inside, Map(quiet.gateway, "members") as members:
        packets = explain(quiet, NOBODY)
        asked = [sent for sent in inside.frames(0.5) if ICMPv6ND_NS in Ether(sent)]
        slot = port_slot(quiet.gateway, OVERLAY)
        assert members.get(address_key(NOBODY, slot), 32) is None
    assert only(packets, "solicitation", "eth0")["verdict"] == "ndp_deferred"
    assert only(packets, "packet", "eth0")["verdict"] == "pass_unresolved"
    assert not [sent for sent in asked if Ether(sent)[ICMPv6ND_NS].tgt == NOBODY]
    assert NOBODY not in quiet.gw.show(f"-6 neigh show dev {OVERLAY}")
    happened = quiet.gateway.counters() - before
    assert "ndp_deferred" not in happened["eth0"] and "pass_unresolved" not in happened["eth0"]


def test_an_explained_packet_leaves_no_trace_in_any_map(quiet):
    """It is not counted, makes nobody a member and does not count as asking."""
    ghost = "2001:470:811d:10::99"
    key = address_key(M1.onlink, port_slot(quiet.gateway, "eth0"))
    with Map(quiet.gateway, "verified") as verified:
        asked = struct.unpack("=QQ", verified.get(key, 16))[1]
        before = quiet.gateway.counters()
        explain(quiet, M1.onlink)
        explain(quiet, M1.onlink, "from", ghost)
        happened = quiet.gateway.counters() - before
        assert struct.unpack("=QQ", verified.get(key, 16))[1] == asked
    for port in ("eth0", "eth1", OVERLAY, TUNNEL):
        for verdict in ("ndp_answered", "forwarded", "decapsulated"):
            assert verdict not in happened[port]
    known = json.loads(quiet.gateway("members", "--json").stdout)["members"]
    assert ghost not in {member["address"] for member in known}


def test_one_explained_packet_leaves_nothing_for_the_next(quiet):
    """The solicitation has the program look for the route, which the packet must not find."""
    assert ping(quiet.lan, M2.onlink)
    packets = explain(quiet, M2.onlink, "from", ONLINK_ADDRESS)
    assert only(packets, "solicitation", "eth0")["verdict"] == "ndp_answered"
    refused = only(packets, "packet", "eth0")
    assert refused["verdict"] == "drop_spoofed"
    assert refused["words"]["verdict"] == "drop_spoofed: guard or binding"


def udp(source, destination):
    return IPv6(src=source, dst=destination) / UDP(sport=33434, dport=33434) / Raw(b"as explained")


@pytest.mark.parametrize("source, destination, port", [
    (INET, M1.onlink, "eth0"),
    (INET, ONLINK_ADDRESS, "eth0"),
    (M2.onlink, M1.onlink, "eth0"),
    (INET, STRANGER, "eth0"),
    (M1.onlink, INET, OVERLAY),
    (M1.routed, INET, OVERLAY),
    (M1.onlink, M2.onlink, OVERLAY),
    (STRANGER, INET, OVERLAY),
    (M1.onlink, TUNNEL_ADDRESS, OVERLAY),
    (M1.onlink, "2001:470:811d:10::77", OVERLAY),
])
def test_the_explanation_is_what_happens_to_a_real_packet(quiet, source, destination, port):
    path = Path(quiet)
    explained = only(explain(quiet, destination, "from", source, "--port", port), "packet", port)
    before = quiet.gateway.counters()
    if port == "eth0":
        path.send_inward(udp(source, destination), timeout=0.2)
    else:
        path.send_outward(udp(source, destination), timeout=0.2)
    happened = quiet.gateway.counters() - before
    assert happened[port].get(explained["verdict"], 0) >= 1, (explained["verdict"], happened[port])


def test_the_words_name_every_stage(quiet):
    done = quiet.gateway("explain", M1.onlink, "from", INET)
    assert "Neighbour Solicitation for" in done.stdout
    for stage in ("port", "rule", "target", "guard", "route", "neighbour", "policy", "verdict"):
        assert f"\n  {stage} " in done.stdout
    assert f"leaves by {OVERLAY} to {M1.mac}, hop limit 63" in done.stdout


def test_under_policy_kernel_the_words_point_to_nftables(fresh):
    fresh.gateway.up(conf(tunnel=False, policy="kernel", method="static"))
    assert ping(fresh.inet, M1.onlink)
    packet = only(explain(fresh, M1.onlink, "from", INET), "packet", "eth0")
    assert packet["verdict"] == "pass_policy"
    assert "nftables" in packet["words"]["policy"]
    assert "static" in only(explain(fresh, M1.onlink), "solicitation", "eth0")["words"]["target"]


def test_an_agent_that_runs_is_said_to_ask(fresh):
    fresh.gateway.up(conf(tunnel=False))
    fresh.gateway.start_agent()
    packet = only(explain(fresh, NOBODY), "solicitation", "eth0")
    assert packet["verdict"] == "ndp_deferred"
    assert "the agent asks" in packet["words"]["target"]


def test_from_an_interface_that_is_away_nothing_comes(fresh):
    fresh.gateway.up(conf(tunnel=False, lan=True))
    fresh.gateway.start_agent()
    assert {packet["port"] for packet in explain(fresh, INET)} == {OVERLAY, "eth1"}
    fresh.gw.ip("link del eth1")
    time.sleep(1)  # until the agent has taken note
    assert {packet["port"] for packet in explain(fresh, INET)} == {OVERLAY}
    done = fresh.gateway("explain", INET, "--port", "eth1", check=False)
    assert done.returncode == FAILED and done.stdout == "" and "no port" in done.stderr


def test_a_program_of_another_build_is_not_spoken_for(fresh):
    """The twin's instructions differ from those that are loaded."""
    fresh.gateway.up(conf(tunnel=False))
    slot = port_slot(fresh.gateway, "eth0")
    pin = f"/sys/fs/bpf/zt6-bpf/{fresh.gateway.instance}/xdp_program_{slot}"
    os.unlink(pin)
    run("bpftool", "prog", "load", peer("pass.bpf.o"), pin, "type", "xdp")
    done = fresh.gateway("explain", M1.onlink, check=False)
    assert done.returncode == FAILED and done.stdout == ""
    assert "another build" in done.stderr


def test_explain_of_what_is_not_up_exits_3(fresh):
    fresh.gateway.configure(conf())
    done = fresh.gateway("explain", M1.onlink, check=False)
    assert done.returncode == NOT_UP
    assert done.stdout == "" and done.stderr.count("\n") == 1


@pytest.mark.parametrize("arguments", [[], ["192.0.2.1"], [ROUTED], [M1.onlink, INET],
                                       [M1.onlink, "from"], [M1.onlink, "from", "nowhere"],
                                       [M1.onlink, "to", INET], [M1.onlink, "--xml"],
                                       [M1.onlink, "--port"]])
def test_wrong_usage_exits_2(quiet, arguments):
    done = quiet.gateway("explain", *arguments, check=False)
    assert done.returncode == USAGE and done.stderr


def test_a_port_that_is_none_is_an_error_that_names_it(quiet):
    done = quiet.gateway("explain", M1.onlink, "--port", "eth9", check=False)
    assert done.returncode == FAILED and '"eth9"' in done.stderr
