# SPDX-License-Identifier: GPL-2.0-or-later
"""Whether the tunnel lives: round trips, the last packet, and the causes of a silence told apart."""

import json
import time

import pytest

from lab import GATEWAY_V4, INET, M1, TUNNEL, TUNNEL_GATEWAY, Lab, conf
from traffic import ping
from waiting import wait_for


@pytest.fixture(scope="module")
def lab():
    with Lab() as made:
        yield made


@pytest.fixture
def gateway(lab):
    lab.gateway.up(conf(onlink=False))
    lab.gateway.start_agent()
    yield lab.gateway
    lab.gateway.stop_agent()
    lab.gateway("down", check=False)
    lab.broker.run("nft", "flush", "ruleset")
    lab.gw.run("nft", "flush", "ruleset")


def health(gateway):
    done = gateway("status", "--json", check=False)
    return json.loads(done.stdout)["tunnels"][0]["health"]


def silent(gateway):
    """Until three echo requests are unanswered, three seconds each."""
    return wait_for(lambda: health(gateway)["unanswered"] >= 3, 30)


def block(namespace, rule):
    """Drop in a namespace what the rule of the table `netdev` or `inet` says."""
    namespace.run("nft", "-f", "-", input=rule)


def test_a_living_tunnel_is_measured(lab, gateway):
    assert wait_for(lambda: health(gateway)["state"] == "alive")
    now = health(gateway)
    assert 0 < now["rtt_us"] < 500000 and now["unanswered"] == 0
    assert wait_for(lambda: health(gateway)["last_out_age_ms"] is not None, 12)
    now = health(gateway)
    assert now["last_in_age_ms"] < 12000 and now["last_out_age_ms"] < 12000
    port, = (port for port in gateway.stats()["ports"] if port["name"] == TUNNEL)
    assert port["health"]["state"] == "alive" and port["health"]["rtt_us"] > 0
    assert "far end answers in" in gateway("status").stdout
    assert "far end answers in" in gateway("stats").stdout
    assert f'zt6_tunnel_rtt_seconds{{port="{TUNNEL}"}} 0.' in gateway(
        "stats", "--prometheus").stdout


def test_requests_are_few(lab, gateway):
    with lab.broker.wire("tun0") as wire:
        asked = [frame for frame in wire.frames(12) if frame[6:7] == b"\x3a" and
                 frame[40:41] == b"\x80"]
    assert 1 <= len(asked) <= 2


def test_traffic_of_members_is_a_sign_of_life(lab, gateway):
    time.sleep(2.5)
    assert ping(lab.m1, INET, source=M1.routed) == 3
    assert wait_for(lambda: health(gateway)["last_in_age_ms"] < 1500, 2)


def test_what_was_never_answered_is_told_from_what_is_no_longer(lab, gateway):
    assert wait_for(lambda: health(gateway)["state"] == "alive")
    block(lab.broker, "table ip t { chain c { type filter hook prerouting priority -300; "
                      "ip protocol 41 drop; }; }")
    assert silent(gateway)
    assert wait_for(lambda: "nothing has come from 72.52.104.74 for" in
                    gateway("status", check=False).stderr, 15)
    assert health(gateway)["state"] == "silent"
    gateway.stop_agent()
    gateway("down")
    gateway.up(conf(onlink=False))
    gateway.start_agent()
    assert silent(gateway)
    shown = gateway("status", check=False)
    assert shown.returncode == 1
    assert "protocol 41 is blocked on the way or by the rule set" in shown.stderr
    lab.broker.run("nft", "flush", "ruleset")
    assert wait_for(lambda: gateway("status", check=False).returncode == 0, 15)


def test_a_rule_set_that_drops_echo_replies_is_told_from_a_silent_tunnel(lab, gateway):
    block(lab.gw, f"table ip6 t {{ chain c {{ type filter hook input priority 0; "
                  f"ip6 saddr {TUNNEL_GATEWAY} drop; }}; }}")
    assert silent(gateway)
    assert health(gateway)["state"] == "mute"
    assert "does this machine's rule set let ICMPv6 in?" in gateway("status", check=False).stderr


def test_an_address_that_nobody_has_is_a_nats(lab, gateway):
    lab.gw.ip(f"addr del {GATEWAY_V4}/24 dev eth0")
    try:
        shown = gateway("status", check=False)
        assert shown.returncode == 1
        assert f"local {GATEWAY_V4} is on no interface" in shown.stderr
    finally:
        lab.gw.ip(f"""
            addr add {GATEWAY_V4}/24 dev eth0
            route replace default via 192.0.2.1""")


def test_a_tunnel_without_an_ipv4_route_is_named(lab, gateway):
    route = lab.gw.show("route show default").strip()
    lab.gw.ip(f"route del {route}")
    try:
        assert "no IPv4 route to 72.52.104.74" in gateway("status", check=False).stderr
    finally:
        lab.gw.ip(f"route add {route}")


def test_without_an_agent_nothing_is_known_of_it(lab, gateway):
    gateway.stop_agent()
    assert health(gateway) is None
