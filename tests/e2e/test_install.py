# SPDX-License-Identifier: GPL-2.0-or-later
"""`make install`: what is put where, and that it goes again."""

import os
import subprocess

import pytest

from gateway import BINARY, BUILD, TOP

UNITS = ["zt6-bpf", "zt6-bpf-agent", "zt6-bpf-tunnel-update"]


def make(*words):
    """Without building: the tests' own build is what is installed."""
    subprocess.run(["make", "-s", "-C", TOP, "-o", "all", f"B={BUILD}", *words], check=True,
                   capture_output=True, text=True)


def files(folder):
    return {os.path.relpath(os.path.join(where, name), folder)
            for where, _, names in os.walk(folder) for name in names}


@pytest.fixture
def installed(tmp_path):
    make("install", f"DESTDIR={tmp_path}", "PREFIX=/opt/gw", "SYSCONF=/opt/etc")
    return tmp_path


def test_everything_is_below_the_prefix(installed):
    units = {f"opt/gw/lib/systemd/system/{name}{at}.service" for name in UNITS for at in ("", "@")}
    assert files(installed) >= units | {
        "opt/gw/sbin/zt6-bpf", "opt/gw/share/man/man8/zt6-bpf.8", "opt/gw/share/man/man5/zt6.conf.5",
        "opt/gw/lib/sysusers.d/zt6-bpf.conf", "opt/gw/share/doc/zt6-bpf/zt6.conf.example"}
    assert all(name.startswith("opt/gw/") for name in files(installed))
    assert (installed / "opt/etc/zt6-bpf").is_dir()
    for name in UNITS:
        unit = (installed / f"opt/gw/lib/systemd/system/{name}.service").read_text()
        assert "ExecStart=/opt/gw/sbin/zt6-bpf " in unit
        assert "/usr/local" not in unit and "@" not in unit.replace("@system-service", "").replace(
            "@privileged @resources", "")


def test_the_example_is_a_valid_configuration(installed):
    example = installed / "opt/gw/share/doc/zt6-bpf/zt6.conf.example"
    done = subprocess.run([installed / "opt/gw/sbin/zt6-bpf", "-c", example, "check"],
                          capture_output=True, text=True, check=True)
    assert not done.stderr


def test_uninstall_leaves_the_configuration_and_nothing_else(installed):
    conf = installed / "opt/etc/zt6-bpf/zt6.conf"
    conf.write_text("uplink eth0\n")
    where = (f"DESTDIR={installed}", "PREFIX=/opt/gw", "SYSCONF=/opt/etc")
    make("uninstall", *where)
    assert files(installed) == {"opt/etc/zt6-bpf/zt6.conf"}
    conf.unlink()
    make("uninstall", *where)
    assert not (installed / "opt/etc/zt6-bpf").exists()


def test_where_it_was_built_does_not_show():
    with open(BINARY, "rb") as file:
        assert os.fsencode(TOP) not in file.read()
