# SPDX-License-Identifier: GPL-2.0-or-later
"""The gateway under test, used as an administrator uses it: the binary, a file, its output."""

import contextlib
import json
import os
import socket
import tempfile
import time

from netns import stop

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get("ZT6_BUILD", os.path.join(TOP, "build"))
BINARY = os.path.join(BUILD, "zt6-bpf")

# The agent's own user, as the package makes it; here one by number that the machine need not have.
AGENT_UID = 64664
os.environ["ZT6_AGENT_USER"] = str(AGENT_UID)

READY_SECONDS = 10  # that an agent may take to start, under sanitizers on a busy machine too


def peer(name):
    """A helper program of the tests, built by `make e2e-peers`."""
    return os.path.join(BUILD, "tests/e2e", name)


class Gateway:
    """`zt6-bpf` in a network namespace, as an instance of its own."""

    def __init__(self, namespace, instance):
        self.namespace = namespace
        self.instance = instance
        self.agent_process = None
        with tempfile.NamedTemporaryFile("w", prefix="zt6-", suffix=".conf", delete=False) as file:
            self.conf_path = file.name

    def __call__(self, *arguments, check=True):
        """`zt6-bpf ARGUMENTS...`"""
        return self.namespace.run(BINARY, "-c", self.conf_path, "--instance", self.instance,
                                  *arguments, check=check)

    def configure(self, text):
        with open(self.conf_path, "w", encoding="ascii") as file:
            file.write(text)

    def up(self, conf=None):
        if conf is not None:
            self.configure(conf)
        return self("up")

    def start_agent(self):
        """Run `zt6-bpf agent` in the background, and go on when it says that it is ready."""
        name = f"{self.instance}-agent"
        with self.namespace.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
            manager.bind(f"\0{name}")  # without a file, for the agent is another user
            self.agent_process = self.namespace.popen(
                BINARY, "-c", self.conf_path, "--instance", self.instance, "agent",
                env={**os.environ, "NOTIFY_SOCKET": f"@{name}"})
            self._wait_until_ready(manager)

    def _wait_until_ready(self, manager):
        manager.settimeout(0.05)
        deadline = time.monotonic() + READY_SECONDS
        while self.agent_process.poll() is None and time.monotonic() < deadline:
            with contextlib.suppress(TimeoutError):
                if manager.recv(4096) == b"READY=1":
                    return
        raise RuntimeError("the agent did not get ready: exit status "
                           f"{self.agent_process.returncode}")

    def stop_agent(self):
        if self.agent_process:
            stop(self.agent_process)
            self.agent_process = None

    def close(self):
        """Whatever state it is in, leave nothing behind."""
        self.stop_agent()
        self("down", check=False)
        if os.path.exists(self.conf_path):
            os.unlink(self.conf_path)

    def stats(self):
        """`stats --json` as it is."""
        return json.loads(self("stats", "--json").stdout)

    def counters(self):
        return Counters(self.stats())


class Counters:
    """A reading of `stats --json`, in packets; a later one minus an earlier one is what happened
    in between."""

    def __init__(self, stats):
        self.rx = {port["name"]: port["rx"]["packets"] for port in stats["ports"]}
        self.verdicts = {port["name"]: {name: count["packets"]
                                        for name, count in port["verdicts"].items()}
                         for port in stats["ports"]}

    def __sub__(self, earlier):
        difference = Counters({"ports": []})
        for port, verdicts in self.verdicts.items():
            before = earlier.verdicts.get(port, {})
            difference.rx[port] = self.rx[port] - earlier.rx.get(port, 0)
            difference.verdicts[port] = {name: count - before.get(name, 0)
                                         for name, count in verdicts.items()}
        return difference

    def __getitem__(self, port):
        """The verdicts of a port that are not zero."""
        return {name: count for name, count in self.verdicts[port].items() if count}

    def unexplained(self):
        """Ports on which rx is not the sum of the verdicts, with both numbers."""
        return {port: (self.rx[port], sum(verdicts.values()))
                for port, verdicts in self.verdicts.items()
                if self.rx[port] != sum(verdicts.values())}
