# SPDX-License-Identifier: GPL-2.0-or-later
"""The same 10,000 packets, valid, odd and broken, through a plain kernel gateway (sit, forwarding,
proxy_ndp) and through ours: what comes out differs only where it is meant to."""

import ipaddress
import os
import struct
from collections import Counter
from dataclasses import dataclass
from functools import cached_property

from scapy.layers.l2 import Ether

import generated
from differential import Observer, TwoWires
from generated import ETH_P_IP, ETH_P_IPV6, ICMPV6, INSIDE, OUTSIDE, Case
from lab import ONLINK, OVERLAY, ROUTED, TUNNEL
from probes import needs_sit

COUNT = int(os.environ.get("ZT6_TEST_PACKETS", 10_000))
SHOWN = 20  # of the differences that are not intended

ECN, ECT_0, CE = 3, 2, 3
NEIGHBOUR_ADVERTISEMENT = 136
DISCOVERY = range(133, 138)  # RFC 4861 §4
MEMBERS = [ipaddress.ip_network(prefix) for prefix in (ROUTED, ONLINK)]
EMBED_NO_HOST = [ipaddress.ip_network(prefix) for prefix in ("::/96", "::ffff:0:0/96")]
ON_LINK = ipaddress.ip_network("2001:db8:48:ffff::/64")  # of the uplink itself


@dataclass
class Difference:
    case: Case
    kernel: list  # (side, frame), sorted
    ours: list

    @cached_property
    def packet(self):
        """The IPv6 packet of the case, from its header on; the inner one in 6in4."""
        frame, start = b"".join(self.case.frames[:1]), 12
        while frame[start:start + 2] in (b"\x81\0", b"\x88\xa8"):
            start += 4
        ether_type = int.from_bytes(frame[start:start + 2], "big")
        packet = frame[start + 2:]
        self.tunnelled = ether_type == ETH_P_IP
        if self.tunnelled:
            return packet[(packet[0] & 15) * 4:]
        return packet if ether_type == ETH_P_IPV6 else b""

    @property
    def source(self):
        return ipaddress.IPv6Address(self.packet[8:24])

    @property
    def destination(self):
        return ipaddress.IPv6Address(self.packet[24:40])

    @property
    def is_advertised(self):
        """Whether the kernel answers with an advertisement."""
        return bool(self.kernel) and all(
            frame[20] == ICMPV6 and frame[54] == NEIGHBOUR_ADVERTISEMENT for _, frame in self.kernel)


def within(address, networks):
    return any(address in network for network in networks)


def with_congestion_copied(frame):
    """What the kernel sent, as RFC 6040 would have its outer header."""
    if frame[12:14] != b"\x08\0" or frame[15] & ECN != ECT_0 or frame[35] >> 4 & ECN != CE:
        return frame
    header = bytearray(frame[14:34])
    header[1] |= CE
    header[10:12] = b"\0\0"
    header[10:12] = struct.pack("!H", generated.checksum(bytes(header)))
    return frame[:14] + bytes(header) + frame[34:]


def congestion_is_copied(difference):
    return difference.ours == sorted((side, with_congestion_copied(frame))
                                     for side, frame in difference.kernel)


def advertisement_of_ours(difference):
    """All else is the same, but for length and checksum."""
    if not difference.is_advertised or len(difference.ours) != len(difference.kernel):
        return False
    for (side, frame), (other, ours) in zip(difference.kernel, difference.ours):
        if (side != other or ours[:6] not in (frame[:6], difference.case.frames[0][6:12])
                or ours[78:80] != b"\x02\x01" or frame[78:] not in (b"", ours[78:])
                or any(frame[part] != ours[part] for part in (
                    slice(6, 18), slice(20, 22), slice(38, 56), slice(58, 78)))):
            return False
    return True


def discovery_that_strays(difference):
    return (not difference.ours and difference.packet[6] == ICMPV6
            and difference.packet[40] in DISCOVERY)


def duplicate_address_detection(difference):
    return difference.is_advertised and not difference.ours and int(difference.source) == 0


def source_of_no_host(difference):
    return not difference.ours and within(difference.source, EMBED_NO_HOST)


def source_of_no_member(difference):
    return (not difference.ours and difference.case.side == INSIDE
            and not within(difference.source, EMBED_NO_HOST))


def source_of_a_member(difference):
    return (not difference.ours and difference.case.side == OUTSIDE
            and within(difference.source, MEMBERS)
            and (difference.tunnelled or difference.source not in ON_LINK
                 or str(difference.source) == generated.ONLINK_ADDRESS))


