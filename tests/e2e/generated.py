# SPDX-License-Identifier: GPL-2.0-or-later
"""Packets by the thousand, always the same ones: valid, odd and broken, of all sizes. Built by hand,
because scapy would take minutes for them in emulation; what comes out of a gateway is told apart by
the flow label, which is the number of the packet, wherever an answer quotes it."""

import random
import socket
import struct
from dataclasses import dataclass

from lab import (BROKER_V4, GATEWAY_V4, INET, M1, M2, M2_MANUAL, ONLINK_ADDRESS, TUNNEL_ADDRESS,
                 TUNNEL_GATEWAY)

SEED = 6
MAX_LABEL = 0xfffff
OUTSIDE, INSIDE = "outside", "inside"

ETH_P_IP, ETH_P_IPV6, ETH_P_8021Q, ETH_P_8021AD = 0x0800, 0x86dd, 0x8100, 0x88a8
TCP, UDP, IPV6, ROUTING, FRAGMENT, GRE, ESP, ICMPV6, NO_NEXT, DST_OPTIONS = (
    6, 17, 41, 43, 44, 47, 50, 58, 59, 60)
HOP_BY_HOP = 0
DF, MF = 0x4000, 0x2000

ETHERNET, IPV4_HEADER, IPV6_HEADER = 14, 20, 40
UPLINK_MTU, TUNNEL_MTU, OVERLAY_MTU = 1500, 1480, 2800

# Addresses that the tests give permanent neighbours, so that nobody has to be asked for.
SOLICITORS = [f"2001:db8:48:ffff::1:{n:x}" for n in range(16)]
TARGETS = [f"2001:db8:48::7:{n:x}" for n in range(16)]
MEMBERS_ROUTED = [M1.routed, M2.routed, M2_MANUAL]
MEMBERS_ONLINK = [M1.onlink, M2.onlink]

# Sources and destinations that a packet has no business with.
STRANGE_SOURCES = ["::", "::1", "::192.0.2.1", "::ffff:192.0.2.1", "ff02::1", "ff0e::5", "fe80::5",
                   "2001:db8:dead::1", M1.routed, M1.onlink, TUNNEL_ADDRESS, TUNNEL_GATEWAY,
                   ONLINK_ADDRESS, "2001:470:811d:7777::1"]
STRANGE_DESTINATIONS = ["::", "::1", "::192.0.2.1", "::ffff:192.0.2.1", "ff02::1", "ff0e::5",
                        "fe80::5", "2001:db8:dead::1", "2001:db8:b1ac::1", TUNNEL_ADDRESS,
                        TUNNEL_GATEWAY, ONLINK_ADDRESS, INET]

# Lengths of IPv6 packets at which something changes.
EDGES = [40, 41, 47, 48, 49, 1279, 1280, 1281, 1299, 1300, 1479, 1480, 1481, 1499, 1500]


@dataclass
class Case:
    number: int
    side: str  # where it is sent from
    frames: list  # bytes
    what: str  # in words


def packed(address):
    return socket.inet_pton(socket.AF_INET6, address)


def checksum(data):
    """RFC 1071"""
    total = sum(struct.unpack(f"!{(len(data) + 1) // 2}H", data + bytes(len(data) & 1)))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def ipv6(source, destination, next_header, payload, label, traffic_class=0, hop_limit=64,
         length=None):
    return struct.pack("!IHBB", 6 << 28 | traffic_class << 20 | label,
                       len(payload) if length is None else length, next_header,
                       hop_limit) + packed(source) + packed(destination) + payload


def ipv4(payload, identification, source=BROKER_V4, destination=GATEWAY_V4, tos=0, ttl=60,
         protocol=IPV6, flags=DF, offset=0, total=None, options=b"", good=True):
    header = struct.pack("!BBHHHBBH", 0x45 + len(options) // 4, tos,
                         20 + len(options) + len(payload) if total is None else total,
                         identification, flags | offset, ttl, protocol, 0
                         ) + socket.inet_aton(source) + socket.inet_aton(destination) + options
    correct = checksum(header) ^ (0 if good else 0x0101)
    return header[:10] + struct.pack("!H", correct) + header[12:] + payload


