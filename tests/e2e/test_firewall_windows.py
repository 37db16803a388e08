# SPDX-License-Identifier: GPL-2.0-or-later
"""There is no moment at which what is not listed comes in: a generator sends at full speed while the
gateway goes up, is reloaded, loses its overlay and goes down (issue "Policy", Order)."""

import contextlib
import threading
import time

import pytest
from scapy.layers.inet import IP, UDP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import Ether

from flood import flooding
from frames import Path
from lab import BROKER_V4, GATEWAY_V4, INET, M1, OVERLAY, conf
from netns import run
from traffic import ping

pytestmark = pytest.mark.first

PORT = 7  # listed nowhere
AT_LEAST = 2000  # frames: fewer would prove nothing


def table_of(lab):
    return f"zt6-{lab.name}"


def rules_of(lab):
    return lab.gw.run("nft", "list", "ruleset").stdout


class Witness:
    """Counts at m1 what the generator sends, also when the TAP goes and comes back."""

    def __init__(self, lab):
        self.lab = lab
        self.arrived = 0
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def _watch(self):
        while not self._done.is_set():
            try:
                with self.lab.m1.wire(OVERLAY) as wire:
                    while not self._done.is_set():
                        self.arrived += sum(self._is_ours(frame) for frame in wire.frames(0.1))
            except OSError:  # the interface has gone
                time.sleep(0.01)

    @staticmethod
    def _is_ours(frame):
        packet = Ether(frame)
        return UDP in packet and packet[UDP].dport == PORT

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        time.sleep(0.3)
        self._done.set()
        self._thread.join()


@contextlib.contextmanager
def under_fire(lab, address):
    """The body runs while unlisted datagrams come for m1; none may arrive. Yields a Witness."""
    packet = IPv6(src=INET, dst=address) / UDP(sport=9, dport=PORT) / b"let me in"
    if address == M1.routed:
        packet = IP(src=BROKER_V4, dst=GATEWAY_V4, proto=41, flags="DF", id=0) / packet
    frame = Path(lab).inward(packet)
    with Witness(lab) as witness, flooding(lab.router, "to-gw", frame) as flood:
        yield witness
    assert flood.sent > AT_LEAST
    assert witness.arrived == 0, f"{witness.arrived} of {flood.sent} came in"


BOTH = pytest.mark.parametrize("address", [M1.onlink, M1.routed], ids=["on-link", "tunnel"])


@BOTH
def test_nothing_comes_in_while_the_gateway_goes_up_and_down(fresh, address):
    fresh.gateway.configure(conf(policy="kernel", firewall="allow udp 8"))
    ping(fresh.gw, address)  # m1 would get at once what passes
    for _ in range(2):
        with under_fire(fresh, address):
            fresh.gateway("up")
            fresh.gateway("down")
    assert rules_of(fresh) == ""


@BOTH
def test_nothing_comes_in_while_rules_are_replaced(fresh, address):
    fresh.gateway.up(conf(policy="kernel"))
    fresh.gateway.start_agent()
    assert ping(fresh.inet, address, source=INET) > 0
    with under_fire(fresh, address):
        for number in range(4):
            fresh.gateway.up(conf(policy="kernel", firewall=f"allow udp {10 + number}"))
        fresh.gateway.configure(conf(policy="kernel", lan=True))
        fresh.gateway("reload")
        fresh.gateway.configure(conf(policy="kernel", firewall="nonsense"))
        assert fresh.gateway("reload", check=False).returncode == 78


@BOTH
def test_nothing_comes_in_when_policy_off_ends_and_the_gateway_after_it(fresh, address):
    """The rules were made last: they must not go first for that."""
    fresh.gateway.up(conf(policy="off"))
    ping(fresh.inet, address, source=INET)
    fresh.gateway.up(conf(policy="kernel"))
    with under_fire(fresh, address):
        fresh.gateway("down")


@BOTH
def test_nothing_comes_in_while_the_overlay_is_made_anew(fresh, address):
    fresh.gateway.up(conf(policy="kernel"))
    fresh.gateway.start_agent()
    assert ping(fresh.inet, address, source=INET) > 0
    with under_fire(fresh, address):
        for _ in range(2):
            fresh.restart_zerotier()
            time.sleep(1)
    assert ping(fresh.inet, address, source=INET, count=10) > 0


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
