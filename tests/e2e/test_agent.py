# SPDX-License-Identifier: GPL-2.0-or-later
"""The agent: targets verified before they are answered, members kept fresh, interfaces followed."""

import os
import signal
import time

import pytest

from gateway import AGENT_UID
from lab import GATEWAY, M1, ONLINK, OVERLAY, Lab, conf
from traffic import ping
from waiting import wait_for

QUICK = "timeout 200ms\n    retries 1\n    valid 3s\n    invalid 3s"


@pytest.fixture(scope="module")
def lab():
    with Lab() as made:
        yield made


@pytest.fixture
def gateway(lab):
    lab.gateway.up(conf(tunnel=False, proxy=QUICK))
    lab.gateway.start_agent()
    yield lab.gateway
    lab.gateway.stop_agent()
    lab.gateway("down", check=False)
    lab.gw.ip(f"link set {OVERLAY} up")


def verdicts(gateway, port="eth0"):
    return next(p for p in gateway.stats()["ports"] if p["name"] == port)["verdicts"]


def count(gateway, name, port="eth0"):
    return verdicts(gateway, port)[name]["packets"]


def forget(namespace, device, address):
    namespace.run("ip", "-6", "neigh", "del", address, "dev", device, check=False)


def neighbour(namespace, device, address):
    return namespace.run("ip", "-6", "neigh", "show", address, "dev", device).stdout


def test_a_live_member_that_nobody_knows_is_found_and_answered_at_once(lab, gateway):
    forget(lab.gw, OVERLAY, M1.onlink)
    forget(lab.router, "to-gw", M1.onlink)
    assert ping(lab.inet, M1.onlink) == 3
    assert count(gateway, "ndp_deferred") >= 1
    assert "lladdr" in neighbour(lab.router, "to-gw", M1.onlink)


def test_a_verified_member_is_answered_in_xdp(lab, gateway):
    forget(lab.router, "to-gw", M1.onlink)
    assert ping(lab.inet, M1.onlink) == 3
    before = count(gateway, "ndp_answered")
    forget(lab.router, "to-gw", M1.onlink)
    assert ping(lab.inet, M1.onlink) == 3
    assert count(gateway, "ndp_answered") > before


def test_an_absent_target_is_not_answered_and_remembered(lab, gateway):
    absent = "2001:db8:48::dead:1"
    assert ping(lab.inet, absent, count=1) == 0
    assert wait_for(lambda: ping(lab.router, absent, count=1) == 0 and
                    count(gateway, "drop_ndp_unverified") >= 1, 6)
    assert count(gateway, "ndp_answered") == 0 or "lladdr" not in neighbour(
        lab.router, "to-gw", absent)


def test_a_member_that_has_gone_is_advertised_no_longer_than_its_time(lab, gateway):
    assert ping(lab.inet, M1.onlink) == 3
    lab.m1.ip(f"addr del {M1.onlink}/48 dev {OVERLAY}")
    try:
        time.sleep(4.5)  # valid is 3 s
        before = count(gateway, "ndp_answered")
        forget(lab.router, "to-gw", M1.onlink)
        assert ping(lab.inet, M1.onlink, count=1) == 0
        assert count(gateway, "ndp_answered") == before
    finally:
        lab.m1.ip(f"addr add {M1.onlink}/48 dev {OVERLAY} nodad")


def test_an_absence_is_cut_short_when_the_member_speaks_up(lab, gateway):
    lab.gateway("down")
    lab.gateway.stop_agent()
    lab.gateway.up(conf(tunnel=False, proxy=QUICK.replace("invalid 3s", "invalid 60s")))
    lab.gateway.start_agent()
    late = "2001:db8:48::1a7e"
    assert ping(lab.inet, late, count=1) == 0
    assert wait_for(lambda: not ping(lab.router, late, count=1) and
                    count(gateway, "drop_ndp_unverified") >= 1, 6)
    lab.m1.ip(f"addr add {late}/48 dev {OVERLAY} nodad")
    try:
        # It speaks to the gateway, which so learns of it.
        assert ping(lab.m1, GATEWAY.rfc4193, source=late) == 3
        forget(lab.router, "to-gw", late)
        assert wait_for(lambda: ping(lab.inet, late, count=1) == 1, 5)
    finally:
        lab.m1.ip(f"addr del {late}/48 dev {OVERLAY}")


def test_a_member_with_another_mac_is_followed_while_it_stays_silent(lab, gateway):
    assert ping(lab.inet, M1.onlink) == 3
    # Its address moves to the other member, which does not announce it.
    lab.m1.ip(f"addr del {M1.onlink}/48 dev {OVERLAY}")
    lab.m2.sysctl(f"ipv6/conf/{OVERLAY}/ndisc_notify", 0)
    lab.m2.ip(f"addr add {M1.onlink}/128 dev {OVERLAY} nodad")
    try:
        begin = time.monotonic()
        assert wait_for(lambda: ping(lab.inet, M1.onlink, count=1) == 1, 8)
        assert time.monotonic() - begin < 6
    finally:
        lab.m2.ip(f"addr del {M1.onlink}/128 dev {OVERLAY}")
        lab.m1.ip(f"addr add {M1.onlink}/48 dev {OVERLAY} nodad")
        forget(lab.gw, OVERLAY, M1.onlink)


def test_a_dead_agent_leaves_forwarding_alone_and_can_be_started_again(lab, gateway):
    assert ping(lab.inet, M1.onlink) == 3
    os.kill(gateway.agent_process.pid, signal.SIGKILL)
    gateway.agent_process.wait()
    assert ping(lab.inet, M1.onlink) == 3
    gateway.start_agent()
    assert gateway("status").returncode == 0


