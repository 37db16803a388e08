# SPDX-License-Identifier: GPL-2.0-or-later
"""Raw frames past the gateway, with scapy as the codec that shares nothing with it."""

from scapy.layers.inet import UDP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import Ether
from scapy.packet import Raw

from lab import GATEWAY, M1, OVERLAY

PORT = 4321


def udp(source, destination, hop_limit=64, payload=b"over the gateway", **fields):
    return IPv6(src=source, dst=destination, hlim=hop_limit, **fields) / UDP(
        sport=1234, dport=PORT) / Raw(payload)


def is_udp(packet):
    return UDP in packet and packet[UDP].dport == PORT


class Path:
    """The gateway's two sides: the router's end of its uplink, and m1's TAP."""

    def __init__(self, lab):
        self.uplink_mac = lab.gw.mac("eth0")
        self.router_mac = lab.router.mac("to-gw")
        self.outside = lambda: lab.router.wire("to-gw")
        self.inside = lambda: lab.m1.wire(OVERLAY)

    def inward(self, packet):
        """The frame in which the router sends a packet to the gateway."""
        return Ether(src=self.router_mac, dst=self.uplink_mac) / packet

    def outward(self, packet):
        """The frame in which m1 sends a packet to the gateway."""
        return Ether(src=M1.mac, dst=GATEWAY.mac) / packet

    def to_m1(self, packet):
        """The frame in which the gateway sends a packet to m1, in bytes."""
        return bytes(Ether(src=GATEWAY.mac, dst=M1.mac) / packet)

    def to_router(self, packet):
        return bytes(Ether(src=self.uplink_mac, dst=self.router_mac) / packet)

    def send_inward(self, packet, accept=is_udp, timeout=1):
        """Send from the router; the first frame at m1 that `accept` likes, in bytes, or None."""
        with self.outside() as outside, self.inside() as inside:
            outside.send(self.inward(packet))
            return inside.wait(lambda frame: accept(Ether(frame)), timeout)

    def send_outward(self, packet, accept=is_udp, timeout=1):
        with self.outside() as outside, self.inside() as inside:
            inside.send(self.outward(packet))
            return outside.wait(lambda frame: accept(Ether(frame)), timeout)
