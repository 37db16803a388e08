# SPDX-License-Identifier: GPL-2.0-or-later
"""One machine with nothing behind its cables: enough for tests of what `up` and `down` change."""

import contextlib
import itertools
import os
import time

from gateway import BINARY, Gateway
from lab import BROKER_V4, GATEWAY_V4, LAN_ADDRESS, ONLINK_ADDRESS, ONLINK_ROUTER, OVERLAY
from netns import Namespace, remove_stale
from snapshot import difference, snapshot

DONE, FAILED, USAGE, NOT_UP, CONFIG = 0, 1, 2, 3, 78

_serial = itertools.count()


class Machine:
    """eth0 (uplink), eth1 (lan), eth2 (spare) and an overlay, each a veth whose other end is
    `far`. Use as a context manager."""

    def __init__(self):
        self.name = f"zt6l-{os.getpid()}-{next(_serial)}"
        self._stack = contextlib.ExitStack()

    def __enter__(self):
        remove_stale(r"zt6l-(\d+)-\d+-[a-z]+")
        try:
            for role in ("gw", "far"):
                namespace = Namespace(f"{self.name}-{role}")
                self._stack.callback(namespace.remove)
                setattr(self, role, namespace)
            for device in ("eth0", "eth1", "eth2", OVERLAY):
                self.gw.ip(f"link add {device} type veth peer name {device} netns {self.far.name}")
                for namespace in (self.gw, self.far):
                    namespace.ip(f"link set {device} up")
            self.gw.ip(f"""
                addr add {GATEWAY_V4}/24 dev eth0
                addr add {ONLINK_ADDRESS}/64 dev eth0
                addr add {LAN_ADDRESS}/64 dev eth1
                route add default via 192.0.2.1
                route add default via {ONLINK_ROUTER}""")
            while "tentative" in self.gw.show("addr"):
                time.sleep(0.01)
            self.gateway = Gateway(self.gw, self.name)
            self._stack.callback(self.gateway.close)
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(self, *_):
        self._stack.close()

    @property
    def journal(self):
        return f"/run/zt6-bpf/{self.name}/journal"

    def snapshot(self):
        return snapshot(self.gw, self.name)

    def assert_unchanged(self, before, seconds=5):
        """The namespace is, or within `seconds` becomes, as it was: a program whose last holder
        was killed is detached a little later."""
        deadline = time.monotonic() + seconds
        while (changes := difference(before, self.snapshot())) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert not changes, "\n".join(changes)

    @staticmethod
    def wait_for(condition, seconds=5):
        """Until it holds, which it must within `seconds`."""
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, "it did not come about"
            time.sleep(0.05)

    def fails(self, *arguments, status=FAILED):
        """Run it; what it says on stderr when it ends as it should: with `status`."""
        done = self.gateway(*arguments, check=False)
        assert done.returncode == status, done.stderr or done.stdout
        return done.stderr

    def start(self, *arguments, **options):
        """`zt6-bpf ARGUMENTS...` in the background."""
        return self.gw.popen(BINARY, "-c", self.gateway.conf_path, "--instance",
                             self.gateway.instance, *arguments, **options)

    def routes(self, arguments=""):
        """`ip -6 route show ARGUMENTS`, as a list of lines without trailing blanks."""
        return [line.strip() for line in
                self.gw.show(f"-6 route show {arguments}").splitlines()]

    def way(self, destination, arguments=""):
        """The device that the kernel sends a packet to `destination` out of."""
        words = self.gw.show(f"-6 route get {destination} {arguments}").split()
        return words[words.index("dev") + 1]


def minimal_conf(**settings):
    """A tunnel section's keys by name, in a conf of an uplink and that tunnel alone."""
    keys = {"local": GATEWAY_V4, "remote": BROKER_V4, "address": "2001:db8:7::80/64"}
    keys.update({name.replace("_", "-"): value for name, value in settings.items()})
    lines = "".join(f"    {name} {value}\n" for name, value in keys.items())
    return f"uplink eth0\ntunnel he-ipv6 {{\n{lines}}}\n"