def with_checksum(source, destination, protocol, payload, at):
    pseudo = packed(source) + packed(destination) + struct.pack("!II", len(payload), protocol)
    value = checksum(pseudo + payload) or 0xffff
    return payload[:at] + struct.pack("!H", value) + payload[at + 2:]


class Generator:
    """`cases(count)` yields Cases. `macs` are (gateway, other) for each side."""

    def __init__(self, macs, seed=SEED):
        self.macs = macs
        self.random = random.Random(seed)
        self.number = 0
        self.solicitations = 0

    def cases(self, count):
        kinds = [kind for kind, weight in KINDS for _ in range(weight)]
        for self.number in range(1, count + 1):
            yield self.random.choice(kinds)(self)

    def chance(self, probability):
        return self.random.random() < probability

    # What a packet carries

    def size(self, limit=UPLINK_MTU):
        """Of an IPv6 packet; over time all sizes come up."""
        if self.chance(0.3):
            return self.random.choice([edge for edge in EDGES if edge <= limit])
        if self.chance(0.5):
            return 40 + self.number % (limit - 39)
        return self.random.randint(40, min(limit, 200))

    def transport(self, source, destination, length):
        """A protocol and `length` bytes of it with a right checksum, or something without one."""
        body = self.random.randbytes(min(length, 24)).ljust(length, b"\x5a")
        kind = self.random.choice((UDP, UDP, TCP, ICMPV6))
        if kind == UDP and length >= 8:
            return UDP, with_checksum(source, destination, UDP, struct.pack(
                "!HHHH", 1024 + self.number, 4321, length, 0) + body[8:], 6)
        if kind == TCP and length >= 20:
            flags = self.random.choice((0x02, 0x12, 0x10, 0x18, 0x11, 0x04))
            return TCP, with_checksum(source, destination, TCP, struct.pack(
                "!HHIIBBHHH", 1024 + self.number, 80, self.number, 0, 0x50, flags, 512, 0, 0)
                + body[20:], 16)
        if kind == ICMPV6 and length >= 8:
            return ICMPV6, with_checksum(source, destination, ICMPV6, struct.pack(
                "!BBHHH", 128, 0, 0, 0x5a5a, self.number) + body[8:], 2)
        return self.random.choice((NO_NEXT, 253)), body

    def packet(self, source, destination, size=None, **fields):
        """Valid, with random traffic class and hop limit, of `size` bytes."""
        size = size or self.size()
        protocol, payload = self.transport(source, destination, size - 40)
        fields = {"traffic_class": self.random.choice((0, 0, 1, 2, 3, 0xb8, 0xff)),
                  "hop_limit": self.random.choice((64, 64, 255, 2)), **fields}
        return ipv6(source, destination, protocol, payload, self.number, **fields)

    # Frames and cases

    def frame(self, side, packet, ether_type=ETH_P_IPV6):
        to, source = self.macs[side]
        return to + source + struct.pack("!H", ether_type) + packet

    def case(self, side, what, *frames):
        return Case(self.number, side, list(frames), what)

    def ends(self):
        """(side, source, destination, whether it comes in 6in4) of a valid packet."""
        return self.random.choice((
            (OUTSIDE, INET, self.random.choice(MEMBERS_ONLINK), False),
            (OUTSIDE, INET, self.random.choice(MEMBERS_ROUTED), True),
            (INSIDE, self.random.choice(MEMBERS_ONLINK), INET, False),
            (INSIDE, self.random.choice(MEMBERS_ROUTED), INET, False)))

    def wrapped(self, side, packet, tunnelled, **fields):
        if not tunnelled:
            return self.frame(side, packet)
        return self.frame(side, ipv4(packet, self.number, **fields), ETH_P_IP)

    def outer_fields(self):
        return {"tos": self.random.choice((0, 0, 1, 2, 3, 0xb8)),
                "ttl": self.random.choice((60, 60, 1, 255)),
                "flags": self.random.choice((DF, DF, 0))}

    # Kinds

    def valid(self):
        side, source, destination, tunnelled = self.ends()
        limit = TUNNEL_MTU if tunnelled else OVERLAY_MTU if side == INSIDE else UPLINK_MTU
        packet = self.packet(source, destination, self.size(limit))
        return self.case(side, "valid", self.wrapped(side, packet, tunnelled,
                                                     **self.outer_fields()))

    def padded(self):
        side, source, destination, tunnelled = self.ends()
        packet = self.packet(source, destination, self.random.randint(40, 120))
        padding = self.random.randbytes(self.random.randint(1, 46))
        return self.case(side, f"{len(padding)} bytes of padding",
                         self.wrapped(side, packet, tunnelled) + padding)

    def hop_limit(self):
        side, source, destination, tunnelled = self.ends()
        limit = self.random.choice((0, 1))
        return self.case(side, f"hop limit {limit}", self.wrapped(
            side, self.packet(source, destination, self.size(TUNNEL_MTU), hop_limit=limit),
            tunnelled))

    def strange_source(self):
        side, _, destination, tunnelled = self.ends()
        source = self.random.choice(STRANGE_SOURCES)
        return self.case(side, f"from {source}", self.wrapped(
            side, self.packet(source, destination, self.random.randint(48, 300)), tunnelled))

    def strange_destination(self):
        side, source, _, tunnelled = self.ends()
        destination = self.random.choice(STRANGE_DESTINATIONS)
        return self.case(side, f"to {destination}", self.wrapped(
            side, self.packet(source, destination, self.random.randint(48, 300)), tunnelled))

    def headers(self):
        """Extension headers, up to 20 of them, the odd ones too (RFC 8200 §4)."""
        side, source, destination, tunnelled = self.ends()
        protocol, payload = self.transport(source, destination, self.random.randint(8, 100))
        chain = [self.random.choice((HOP_BY_HOP, DST_OPTIONS, ROUTING, FRAGMENT))
                 for _ in range(self.random.choice((1, 1, 2, 3, 20)))]
        next_header = protocol
        for kind in reversed(chain):
            option = self.random.choice((b"\1\4\0\0\0\0", b"\xc0\4abcd", b"\x80\4abcd", b"\1\0\1\2ab"))
            body = {FRAGMENT: struct.pack("!HI", self.random.choice((0, 1, 8)), self.number),
                    ROUTING: struct.pack("!BBI", self.random.choice((0, 2, 4)),
                                         self.random.choice((0, 1)), 0)}.get(kind, option)
            payload = bytes((next_header, 0)) + body + payload
            next_header = kind
        packet = ipv6(source, destination, next_header, payload, self.number)
        return self.case(side, f"extension headers {chain}", self.wrapped(side, packet, tunnelled))

    def outer_options(self):
        options = self.random.choice((b"\1\1\1\1", b"\x94\4\0\0", b"\1" * 40, b"\x07\7\4\0\0\0\0\0",
                                      b"\x83\7\4" + socket.inet_aton(GATEWAY_V4) + b"\0",
                                      b"\x99\0\0\0"))
        packet = self.packet(INET, self.random.choice(MEMBERS_ROUTED), self.random.randint(48, 300))
        return self.case(OUTSIDE, f"outer options {options.hex()}",
                         self.wrapped(OUTSIDE, packet, True, options=options))

    def outer_fragments(self):
        packet = self.packet(INET, self.random.choice(MEMBERS_ROUTED), self.random.randint(100, 1400))
        cut = self.random.randrange(8, len(packet) - 8, 8)
        pieces = [self.wrapped(OUTSIDE, packet[:cut], True, flags=MF),
                  self.wrapped(OUTSIDE, packet[cut:], True, flags=0, offset=cut // 8)]
        if self.chance(0.3):
            pieces.reverse()
        if self.chance(0.2):
            pieces.pop()
        return self.case(OUTSIDE, f"{len(pieces)} outer fragments, cut at {cut}", *pieces)

    def outer_wrong(self):
        packet = self.packet(INET, self.random.choice(MEMBERS_ROUTED), self.random.randint(48, 300))
        fields = self.random.choice((
            {"good": False}, {"total": self.random.randint(0, 60)},
            {"total": self.random.randint(60, 1500)}, {"source": "72.52.104.75"},
            {"source": "127.0.0.1"}, {"source": "224.0.0.1"}, {"destination": "192.0.2.255"},
            {"destination": "192.0.2.9"}, {"destination": "224.0.0.1"},
            {"flags": 0x8000}, {"protocol": self.random.choice((1, 4, 17, GRE, ESP, 255))}))
        return self.case(OUTSIDE, f"outer header with {fields}",
                         self.wrapped(OUTSIDE, packet, True, **fields))

    def nested(self):
        """Tunnels in tunnels (RFC 6169 §2): 6in6, 6in4 in 6in4, 4in6."""
        side, source, destination, tunnelled = self.ends()
        inner = self.packet(INET, M1.routed, self.random.randint(48, 200))
        protocol, inner = self.random.choice((
            (IPV6, inner), (4, ipv4(inner, self.number)),
            (IPV6, ipv6(INET, M1.onlink, IPV6, inner, self.number))))
        packet = ipv6(source, destination, protocol, inner, self.number)
        if tunnelled and self.chance(0.5):
            packet = ipv4(packet, self.number)
        return self.case(side, "nested", self.wrapped(side, packet, tunnelled))

    def lengths(self):
        """The payload length of the IPv6 header says something else than the frame."""
        side, source, destination, tunnelled = self.ends()
        packet = bytearray(self.packet(source, destination, self.random.randint(40, 300)))
        length = self.random.choice((0, 1, len(packet) - 41, len(packet) - 39, len(packet), 65535,
                                     self.random.randrange(65536)))
        struct.pack_into("!H", packet, 4, length & 0xffff)
        return self.case(side, f"payload length {length}, not {len(packet) - 40}",
                         self.wrapped(side, bytes(packet), tunnelled))

    def truncated(self):
        """Cut at every byte of the headers and beyond."""
        side, source, destination, tunnelled = self.ends()
        frame = self.wrapped(side, self.packet(source, destination, 100), tunnelled)
        cut = ETHERNET + self.number % (len(frame) - ETHERNET)
        return self.case(side, f"cut to {cut} bytes", frame[:cut])

    def flipped(self):
        """Some bits of the headers are wrong; only the number stays readable."""
        side, source, destination, tunnelled = self.ends()
        frame = bytearray(self.wrapped(side, self.packet(source, destination, 120), tunnelled))
        start = ETHERNET + (IPV4_HEADER if tunnelled else 0)
        spare = {start + 1, start + 2, start + 3, *((ETHERNET + 4, ETHERNET + 5) if tunnelled
                                                    else ())}
        flips = []
        for _ in range(self.random.choice((1, 1, 1, 2, 5))):
            at = self.random.choice([i for i in range(start + 60) if i not in spare])
            frame[at] ^= 1 << self.random.randrange(8)
            flips.append(at)
        if tunnelled and self.chance(0.7):  # or nothing would get past it
            struct.pack_into("!H", frame, ETHERNET + 10, 0)
            struct.pack_into("!H", frame, ETHERNET + 10, checksum(bytes(frame[ETHERNET:start])))
        return self.case(side, f"flipped bits in bytes {flips}", bytes(frame))

    def tags(self):
        """802.1Q and 802.1ad, up to two deep."""
        side, source, destination, tunnelled = self.ends()
        frame = self.wrapped(side, self.packet(source, destination, self.random.randint(48, 200)),
                             tunnelled)
        tags = [(self.random.choice((ETH_P_8021Q, ETH_P_8021Q, ETH_P_8021AD)),
                 self.random.choice((0, 5, 0xe000, 0xfff))) for _ in range(self.random.choice((1, 2)))]
        header = b"".join(struct.pack("!HH", *tag) for tag in tags)
        return self.case(side, f"tags {tags}", frame[:12] + header + frame[12:])

    def stray(self):
        """A frame for somebody else's MAC or a group, or of another kind."""
        side, source, destination, tunnelled = self.ends()
        frame = self.wrapped(side, self.packet(source, destination, self.random.randint(48, 200)),
                             tunnelled)
        to = self.random.choice((b"\xff" * 6, b"\x33\x33\0\0\0\1", b"\1\0\x5e\0\0\1",
                                 b"\2\0\0\0\0\x99"))
        if self.chance(0.7):
            return self.case(side, f"to MAC {to.hex(':')}", to + frame[6:])
        return self.case(side, "another ether type", frame[:12] + b"\x88\xb5" + frame[14:])

    def solicitation(self):
        solicitor = SOLICITORS[self.solicitations % len(SOLICITORS)]
        target = TARGETS[self.solicitations // len(SOLICITORS) % len(TARGETS)]
        self.solicitations += 1
        group = packed("ff02::1:ff00:0")[:13] + packed(target)[13:]
        source, to = solicitor, group
        option = b"\1\1" + self.macs[OUTSIDE][1]
        what = "solicitation"
        if self.chance(0.15):
            source, option, what = "::", b"", "duplicate address detection"
        elif self.chance(0.3):
            to, option, what = packed(target), b"", "solicitation by unicast"
        if self.chance(0.2):
            option = b"\x0e\1abcdef" + option
        message = struct.pack("!BBHI", 135, 0, 0, 0) + packed(target) + option
        packet = bytearray(ipv6(source, "::", ICMPV6, message, self.number, hop_limit=255))
        packet[24:40] = to
        struct.pack_into("!H", packet, 42, checksum(
            bytes(packet[8:40]) + struct.pack("!II", len(message), ICMPV6) + message))
        mac = b"\x33\x33" + to[12:] if to == group else self.macs[OUTSIDE][0]
        frame = bytearray(mac + self.macs[OUTSIDE][1] + b"\x86\xdd" + packet)
        if self.chance(0.4):
            at = self.random.choice([i for i in range(len(frame)) if not 15 <= i <= 17])
            frame[at] ^= 1 << self.random.randrange(8)
            what += f", flipped bit in byte {at}"
        return self.case(OUTSIDE, what, bytes(frame))

    def other_protocols(self):
        """What the gateway's kernel gets for other reasons: other tunnels, ping, IPv4."""
        protocol = self.random.choice((GRE, ESP, 1, UDP, 4))
        body = self.random.randbytes(self.random.randint(8, 200))
        if protocol == 1:
            body = struct.pack("!BBHHH", 8, 0, 0, 0x5a5a, self.number) + body
            body = body[:2] + struct.pack("!H", checksum(body)) + body[4:]
        elif protocol == UDP:
            body = struct.pack("!HHHH", 51820, 51820, 8 + len(body), 0) + body
        return self.case(OUTSIDE, f"IPv4 protocol {protocol}", self.wrapped(
            OUTSIDE, body, True, protocol=protocol,
            source=self.random.choice((BROKER_V4, "192.0.2.1", "198.51.100.7"))))


KINDS = [(Generator.valid, 30), (Generator.padded, 4), (Generator.hop_limit, 3),
         (Generator.strange_source, 6), (Generator.strange_destination, 6), (Generator.headers, 6),
         (Generator.outer_options, 3), (Generator.outer_fragments, 3), (Generator.outer_wrong, 6),
         (Generator.nested, 4), (Generator.lengths, 5), (Generator.truncated, 6),
         (Generator.flipped, 10), (Generator.tags, 3), (Generator.stray, 3),
         (Generator.solicitation, 6), (Generator.other_protocols, 3)]