def test_there_is_one_agent_for_an_instance(gateway):
    second = gateway("agent", check=False)
    assert second.returncode == 1
    assert "running already" in second.stderr


def test_the_agent_keeps_two_capabilities_only(gateway):
    pid = gateway.agent_process.pid
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        lines = dict(line.split(":\t", 1) for line in status if ":\t" in line)
    assert int(lines["CapEff"], 16) == 1 << 12 | 1 << 13  # CAP_NET_ADMIN, CAP_NET_RAW
    assert int(lines["CapBnd"], 16) == 1 << 12 | 1 << 13
    assert lines["Uid"].split() == lines["Gid"].split() == [str(AGENT_UID)] * 4
    assert lines["NoNewPrivs"].strip() == "1"


def test_a_new_member_address_of_the_gateway_is_never_proxied(lab, gateway):
    lab.gw.ip(f"addr add 2001:db8:48::9a7e/128 dev {OVERLAY} nodad")
    try:
        time.sleep(0.5)
        before = count(gateway, "ndp_answered")
        ping(lab.inet, "2001:db8:48::9a7e", count=1)
        assert count(gateway, "ndp_answered") == before
        assert count(gateway, "pass_ndp") >= 1
    finally:
        lab.gw.ip(f"addr del 2001:db8:48::9a7e/128 dev {OVERLAY}")


def test_a_target_that_no_route_covers_is_found_on_its_interface_and_wired(lab, gateway):
    gateway.configure(conf(tunnel=False, proxy=QUICK, method=f"iface {OVERLAY}",
                           rule="autowire yes"))
    gateway("reload")
    time.sleep(1.5)  # the agent follows the pins
    lab.gw.ip(f"route del {ONLINK} dev {OVERLAY} proto static metric 5000")
    forget(lab.router, "to-gw", M1.onlink)
    try:
        assert wait_for(lambda: ping(lab.inet, M1.onlink, count=1) == 1)
        wired = lab.gw.run("ip", "-6", "route", "show", M1.onlink).stdout
        assert f"dev {OVERLAY}" in wired and "expires" in wired
        lab.m1.ip(f"addr del {M1.onlink}/48 dev {OVERLAY}")
        assert wait_for(lambda: not lab.gw.run("ip", "-6", "route", "show", M1.onlink).stdout, 8)
    finally:
        lab.m1.ip(f"addr replace {M1.onlink}/48 dev {OVERLAY} nodad")
        lab.gw.ip(f"route add {ONLINK} dev {OVERLAY} proto static metric 5000")


def test_a_tap_that_comes_back_is_a_port_again(lab, gateway):
    def index():
        return next(p for p in gateway.stats()["ports"] if p["name"] == OVERLAY)["ifindex"]

    assert ping(lab.inet, M1.onlink) == 3
    packets = gateway.counters().rx[OVERLAY]
    for _ in range(3):
        before = index()
        lab.restart_zerotier()
        assert wait_for(lambda: index() not in (0, before))
        assert wait_for(lambda: ping(lab.inet, M1.onlink, count=1) == 1)
        port = next(p for p in gateway.stats()["ports"] if p["name"] == OVERLAY)
        assert port["datapath"] == "xdp"
        assert gateway("status").returncode == 0
    assert gateway.counters().rx[OVERLAY] > packets


def test_status_says_when_the_agent_is_missing(lab, gateway):
    assert gateway("status").returncode == 0
    gateway.stop_agent()
    status = gateway("status", check=False)
    assert status.returncode == 1
    assert "agent is not running" in status.stderr
    gateway.start_agent()


def test_dad_is_defended_for_a_verified_member_only(lab, gateway):
    assert ping(lab.inet, M1.onlink) == 3
    # The router's own duplicate detection meets the proxy's defence ...
    lab.router.sysctl("ipv6/conf/to-gw/accept_dad", 1)
    lab.router.ip(f"addr add {M1.onlink}/128 dev to-gw")
    lab.router.ip("addr add 2001:db8:48::f4ee/128 dev to-gw")
    try:
        assert wait_for(lambda: "dadfailed" in lab.router.run(
            "ip", "-6", "addr", "show", "dev", "to-gw", "dadfailed").stdout)
        time.sleep(2.5)
        failed = lab.router.run("ip", "-6", "addr", "show", "dev", "to-gw", "dadfailed").stdout
        assert M1.onlink in failed and "f4ee" not in failed  # ... and a free address does not.
    finally:
        lab.router.sysctl("ipv6/conf/to-gw/accept_dad", 0)
        lab.router.ip(f"addr del {M1.onlink}/128 dev to-gw")
        lab.router.ip("addr del 2001:db8:48::f4ee/128 dev to-gw")
        lab.router.run("ip", "-6", "neigh", "flush", "dev", "to-gw", check=False)


def test_reload_with_other_limits_is_followed(lab, gateway):
    gateway.configure(conf(tunnel=False, proxy=QUICK, more="limits {\n    members 2048\n}"))
    gateway("reload")
    time.sleep(1.5)
    assert gateway.agent_process.poll() is None
    forget(lab.gw, OVERLAY, M1.onlink)
    forget(lab.router, "to-gw", M1.onlink)
    assert ping(lab.inet, M1.onlink) == 3
    assert gateway("status").returncode == 0


def test_the_agent_ends_when_the_instance_goes_down(gateway):
    gateway("down")
    assert gateway.agent_process.wait(timeout=5) == 3
    assert not os.path.exists(f"/run/zt6-bpf/{gateway.instance}")
