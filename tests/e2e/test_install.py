# SPDX-License-Identifier: GPL-2.0-or-later
"""`make install`: what is put where, and that it goes again."""

import os
import subprocess

import pytest

from gateway import BINARY, TOP

UNITS = ["zt6-bpf", "zt6-bpf-agent", "zt6-bpf-tunnel-update"]


def make(folder, *words):
    """Without building: the tests' own program is what is installed, with units made in `folder`."""
    build = folder / "build"
    if not build.exists():
        build.mkdir()
        (build / "zt6-bpf").symlink_to(BINARY)
    subprocess.run(["make", "-s", "-C", TOP, "-o", "all", f"B={build}", f"DESTDIR={folder}/root",
                    "PREFIX=/opt/gw", "SYSCONF=/opt/etc", *words], check=True,
                   env={name: value for name, value in os.environ.items() if name != "MAKEFLAGS"})


def files(folder):
    return {os.path.relpath(os.path.join(where, name), folder)
            for where, _, names in os.walk(folder) for name in names}


@pytest.fixture
def installed(tmp_path):
    make(tmp_path, "install")
    return tmp_path / "root"


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


def test_uninstall_leaves_the_configuration_and_nothing_else(installed, tmp_path):
    conf = installed / "opt/etc/zt6-bpf/zt6.conf"
    conf.write_text("uplink eth0\n")
    make(tmp_path, "uninstall")
    assert files(installed) == {"opt/etc/zt6-bpf/zt6.conf"}
    conf.unlink()
    make(tmp_path, "uninstall")
    assert not (installed / "opt/etc/zt6-bpf").exists()


def test_where_it_was_built_does_not_show():
    with open(BINARY, "rb") as file:
        assert os.fsencode(TOP) not in file.read()
