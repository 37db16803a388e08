# SPDX-License-Identifier: GPL-2.0-or-later
"""How often the kernel's table is asked about members whom nobody knows of, and who is spared that bound.

What a look finds decides the verdict. A blackhole is found without anything being remembered, so that a
flood of one address asks anew with every packet.
"""

from net import (FAR_NATIVE, FAR_TUNNEL, LAN_HOST, MEMBER, ON_LINK_MEMBER, ROUTER, TUNNEL_ADDRESS, Host,
                 arrives, arrives_6in4, change, configuration, drained, flood, knows, leaves, packet,
                 scenario, sequence, step)

FAR = Host(FAR_NATIVE, ROUTER.mac, "eth0")
UNRESOLVED = 1  # a second; a hundred times as many looks, and at first as many as in a second
LIMITS = f"limits {{\n\tunresolved-rate {UNRESOLVED}\n\tmembers 64\n}}\n"
MANY = 600 * UNRESOLVED  # some of them are beyond where each takes no more than 8 ms

NOWHERE = "2001:470:811d:a2::1"

NO_LOOKS = drained("asked", "eth0", "he-ipv6")


def asks(port, frame):
    """More looks than there are."""
    return flood(port, [frame], MANY, "asked", ("drop_blackhole",), "drop_unresolved_limited")


def one(source, destination, verdict="forwarded", **more):
    ip = packet(source.address, destination.address)
    out = leaves(destination, ip) if verdict == "forwarded" else None
    return step(source.port, arrives(source, ip), verdict, out, **more)


def case(name, *steps, **more):
    return sequence(name, *steps, once=True, **more)


def new(number):
    """A member of whom nobody has heard. Each case has its own: the route cache outlives it."""
    member = Host(f"2001:470:811d::5:{number:x}", "32:00:00:00:51:01", "zttest")
    return (member, f"ip neighbour del {member.address} dev zttest || true", change(
        f"ip neighbour replace {member.address} lladdr {member.mac} dev zttest nud permanent"))


def bounded():
    stranger, forget, there = new(10)
    native = asks("eth0", arrives(FAR, packet(FAR_NATIVE, NOWHERE)))
    tunnelled = asks("eth0", arrives_6in4(packet(FAR_TUNNEL, NOWHERE)))
    lan = asks("eth1", arrives(LAN_HOST, packet(LAN_HOST.address, NOWHERE)))
    return [
        case("looks for members whom nobody knows are bounded", native),
        case("looks for such members through the tunnel are bounded", tunnelled),
        case("looks for such members by one port leave those by others", native, tunnelled, lan),
        case("a member of whom nobody has heard is not looked for when there are no looks left",
             there, NO_LOOKS, one(FAR, stranger, "drop_unresolved_limited"),
             step("eth0", arrives_6in4(packet(FAR_TUNNEL, stranger.address)),
                  "drop_unresolved_limited"), one(LAN_HOST, stranger), cleanup=[forget]),
        case("a member of whom nobody has heard gets his turn", there, native, change(wait_ms=100),
             one(FAR, stranger), cleanup=[forget]),
    ]


def spared():
    to_us = arrives(FAR, packet(FAR_NATIVE, TUNNEL_ADDRESS))
    cases = []
    member, forget, there = new(11)
    cases.append(case("one who has sent is looked for, however many others are", there,
                      one(member, LAN_HOST), NO_LOOKS, one(FAR, member), cleanup=[forget]))
    member, forget, there = new(12)
    cases.append(case("one who was sent to is looked for, however many others are", there,
                      one(LAN_HOST, member), NO_LOOKS, one(FAR, member), cleanup=[forget]))
    member, forget, there = new(13)
    cases.append(case("one who was sent to by the same way is looked for, however many others are",
                      there, one(FAR, member), change(age_s=61), NO_LOOKS, one(FAR, member),
                      cleanup=[forget]))
    return cases + [
        case("one whom the agent has verified is looked for, however many others are", NO_LOOKS,
             one(FAR, ON_LINK_MEMBER, told=[knows(ON_LINK_MEMBER.address)])),
        case("the gateway itself is found, however many others are looked for", NO_LOOKS,
             step("eth0", to_us, "pass_local")),
        case("members find whomever they like outside, however many others are looked for",
             drained("asked", "zttest"),
             *[one(MEMBER, FAR._replace(address=f"2001:db8:b::{i:x}")) for i in range(1, 60)]),
    ]


def scenarios():
    return [scenario("looks", configuration(more=LIMITS), bounded() + spared(), last=True)]
