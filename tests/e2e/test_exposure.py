# SPDX-License-Identifier: GPL-2.0-or-later
"""`exposure` says what really comes in, and `up`, `status` and `check` say when rules are not what they
seem."""

import json
import random

import pytest
from scapy.layers.inet import TCP, UDP
from scapy.layers.inet6 import ICMPv6EchoRequest, ICMPv6Unknown
from scapy.packet import Raw

import ip6tables
from conftest import running
from lab import INET, M1, M2, ONLINK, TUNNEL_ADDRESS, conf
from netns import run
from test_firewall import Internet
from traffic import ping

ALLOWED = f"""
    allow tcp 22, 8000-8010 to {M1.onlink}
    allow tcp 25 from 2001:db8:1:5::/64
    allow udp 60000-61000 to {ONLINK}
    allow icmpv6 144-145
    allow icmpv6 131-140 to {M1.onlink}
    allow protocol 50, 253 to {M1.onlink}
"""
FIRST_OF_ALL = {"protocol": "icmpv6", "first": 128, "last": 128, "from": "::/0"}


@pytest.fixture(scope="module")
def exposed():
    for lab in running({"policy": "kernel", "firewall": ALLOWED}):
        # A first one may be lost to the search for the neighbour.
        assert ping(lab.inet, M1.onlink, source=INET, count=5) > 0
        yield lab


def exposure(lab, *arguments):
    return json.loads(lab.gateway("exposure", "--json", *arguments).stdout)


def openings(lab, address):
    shown = exposure(lab, address)
    assert shown["extent"] == "listed" and len(shown["members"]) == 1
    return shown["members"][0]["open"]


def probes(opening):
    """A packet for the first, last and some number between, and those beside them."""
    first, last = opening["first"], opening["last"]
    make = {"tcp": lambda n: TCP(sport=41000, dport=n, flags="S"),
            "udp": lambda n: UDP(sport=41000, dport=n) / b"probe",
            "icmpv6": lambda n: ICMPv6EchoRequest(id=n) if n == 128 else ICMPv6Unknown(type=n),
            # What would be AH (RFC 4302 §2) before nothing, if it is.
            "protocol": lambda n: Raw(bytes([59, 1] + 9 * [0] + [n]))}
    numbers = {first, last, random.Random(first).randint(first, last), first - 1, last + 1}
    return {(opening["protocol"], n): make[opening["protocol"]](n) for n in numbers}


def test_what_exposure_lists_comes_in_and_what_is_beside_it_does_not(exposed):
    internet = Internet(exposed, M1.onlink)
    listed = openings(exposed, M1.onlink)
    assert listed[0] == FIRST_OF_ALL and len(listed) == 10
    assert [(one["first"], one["last"]) for one in listed if one["protocol"] == "icmpv6"] == [
        (128, 128), (144, 145), (131, 132), (139, 140)], "less what no rule opens"
    for source, other in ((INET, False), ("2001:db8:1:5::7", True)):
        here = [opening for opening in listed if opening["from"] == "::/0" or other]
        tried = {}
        for opening in listed:
            tried.update(probes(opening))
        packets = {key: internet.packet(payload, source) for key, payload in tried.items()}
        for (protocol, number), packet in packets.items():
            if protocol == "protocol":
                packet.nh = number
        arrived = internet.arriving(list(packets.values()))
        for (protocol, number), packet in packets.items():
            is_open = any(opening["protocol"] == protocol and
                          opening["first"] <= number <= opening["last"] for opening in here)
            assert (packet in arrived) == is_open, f"{protocol} {number} from {source}"


def test_each_member_gets_what_is_for_it(exposed):
    ports = [(opening["protocol"], opening["first"]) for opening in openings(exposed, M2.routed)]
    assert ports == [("icmpv6", 128), ("tcp", 25), ("icmpv6", 144)]


def test_all_known_members_are_listed_and_nobody_else(exposed):
    addresses = [member["address"] for member in exposure(exposed)["members"]]
    assert M1.onlink in addresses
    assert not any(address.startswith(("fd", "fe80")) for address in addresses)
    text = exposed.gateway("exposure").stdout
    assert M1.onlink in text and "tcp 8000-8010" in text and "icmpv6 128 (echo request)" in text


@pytest.mark.parametrize("argument, status", [("2001:db8:77::1", 1), (TUNNEL_ADDRESS, 1),
                                              ("nobody", 2), ("--all", 2)])
def test_what_is_no_member_is_refused(exposed, argument, status):
    assert exposed.gateway("exposure", argument, check=False).returncode == status


def status_of(lab):
    done = lab.gateway("status", "--json", check=False)
    return done, json.loads(done.stdout)["firewall"]


def test_rules_that_somebody_has_changed_or_removed_are_told(fresh):
    fresh.gateway.up(conf(policy="kernel", onlink=False, firewall="allow tcp 22"))
    done, firewall = status_of(fresh)
    assert done.returncode == 0 and firewall["state"] == "loaded" and firewall["allowed"] == 1
    table = firewall["table"]
    fresh.gw.run("nft", "insert", "rule", "ip6", table, "inward", "tcp", "dport", "23", "accept")
    done, firewall = status_of(fresh)
    assert done.returncode == 1 and firewall["state"] == "changed"
    assert f"table {table} of nftables has been changed" in done.stderr
    assert "somebody has changed" in exposure(fresh, M1.routed)["remark"]
    fresh.gw.run("nft", "flush", "ruleset")
    done, firewall = status_of(fresh)
    assert done.returncode == 1 and firewall["state"] == "gone"
    assert 'run "zt6-bpf reload"' in done.stderr
    shown = exposure(fresh, M1.routed)
    assert shown["extent"] == "everything" and "somebody has removed" in shown["remark"]
    fresh.gateway("reload")
    assert status_of(fresh)[0].returncode == 0
    assert exposure(fresh, M1.routed)["extent"] == "listed"


