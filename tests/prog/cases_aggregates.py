# SPDX-License-Identifier: GPL-2.0-or-later
"""Aggregates of GRO or segmentation offload, which only TC sees: they are forwarded whole, as long as
each of the packets that they stand for fits."""

from scapy.compat import raw
from scapy.layers.inet import TCP, UDP
from scapy.layers.inet6 import ICMPv6EchoRequest, IPv6
from scapy.packet import Raw

from net import (FAR_NATIVE, FAR_TUNNEL, LAN_HOST, ROUTER, arrives, configuration, leaves, scenario,
                 sequence, step)

UPLINK_MTU = 1500
SEGMENTS = 2
TIMESTAMPS = [("NOP", None), ("NOP", None), ("Timestamp", (1, 2))]


def aggregate(transport, size, destination=FAR_NATIVE):
    """Of SEGMENTS packets with `size` bytes of payload each."""
    body = bytes((i * 7 + 1) % 256 for i in range(SEGMENTS * size))
    return IPv6(raw(IPv6(src=LAN_HOST.address, dst=destination) / transport / Raw(body)))


def case(name, transport, size, verdict, destination=FAR_NATIVE):
    ip = aggregate(transport, size, destination)
    out = leaves(ROUTER, ip) if verdict == "forwarded" else None
    return sequence(name, {**step("eth1", arrives(LAN_HOST, ip), verdict, out),
                           "segments": SEGMENTS, "segment_size": size})


def at_the_mtu(name, transport, header):
    fits = UPLINK_MTU - 40 - header
    return [case(f"{name} whose packets just fit is forwarded whole", transport, fits, "forwarded"),
            case(f"{name} whose packets are one byte too large goes to the kernel", transport,
                 fits + 1, "pass_too_big")]


def scenarios():
    tcp = TCP(sport=4096, dport=80, flags="PA")
    stamped = TCP(sport=4096, dport=80, flags="PA", options=TIMESTAMPS)
    cases = (at_the_mtu("aggregate of TCP", tcp, 20) +
             at_the_mtu("aggregate of TCP with options", stamped, 32) +
             at_the_mtu("aggregate of UDP", UDP(sport=4096, dport=53), 8))
    cases.append(case("aggregate of something else goes to the kernel", ICMPv6EchoRequest(), 100,
                      "pass_too_big"))
    cases.append(case("aggregate whose packets are too large for the tunnel goes to the kernel", tcp,
                      1421, "pass_too_big", FAR_TUNNEL))
    return [scenario("aggregates", configuration(), cases)]
