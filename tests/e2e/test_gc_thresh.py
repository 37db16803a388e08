# SPDX-License-Identifier: GPL-2.0-or-later
"""The kernel's limits of neighbours. They exist in the initial network namespace only, where no test
shall change them: files of the same names stand in their place, in a mount namespace of the command."""

import json

import pytest

from gateway import BINARY
from lab import LAN
from machine import DONE

# Of five digits like all that is written here: a file, unlike a sysctl, keeps the rest of a longer one.
KERNEL = {"gc_thresh1": 10128, "gc_thresh2": 10512, "gc_thresh3": 11024}
CONF = f"uplink eth0\nlan eth1 {{\n    prefix {LAN}\n}}\nlimits {{\n    "


@pytest.fixture
def limits(tmp_path):
    """The folder of the stand-ins; what is beside it in /proc is the real thing."""
    folder = tmp_path / "neigh/default"
    folder.mkdir(parents=True)
    (tmp_path / "real").mkdir()
    for name, value in KERNEL.items():
        (folder / name).write_text(f"{value}\n")
    for device in ("eth0", "eth1"):
        (tmp_path / "neigh" / device).symlink_to(tmp_path / "real" / device)
    return folder


def run(machine, limits, *arguments):
    neigh, top = "/proc/sys/net/ipv6/neigh", limits.parent.parent
    return machine.gw.run(
        "unshare", "--mount", "sh", "-ec",
        f'mount --bind {neigh} {top}/real; mount --bind {top}/neigh {neigh}; exec "$@"', "sh",
        BINARY, "-c", machine.gateway.conf_path, "--instance", machine.name, *arguments,
        check=False)


def values(limits):
    return {name: int((limits / name).read_text()) for name in KERNEL}


def up(machine, limits, text):
    machine.gateway.configure(CONF + text + "\n}\n")
    done = run(machine, limits, "up")
    assert done.returncode == DONE, done.stderr
    return done.stderr


def test_more_members_than_the_kernel_keeps_are_said_and_nothing_is_changed(machine, limits):
    message = up(machine, limits, "members 20000")
    assert "20000 members" in message and "11024 neighbours" in message and "gc-thresh yes" in message
    assert values(limits) == KERNEL


def test_as_many_members_as_the_kernel_keeps_need_no_word(machine, limits):
    assert up(machine, limits, "members 11024") == ""


def test_the_limits_are_raised_on_request_and_put_back(machine, limits):
    (limits / "gc_thresh1").write_text("50000\n")  # more than needed: left alone
    assert up(machine, limits, "members 20000\n    gc-thresh yes") == ""
    assert values(limits) == {"gc_thresh1": 50000, "gc_thresh2": 40000, "gc_thresh3": 80000}
    up(machine, limits, "members 10000\n    gc-thresh yes")  # fewer: down with them
    assert values(limits) == {"gc_thresh1": 50000, "gc_thresh2": 20000, "gc_thresh3": 40000}
    assert run(machine, limits, "down").returncode == DONE
    assert values(limits) == {**KERNEL, "gc_thresh1": 50000}


def test_in_another_namespace_it_is_said_where_to_raise_them(machine):
    done = machine.gateway.up(CONF + "gc-thresh yes\n}\n")
    assert "initial network namespace" in done.stderr and "16384" in done.stderr


def test_status_shows_the_kernels_room_where_it_can_be_seen(machine, limits):
    up(machine, limits, "members 11024")
    shown = json.loads(run(machine, limits, "status", "--json").stdout)["targets"]
    assert shown["kernel_neighbours_max"] == 11024
    shown = json.loads(machine.gateway("status", "--json", check=False).stdout)["targets"]
    assert shown == {"verified": 0, "negative": 0, "pending": 0, "kernel_neighbours": None,
                     "kernel_neighbours_max": None}
