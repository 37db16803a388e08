# SPDX-License-Identifier: GPL-2.0-or-later
"""The units of systemd: that they are valid and closed as far as they can be, and a boot by the real
systemd on a machine on which the token, the TAP and IPv4 come late."""

import json
import os
import re
import shutil
import subprocess

import pytest

from broker_double import KEY, TUNNEL_ID, USER
from gateway import AGENT_UID, BINARY, BUILD, TOP
from netns import run

TESTS = os.path.dirname(os.path.abspath(__file__))
SECONDS = 300

pytestmark = pytest.mark.skipif(not os.path.exists("/lib/systemd/systemd"),
                                reason="systemd is not installed")

CONF = """
uplink eth0
tunnel he-ipv6 {
    remote  72.52.104.74
    address 2001:470:811d::80/64
    gateway 2001:470:811d::1
    routed  2001:470:811d::/48
}
zerotier 159924d6308e1d7e {
    interface auto
}
"""

DRIVER = f"""
[Unit]
DefaultDependencies=no
[Service]
Environment=PYTHONDONTWRITEBYTECODE=1 ZT6_BUILD={os.path.abspath(BUILD)}
ExecStart=/usr/bin/python3 {TESTS}/units_driver.py
ExecStopPost=/bin/systemctl poweroff -ff
StandardOutput=append:/out/driver.log
StandardError=append:/out/driver.log
"""


def install(folder, prefix):
    """The units as `make install` leaves them; returns where."""
    run("make", "-s", "-C", TOP, f"B={os.path.abspath(BUILD)}", "install-units",
        f"DESTDIR={folder}", f"PREFIX={prefix}")
    return f"{folder}{prefix}/lib/systemd/system"


@pytest.fixture
def units(tmp_path):
    """Installed where their program is, too."""
    prefix = str(tmp_path / "usr")
    os.makedirs(f"{prefix}/sbin")
    os.symlink(BINARY, f"{prefix}/sbin/zt6-bpf")
    folder = install("", prefix)
    return [os.path.join(folder, name) for name in sorted(os.listdir(folder))]


def test_every_unit_is_there_for_the_default_gateway_and_for_instances(units):
    assert [os.path.basename(unit) for unit in units] == [
        "zt6-bpf-agent.service", "zt6-bpf-agent@.service", "zt6-bpf-tunnel-update.service",
        "zt6-bpf-tunnel-update.timer", "zt6-bpf-tunnel-update@.service",
        "zt6-bpf-tunnel-update@.timer", "zt6-bpf.service", "zt6-bpf@.service"]
    for unit in units:
        with open(unit, encoding="ascii") as file:
            text = file.read()
        assert not re.search(r"@[A-Z]+@", text)
        assert ("%i" in text) == ("@" in os.path.basename(unit))


