# SPDX-License-Identifier: GPL-2.0-or-later
"""`up` that fails, that is killed, or that runs where another one is: nothing is half done."""

import contextlib
import json
import os
import re
import shutil
import signal
import struct
import tempfile
import time

import pytest

from gateway import BINARY, peer
from lab import (GATEWAY_V4, LAN_ADDRESS, ONLINK, ROUTED, TUNNEL,
                 TUNNEL_ADDRESS, TUNNEL_GATEWAY, conf)
from machine import CONFIG, DONE, FAILED, NOT_UP, Machine, minimal_conf
from maps import Map

LIGHT = minimal_conf(address=f"{TUNNEL_ADDRESS}/64", gateway=TUNNEL_GATEWAY, routed=ROUTED,
                     ) + f"proxy eth0 {{\n    rule {ONLINK} {{\n        auto\n    }}\n}}\n"


# What is wrong, how it came about, and a part of the message that says so.
FAULTS = {
    "no such uplink": (["link del eth0"], LIGHT, "uplink eth0: no such interface"),
    "no Ethernet": (["link del eth1", "tuntap add name eth1 mode tun"], conf(lan=True),
                    "lan eth1: not an Ethernet interface"),
    "name taken": ([f"link add {TUNNEL} type veth peer name x"], LIGHT,
                   f"ip link delete {TUNNEL}"),
    "address taken": ([f"addr add {TUNNEL_ADDRESS}/128 dev eth2"], LIGHT,
                      f"address {TUNNEL_ADDRESS} is on eth2 already"),
    "public local": ([], LIGHT.replace(GATEWAY_V4, "203.0.113.9"),
                     "local 203.0.113.9 is on no interface of this machine"),
    "no local yet": ([f"addr del {GATEWAY_V4}/24 dev eth0"], LIGHT.replace(GATEWAY_V4, "auto"),
                     "eth0 has no IPv4 address"),
    "mtu": (["link set eth0 mtu 1400"], LIGHT, "mtu 1480 is too large: eth0 carries 1400"),
    "default route taken": ([], LIGHT.replace("routed", "default yes\n    routed"),
                            'another default route has this metric: set "metric"'),
    "route taken": (["route add unreachable 2001:db8:48::/48 metric 1024"], conf(),
                    "somebody else's route is in its place"),
    "no link-local address": (["link set eth0 addrgenmode none", "addr flush dev eth0 scope link"],
                              LIGHT, "eth0: no link-local address"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_an_up_that_fails_says_why_and_changes_nothing(machine, fault):
    commands, text, message = FAULTS[fault]
    for command in commands:
        machine.gw.ip(command)
    machine.gateway.configure(text)
    before = machine.snapshot()
    assert message in machine.fails("up")
    machine.assert_unchanged(before)
    machine.fails("down", status=NOT_UP)


def test_a_program_of_somebody_else_is_never_replaced(machine):
    machine.gw.attach_xdp("eth0", peer("pass.bpf.o"), "xdp.frags")
    machine.gateway.configure(
        LIGHT.replace("uplink eth0\n", "uplink eth0 {\n    datapath xdp\n}\n"))
    before = machine.snapshot()
    message = machine.fails("up")
    assert "eth0: cannot attach XDP" in message and '"pass"' in message
    machine.assert_unchanged(before)


def test_beside_a_program_of_somebody_else_auto_goes_to_tc(machine):
    machine.gw.attach_xdp("eth0", peer("pass.bpf.o"), "xdp.frags")
    before = machine.snapshot()
    machine.gateway.up(LIGHT)
    status = json.loads(machine.gateway("status", "--json", check=False).stdout)
    port = next(port for port in status["ports"] if port["name"] == "eth0")
    assert port["datapath"] == "tc"
    assert port["reason"] == "another program is on the XDP hook"
    assert "; another program is on the XDP hook" in machine.gateway("status", check=False).stdout
    machine.gateway("down")
    machine.assert_unchanged(before)


@pytest.mark.parametrize("fault", ["program", "interface", "address", "configuration"])
def test_a_failed_second_up_leaves_the_first_at_work(machine, fault):
    before = machine.snapshot()
    machine.gateway.up(LIGHT)
    up = normalized(machine.snapshot())
    changed = LIGHT.replace("local ", "mtu 1400\n    local ")
    if fault == "program":
        machine.gw.attach_xdp("eth1", peer("pass.bpf.o"), "xdp.frags")
        changed += "lan eth1 {\n    datapath xdp\n    prefix 2001:db8:7:1::/64\n}\n"
    elif fault == "interface":
        changed = changed.replace("mtu 1400", "uplink eth0\n    mtu 1400") + "uplink eth9\n"
    elif fault == "address":
        changed = changed.replace(TUNNEL_ADDRESS + "/", LAN_ADDRESS + "/")
    else:
        changed += "nonsense\n"
    machine.gateway.configure(changed)
    machine.fails("up", status=CONFIG if fault == "configuration" else FAILED)
    if fault == "program":
        machine.gw.run("ip", "link", "set", "dev", "eth1", "xdp", "off")
    assert normalized(machine.snapshot()) == up
    assert machine.gateway("stats").returncode == DONE
    machine.gateway("down")
    machine.assert_unchanged(before)


def normalized(lines):
    return [re.sub(r"(xdp/id:|prog/xdp id )\d+.*?( qdisc|$)", r"\1N\2", line) for line in lines]


@contextlib.contextmanager
def binary_for_everybody():
    """A copy of the program in a place that any user can reach."""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        copy = shutil.copy(BINARY, folder)
        os.chmod(copy, 0o755)
        yield copy


@pytest.mark.parametrize("drop, missing", [
    (["--reuid=65534", "--regid=65534", "--clear-groups"], "CAP_NET_ADMIN, CAP_BPF, CAP_PERFMON"),
    (["--bounding-set=-net_admin"], "lacks CAP_NET_ADMIN;"),
    (["--bounding-set=-sys_admin,-bpf"], "lacks CAP_BPF;"),
], ids=["nobody", "no CAP_NET_ADMIN", "no CAP_BPF"])
def test_a_missing_capability_is_named(machine, drop, missing):
    machine.gateway.configure(LIGHT)
    os.chmod(machine.gateway.conf_path, 0o644)
    before = machine.snapshot()
    with binary_for_everybody() as binary:
        def unprivileged(*arguments):
            return machine.gw.run("setpriv", *drop, binary, "-c", machine.gateway.conf_path,
                                  "--instance", machine.name, *arguments, check=False)
        done = unprivileged("up")
        assert done.returncode == FAILED and missing in done.stderr
        machine.assert_unchanged(before)
        assert unprivileged("up", "--dry-run").returncode == DONE
        assert unprivileged("down").returncode == NOT_UP

        machine.gateway("up")
        up = machine.snapshot()
        for command in ("up", "reload", "down"):
            done = unprivileged(command)
            assert done.returncode == FAILED and missing in done.stderr
        machine.assert_unchanged(up)


def test_bpffs_is_mounted_when_it_is_not(machine):
    """In a mount namespace of its own, in which the machine's bpffs is out of sight."""
    machine.gateway.configure(LIGHT)
    before = machine.snapshot()
    gateway = f"{BINARY} -c {machine.gateway.conf_path} --instance {machine.name}"
    kind = "stat -f -c %T /sys/fs/bpf"
    shown = machine.gw.run("unshare", "-m", "sh", "-ec", f"""
        umount -l /sys/fs/bpf
        {kind}
        {gateway} up
        {kind}
        {gateway} stats > /dev/null
        {gateway} up
        {gateway} down
        {kind}
        {gateway} up
        mkdir /sys/fs/bpf/others
        {gateway} down
        {kind}
        umount -l /sys/fs/bpf
        {gateway} up
        mount -t bpf bpf /sys/fs/bpf
        {gateway} down
        grep -c ' /sys/fs/bpf bpf ' /proc/self/mounts""").stdout.split()
    assert shown == ["sysfs", "bpf_fs", "sysfs", "bpf_fs", "2"]
    machine.assert_unchanged(before)


def kill_when(process, due, seconds=60):
    """SIGKILL it as soon as `due()`; whether it came to that."""
    deadline = time.monotonic() + seconds
    while process.poll() is None and time.monotonic() < deadline:
        if due():
            process.kill()
            return process.wait() == -signal.SIGKILL
    assert process.poll() is not None, "up hangs"
    return False


def journal_lines(machine):
    try:
        with open(machine.journal, "rb") as file:
            return file.read().count(b"\n")
    except OSError:
        return 0


@pytest.mark.parametrize("lines, then", [
    (1, "down"), (2, "up"), (4, "down"), (5, "up"), (7, "down"), (9, "up"), (11, "down"),
    (13, "up"), ("maps", "down"), ("maps", "up"), ("links", "down"), ("links", "up"),
])
def test_after_a_kill_at_any_point_nothing_is_lost(machine, lines, then):
    pins = f"/sys/fs/bpf/zt6-bpf/{machine.name}"

    def due():
        if lines == "maps":
            return os.path.exists(f"{pins}/settings")
        if lines == "links":
            return os.path.exists(f"{pins}/xdp_link_0")
        return journal_lines(machine) >= lines

    machine.gateway.configure(LIGHT)
    before = machine.snapshot()
    process = machine.start("up")
    killed = kill_when(process, due)
    if killed:
        assert os.path.exists(machine.journal)
    if then == "up":
        machine.gateway("up")
        machine.gateway("stats")
    machine.gateway("down")
    machine.assert_unchanged(before)


@pytest.mark.parametrize("lines, signal_number", [(2, signal.SIGTERM), (9, signal.SIGINT)])
def test_an_interrupted_up_goes_back(machine, lines, signal_number):
    machine.gateway.configure(LIGHT)
    before = machine.snapshot()
    process = machine.start("up")
    while process.poll() is None and journal_lines(machine) < lines:
        pass
    process.send_signal(signal_number)
    assert process.wait(30) == -signal_number
    machine.assert_unchanged(before)


def test_a_line_that_a_crash_cut_off_is_left_out(machine):
    before = machine.snapshot()
    machine.gateway.up(LIGHT)
    with open(machine.journal, "a", encoding="utf-8") as file:
        file.write('{"op":"make","kind":"route","spec":{"destin')
    machine.gateway("up")
    with open(machine.journal, "a", encoding="utf-8") as file:
        file.write('{"op":"make","kind":"rou')
    machine.gateway("down")
    machine.assert_unchanged(before)


@pytest.mark.parametrize("damage", ["nonsense\n", '{"op":"make","kind":"wormhole","spec":{}}\n'])
def test_a_journal_of_another_version_is_refused(machine, damage):
    before = machine.snapshot()
    machine.gateway.up(LIGHT)
    with open(machine.journal, encoding="utf-8") as file:
        journal = file.read()
    with open(machine.journal, "w", encoding="utf-8") as file:
        file.write(journal.replace("\n", "\n" + damage, 1))
    try:
        up = machine.snapshot()
        for command in ("up", "down"):
            assert f"{machine.journal}:2: " in machine.fails(command)
        machine.assert_unchanged(up)
    finally:
        with open(machine.journal, "w", encoding="utf-8") as file:
            file.write(journal)
    machine.gateway("down")
    machine.assert_unchanged(before)


def test_a_lost_journal_is_said_and_what_is_pinned_goes(machine):
    machine.gateway.up(LIGHT)
    os.unlink(machine.journal)
    assert "no journal" in machine.gateway("down").stderr
    assert "xdp" not in machine.gw.show("link show eth0")
    assert not os.path.exists(f"/sys/fs/bpf/zt6-bpf/{machine.name}")


def test_a_full_disk_undoes_up(machine):
    """The journal cannot grow: /run is full."""
    machine.gateway.configure(LIGHT)
    before = machine.snapshot()
    process = machine.gw.popen(
        "prlimit", "--fsize=700", "sh", "-c", 'trap "" XFSZ; exec "$@"', "sh", BINARY, "-c",
        machine.gateway.conf_path, "--instance", machine.name, "up")
    assert process.wait(60) == FAILED
    machine.assert_unchanged(before)


def test_two_instances_in_two_namespaces_share_a_file_system(machine):
    with Machine() as other:
        before, other_before = machine.snapshot(), other.snapshot()
        machine.gateway.up(LIGHT)
        other.gateway.up(LIGHT)
        up = other.snapshot()
        machine.gateway("down")
        machine.assert_unchanged(before)
        other.assert_unchanged(up)
        assert other.gateway("stats").returncode == DONE
        other.gateway("down")
        other.assert_unchanged(other_before)


def test_an_instance_is_not_touched_from_another_namespace(machine):
    machine.gateway.up(LIGHT)
    up = machine.snapshot()
    with Machine() as other:
        before = other.snapshot()
        other.gateway.configure(LIGHT)
        other.gateway.instance = machine.name
        for command in ("up", "reload", "down"):
            message = other.fails(command)
            assert f"net:[{os.stat(machine.gw.path).st_ino}]" in message
            assert "nsenter" in message and f"/run/zt6-bpf/{machine.name}" in message
        other.assert_unchanged(before)
        machine.assert_unchanged(up)


@pytest.mark.parametrize("command", ["up", "down"])
def test_what_a_namespace_took_with_it_is_forgotten(machine, command):
    """The kernel gives the namespace's number out again; the cookie tells the two apart."""
    before = machine.snapshot()
    machine.gateway.up(LIGHT)
    with open(machine.journal, encoding="utf-8") as file:
        header, *lines = [json.loads(line) for line in file]
    machine.gateway("down")
    header["netns"]["cookie"] -= 1
    os.makedirs(os.path.dirname(machine.journal))
    with open(machine.journal, "w", encoding="utf-8") as file:
        file.writelines(json.dumps(line) + "\n" for line in [header, *lines])
    machine.gw.sysctl("ipv4/conf/lo/forwarding", 1)  # what the old journal would put back to 0
    machine.gateway(command)
    if command == "up":
        machine.gateway("down")
    assert machine.gw.sysctl("ipv4/conf/lo/forwarding") == "1"
    machine.gw.sysctl("ipv4/conf/lo/forwarding", 0)
    machine.assert_unchanged(before)


@pytest.mark.parametrize("command", ["up", "reload", "status", "stats", "agent"])
def test_maps_of_another_schema_are_refused_with_the_remedy(machine, command):
    """The instance goes on as it is; `down` of any version takes it away."""
    before = machine.snapshot()
    machine.gateway.up(LIGHT)
    up = machine.snapshot()
    key = struct.pack("=I", 0)
    with Map(machine.gateway, "settings") as settings:
        value = settings.get(key, 4096)
        settings[key] = struct.pack("=I", 1) + value[4:]
    message = machine.fails(command)
    assert "another version" in message and 'run "zt6-bpf down" first' in message
    assert machine.snapshot() == up
    machine.gateway("down")
    machine.assert_unchanged(before)
