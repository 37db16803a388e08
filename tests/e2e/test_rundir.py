# SPDX-License-Identifier: GPL-2.0-or-later
"""The folder of an instance under /run: it belongs to the agent, which must not get more through it
than it has, and its file system may be full."""

import contextlib
import json
import os
import shutil
import subprocess

import pytest

from gateway import AGENT_UID, BINARY
from machine import DONE, FAILED, minimal_conf
from netns import stop

CONF = minimal_conf()


@pytest.fixture
def victim(tmp_path):
    """A file of root's, into which nothing of the agent's leads."""
    path = tmp_path / "victim"
    path.write_text("root's\n")
    yield path
    assert path.read_text() == "root's\n"
    assert path.stat().st_uid == 0


@pytest.mark.parametrize("name, status", [
    ("lock", FAILED), ("journal.new", DONE), ("applied.conf.new", DONE)])
def test_a_link_in_the_folder_leads_root_nowhere(machine, victim, name, status):
    machine.gateway.up(CONF)
    link = os.path.join(os.path.dirname(machine.journal), name)
    if os.path.exists(link):
        os.unlink(link)
    os.symlink(victim, link)
    assert os.stat(os.path.dirname(link)).st_uid == AGENT_UID
    assert machine.gateway("up", check=False).returncode == status
    if status == FAILED:
        os.unlink(link)


def test_what_a_kill_left_half_written_goes_as_well(machine):
    machine.gateway.up(CONF)
    folder = os.path.dirname(machine.journal)
    for name in ("journal.new", "applied.conf.new"):
        with open(f"{folder}/{name}", "w", encoding="ascii") as file:
            file.write("half")
    machine.gateway("down")
    assert not os.path.exists(folder)


@pytest.mark.parametrize("pin, status", [("rules", DONE), ("witnessed", DONE), ("settings", FAILED)])
def test_a_link_in_place_of_a_pin_is_not_followed(machine, pin, status):
    """Where it leads to is what `up` would believe in: an object of somebody else's, in the running."""
    machine.gateway.up(CONF)
    place = f"/sys/fs/bpf/zt6-bpf/{machine.name}/{pin}"
    others = f"/sys/fs/bpf/{machine.name}"
    os.mkdir(others, 0o700)
    try:
        os.rename(place, f"{others}/{pin}")
        os.chown(f"{others}/{pin}", 0, 0)
        os.symlink(f"{others}/{pin}", place)
        up = machine.gateway("up", check=False)
        assert up.returncode == status, up.stderr
        assert os.stat(f"{others}/{pin}").st_uid == 0
        assert os.path.islink(place) == (status == FAILED)
        if status == FAILED:
            assert "is a link and no pin" in up.stderr
            machine.gateway("down")
            machine.gateway("up")
        else:
            assert os.stat(place).st_uid == AGENT_UID
    finally:
        shutil.rmtree(others)


@pytest.mark.parametrize("path", ["net/../../../{}", "../../{}", "kernel/core_pattern"])
def test_the_journal_restores_no_values_outside_of_the_network(machine, victim, path):
    machine.gateway.up(CONF)
    path = path.format(str(victim).lstrip("/"))
    with open(f"/proc/sys/{path}", encoding="ascii") as file:
        there = file.read().strip()
    # Where it is the machine's own, what a broken program would write is what is there.
    before = "nonsense" if path.endswith("victim") else there
    with open(machine.journal, "a", encoding="utf-8") as file:
        file.write(json.dumps({"op": "make", "kind": "sysctl", "before": before,
                               "spec": {"path": path, "value": there}}) + "\n")
    assert f"/proc/sys/{path}: Operation not permitted" in machine.fails("down")
    shutil.rmtree(os.path.dirname(machine.journal))


def test_closed_streams_do_not_become_files_that_are_written(machine):
    """The next file that is opened would be stdout, or stderr."""
    machine.gateway.up(CONF)
    agent = machine.gw.popen("sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh", BINARY, "-c",
                             machine.gateway.conf_path, "--instance", machine.name, "agent")
    try:
        machine.wait_for(lambda: "agent     running" in machine.gateway(
            "status", check=False).stdout)
        links = [os.readlink(f"/proc/{agent.pid}/fd/{fd}") for fd in range(3)]
        assert links == ["/dev/null"] * 3
    finally:
        stop(agent)


def hold(folder):
    """Make it; the `down` of another test may take away the folder around it meanwhile."""
    with contextlib.suppress(FileNotFoundError):
        os.makedirs(folder)
        return True
    return False


def full(machine, size, *commands):
    """`zt6-bpf COMMAND` for each, where /run/zt6-bpf has no room for more than `size` bytes."""
    program = f"{BINARY} -c {machine.gateway.conf_path} --instance {machine.name}"
    script = f"""
        mount -t tmpfs -o size={size} none /run/zt6-bpf
        {"; ".join(f"{program} {command}; echo $?" for command in commands)}"""
    # Who removes the empty folder that something is mounted on elsewhere removes what is mounted.
    held = os.path.dirname(machine.journal)
    machine.wait_for(lambda: hold(held))
    try:
        return subprocess.run(["unshare", "--mount", *machine.gw.command("sh", "-c", script)],
                              capture_output=True, text=True, check=True)
    finally:
        os.rmdir(held)


@pytest.mark.parametrize("pages", [1, 2, 3, 4])
def test_a_full_folder_lets_up_work_or_undoes_it_and_lets_down_work(machine, pages):
    """At one of the sizes the journal can be written, but not a second time."""
    machine.gateway.configure(CONF)
    before = machine.snapshot()
    done = full(machine, pages * os.sysconf("SC_PAGE_SIZE"), "up", "down")
    up, down = done.stdout.split()
    assert (up, down) in (("1", "3"), ("0", "0")), done.stderr
    if up == "1":
        assert "No space left on device" in done.stderr
    machine.assert_unchanged(before)