def add_chain(lab, policy="accept", rule=""):
    run(*lab.gw.command("nft", "-f", "-"), input=f"""
        table inet filter {{
            chain forward {{
                type filter hook forward priority 10; policy {policy};
                {rule}
            }}
        }}
    """)


@pytest.mark.parametrize("policy, rule", [("drop", ""), ("accept", "tcp dport 23 drop")])
def test_policy_off_says_which_rules_it_goes_past(fresh, policy, rule):
    add_chain(fresh)  # without rules there is nothing to go past
    assert "past" not in fresh.gateway.up(conf(onlink=False)).stderr
    add_chain(fresh, policy, rule)
    done = fresh.gateway("up")
    assert "goes past" not in done.stderr and "forwards past the rules in inet filter " \
        "forward" in done.stderr
    done = fresh.gateway("status")
    assert "everything comes in: the fast path goes past the rules in inet filter " \
        "forward" in done.stdout
    assert status_of(fresh)[1]["bypassed"]
    shown = exposure(fresh, M1.routed)
    assert shown["extent"] == "everything" and "inet filter forward" in shown["remark"]
    assert "everything comes in" in fresh.gateway("check").stdout


@pytest.mark.parametrize("policy, port", [("DROP", None), ("ACCEPT", 23)])
def test_rules_of_the_older_ip6tables_are_told_as_well(fresh, policy, port):
    if not ip6tables.is_supported(fresh.gw):
        pytest.skip("this kernel has no ip6tables")
    name = "ip6tables filter FORWARD"
    ip6tables.replace_filter(fresh.gw)  # accepts all, without rules: there is nothing to go past
    assert name not in fresh.gateway.up(conf(onlink=False)).stderr
    ip6tables.replace_filter(fresh.gw, policy, port)
    assert f"forwards past the rules in {name}: " in fresh.gateway("up").stderr
    done, firewall = status_of(fresh)
    assert done.returncode == 0 and firewall["bypassed"]
    assert firewall["other_forward_chains"] == [name]
    assert f"goes past the rules in {name}" in fresh.gateway("status").stdout
    assert name in exposure(fresh, M1.routed)["remark"]
    fresh.gateway.up(conf(policy="kernel", onlink=False, firewall="rules none"))
    assert exposure(fresh, M1.routed)["extent"] == "others"


def test_looking_at_ip6tables_makes_no_table(fresh):
    fresh.gateway.up(conf(onlink=False))
    fresh.gateway("status")
    assert not ip6tables.tables(fresh.gw)


def test_rules_none_leaves_it_to_the_administrator(fresh):
    text = conf(policy="kernel", onlink=False, firewall="rules none")
    done = fresh.gateway.up(text)
    assert "everything comes in" in done.stderr
    assert exposure(fresh, M1.routed)["extent"] == "everything"
    internet = Internet(fresh, M1.routed)
    ping(fresh.inet, M1.routed)
    assert internet.passes(TCP(sport=41000, dport=23, flags="S"))
    tracked = fresh.gw.sysctl("netfilter/nf_conntrack_count")
    assert int(tracked) > 0, "connections are tracked all the same"
    add_chain(fresh, rule="tcp dport 23 drop")
    assert "everything" not in fresh.gateway("up").stderr
    assert exposure(fresh, M1.routed)["extent"] == "others"
    assert not internet.passes(TCP(sport=41001, dport=23, flags="S"))
    assert status_of(fresh)[0].returncode == 0


def test_own_rules_beside_the_shipped_ones_are_told_and_hold(fresh):
    add_chain(fresh, rule="tcp dport 22 drop")
    fresh.gateway.up(conf(policy="kernel", onlink=False, firewall="allow tcp 22-23\nallow udp 60999"))
    ping(fresh.inet, M1.routed)
    internet = Internet(fresh, M1.routed)
    assert internet.passes(TCP(sport=41000, dport=23, flags="S"))
    assert not internet.passes(TCP(sport=41001, dport=22, flags="S"))
    assert "inet filter forward" in exposure(fresh, M1.routed)["remark"]


def test_a_rule_of_the_firewall_that_cannot_be_is_told_with_its_line(fresh):
    fresh.gateway.up(conf(policy="kernel", onlink=False))
    before = fresh.gw.run("nft", "--handle", "list", "ruleset").stdout
    fresh.gateway.configure(conf(policy="kernel", onlink=False, firewall="allow tcp 22 too"))
    line = open(fresh.gateway.conf_path, encoding="ascii").read().splitlines().index(
        "    allow tcp 22 too") + 1
    done = fresh.gateway("reload", check=False)
    assert done.returncode == 78 and f"{fresh.gateway.conf_path}:{line}: allow" in done.stderr
    assert fresh.gw.run("nft", "--handle", "list", "ruleset").stdout == before
