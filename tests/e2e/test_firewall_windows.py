# SPDX-License-Identifier: GPL-2.0-or-later
"""There is no moment at which what is not listed comes in: a generator sends at full speed while the
gateway goes up, is reloaded, loses its overlay and goes down (issue "Policy", Order)."""

import collections
import contextlib
import os
import socket
import threading
import time

import pytest
from scapy.layers.inet import IP, UDP
from scapy.layers.inet6 import IPv6

from flood import RATE, flooding
from frames import Path
from lab import BROKER_V4, GATEWAY_V4, INET, M1, OVERLAY, conf
from netns import run
from traffic import ping

pytestmark = pytest.mark.first

ROUNDS = int(os.environ.get("ZT6_TEST_WINDOW_ROUNDS", 2))
PORT = 7  # listed nowhere
LISTED = 8
AT_LEAST = RATE or 2000  # frames: fewer would prove nothing
ARRIVE_SECONDS = 10  # may pass, on a busy machine
ADDRESSES = (M1.onlink, M1.routed)
# In an Ethernet frame with IPv6 and UDP: what tells one, whom it is for, and by which port.
TYPES, DESTINATION, DESTINATION_PORT = slice(12, 14), slice(38, 54), slice(56, 58)
NEXT_HEADER = 20


def table_of(lab):
    return f"zt6-{lab.name}"


def rules_of(lab):
    return lab.gw.run("nft", "list", "ruleset").stdout


class Witness:
    """Counts at m1 what the generator sends to a port, by address, also when the TAP goes and comes
    back."""

    def __init__(self, lab, port):
        self.lab = lab
        self.port = port.to_bytes(2, "big")
        self.arrived = collections.Counter()
        self._watching = threading.Event()
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def _watch(self):
        while not self._done.is_set():
            try:
                with self.lab.m1.wire(OVERLAY) as wire:
                    self._watching.set()
                    while not self._done.is_set():
                        for frame in wire.frames(0.1):
                            self._look_at(frame)
            except OSError:  # the interface has gone
                time.sleep(0.01)

    def _look_at(self, frame):
        if (frame[TYPES] == b"\x86\xdd" and frame[NEXT_HEADER] == socket.IPPROTO_UDP
                and frame[DESTINATION_PORT] == self.port):
            self.arrived[socket.inet_ntop(socket.AF_INET6, frame[DESTINATION])] += 1

    def __enter__(self):
        self._thread.start()
        self._watching.wait(5)
        return self

    def __exit__(self, *_):
        time.sleep(0.3)
        self._done.set()
        self._thread.join()


@contextlib.contextmanager
def firing(lab, port):
    """Datagrams come for m1 by both ways, natively and through the tunnel, while the body runs. Yields
    the Flood and a Witness."""
    onlink, routed = (IPv6(src=INET, dst=address) / UDP(sport=9, dport=port) / b"let me in"
                      for address in ADDRESSES)
    packets = onlink, IP(src=BROKER_V4, dst=GATEWAY_V4, proto=41, flags="DF", id=0) / routed
    frames = [Path(lab).inward(packet) for packet in packets]
    with Witness(lab, port) as witness, flooding(lab.router, "to-gw", *frames) as flood:
        yield flood, witness


@contextlib.contextmanager
def under_fire(lab):
    """The body runs while unlisted datagrams come for m1; none may arrive."""
    with firing(lab, PORT) as (flood, witness):
        yield
        time.sleep(1)  # nor once all is done
    assert flood.sent > AT_LEAST
    assert not witness.arrived, f"of {flood.sent}"


def assert_arrive(lab, port):
    """That the generator's datagrams for m1 do arrive, by both ways, when nothing forbids it."""
    with firing(lab, port) as (_, witness):
        deadline = time.monotonic() + ARRIVE_SECONDS
        while set(witness.arrived) != set(ADDRESSES) and time.monotonic() < deadline:
            time.sleep(0.01)
    assert set(witness.arrived) == set(ADDRESSES)


def make_known(lab):
    """m1's addresses to the gateway: he would get at once what passes."""
    for address in ADDRESSES:
        assert ping(lab.gw, address, count=10) > 0


def assert_reachable(lab):
    for address in ADDRESSES:
        assert ping(lab.inet, address, source=INET, count=10) > 0


def test_nothing_comes_in_while_the_gateway_goes_up_and_down(fresh):
    fresh.gateway.configure(conf(policy="kernel", firewall=f"allow udp {LISTED}"))
    make_known(fresh)
    with under_fire(fresh):
        for _ in range(ROUNDS):
            fresh.gateway("up")
            fresh.gateway("down")
    assert rules_of(fresh) == ""


