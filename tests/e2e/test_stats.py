# SPDX-License-Identifier: GPL-2.0-or-later
"""`zt6-bpf stats` and the exit statuses of the commands (design §6, §7)."""

import os
import re

import pytest

from gateway import TOP
from lab import M1, OVERLAY, TUNNEL, conf
from traffic import ping

DONE, FAILED, USAGE, NOT_UP, CONFIG = 0, 1, 2, 3, 78


def verdict_names():
    """In the order of the one list that there is."""
    with open(os.path.join(TOP, "include/zt6_verdicts.h"), encoding="ascii") as file:
        return re.findall(r"X\([A-Z_]+, ([a-z_]+), [A-Z]+,", file.read())


def counter(value):
    return set(value) >= {"packets", "bytes"} and all(
        isinstance(value[key], int) and value[key] >= 0 for key in ("packets", "bytes"))


def test_the_json_has_the_promised_shape(lab):
    stats = lab.gateway.stats()
    assert stats["schema"] == 1
    assert stats["instance"] == lab.name
    assert stats["version"] in lab.gateway("version").stdout
    roles = {port["name"]: port["role"] for port in stats["ports"]}
    assert roles == {"eth0": "uplink", TUNNEL: "tunnel", OVERLAY: "overlay", "eth1": "lan"}
    for port in stats["ports"]:
        assert port["ifindex"] == lab.gw.link_index(port["name"])
        assert port["datapath"] == ("tc" if port["role"] == "tunnel" else "xdp")
        assert counter(port["rx"])
        assert list(port["verdicts"]) == verdict_names()
        assert all(counter(value) for value in port["verdicts"].values())


def test_totals_are_the_sums_over_the_ports(lab):
    ping(lab.inet, M1.routed)
    stats = lab.gateway.stats()
    totals = stats["totals"]
    for unit in ("packets", "bytes"):
        assert totals["rx"][unit] == sum(port["rx"][unit] for port in stats["ports"])
        for name in verdict_names():
            assert totals["verdicts"][name][unit] == sum(
                port["verdicts"][name][unit] for port in stats["ports"])


def test_bytes_are_counted_as_frames(lab):
    before = lab.gateway.stats()
    assert ping(lab.inet, M1.onlink, count=10, size=100) == 10
    after = lab.gateway.stats()

    def forwarded(stats, unit):
        port = next(port for port in stats["ports"] if port["name"] == "eth0")
        return port["verdicts"]["forwarded"][unit]

    frame = 14 + 40 + 8 + 100
    packets = forwarded(after, "packets") - forwarded(before, "packets")
    assert packets >= 10
    assert forwarded(after, "bytes") - forwarded(before, "bytes") >= 10 * frame


def test_the_table_shows_every_port_and_what_was_counted(lab):
    assert ping(lab.inet, M1.onlink) == 3
    table = lab.gateway("stats").stdout
    for word in ("eth0", OVERLAY, "eth1", TUNNEL, "forwarded", "decapsulated"):
        assert word in table
    assert "\x1b" not in table, "colour is for terminals"


def test_prometheus_text_agrees_with_the_json(lab):
    text = lab.gateway("stats", "--prometheus").stdout
    stats = lab.gateway.stats()
    for port in stats["ports"]:
        rx = re.search(rf'^zt6_rx_packets_total\{{.*port="{port["name"]}".*\}} (\d+)$', text, re.M)
        assert int(rx[1]) <= port["rx"]["packets"]
        for name in verdict_names():
            assert re.search(rf'^zt6_verdict_packets_total\{{.*port="{port["name"]}".*'
                             rf'verdict="{name}".*\}} \d+$', text, re.M)


def test_counters_go_on_after_a_second_up_and_a_reload(lab):
    assert ping(lab.inet, M1.onlink) == 3
    before = lab.gateway.counters()
    lab.gateway("up")
    lab.gateway("reload")
    assert ping(lab.inet, M1.onlink) == 3
    happened = lab.gateway.counters() - before
    assert happened["eth0"]["forwarded"] >= 3
    assert all(count >= 0 for verdicts in happened.verdicts.values()
               for count in verdicts.values())


def test_forwarding_outlives_the_agent(lab):
    lab.gateway.stop_agent()
    try:
        assert ping(lab.inet, M1.onlink, count=20) == 20
        assert ping(lab.inet, M1.routed, count=20) == 20
    finally:
        lab.gateway.start_agent()
    assert ping(lab.inet, M1.routed) == 3


def test_status_of_a_healthy_gateway_is_0_and_names_its_ports(lab):
    done = lab.gateway("status", check=False)
    assert done.returncode == DONE, done.stdout + done.stderr
    for name in ("eth0", OVERLAY, "eth1", TUNNEL):
        assert name in done.stdout


@pytest.mark.parametrize("command", [["stats"], ["stats", "--json"], ["status"], ["reload"],
                                     ["agent"]])
def test_what_needs_a_running_gateway_exits_3_when_there_is_none(fresh, command):
    fresh.gateway.configure(conf())
    done = fresh.gateway(*command, check=False)
    assert done.returncode == NOT_UP
    assert done.stdout == "" and done.stderr.count("\n") == 1


def test_down_of_what_is_not_up_is_no_error(fresh):
    fresh.gateway.configure(conf())
    assert fresh.gateway("down", check=False).returncode in (DONE, NOT_UP)


@pytest.mark.parametrize("command", [["sideways"], [], ["stats", "--xml"], ["up", "twice"]])
def test_wrong_usage_exits_2(fresh, command):
    done = fresh.gateway(*command, check=False)
    assert done.returncode == USAGE
    assert done.stderr


@pytest.mark.parametrize("command", ["check", "up"])
def test_a_bad_configuration_exits_78_and_names_file_and_line(fresh, command):
    fresh.gateway.configure(conf() + "colour blue\n")
    done = fresh.gateway(command, check=False)
    assert done.returncode == CONFIG
    line = conf().count("\n") + 1
    assert re.search(rf"^{re.escape(fresh.gateway.conf_path)}:{line}: .*colour", done.stderr, re.M)
    assert fresh.gateway("stats", check=False).returncode == NOT_UP
