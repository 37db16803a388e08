# SPDX-License-Identifier: GPL-2.0-or-later
"""`bind`: a member's source address must fit its MAC, by derivation or by what the configuration says
of prefixes behind members."""

from net import (FAR_NATIVE, FAR_TUNNEL, MEMBER, ROUTER, ZEROTIER, Host, arrives, case,
                 configuration, leaves, leaves_6in4, packet, scenario, sequence, step)

NETWORK = 0x159924d6308e1d7e
FAR = Host(FAR_NATIVE, ROUTER.mac, "eth0")


def mac(node, network=NETWORK):
    """zerotier.md, "Addresses"."""
    octets = node.to_bytes(5, "big")
    first = (network & 0xfe) | 2
    return ":".join(f"{octet:02x}" for octet in [
        0x32 if first == 0x52 else first,
        *(octet ^ (network >> 8 * (i + 1) & 0xff) for i, octet in enumerate(octets))])


def member(address, node):
    return Host(address, mac(node), "zttest")


ONE, OTHER, ROUTING = 0x338a13b4bb, 0x22a1b2c3d4, 0x019e304381
DERIVED = member("2001:470:811d::33:8a13:b4bb", ONE)
BEHIND = "2001:470:811d:20::/60"
BEHIND_UNKNOWN = "2001:470:811d:50::/64"

BOUND = (
    ("pool address", DERIVED),
    ("address of another pool of the prefix", member("2001:470:811d:8:0:33:8a13:b4bb", ONE)),
    ("address of another prefix of the members", member("2001:db8:48::33:8a13:b4bb", ONE)),
    ("address behind the member that routes it", member("2001:470:811d:20::9", ROUTING)),
    ("last address behind the member that routes it",
     member("2001:470:811d:2f:ffff:ffff:ffff:ffff", ROUTING)),
)

UNBOUND = (
    ("another member's pool address", member(DERIVED.address, OTHER)),
    ("another member's address by one bit", member("2001:470:811d::33:8a13:b4ba", ONE)),
    ("address that ends in no node's id", member("2001:470:811d::5", ONE)),
    ("address behind another member", member("2001:470:811d:20::9", ONE)),
    ("own derived address in a prefix behind another member",
     member("2001:470:811d:20::33:8a13:b4bb", ONE)),
    ("address behind a member whose MAC nobody knows", member("2001:470:811d:50::9", ROUTING)),
    ("pool address from a MAC of another network", DERIVED._replace(mac=mac(ONE, NETWORK ^ 0x80))),
    ("pool address from a MAC that is none of ZeroTier's",
     DERIVED._replace(mac="7c" + DERIVED.mac[2:])),
)


def zerotier(bind):
    first = f"""zerotier {NETWORK:016x} {{
\tinterface zttest
\tprefix 2001:470:811d::/48 2001:db8:48::/48 2001:db8:49::/48
\tvia fd15:9924:d630:8e1d:7e99:9301:9e30:4381 {BEHIND}
\tvia 2001:db8:1234::1 {BEHIND_UNKNOWN}
\tbind {bind}
}}
"""
    return first + ZEROTIER.split("}\n", 1)[1]


def to_far(host, verdict, **more):
    ip = packet(host.address, FAR_NATIVE)
    out = leaves(FAR, ip) if verdict == "forwarded" else None
    return step("zttest", arrives(host, ip), verdict, out, **more)


def enforced():
    spoofed = member(DERIVED.address, OTHER)
    into_tunnel = packet(DERIVED.address, FAR_TUNNEL)
    cases = [sequence(f"{name} is forwarded under bind enforce", to_far(host, "forwarded"))
             for name, host in BOUND]
    cases += [sequence(f"{name} is dropped under bind enforce",
                       to_far(host, "drop_spoofed", unbound=True)) for name, host in UNBOUND]
    return cases + [
        sequence("another's frame is dropped on the cache entry of the rightful member",
                 to_far(DERIVED, "forwarded"), to_far(spoofed, "drop_spoofed", unbound=True),
                 to_far(DERIVED, "forwarded"), to_far(spoofed, "drop_spoofed", unbound=True)),
        case("bound source is encapsulated under bind enforce", "zttest",
             arrives(DERIVED, into_tunnel), "encapsulated", leaves_6in4(into_tunnel)),
        case("unbound source into the tunnel is dropped", "zttest",
             arrives(spoofed, into_tunnel), "drop_spoofed", unbound=True),
        case("towards a member nothing is bound", "eth0",
             arrives(FAR, packet(FAR_NATIVE, MEMBER.address)), "forwarded",
             leaves(MEMBER, packet(FAR_NATIVE, MEMBER.address))),
    ]


def counted():
    spoofed = member(DERIVED.address, OTHER)
    cases = [sequence(f"{name} is forwarded and not counted under bind count",
                      to_far(host, "forwarded")) for name, host in BOUND]
    cases += [sequence(f"{name} is counted with every packet under bind count, and forwarded",
                       *[to_far(host, "forwarded", unbound=True)] * 3) for name, host in UNBOUND]
    return cases + [
        sequence("the rightful member is not counted after another's packet",
                 to_far(spoofed, "forwarded", unbound=True), to_far(DERIVED, "forwarded"),
                 to_far(spoofed, "forwarded", unbound=True)),
    ]


def off():
    return [sequence(f"{name} is forwarded under bind off", to_far(host, "forwarded"))
            for name, host in UNBOUND]


def scenarios():
    return [scenario(f"bind {bind}", configuration(zerotier=zerotier(bind)), cases)
            for bind, cases in (("enforce", enforced()), ("count", counted()), ("off", off()))]