def test_nothing_comes_in_while_rules_are_replaced(fresh):
    fresh.gateway.up(conf(policy="kernel"))
    fresh.gateway.start_agent()
    assert_reachable(fresh)
    with under_fire(fresh):
        for number in range(2 * ROUNDS - 1):
            fresh.gateway.up(conf(policy="kernel", firewall=f"allow udp {10 + number}"))
        fresh.gateway.configure(conf(policy="kernel", lan=True, firewall=f"allow udp {LISTED}"))
        fresh.gateway("reload")
        fresh.gateway.configure(conf(policy="kernel", firewall="nonsense"))
        assert fresh.gateway("reload", check=False).returncode == 78
    assert_arrive(fresh, LISTED)


def test_nothing_comes_in_when_policy_off_ends_and_the_gateway_after_it(fresh):
    """The rules were made last: they must not go first for that."""
    fresh.gateway.up(conf(policy="off"))
    make_known(fresh)
    assert_arrive(fresh, PORT)
    fresh.gateway.up(conf(policy="kernel"))
    with under_fire(fresh):
        fresh.gateway("down")


def test_nothing_comes_in_while_the_overlay_is_made_anew(fresh):
    fresh.gateway.up(conf(policy="kernel"))
    fresh.gateway.start_agent()
    assert_reachable(fresh)
    with under_fire(fresh):
        for _ in range(ROUNDS):
            fresh.restart_zerotier()
            time.sleep(1)
    assert_reachable(fresh)


def test_the_agent_loads_again_at_once_what_somebody_flushes(fresh):
    """As `systemctl reload nftables` does."""
    fresh.gateway.up(conf(policy="kernel"))
    fresh.gateway.start_agent()
    whole = fresh.gw.run("nft", "--stateless", "list", "ruleset").stdout
    for command in ("flush ruleset", f"delete table ip6 {table_of(fresh)}"):
        fresh.gw.run("nft", *command.split())
        deadline = time.monotonic() + 1
        while (listed := rules_of(fresh)).count("table") < 2 and time.monotonic() < deadline:
            time.sleep(0.01)
        assert fresh.gw.run("nft", "--stateless", "list", "ruleset").stdout == whole, listed
    fresh.gateway("down")
    time.sleep(1)
    assert rules_of(fresh) == "", "not after `down`"


def test_tables_of_others_are_never_touched(fresh):
    theirs = """
        table inet filter {
            chain forward {
                type filter hook forward priority 10; policy accept;
                tcp dport 12345 counter drop
            }
            set s { type ipv6_addr; elements = { 2001:db8::1 }; }
        }
        table ip6 zt6 { chain c { counter; }; }
        table ip zt6-other { chain c { counter; }; }
        table ip6 nat { chain p { type nat hook prerouting priority dstnat; }; }
    """
    run(*fresh.gw.command("nft", "-f", "-"), input=theirs)
    before = fresh.gw.run("nft", "--handle", "list", "ruleset").stdout
    assert "zt6-other" in before
    for number in range(2):
        fresh.gateway.up(conf(policy="kernel", firewall=f"allow udp {number + 1}"))
        listed = fresh.gw.run("nft", "--handle", "list", "ruleset").stdout
        assert listed.startswith(before) and table_of(fresh) in listed
    fresh.gateway("down")
    assert fresh.gw.run("nft", "--handle", "list", "ruleset").stdout == before


def test_a_table_of_the_name_that_somebody_else_has_made_is_left_alone(fresh):
    fresh.gw.run("nft", "add", "table", "ip", table_of(fresh))
    before = rules_of(fresh)
    fresh.gateway.configure(conf(policy="kernel"))
    done = fresh.gateway("up", check=False)
    assert done.returncode == 1 and f"nft delete table ip {table_of(fresh)}" in done.stderr
    assert rules_of(fresh) == before
    fresh.gw.run("nft", "delete", "table", "ip", table_of(fresh))


@pytest.mark.parametrize("damage", ["flush ruleset", "delete table ip {}", "flush table ip6 {}",
                                    "add rule ip6 {} inward accept"])
def test_a_second_up_repairs_rules_that_somebody_has_changed(fresh, damage):
    fresh.gateway.up(conf(policy="kernel"))
    whole = fresh.gw.run("nft", "--stateless", "list", "ruleset").stdout
    assert fresh.gateway("up", "--dry-run").stdout.count("nftables") == 0
    fresh.gw.run("nft", *damage.format(table_of(fresh)).split())
    assert "repair  nftables" in fresh.gateway("up", "--dry-run").stdout
    fresh.gateway("up")
    assert fresh.gw.run("nft", "--stateless", "list", "ruleset").stdout == whole


def test_a_failed_up_leaves_the_rules_of_before(fresh):
    fresh.gateway.up(conf(policy="kernel", firewall="allow udp 8"))
    whole = fresh.gw.run("nft", "--stateless", "list", "ruleset").stdout
    fresh.gw.ip("addr add 2001:470:811d::99/128 dev eth1")
    fresh.gateway.configure(conf(policy="kernel", firewall="allow udp 9").replace(
        "2001:470:811d::80/64", "2001:470:811d::99/64"))
    assert fresh.gateway("up", check=False).returncode == 1
    assert fresh.gw.run("nft", "--stateless", "list", "ruleset").stdout == whole
