# SPDX-License-Identifier: GPL-2.0-or-later
"""Bulk TCP by every way that a packet can take: XDP, TC and the kernel alone, on-link and through
the tunnel (`sit` where the kernel has it, and `device bpf`). How fast each is beside the others is
measured by `tools/bench --tcp`: a rate in a test would be that of a busy machine."""

import json

import pytest

from lab import INET, M1, OVERLAY
from probes import SIT, refusal
from traffic import FEW_MEGABYTES, ping, transfer
from ways import KERNEL, TC, XDP, gateway_of

STALLED = 10  # seconds in which nothing has moved
MSS = 1440
SEGMENTS = (FEW_MEGABYTES << 20) // MSS

# The queue of a TAP loses some of what comes faster than its process reads: by each way a few
# segments in a hundred. What is damaged, or not forwarded, is sent again and again.
SENT_AGAIN = SEGMENTS // 4

ADDRESSES = {"on-link": M1.onlink, "tunnel": M1.routed}
FAST = {"on-link": ("forwarded", "forwarded"), "tunnel": ("decapsulated", "encapsulated")}


def tcp_counter(lab, name):
    """The sum of what both ends count."""
    total = 0
    for namespace in (lab.inet, lab.m1):
        total += json.loads(namespace.run("nstat", "-asz", "--json", name).stdout)["kernel"][name]
    return total


def ways():
    """(way, path, device): on-link whatever the device; the kernel alone has no tunnel but sit."""
    for device in ([] if refusal(SIT) else ["sit"]) + ["bpf"]:
        for way in (XDP, TC, KERNEL):
            for path in ADDRESSES:
                if path == "on-link" and device == "sit" or (
                        way == KERNEL and path == "tunnel" and device == "bpf"):
                    continue
                yield way, path, device


@pytest.mark.parametrize("way, path, device", list(ways()))
def test_tcp_neither_stalls_nor_arrives_damaged(way, path, device):
    address = ADDRESSES[path]
    with gateway_of(way, device) as lab:
        assert ping(lab.inet, address, source=INET) == 3
        before = lab.gateway.counters() if way != KERNEL else None
        for server, source, client, target in ((lab.inet, INET, lab.m1, address),
                                               (lab.m1, address, lab.inet, INET)):
            sent_again = tcp_counter(lab, "TcpRetransSegs")
            done = transfer(server, source, client, target, FEW_MEGABYTES, timeout=STALLED)
            assert done.intact and done.bytes == FEW_MEGABYTES << 20
            assert tcp_counter(lab, "TcpRetransSegs") - sent_again <= SENT_AGAIN
        assert tcp_counter(lab, "TcpInCsumErrors") == 0
        if before:
            counted = lab.gateway.counters() - before
            for port, verdict in zip(("eth0", OVERLAY), FAST[path]):
                assert counted[port][verdict] >= SEGMENTS, counted[port]
