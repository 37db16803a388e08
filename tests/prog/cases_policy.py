# SPDX-License-Identifier: GPL-2.0-or-later
"""`policy kernel`: what the witness has seen the kernel forward, and conntrack holds as established, is
forwarded; real entries of the kernel's conntrack."""

from scapy.compat import raw
from scapy.layers.inet import TCP
from scapy.layers.inet6 import IPv6
from scapy.packet import Raw

from net import (LAN2_HOST, LAN_HOST, MEMBER, arrives, change, configuration, kernel_forwards, leaves,
                 packet, scenario, sequence, step)

PORTS = (4096, 53)  # of packet()
NEW = "/usr/bin/python3 -B tests/prog/conntrack_new.py"
BELIEVED_MS = 1000


def entry(protocol, source, destination, state):
    return change(f"{NEW} {protocol} {source.address} {PORTS[0]} {destination.address} {PORTS[1]} "
                  f"{state}")


def tcp(source, destination, flags):
    header = IPv6(src=source.address, dst=destination.address)
    return IPv6(raw(header / TCP(sport=PORTS[0], dport=PORTS[1], flags=flags) / Raw(bytes(8))))


def udp(source, destination):
    return packet(source.address, destination.address)


def passes(source, ip):
    return step(source.port, arrives(source, ip), "pass_policy")


def forwarded(source, destination, ip):
    return step(source.port, arrives(source, ip), "forwarded", leaves(destination, ip))


def seen(source, destination, ip):
    return kernel_forwards(source.port, destination.port, leaves(destination, ip))


def flow(name, protocol, source, destination, *steps, state="replied"):
    """A case with an entry of its own, which begins and ends with nothing cached."""
    gone = f"{NEW} {protocol} {source.address} {PORTS[0]} {destination.address} {PORTS[1]} gone"
    return sequence(name, entry(protocol, source, destination, state), *steps,
                    change(wait_ms=BELIEVED_MS), once=True, cleanup=[gone])


def scenarios():
    there, back = udp(LAN_HOST, LAN2_HOST), udp(LAN2_HOST, LAN_HOST)
    data, fin, syn = (tcp(LAN_HOST, MEMBER, flags) for flags in ("PA", "FA", "S"))
    cases = [
        flow("an established flow is forwarded when the kernel has forwarded it", "udp", LAN_HOST,
             LAN2_HOST, passes(LAN_HOST, there), seen(LAN_HOST, LAN2_HOST, there),
             forwarded(LAN_HOST, LAN2_HOST, there), forwarded(LAN_HOST, LAN2_HOST, there),
             passes(LAN2_HOST, back), passes(LAN_HOST, udp(LAN_HOST, MEMBER))),
        flow("the kernel's word is believed for less than a second", "udp", LAN_HOST, LAN2_HOST,
             seen(LAN_HOST, LAN2_HOST, there), forwarded(LAN_HOST, LAN2_HOST, there),
             change(wait_ms=BELIEVED_MS), passes(LAN_HOST, there)),
        flow("a flow without an answer is the kernel's", "udp", LAN_HOST, LAN2_HOST,
             seen(LAN_HOST, LAN2_HOST, there), passes(LAN_HOST, there), state="unreplied"),
        flow("an established connection is forwarded", "tcp", LAN_HOST, MEMBER,
             seen(LAN_HOST, MEMBER, data), forwarded(LAN_HOST, MEMBER, data)),
        flow("SYN and FIN are the kernel's, and what follows a FIN that it has forwarded", "tcp",
             LAN_HOST, MEMBER, seen(LAN_HOST, MEMBER, data), forwarded(LAN_HOST, MEMBER, data),
             passes(LAN_HOST, syn), passes(LAN_HOST, fin), seen(LAN_HOST, MEMBER, fin),
             passes(LAN_HOST, data)),
        flow("a connection that is closing is the kernel's", "tcp", LAN_HOST, MEMBER,
             seen(LAN_HOST, MEMBER, data), passes(LAN_HOST, data), state="closing"),
        sequence("a flow that conntrack does not hold is the kernel's",
                 seen(LAN_HOST, LAN2_HOST, there), passes(LAN_HOST, there)),
    ]
    return [scenario("policy kernel, flows", configuration(firewall="firewall {\n}\n"), cases)]
