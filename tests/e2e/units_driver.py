# SPDX-License-Identifier: GPL-2.0-or-later
"""Inside systemd_box: the boot of a machine on which everything comes late. What it sees goes to
/out/result.json, for test_units.py to judge."""

import contextlib
import json
import os
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from broker_double import Broker  # noqa: E402
from lab import NETWORK, OVERLAY  # noqa: E402
from zerotier_double import ZeroTier  # noqa: E402

UNITS = ("zt6-bpf", "zt6-bpf-agent", "zt6-bpf-tunnel-update")
SECONDS = 60


class Here:
    """The namespace that this process is in, as the doubles want one."""
    name = "box"

    @contextlib.contextmanager
    def enter(self):
        yield self

    def ip(self, commands):
        lines = "\n".join(line.strip() for line in commands.strip().splitlines())
        subprocess.run(["ip", "-batch", "-"], input=lines + "\n", text=True, check=True)


def systemctl(*arguments):
    return subprocess.run(["systemctl", *arguments], check=False).returncode


def state(unit):
    shown = subprocess.run(["systemctl", "show", unit, "--property", "ActiveState,MainPID"],
                           text=True, capture_output=True, check=True).stdout
    return dict(line.split("=", 1) for line in shown.split())


def states():
    return {unit: state(f"{unit}.service") for unit in UNITS}


def wait(unit, wanted):
    """Whether the unit gets into a state within SECONDS."""
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        if state(unit)["ActiveState"] == wanted:
            return True
        time.sleep(0.2)
    return False


def wait_for_log(text):
    """Until the loader has said that."""
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        with contextlib.suppress(FileNotFoundError):
            with open("/out/zt6-bpf.log", encoding="utf-8") as file:
                if text in file.read():
                    return True
        time.sleep(0.2)
    return False


def update(here, result):
    with Broker(here) as broker:
        folder = "/run/systemd/system/zt6-bpf-tunnel-update.service.d"
        os.makedirs(folder)
        with open(f"{folder}/url.conf", "w", encoding="ascii") as file:
            file.write(f"[Service]\nEnvironment=ZT6_BROKER_URL={broker.url}\n")
        systemctl("daemon-reload")
        result["updates"] = [systemctl("start", "zt6-bpf-tunnel-update.service")
                             for _ in range(2)]
        result["asked"] = broker.requests
        memory = os.stat("/run/zt6-bpf-tunnel-update/default/he-ipv6")
        result["memory"] = [memory.st_uid, memory.st_mode & 0o777]
        systemctl("start", "zt6-bpf-tunnel-update.timer")
        result["timer"] = state("zt6-bpf-tunnel-update.timer")["ActiveState"]


def main():
    here, result = Here(), {"overlay": OVERLAY}
    here.ip("""
        link set lo up
        link add eth0 type veth peer name wire0
        link set eth0 up
        link set wire0 up""")
    with open("/proc/sys/net/ipv4/ping_group_range", "w", encoding="ascii") as file:
        file.write("0 2147483647")  # as Debian's systemd sets it

    systemctl("start", "zt6-bpf.service")
    result["says that there is no token"] = wait_for_log("has not run here yet")
    result["without a token"] = states()

    # A home folder that belongs to the service's own user, as its package makes it.
    os.makedirs("/var/lib/zerotier-one", exist_ok=True)
    zerotier = ZeroTier(here, NETWORK)
    zerotier.home = "/var/lib/zerotier-one"
    with zerotier:
        os.chown(f"{zerotier.home}/authtoken.secret", 999, 999)
        result["says that there is no IPv4"] = wait_for_log("IPv4 address")
        result["without IPv4"] = states()
        here.ip("addr add 192.0.2.80/24 dev eth0")
        result["comes up"] = wait("zt6-bpf.service", "active")
        result["agent comes up"] = wait("zt6-bpf-agent.service", "active")
        result["up"] = states()
        agent = state("zt6-bpf-agent.service")["MainPID"]
        with open(f"/proc/{agent}/status", encoding="ascii") as status:
            result["agent's user"] = int(next(line for line in status
                                              if line.startswith("Uid:")).split()[1])
        result["agent reload"] = systemctl("reload", "zt6-bpf-agent.service")
        result["stats"] = subprocess.run(["/usr/local/sbin/zt6-bpf", "stats", "--json"], text=True,
                                         capture_output=True, check=False).stdout
        update(here, result)
        result["reload"] = systemctl("reload", "zt6-bpf.service")
        os.kill(int(state("zt6-bpf-agent.service")["MainPID"]), 9)
        wait("zt6-bpf-agent.service", "activating")
        result["agent comes back"] = wait("zt6-bpf-agent.service", "active")
        result["after the agent's death"] = states()
    result["without zerotier-one"] = states()
    result["stop"] = systemctl("stop", "zt6-bpf.service")
    result["down"] = states()
    result["pins left"] = os.path.exists("/sys/fs/bpf/zt6-bpf/default")
    return result


if __name__ == "__main__":
    try:
        outcome = main()
    except Exception as error:  # the box ends with this process: say why where it is looked for
        outcome = {"error": repr(error)}
    with open("/out/result.json", "w", encoding="utf-8") as out:
        json.dump(outcome, out, indent=1)
