# SPDX-License-Identifier: GPL-2.0-or-later
"""`limit`: what each member may send, and what may be sent to it."""

from net import (BIG_MEMBER, FAR_NATIVE, FAR_TUNNEL, LAN_HOST, MEMBER, POOL_MEMBER, ROUTER,
                 TUNNEL_ADDRESS, ZEROTIER, Host, arrives, arrives_6in4, beyond_limit, change,
                 configuration, leaves, leaves_6in4, packet, scenario, sequence, step)

FAR = Host(FAR_NATIVE, ROUTER.mac, "eth0")
SIZE, MANY = 1000, 120  # the burst is 64 KiB

LIMITED = ZEROTIER.replace("interface zttest\n", "interface zttest\n\tlimit 64kbit\n")


def way(source, destination, size=SIZE):
    ip = packet(source.address, destination.address, size)
    return source.port, arrives(source, ip), ("forwarded", leaves(destination, ip))


def passes(source, destination, size=SIZE):
    port, frame, end = way(source, destination, size)
    return step(port, frame, *end)


def floods(source, destination, size=SIZE, count=MANY, of="zttest"):
    port, frame, end = way(source, destination, size)
    return beyond_limit(port, frame, count, of, size, end)


def scenarios():
    outward, inward = packet(MEMBER.address, FAR_TUNNEL, SIZE), packet(FAR_TUNNEL, MEMBER.address, SIZE)
    into_tunnel = ("zttest", arrives(MEMBER, outward), ("encapsulated", leaves_6in4(outward)))
    out_of_tunnel = ("eth0", arrives_6in4(inward), ("decapsulated", leaves(MEMBER, inward)))
    spoofed = arrives(MEMBER, packet(LAN_HOST.address, FAR_NATIVE, SIZE))
    to_gateway = arrives(MEMBER, packet(MEMBER.address, TUNNEL_ADDRESS, SIZE))
    cases = [
        sequence("what a member sends beyond its limit is dropped", floods(MEMBER, FAR), once=True),
        sequence("what a member is sent beyond its limit is dropped", floods(FAR, MEMBER), once=True),
        sequence("bytes count, not packets", floods(MEMBER, FAR, SIZE // 2, 2 * MANY), once=True),
        sequence("a member's limit holds into the tunnel, less the outer header",
                 beyond_limit(into_tunnel[0], into_tunnel[1], MANY, "zttest", SIZE, into_tunnel[2]),
                 once=True),
        sequence("a member's limit holds out of the tunnel",
                 beyond_limit(out_of_tunnel[0], out_of_tunnel[1], MANY, "zttest", SIZE,
                              out_of_tunnel[2]), once=True),
        sequence("each direction has its own rate", floods(MEMBER, FAR), passes(FAR, MEMBER),
                 floods(FAR, MEMBER), once=True),
        sequence("each member has its own rate, both ways", floods(MEMBER, FAR),
                 passes(POOL_MEMBER, FAR), floods(FAR, MEMBER), passes(FAR, POOL_MEMBER), once=True),
        sequence("a lan and another overlay have no limit", floods(MEMBER, FAR),
                 *[passes(LAN_HOST, FAR)] * MANY, *[passes(BIG_MEMBER, FAR)] * MANY, once=True),
        sequence("between members of two ports the limit of each holds",
                 floods(LAN_HOST, MEMBER), passes(MEMBER, LAN_HOST), once=True),
        sequence("the rate comes back with time", floods(MEMBER, FAR), change(wait_ms=400),
                 passes(MEMBER, FAR), once=True),
        sequence("what is spoofed takes nothing from a member's rate",
                 step("zttest", [spoofed] * MANY, "drop_spoofed"), passes(MEMBER, FAR), once=True),
        sequence("what is for the gateway itself is not limited",
                 step("zttest", [to_gateway] * 2 * MANY, "pass_local"), passes(MEMBER, FAR),
                 once=True),
    ]
    return [scenario("limit", configuration(zerotier=LIMITED), cases)]
