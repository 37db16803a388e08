# SPDX-License-Identifier: GPL-2.0-or-later
"""A gateway between two wires whose far ends are ours: what goes in, what comes out, told apart by
number. The kernel's tables are made by hand, so that they are the same with and without zt6-bpf."""

import contextlib
import select
import socket
import struct
from collections import defaultdict

import generated
from gateway import peer
from generated import ETH_P_IP, ETH_P_IPV6, ICMPV6, INSIDE, OUTSIDE
from lab import (BROKER_V4, GATEWAY, GATEWAY_V4, INET, NETWORK, ONLINK, ONLINK_ROUTER, OVERLAY,
                 ROUTED, TUNNEL, TUNNEL_ADDRESS, TUNNEL_GATEWAY)
from machine import Machine

DEVICES = {OUTSIDE: "eth0", INSIDE: OVERLAY}
BATCH = 64  # frames on their way at a time: what a veth and a backlog hold
SO_RCVBUFFORCE = 33
ICMP_ERRORS = (3, 4, 5, 11, 12)  # IPv4, that quote a packet
TABLE = 77


class TwoWires(Machine):
    """Forwarding, proxy_ndp, permanent neighbours; `sit` by default as the tunnel."""

    def __init__(self, device="sit"):
        super().__init__()
        self.device = device

    def __enter__(self):
        super().__enter__()
        try:
            self._far_ends()
            self._tables()
        except BaseException:
            self._stack.close()
            raise
        return self

    def _far_ends(self):
        self.far.sysctl("ipv6/conf/all/disable_ipv6", 1)
        for device in DEVICES.values():
            self.far.run("ethtool", "-K", device, "tx", "off", "tso", "off", "gso", "off", "gro",
                         "off")
            self.gw.run("ethtool", "-K", device, "gro", "off")
            for namespace in (self.gw, self.far):
                mtu = generated.OVERLAY_MTU if device == OVERLAY else generated.UPLINK_MTU
                namespace.ip(f"link set {device} mtu {mtu}")
            self.far.attach_xdp(device, peer("pass.bpf.o"), "xdp.frags")

    def _tables(self):
        for key, value in (("ipv6/conf/all/forwarding", 1), ("ipv6/icmp/ratemask", "255"),
                           ("ipv4/icmp_ratemask", 0), ("ipv6/auto_flowlabels", 0),
                           ("ipv4/ipfrag_time", 1), ("ipv6/ip6frag_time", 1),
                           ("ipv6/neigh/eth0/proxy_delay", 0), ("ipv6/conf/all/proxy_ndp", 1)):
            self.gw.sysctl(key, value)
        outer, inner = (self.far.mac(DEVICES[side]) for side in (OUTSIDE, INSIDE))
        for address in ("192.0.2.1", ONLINK_ROUTER, *generated.SOLICITORS):
            self.gw.ip(f"neigh replace {address} lladdr {outer} dev eth0 nud permanent")
        for address in (*generated.MEMBERS_ONLINK, *generated.MEMBERS_ROUTED):
            self.gw.ip(f"neigh replace {address} lladdr {inner} dev {OVERLAY} nud permanent")
        for target in generated.TARGETS:
            self.gw.ip(f"neigh add proxy {target} dev eth0 router")
        self.gw.ip(f"""
            addr add {GATEWAY.rfc4193}/88 dev {OVERLAY}
            route add {ROUTED} dev {OVERLAY} metric 5000
            route add {ONLINK} dev {OVERLAY} metric 5000
            route add unreachable {ROUTED} metric 4294967295
            route add unreachable 2001:db8:dead::/48
            route add blackhole 2001:db8:b1ac::/48""")
        for rule in (f"to {ROUTED} lookup main priority 100", f"to {ONLINK} lookup main priority 101",
                     f"lookup {TABLE} priority 102"):
            self.gw.show(f"-6 rule add from {ROUTED} {rule}")
        if self.device == "sit":
            self.gw.ip(f"""
                link add {TUNNEL} type sit local {GATEWAY_V4} remote {BROKER_V4} ttl 255
                link set {TUNNEL} mtu {generated.TUNNEL_MTU} up
                addr add {TUNNEL_ADDRESS}/64 dev {TUNNEL} nodad noprefixroute
                route add {TUNNEL_GATEWAY} dev {TUNNEL}""")
            self.route_into_tunnel()

    def route_into_tunnel(self):
        """What members send from the routed prefix leaves through the tunnel."""
        self.gw.ip(f"route add ::/0 dev {TUNNEL} table {TABLE}")

    def conf(self):
        """Policy off, everything in the fast path that it takes."""
        rules = "".join(f"    rule {target}/128 {{\n        static\n    }}\n"
                        for target in generated.TARGETS)
        return f"""
uplink eth0
tunnel {TUNNEL} {{
    local   {GATEWAY_V4}
    remote  {BROKER_V4}
    address {TUNNEL_ADDRESS}/64
    gateway {TUNNEL_GATEWAY}
    routed  {ROUTED}
    default no
    device  {self.device}
}}
zerotier {NETWORK:016x} {{
    interface {OVERLAY}
    prefix {ROUTED} {ONLINK}
}}
proxy eth0 {{
{rules}}}
limits {{
    unresolved-rate 1000000
}}
firewall {{
    policy off
}}
"""

    def generator(self, seed=generated.SEED):
        return generated.Generator(
            {side: tuple(bytes.fromhex(namespace.mac(device).replace(":", ""))
                         for namespace in (self.gw, self.far))
             for side, device in DEVICES.items()}, seed)


