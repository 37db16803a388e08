# SPDX-License-Identifier: GPL-2.0-or-later
"""A gateway by each way that a packet can take: XDP, TC, and the kernel alone, configured by hand as
one without this project would be. For tests, and for tools/benchmark/tcp.py."""

import contextlib

from conftest import assert_every_packet_counted_once
from lab import (BROKER_V4, GATEWAY_V4, M1, ONLINK, ONLINK_ADDRESS, OVERLAY, ROUTED, TUNNEL,
                 TUNNEL_GATEWAY, Lab, conf)

XDP, TC, KERNEL = "xdp", "tc", "kernel"

# A segment that the router reaches without the tunnel.
NATIVE_LAN = "2001:db8:49::/64"
NATIVE_LAN_ADDRESS = "2001:db8:49::1"
NATIVE_LAN_HOST = "2001:db8:49::10"

_TABLE = 77


def set_datapath(text, **ports):
    """`text` with a datapath in the sections of some ports: uplink, overlay, lan."""
    heads = {"uplink": "uplink eth0", "overlay": f"    interface {OVERLAY}", "lan": "lan eth1 {"}
    for port, datapath in ports.items():
        line = f"    datapath {datapath}\n"
        new = {"uplink": f"uplink eth0 {{\n{line}}}", "overlay": f"{heads[port]}\n{line.rstrip()}",
               "lan": f"{heads[port]}\n{line.rstrip()}"}[port]
        assert heads[port] in text
        text = text.replace(heads[port], new, 1)
    return text


def _configure_kernel(lab, device):
    """What `up` does for a Lab, done with the kernel's own means; a tunnel only where that is sit."""
    for key, value in (("all/forwarding", 1), ("all/proxy_ndp", 1)):
        lab.gw.sysctl(f"ipv6/conf/{key}", value)
    lab.gw.sysctl("ipv6/neigh/eth0/proxy_delay", 0)
    lab.gw.ip(f"neigh add proxy {M1.onlink} dev eth0 router")
    if device != "sit":
        return
    lab.gw.ip(f"""
        link add {TUNNEL} type sit local {GATEWAY_V4} remote {BROKER_V4} ttl 255
        link set {TUNNEL} mtu 1480 up
        route add {TUNNEL_GATEWAY} dev {TUNNEL}
        route add ::/0 dev {TUNNEL} table {_TABLE}""")
    for target, table in ((ROUTED, "main"), (ONLINK, "main"), ("::/0", _TABLE)):
        lab.gw.show(f"-6 rule add from {ROUTED} to {target} lookup {table}"
                    f" priority {100 if table == 'main' else 101}")


def _add_native_lan(lab):
    lab.router.ip(f"route add {NATIVE_LAN} via {ONLINK_ADDRESS}")
    lab.gw.ip(f"addr add {NATIVE_LAN_ADDRESS}/64 dev eth1")
    lab.lan.ip(f"""
        addr add {NATIVE_LAN_HOST}/64 dev eth0
        route replace default via {NATIVE_LAN_ADDRESS}""")


@contextlib.contextmanager
def gateway_of(way, device, lan=False):
    """A Lab whose gateway forwards by that way, with the tunnel in that device: sit or bpf. With
    `lan`, also to NATIVE_LAN on eth1. What arrives at its cables is merged (GRO), as behind a
    network card."""
    with Lab() as lab:
        for device_name in ("eth0", "eth1"):
            lab.gw.run("ethtool", "-K", device_name, "gro", "on")
        if lan:
            _add_native_lan(lab)
        if way == KERNEL:
            _configure_kernel(lab, device)
            yield lab
            return
        more = f"lan eth1 {{\n    prefix {NATIVE_LAN}\n}}" if lan else ""
        text = conf(sixinfour=f"device {device}", more=more)
        if way == TC:
            text = set_datapath(text, uplink=TC, overlay=TC, **({"lan": TC} if lan else {}))
        lab.gateway.up(text)
        lab.gateway.start_agent()
        yield lab
        assert_every_packet_counted_once(lab.gateway)
