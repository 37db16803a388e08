# SPDX-License-Identifier: GPL-2.0-or-later
"""Packets from the Internet that nobody inside has asked for, in as many guises as there are. Each
function yields a name and make(word): the IPv6 packets to send, which carry the word."""

from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.inet6 import (ICMPv6Unknown, IPv6, IPv6ExtHdrDestOpt, IPv6ExtHdrFragment,
                                IPv6ExtHdrHopByHop, IPv6ExtHdrRouting, PadN)
from scapy.layers.sctp import SCTP, SCTPChunkInit
from scapy.packet import Raw

from lab import BROKER_V4, GATEWAY_V4, INET

CLOSED = 4000
ROUTER = "2001:db8:1::9"  # somebody on the way, who may tell of errors
FLAGS = ("S", "SEC", "SPU", "SF", "SR", "SFR", "SA", "A", "PA", "FA", "R", "RA", "", "F", "FPU",
         "SFRPAUEC")
# Neither extension headers nor TCP, UDP or ICMPv6.
OTHERS = (2, 4, 33, 41, 46, 47, 50, 59, 89, 94, 103, 108, 112, 115, 132, 135, 136, 139, 140, 253, 255)
AUTHENTICATION, MOBILITY = 51, 135


def tcp(address):
    for flags in FLAGS:
        yield f"TCP, flags '{flags}'", lambda word, flags=flags: [
            IPv6(src=INET, dst=address) /
            TCP(sport=1000, dport=CLOSED, flags=flags, seq=1, ack=1) / word]
    yield "TCP with a Fast Open cookie", lambda word: [
        IPv6(src=INET, dst=address) /
        TCP(sport=1000, dport=CLOSED, flags="S", options=[(34, b"12345678")]) / word]


def udp(address, listed):
    for source in (1, 53, listed):
        yield f"UDP from port {source}", lambda word, source=source: [
            IPv6(src=INET, dst=address) / UDP(sport=source, dport=CLOSED) / word]
    yield "UDP without a checksum", lambda word: [
        IPv6(src=INET, dst=address) / UDP(sport=1, dport=CLOSED, chksum=0) / word]


def other_protocols(address):
    ports = CLOSED.to_bytes(2, "big") * 2
    for number in OTHERS:
        yield f"protocol {number}", lambda word, number=number: [
            IPv6(src=INET, dst=address, nh=number) / Raw(ports + bytes(20) + word)]


def sctp(address):
    """A good one, which conntrack does not find invalid."""
    yield "SCTP INIT", lambda word: [
        IPv6(src=INET, dst=address) / SCTP(sport=1000, dport=CLOSED) / SCTPChunkInit(
            init_tag=int.from_bytes(word[:4], "big"), a_rwnd=int.from_bytes(word[4:], "big"),
            n_out_streams=1, n_in_streams=1, init_tsn=1)]


def within_tunnels(address, listed):
    """Inside is what would be let in."""
    def inner(word):
        return IPv6(src=INET, dst=address) / UDP(sport=1, dport=listed) / word

    yield "IPv6 in IPv6", lambda word: [IPv6(src=INET, dst=address, nh=41) / Raw(bytes(inner(word)))]
    yield "6in4 in IPv6", lambda word: [IPv6(src=INET, dst=address, nh=4) / IP(
        src=BROKER_V4, dst=GATEWAY_V4, proto=41) / inner(word)]


