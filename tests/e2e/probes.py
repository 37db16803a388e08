# SPDX-License-Identifier: GPL-2.0-or-later
"""What the running kernel has: tests that need what it lacks are skipped, with the reason."""

import os

import pytest

from netns import Namespace, run


def refusal(command):
    """What `command` says on stderr in a network namespace of its own, where a veth waits."""
    namespace = Namespace(f"zt6-probe-{os.getpid()}")
    try:
        namespace.ip("link add veth0 type veth peer name veth1")
        program, *words = command.split()
        return run(program, "-n", namespace.name, *words, check=False).stderr.strip()
    finally:
        namespace.remove()


def needs(what, command):
    """A mark; `command` works where the kernel has it."""
    refused = refusal(command)
    return pytest.mark.skipif(bool(refused), reason=f"this kernel has no {what}: {refused}")


SIT = "ip link add probe type sit local 192.0.2.1 remote 192.0.2.2"


def needs_sit():
    return needs("sit", SIT)


def needs_no_sit():
    return pytest.mark.skipif(not refusal(SIT), reason="this kernel has sit, and the tunnel is one")


def needs_vlan():
    return needs("802.1Q", "ip link add link veth0 name probe type vlan id 100")


def needs_dummy():
    return needs("dummy", "ip link add probe type dummy")


def needs_netem():
    return needs("netem", "tc qdisc add dev veth0 root netem delay 1ms")