def out_of_the_tunnel_into_it(difference):
    return (not difference.ours and difference.tunnelled
            and all(side == OUTSIDE for side, _ in difference.kernel)
            and str(difference.destination) == generated.TUNNEL_GATEWAY)


# What is meant to differ, and why. Whatever else does is a fault; and so is a line of this list
# that no packet needs any more.
INTENDED = {
    "RFC 6040 §4.1 copies CE into the outer header; Linux writes ECT(0), as RFC 3168 §9.1.1 has it":
        congestion_is_copied,
    "an advertisement comes from the port's link-local address (`source`), goes to the MAC that "
    "asked, and names ours also where the question came by unicast (RFC 4861 §7.2.4); Linux takes a "
    "global address, the MAC that it knew before, and says less":
        advertisement_of_ours,
    "an address is defended against DAD only where it is known in use: Linux's blanket answer would "
    "keep every new host off the link": duplicate_address_detection,
    "Neighbour Discovery that RFC 4861 §7.1 does not let pass, or that would leave its link, is "
    "dropped: Linux routes it on, with a hop limit that nobody accepts": discovery_that_strays,
    "no host has an IPv4-compatible or mapped source (RFC 4213 §3.6, RFC 4291 §2.5.5): dropped":
        source_of_no_host,
    "a member sends from its own prefixes only (BCP 38): others are dropped": source_of_no_member,
    "a member's source does not come from outside (BCP 38, RFC 4213 §4): dropped":
        source_of_a_member,
    "what came out of the tunnel does not go into it again (RFC 6324): dropped":
        out_of_the_tunnel_into_it,
}


def reason(difference):
    return next((why for why, applies in INTENDED.items()
                 if difference.packet and applies(difference)), None)


def in_words(difference):
    def words(frames):
        return " + ".join(f"{side}: {Ether(frame).command()[:500]}" for side, frame in frames)

    case = difference.case
    return (f"{case.number}, {case.what}:\n"
            f"    {words((case.side, frame) for frame in case.frames)}\n"
            f"    kernel:  {words(difference.kernel) or 'nothing'}\n"
            f"    zt6-bpf: {words(difference.ours) or 'nothing'}")


def differences(cases, kernel, ours):
    for case in cases:
        was, is_ = sorted(kernel[case.number]), sorted(ours[case.number])
        if was != is_:
            yield Difference(case, was, is_)


@needs_sit()
def test_what_comes_out_differs_from_the_kernels_own_only_as_intended():
    with TwoWires() as wires:
        cases = list(wires.generator().cases(COUNT))
        with Observer(wires) as observer:
            kernel = observer.run(cases)
        wires.gw.sysctl("ipv6/conf/all/proxy_ndp", 0)
        wires.gateway.up(wires.conf())
        with Observer(wires) as observer:
            ours = observer.run(cases)
        counters = wires.gateway.counters()
    assert not counters.unexplained()
    # The fast path had its part in it.
    for port, verdict in (("eth0", "forwarded"), ("eth0", "decapsulated"), ("eth0", "ndp_answered"),
                          (OVERLAY, "forwarded"), (OVERLAY, "encapsulated")):
        assert counters[port].get(verdict, 0) >= COUNT / 50, (port, verdict)
    assert sum(map(len, kernel.values())) >= COUNT / 2
    found = {difference.case.number: reason(difference)
             for difference in differences(cases, kernel, ours)}
    unintended = [in_words(difference) for difference in differences(cases, kernel, ours)
                  if not found[difference.case.number]]
    assert not unintended, f"{len(unintended)} differences:\n" + "\n".join(unintended[:SHOWN])
    assert COUNT < 10_000 or found.keys() and set(found.values()) == set(INTENDED), Counter(
        found.values())


def test_every_generated_packet_is_counted_once_with_device_bpf_too():
    """Nothing broken stops the gateway: the observer sees valid packets through between."""
    with TwoWires("bpf") as wires:
        wires.gateway.up(wires.conf())
        wires.route_into_tunnel()
        cases = list(wires.generator(seed=7).cases(COUNT // 5))
        with Observer(wires) as observer:
            observer.run(cases, settle=0)
        counters = wires.gateway.counters()
    assert not counters.unexplained()
    sent = {side: sum(len(case.frames) for case in cases if case.side == side)
            for side in (OUTSIDE, INSIDE)}
    assert counters.rx["eth0"] >= sent[OUTSIDE] and counters.rx[OVERLAY] >= sent[INSIDE]
    assert counters[TUNNEL]["decapsulated"] >= 10 and counters[OVERLAY]["encapsulated"] >= COUNT / 100