def behind_headers(address, listed):
    headers = {
        "hop-by-hop options": IPv6ExtHdrHopByHop(),
        "destination options": IPv6ExtHdrDestOpt(),
        "destination options, twice": IPv6ExtHdrDestOpt() / IPv6ExtHdrDestOpt(),
        "long destination options": IPv6ExtHdrDestOpt(options=[PadN(optdata=bytes(100))]),
        "options of both kinds": IPv6ExtHdrHopByHop() / IPv6ExtHdrDestOpt(),
        "a routing header of type 2": IPv6ExtHdrRouting(type=2, segleft=0, addresses=[address]),
        "a routing header of type 4": IPv6ExtHdrRouting(type=4, segleft=0, addresses=[address]),
        "a fragment header": IPv6ExtHdrFragment(id=7),
    }
    for name, inner in (("UDP", UDP(sport=1, dport=CLOSED)),
                        ("SYN", TCP(sport=1, dport=CLOSED, flags="S"))):
        for header, made in headers.items():
            yield f"{name} behind {header}", lambda word, made=made, inner=inner: [
                IPv6(src=INET, dst=address) / made / inner / word]
    # The protocol is the header itself, whatever is behind it (RFC 4302 §2, RFC 6275 §6.1).
    for number, octets in ((AUTHENTICATION, bytes([17, 4]) + bytes(22)), (MOBILITY, bytes([17] + [0] * 7))):
        yield f"listed UDP behind protocol {number}", lambda word, number=number, octets=octets: [
            IPv6(src=INET, dst=address, nh=number) / Raw(octets + bytes(
                IPv6(src=INET, dst=address) / UDP(sport=1, dport=listed) / word)[40:])]


def _pieces(address, transport, word, size, number, order=1):
    whole = bytes(IPv6(src=INET, dst=address) / transport / Raw(bytes(64) + 4 * word))
    payload = whole[40:]
    return [IPv6(src=INET, dst=address) /
            IPv6ExtHdrFragment(nh=whole[6], id=number, offset=at // 8, m=int(at + size < len(payload))) /
            Raw(payload[at:at + size]) for at in range(0, len(payload), size)][::order]


def in_fragments(address, listed):
    closed = UDP(sport=1, dport=CLOSED)
    yield "UDP in fragments", lambda word: _pieces(address, closed, word, 16, 101)
    yield "UDP in fragments, the last one first", lambda word: _pieces(
        address, closed, word, 16, 102, -1)
    yield "a SYN in the smallest fragments", lambda word: _pieces(
        address, TCP(sport=1, dport=CLOSED, flags="S"), word, 8, 103)
    yield "a later fragment alone", lambda word: [
        IPv6(src=INET, dst=address) / IPv6ExtHdrFragment(nh=17, id=104, offset=100) / Raw(word)]
    yield "a first fragment alone", lambda word: [
        IPv6(src=INET, dst=address) / IPv6ExtHdrFragment(nh=17, id=105, m=1) /
        UDP(sport=1, dport=listed) / Raw(8 * word)]

    def overlapping(word):
        """What is listed, in the piece that comes first, and what is not, over it (RFC 5722)."""
        good, bad = (bytes(IPv6(src=INET, dst=address) / UDP(sport=1, dport=port) / Raw(4 * word))[40:]
                     for port in (listed, CLOSED))
        return [IPv6(src=INET, dst=address) / IPv6ExtHdrFragment(nh=17, id=106, offset=at, m=more) /
                Raw(piece) for at, more, piece in ((0, 1, good[:16]), (0, 1, bad[:16]), (1, 0, bad[8:]))]

    yield "fragments that overlap", overlapping


def icmpv6(address, kind, code, quoted=b"", source=ROUTER):
    """make(word): a message about a packet, if it is an error."""
    return lambda word: [IPv6(src=source, dst=address) / ICMPv6Unknown(
        type=kind, code=code, msgbody=bytes(4) + bytes(quoted) + word)]


def errors_that_nobody_needs(address, quoted):
    """RFC 4890 §4.3.4 and §4.3.5: reserved, of no meaning yet, of experiments."""
    for kind in (0, 5, 6, 50, 99, 100, 101, 102, 126, 127):
        yield f"ICMPv6 type {kind}", icmpv6(address, kind, 0, quoted)


def other_messages(address):
    """RFC 4890 §4.3.3 to §4.3.5, and replies that nobody has asked for."""
    for kind in (*range(129, 162), 199, 200, 201, 255):
        yield f"ICMPv6 type {kind}", icmpv6(address, kind, 0, bytes(40))


def from_inside(address, sources, listed):
    """What is listed, but from who cannot be out there."""
    for source in sources:
        yield f"UDP from {source}", lambda word, source=source: [
            IPv6(src=source, dst=address) / UDP(sport=1, dport=listed) / word]
