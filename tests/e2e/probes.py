# SPDX-License-Identifier: GPL-2.0-or-later
"""What the running kernel has: tests that need what it lacks are skipped, with the reason."""

import os

import pytest

from netns import Namespace, run


def needs(what, command):
    """A mark; `command` is tried in a network namespace of its own, where a veth waits."""
    namespace = Namespace(f"zt6-probe-{os.getpid()}")
    try:
        namespace.ip("link add veth0 type veth peer name veth1")
        program, *words = command.split()
        refusal = run(program, "-n", namespace.name, *words, check=False).stderr.strip()
    finally:
        namespace.remove()
    return pytest.mark.skipif(bool(refusal), reason=f"this kernel has no {what}: {refusal}")


def needs_sit():
    return needs("sit", "ip link add probe type sit local 192.0.2.1 remote 192.0.2.2")


def needs_vlan():
    return needs("802.1Q", "ip link add link veth0 name probe type vlan id 100")


def needs_dummy():
    return needs("dummy", "ip link add probe type dummy")


def needs_netem():
    return needs("netem", "tc qdisc add dev veth0 root netem delay 1ms")