def test_systemd_finds_no_fault_with_the_units(units):
    done = run("systemd-analyze", "verify", "--man=no", *units, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("name, exposure", [
    ("zt6-bpf", 5.5), ("zt6-bpf-agent", 5.5), ("zt6-bpf-tunnel-update", 2.0),
])
def test_units_are_closed_as_far_as_they_can_be(units, name, exposure):
    unit = next(unit for unit in units if unit.endswith(f"/{name}.service"))
    done = run("systemd-analyze", "security", "--offline=yes", unit, check=False)
    assert float(re.search(r"exposure level for \S+: ([\d.]+)", done.stdout)[1]) <= exposure


def fill_box(folder):
    """What the machine in the box has beside this one's files."""
    tree = folder / "tree"
    system = tree / "etc/systemd/system"
    units = install(str(tree), "/usr/local")
    system.parent.mkdir(parents=True)
    shutil.move(units, system)
    (system / "driver.service").write_text(DRIVER)
    for unit in ("zt6-bpf.service", "zt6-bpf-agent.service", "zt6-bpf-tunnel-update.service",
                 "zt6-bpf-tunnel-update.timer"):
        text = "[Unit]\nDefaultDependencies=no\n"
        if unit.endswith(".service"):
            log = f"append:/out/{unit.removesuffix('.service')}.log"
            text += f"[Service]\nStandardOutput={log}\nStandardError={log}\n"
        if unit in ("zt6-bpf.service", "zt6-bpf-agent.service"):
            text += "RestartSec=2\n"
        if unit == "zt6-bpf.service":  # systemd-sysusers has not run on this machine
            text += f"Environment=ZT6_AGENT_USER={AGENT_UID}\n"
        (system / f"{unit}.d").mkdir()
        (system / f"{unit}.d/box.conf").write_text(text)
    (tree / "usr/local/sbin").mkdir(parents=True)
    shutil.copy(BINARY, tree / "usr/local/sbin/zt6-bpf")
    etc = tree / "etc/zt6-bpf"
    etc.mkdir()
    (etc / "zt6.conf").write_text(CONF)
    (etc / "zt6.broker").write_text(f"[he-ipv6]\nuser={USER}\nkey={KEY}\ntunnel={TUNNEL_ID}\n")
    (etc / "zt6.broker").chmod(0o600)
    (folder / "out").mkdir()


@pytest.fixture(scope="module")
def boot(tmp_path_factory):
    """What units_driver.py has seen in the box, and the logs."""
    folder = tmp_path_factory.mktemp("box")
    fill_box(folder)
    done = subprocess.run(
        ["unshare", "--pid", "--fork", "--kill-child", "--mount", "--cgroup", "--uts", "--ipc",
         "--net", f"{TESTS}/systemd_box", folder],
        text=True, capture_output=True, timeout=SECONDS, check=False)
    logs = {path.name: path.read_text() for path in (folder / "out").iterdir()}
    assert "result.json" in logs, done.stdout + done.stderr + str(logs)
    result = json.loads(logs.pop("result.json"))
    assert "error" not in result, (result, logs)
    return result, logs


def test_the_loader_is_tried_again_until_the_token_the_tap_and_ipv4_are_there(boot):
    result, logs = boot
    assert result["says that there is no token"] and result["says that there is no IPv4"], logs
    for stage in ("without a token", "without IPv4"):
        assert result[stage]["zt6-bpf"]["ActiveState"] == "activating", logs
    assert result["comes up"], logs
    assert "Permission denied" not in logs["zt6-bpf.log"]  # the token is another user's
    ports = {port["name"] for port in json.loads(result["stats"])["ports"]}
    assert ports == {"eth0", "he-ipv6", result["overlay"]}


def test_the_agent_comes_with_the_loader_and_comes_back_when_it_dies(boot):
    result, logs = boot
    assert result["agent comes up"] and result["agent comes back"], logs
    before = result["up"]["zt6-bpf-agent"]["MainPID"]
    assert result["after the agent's death"]["zt6-bpf-agent"]["MainPID"] not in (before, "0")
    assert result["after the agent's death"]["zt6-bpf"]["ActiveState"] == "active"


def test_the_agent_becomes_the_owner_of_the_pins_and_reloads(boot):
    result, logs = boot
    assert result["agent's user"] == AGENT_UID, logs
    assert result["agent reload"] == 0


def test_the_update_runs_unprivileged_by_systemds_credential_and_remembers(boot):
    result, logs = boot
    assert result["updates"] == [0, 0], logs
    assert [query["hostname"] for _, query, _ in result["asked"]] == [TUNNEL_ID] * 2
    assert "first run since boot" in logs["zt6-bpf-tunnel-update.log"]
    # It may ping, and nobody answers.
    assert "the broker's end does not answer" in logs["zt6-bpf-tunnel-update.log"]
    owner, mode = result["memory"]
    assert owner != 0 and mode == 0o600
    assert result["timer"] == "active"


def test_zerotier_one_is_wanted_and_never_required(boot):
    result, _ = boot
    assert result["without zerotier-one"]["zt6-bpf"]["ActiveState"] == "active"


def test_reload_and_stop_do_as_they_say(boot):
    result, logs = boot
    assert result["reload"] == 0 and result["stop"] == 0, logs
    for unit in ("zt6-bpf", "zt6-bpf-agent"):
        assert result["down"][unit]["ActiveState"] == "inactive"
    assert not result["pins left"]


def test_no_secret_is_in_a_log(boot):
    _, logs = boot
    assert all(KEY not in text and USER not in text for text in logs.values())
