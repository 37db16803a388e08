# SPDX-License-Identifier: GPL-2.0-or-later
"""`zt6-bpf members`: who is inside."""

import json
import resource
import struct
import time
from ipaddress import IPv6Address

import pytest

from conftest import NOT_UP, running
from gateway import BINARY
from lab import GATEWAY, INET, LAN_HOST, M1, M2, M2_MANUAL, ONLINK_ROUTER, OVERLAY, conf
from maps import Map, address_key, later, port_slot, set_absent, set_verified
from traffic import ping

FAILED, USAGE = 1, 2
NOBODY = "2001:db8:48::dead:1"
MANY = 50_000


@pytest.fixture(scope="module")
def quiet():
    """No agent changes what the tests write into its maps, and none is needed to answer."""
    yield from running({"lan": True, "method": "static",
                        "more": f"limits {{\n    members {2 * MANY}\n}}"}, agent=False)


def members(lab):
    answer = json.loads(lab.gateway("members", "--json").stdout)
    found = {member["address"]: member for member in answer["members"]}
    assert len(found) == len(answer["members"]), "an address comes twice"
    return found


def seen_from(mac):
    """struct zt6_member, of one that has been there for three seconds."""
    return struct.pack("=QQQQ8s", later(-3), later(-2), later(-1), 0,
                       bytes.fromhex(mac.replace(":", "")))


def counts(member):
    return {way: (member[way]["packets"], member[way]["bytes"]) for way in ("from", "towards")}


def test_the_json_has_the_promised_shape(quiet):
    assert ping(quiet.inet, M1.onlink)
    answer = json.loads(quiet.gateway("members", "--json").stdout)
    assert list(answer) == ["schema", "instance", "version", "traffic", "members"]
    assert answer["schema"] == 1 and answer["instance"] == quiet.name and answer["traffic"] is True
    for member in answer["members"]:
        assert list(member) == ["address", "mac", "node", "port", "state", "verified",
                                "binding", "path", "since_age_ms", "last_seen_age_ms",
                                "from", "towards"]


def test_a_member_shows_with_its_mac_node_port_and_state(quiet):
    assert ping(quiet.inet, M1.onlink) == 3
    member = members(quiet)[M1.onlink]
    assert member["mac"] == M1.mac
    assert member["node"] == f"{M1.id:010x}"
    assert member["port"] == OVERLAY
    assert member["state"] in ("reachable", "delay", "probe", "stale")
    assert 0 <= member["last_seen_age_ms"] <= member["since_age_ms"] + 60_000


def test_a_node_is_found_behind_an_address_that_was_assigned_by_hand(quiet):
    assert ping(quiet.lan, M2_MANUAL)
    assert members(quiet)[M2_MANUAL]["node"] == f"{M2.id:010x}"


def test_a_host_on_the_lan_has_no_node(quiet):
    assert ping(quiet.inet, LAN_HOST)
    host = members(quiet)[LAN_HOST]
    assert host["port"] == "eth1" and host["node"] is None
    assert host["mac"] == quiet.lan.mac("eth0")


def test_who_is_outside_and_the_gateway_itself_are_no_members(quiet):
    assert ping(quiet.inet, M1.onlink)
    found = members(quiet)
    assert INET not in found and GATEWAY.rfc4193 not in found and ONLINK_ROUTER not in found


@pytest.mark.parametrize("address", ["fe80::5", "ff02::5"])
def test_addresses_of_the_link_alone_are_no_members(quiet, address):
    quiet.gw.ip(f"neigh replace {address} lladdr {M1.mac} dev {OVERLAY} nud permanent")
    try:
        assert address not in members(quiet)
    finally:
        quiet.gw.ip(f"neigh del {address} dev {OVERLAY}")


def test_the_mac_is_the_one_that_the_kernel_sends_to(quiet):
    """What traffic told of another is older."""
    key = address_key(NOBODY, port_slot(quiet.gateway, OVERLAY))
    with Map(quiet.gateway, "members") as seen:
        seen[key] = seen_from(M1.mac)
        try:
            assert members(quiet)[NOBODY]["mac"] == M1.mac
            quiet.gw.ip(f"neigh replace {NOBODY} lladdr {M2.mac} dev {OVERLAY} nud stale")
            assert members(quiet)[NOBODY]["mac"] == M2.mac
        finally:
            quiet.gw.run("ip", "neigh", "del", NOBODY, "dev", OVERLAY, check=False)
            del seen[key]


def test_every_packet_is_attributed_to_its_member_in_both_directions(quiet):
    """Also those that only the route cache knows of yet, and those that it has given away."""
    assert ping(quiet.inet, M1.onlink)
    before = counts(members(quiet)[M1.onlink])
    for _ in range(3):
        assert ping(quiet.inet, M1.onlink, count=10, size=100) == 10
        time.sleep(1.1)  # entries of the cache live for a second
    after = counts(members(quiet)[M1.onlink])
    frame = 14 + 40 + 8 + 100
    for way in ("from", "towards"):
        assert after[way][0] - before[way][0] == 30
        assert after[way][1] - before[way][1] == 30 * frame


def test_traffic_between_the_lan_and_a_member_counts_for_both(quiet):
    assert ping(quiet.lan, M1.routed, source=LAN_HOST)
    before = members(quiet)
    assert ping(quiet.lan, M1.routed, source=LAN_HOST, count=7) == 7
    after = members(quiet)
    for address in (LAN_HOST, M1.routed):
        for way in ("from", "towards"):
            assert after[address][way]["packets"] - before[address][way]["packets"] == 7