class Observer:
    """Sends cases and gathers what comes out, as {number: [(side, frame), ...]}."""

    def __init__(self, wires):
        self.wires = wires
        self.generator = wires.generator()
        self.sockets = {}
        self.solicited = {}
        self.out = defaultdict(list)
        self.seen = set()
        self.barriers = 0

    def __enter__(self):
        with contextlib.ExitStack() as stack:
            for side, device in DEVICES.items():
                wire = stack.enter_context(self.wires.far.wire(device))
                wire.socket.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 32 << 20)
                wire.socket.setblocking(False)
                self.sockets[side] = wire.socket
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_):
        self._stack.close()

    def run(self, cases, settle=4):
        """All cases; `settle` seconds at the end for the answers that the kernel takes its time
        for: unresolved neighbours, lost fragments."""
        waiting = 0
        for case in cases:
            for frame in case.frames:
                if len(frame) > generated.OVERLAY_MTU + 18:
                    continue
                self._note(case, frame)
                self.sockets[case.side].send(frame)
                waiting += 1
            if waiting >= BATCH:
                self._barrier()
                waiting = 0
        self._barrier()
        self._drain(settle)
        return self.out

    def _note(self, case, frame):
        """A solicitation, by what the advertisement will say."""
        if frame[12:14] == b"\x86\xdd" and frame[54:55] == b"\x87":
            source = frame[22:38]
            to = generated.packed("ff02::1") if not any(source) else source
            self.solicited[to + frame[62:78]] = case.number

    def _barrier(self):
        """Until what was sent before has come out: the second pair of packets finds every program
        and queue of the first at its end."""
        for _ in range(2):
            self.barriers += 1
            label = generated.MAX_LABEL - self.barriers
            for side, source, destination in ((OUTSIDE, INET, generated.MEMBERS_ONLINK[0]),
                                              (INSIDE, generated.MEMBERS_ONLINK[0], INET)):
                self.sockets[side].send(self.generator.frame(side, generated.ipv6(
                    source, destination, generated.NO_NEXT, b"", label)))
            for _ in range(200):
                self._drain(0.05, {(OUTSIDE, label), (INSIDE, label)})
                if {(OUTSIDE, label), (INSIDE, label)} <= self.seen:
                    break
            else:
                raise AssertionError("the gateway does not forward any more")

    def _drain(self, seconds, until=None):
        poll = select.poll()
        for sock in self.sockets.values():
            poll.register(sock, select.POLLIN)
        while poll.poll(seconds * 1000):
            for side, sock in self.sockets.items():
                with contextlib.suppress(BlockingIOError):
                    while True:
                        frame, address = sock.recvfrom(65536)
                        if address[2] != socket.PACKET_OUTGOING:
                            self._gather(side, frame)
            if until and until <= self.seen:
                return

    def _gather(self, side, frame):
        number = self._number(frame)
        if not number:
            return
        if number > generated.MAX_LABEL // 2:
            self.seen.add((side, number))
        else:
            self.out[number].append((side, canonical(frame)))

    def _number(self, frame):
        """Which packet this one is, or answers; 0: none."""
        ether_type = int.from_bytes(frame[12:14], "big")
        if ether_type == ETH_P_IP:
            return self._number_of_ipv4(frame[14:])
        return self._number_of_ipv6(frame[14:]) if ether_type == ETH_P_IPV6 else 0

    def _number_of_ipv4(self, packet):
        body = packet[(packet[0] & 15) * 4:]
        if packet[9] == generated.IPV6:
            return self._number_of_ipv6(body)
        if packet[9] == 1 and body[0] in ICMP_ERRORS:
            return int.from_bytes(body[12:14], "big")  # identification of the packet quoted
        if packet[9] == 1:
            return int.from_bytes(body[6:8], "big")
        return int.from_bytes(packet[4:6], "big")

    def _number_of_ipv6(self, packet):
        if len(packet) < 40:
            return 0
        label = int.from_bytes(packet[1:4], "big") & generated.MAX_LABEL
        if label or packet[6] != ICMPV6 or len(packet) < 48:
            return label
        kind = packet[40]
        if kind < 128:  # an error: it quotes
            return self._number_of_ipv6(packet[48:])
        if kind == 129:
            return int.from_bytes(packet[46:48], "big")
        return self.solicited.get(packet[24:40] + packet[48:64], 0) if kind == 136 else 0


def canonical(frame):
    """Without the identification of an IPv4 header that says Don't Fragment, in which it has no
    meaning (RFC 6864 §4.1): `sit` draws one, we write 0. Nor that of the kernel's ICMP errors."""
    if frame[12:14] != b"\x08\x00" or not (frame[20] & 0x40 or frame[23] == 1):
        return frame
    header = bytearray(frame[14:14 + (frame[14] & 15) * 4])
    right = generated.checksum(bytes(header)) == 0
    header[4:6] = header[10:12] = b"\0\0"
    header[10:12] = struct.pack("!H", generated.checksum(bytes(header)))
    return frame[:14] + bytes(header) + frame[14 + len(header):] + (b"" if right else b"!checksum")
