# SPDX-License-Identifier: GPL-2.0-or-later
"""Bulk TCP by every way that a packet can take: XDP, TC and the kernel alone, on-link and through
the tunnel (`sit` where the kernel has it, else `device bpf`). `pytest -rP` shows the throughputs,
which are to be compared with each other, on a machine that does nothing else."""

import contextlib

import pytest

from conftest import assert_every_packet_counted_once
from lab import (BROKER_V4, GATEWAY_V4, INET, M1, ONLINK, OVERLAY, ROUTED, TUNNEL, TUNNEL_GATEWAY,
                 Lab, conf)
from probes import SIT, refusal
from test_tc import set_datapath
from traffic import FEW_MEGABYTES, ping, transfer

STALLED = 10  # seconds in which nothing has moved
TABLE = 77
ADDRESSES = {"on-link": M1.onlink, "tunnel": M1.routed}


@contextlib.contextmanager
def gateway_of(way, device):
    """A Lab whose gateway forwards by that way."""
    if way != "kernel":
        text = conf(sixinfour=f"device {device}")
        if way == "tc":
            text = set_datapath(text, uplink="tc", overlay="tc")
        with Lab() as lab:
            lab.gateway.up(text)
            lab.gateway.start_agent()
            yield lab
            assert_every_packet_counted_once(lab.gateway)
        return
    with Lab() as lab:
        for key, value in (("all/forwarding", 1), ("all/proxy_ndp", 1)):
            lab.gw.sysctl(f"ipv6/conf/{key}", value)
        lab.gw.sysctl("ipv6/neigh/eth0/proxy_delay", 0)
        lab.gw.ip(f"neigh add proxy {M1.onlink} dev eth0 router")
        if device == "sit":
            lab.gw.ip(f"""
                link add {TUNNEL} type sit local {GATEWAY_V4} remote {BROKER_V4} ttl 255
                link set {TUNNEL} mtu 1480 up
                route add {TUNNEL_GATEWAY} dev {TUNNEL}
                route add ::/0 dev {TUNNEL} table {TABLE}""")
            for target, table in ((ROUTED, "main"), (ONLINK, "main"), ("::/0", TABLE)):
                lab.gw.show(f"-6 rule add from {ROUTED} to {target} lookup {table}"
                            f" priority {100 if table == 'main' else 101}")
        yield lab


def checksum_errors(lab):
    """Of TCP segments that arrived at either end."""
    total = 0
    for namespace in (lab.inet, lab.m1):
        shown = namespace.run("nstat", "-asz", "TcpInCsumErrors").stdout
        total += int(shown.split("TcpInCsumErrors")[1].split()[0])
    return total


def ways():
    """(way, path, device): the kernel alone has no tunnel but sit."""
    for device in ([] if refusal(SIT) else ["sit"]) + ["bpf"]:
        for way in ("xdp", "tc", "kernel"):
            for path in ADDRESSES:
                if path == "on-link" and device == "sit" or (
                        way == "kernel" and path == "tunnel" and device == "bpf"):
                    continue
                yield way, path, device


@pytest.mark.parametrize("way, path, device", list(ways()))
def test_tcp_neither_stalls_nor_arrives_damaged(way, path, device):
    address = ADDRESSES[path]
    with gateway_of(way, device) as lab:
        assert ping(lab.inet, address, source=INET) == 3
        before = lab.gateway.counters() if way != "kernel" else None
        down = transfer(lab.inet, INET, lab.m1, address, FEW_MEGABYTES, timeout=STALLED)
        up = transfer(lab.m1, address, lab.inet, INET, FEW_MEGABYTES, timeout=STALLED)
        assert down.intact and up.intact and checksum_errors(lab) == 0
        print(f"{way}, {path}, {device}: {down.megabits:.0f} Mb/s inward, {up.megabits:.0f} outward")
        if before:
            counted = lab.gateway.counters() - before
            fast = {"on-link": ("forwarded", "forwarded"),
                    "tunnel": ("decapsulated", "encapsulated")}[path]
            assert counted["eth0"][fast[0]] >= FEW_MEGABYTES * 20
            assert counted[OVERLAY][fast[1]] >= FEW_MEGABYTES * 20