def test_what_the_agent_has_verified_or_not_found_shows_by_itself(quiet):
    known, gone = "2001:db8:48::77", "2001:db8:48::78"
    set_verified(quiet.gateway, "eth0", [known])
    set_absent(quiet.gateway, "eth0", [gone])
    found = members(quiet)
    assert found[known]["state"] == "verified" and found[known]["verified"] is True
    assert found[gone]["state"] == "absent" and found[gone]["verified"] is False
    for address in (known, gone):  # by its prefix: there is no neighbour to tell
        assert found[address]["port"] == OVERLAY
        assert found[address]["mac"] is None and found[address]["since_age_ms"] is None


def test_what_the_agent_knew_is_over_when_its_time_is(quiet):
    set_verified(quiet.gateway, "eth0", ["2001:db8:48::79"], seconds=-1)
    set_absent(quiet.gateway, "eth0", ["2001:db8:48::7a"], seconds=-1)
    assert not {"2001:db8:48::79", "2001:db8:48::7a"} & set(members(quiet))


def test_one_address_is_one_member_however_many_sources_know_it(quiet):
    assert ping(quiet.inet, M1.onlink)
    set_verified(quiet.gateway, "eth0", [M1.onlink])
    member = members(quiet)[M1.onlink]
    assert member["verified"] is True
    assert member["state"] in ("reachable", "delay", "probe", "stale")


@pytest.mark.parametrize("state", ["permanent", "stale", "failed"])
def test_the_kernels_word_on_a_neighbour_is_passed_on(quiet, state):
    quiet.gw.ip(f"neigh replace {NOBODY} lladdr {M2.mac} dev {OVERLAY} nud {state}")
    try:
        member = members(quiet)[NOBODY]
        assert member["state"] == state
        assert member["mac"] == M2.mac or state == "failed"
    finally:
        quiet.gw.ip(f"neigh del {NOBODY} dev {OVERLAY}")


def test_a_failed_neighbour_that_the_agent_has_verified_counts_as_verified(quiet):
    quiet.gw.ip(f"neigh replace {NOBODY} lladdr {M2.mac} dev {OVERLAY} nud failed")
    set_verified(quiet.gateway, "eth0", [NOBODY], seconds=2)
    try:
        assert members(quiet)[NOBODY]["state"] == "verified"
    finally:
        quiet.gw.ip(f"neigh del {NOBODY} dev {OVERLAY}")


def test_the_table_leaves_out_what_was_looked_for_in_vain(quiet):
    assert ping(quiet.inet, M1.onlink)
    gone = [f"2001:db8:48:bad::{i:x}" for i in range(1, 6)]
    set_absent(quiet.gateway, "eth0", gone)
    table = quiet.gateway("members").stdout
    line = next(line for line in table.splitlines() if line.startswith(f"{M1.onlink} "))
    assert M1.mac in line and f"{M1.id:010x}" in line and OVERLAY in line
    assert "2001:db8:48:bad::" not in table and "looked for in vain" in table
    everything = quiet.gateway("members", "--all").stdout
    assert all(f"{address} " in everything for address in gone)


@pytest.mark.alone
def test_fifty_thousand_members_take_less_than_a_second_of_cpu(quiet):
    """Of CPU, because other tests may run on the machine at the same time."""
    first = IPv6Address("2001:db8:48:1::1")
    addresses = [str(first + i) for i in range(MANY)]
    slot = port_slot(quiet.gateway, OVERLAY)
    neighbours = (f"neigh add {address} lladdr {M1.mac} dev {OVERLAY} nud permanent"
                  for address in addresses)
    quiet.gw.ip("\n".join(neighbours))
    try:
        set_verified(quiet.gateway, "eth0", addresses, seconds=600)
        with Map(quiet.gateway, "members") as seen:
            for address in addresses:
                seen[address_key(address, slot)] = seen_from(M1.mac)
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        found = members(quiet)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
    finally:
        quiet.gw.ip(f"neigh flush dev {OVERLAY} nud permanent")
    assert set(addresses) <= set(found)
    assert all(found[address]["state"] == "permanent" and found[address]["verified"]
               for address in addresses)
    seconds = (after.ru_utime + after.ru_stime) - (before.ru_utime + before.ru_stime)
    print(f"{len(found)} members in {seconds:.2f} s of CPU")
    assert seconds < 1


def test_members_of_what_is_not_up_exits_3(fresh):
    fresh.gateway.configure(conf())
    for arguments in (["members"], ["members", "--json"]):
        done = fresh.gateway(*arguments, check=False)
        assert done.returncode == NOT_UP
        assert done.stdout == "" and done.stderr.count("\n") == 1


@pytest.mark.parametrize("arguments", [["--xml"], ["everybody"], ["--json", "--all"]])
def test_wrong_usage_exits_2(quiet, arguments):
    assert quiet.gateway("members", *arguments, check=False).returncode == USAGE


@pytest.mark.parametrize("command", [["members"], ["explain", M1.onlink], ["announce"]])
def test_from_another_namespace_the_instance_is_not_looked_at(quiet, command):
    """Its neighbours and interfaces would be those of strangers."""
    gateway = quiet.gateway
    done = quiet.router.run(BINARY, "--instance", gateway.instance, *command, check=False)
    assert done.returncode == FAILED
    assert "another network namespace" in done.stderr and done.stdout == ""
