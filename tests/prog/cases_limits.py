# SPDX-License-Identifier: GPL-2.0-or-later
"""State: the route cache and what outdates it, and the bound on unresolved destinations."""

from net import (FAR_NATIVE, FAR_TUNNEL, LAN2_HOST, LAN_HOST, MEMBER, ON_LINK_LAN_HOST,
                 POOL_MEMBER, ROUTER, Host, arrives, arrives_6in4, change, configuration, event,
                 flood, leaves, leaves_6in4, packet, scenario, sequence, step, told_too_big)

FAR = Host(FAR_NATIVE, ROUTER.mac, "eth0")
MOVED = MEMBER._replace(address="2001:470:811d::3:1")
OLD_MAC, NEW_MAC = "32:00:00:00:31:01", "32:00:00:00:31:02"


def neighbour(mac):
    return f"ip neighbour replace {MOVED.address} lladdr {mac} dev zttest nud permanent"


FORGET = f"ip neighbour del {MOVED.address} dev zttest || true"


def forwards(source, destination, mac=None, **fields):
    """A step: one packet from host to host."""
    ip = packet(source.address, destination.address, **fields)
    to = destination._replace(mac=mac) if mac else destination
    return step(source.port, arrives(source, ip), "forwarded", leaves(to, ip))


def decapsulates(destination, source=FAR_TUNNEL):
    ip = packet(source, destination.address)
    return step("eth0", arrives_6in4(ip), "decapsulated", leaves(destination, ip))


def stays(source, destination, verdict, **fields):
    return step(source.port, arrives(source, packet(source.address, destination.address, **fields)),
                verdict)


def too_big(source, destination, size, mtu):
    ip = packet(source.address, destination.address, size)
    return step(source.port, arrives(source, ip), "too_big_answered",
                told_too_big(source, ip, mtu))


def cache():
    """What the cache holds never answers for a packet that the FIB or the guard would treat
    otherwise."""
    bad_member = MEMBER._replace(address=LAN_HOST.address)
    bad_far = FAR._replace(address=MEMBER.address)
    to_tunnel = packet(MEMBER.address, FAR_TUNNEL)
    return [
        sequence("cached route does not let a spoofed source pass",
                 forwards(MEMBER, LAN_HOST), stays(bad_member, LAN_HOST, "drop_spoofed"),
                 forwards(MEMBER, LAN_HOST), stays(bad_member, LAN_HOST, "drop_spoofed"),
                 forwards(POOL_MEMBER, LAN_HOST)),
        sequence("cached route of one port does not let a spoofed source pass on another",
                 forwards(LAN_HOST, MEMBER), stays(FAR._replace(address=LAN_HOST.address), MEMBER,
                                                   "drop_spoofed"),
                 forwards(FAR, MEMBER), stays(bad_far, MEMBER, "drop_spoofed")),
        sequence("cached route of the tunnel does not let our own prefix pass",
                 decapsulates(MEMBER),
                 step("eth0", arrives_6in4(packet(LAN_HOST.address, MEMBER.address)),
                      "drop_spoofed"),
                 decapsulates(MEMBER),
                 step("eth0", arrives_6in4(packet("::1", MEMBER.address)), "drop_inner_source")),
        sequence("tunnel and uplink, which share a port, do not share routes",
                 decapsulates(MEMBER), forwards(FAR, MEMBER),
                 step("eth0", arrives_6in4(packet(FAR_TUNNEL, "2001:db8:a::2")), "drop_spoofed"),
                 step("eth0", arrives(FAR, packet(FAR_NATIVE, "2001:db8:a::2")), "pass_other"),
                 decapsulates(MEMBER), forwards(FAR, MEMBER)),
        sequence("native and tunnelled packets to one lan host take turns",
                 decapsulates(LAN_HOST), forwards(FAR, LAN_HOST), forwards(MEMBER, LAN_HOST),
                 forwards(LAN2_HOST, LAN_HOST), decapsulates(LAN_HOST)),
        sequence("small packet does not make the next one fit",
                 forwards(MEMBER, FAR, size=1500), too_big(MEMBER, FAR, 1501, 1500),
                 forwards(MEMBER, FAR, size=1500)),
        sequence("cached route does not spare the hop limit",
                 forwards(MEMBER, FAR), stays(MEMBER, FAR, "pass_hop_limit", hlim=1),
                 forwards(MEMBER, FAR)),
        sequence("traffic class of one packet does not stick to the next",
                 *[step("zttest", arrives(MEMBER, ip), "encapsulated", leaves_6in4(ip))
                   for ip in (packet(MEMBER.address, FAR_TUNNEL, tc=3), to_tunnel,
                              packet(MEMBER.address, FAR_TUNNEL, tc=1, size=999), to_tunnel)]),
    ]


def members():
    """A member that sends from another MAC than before has moved: its neighbour entry is wrong."""
    moved = MEMBER._replace(mac=NEW_MAC)
    told = event(MEMBER.address, "::", NEW_MAC, "zttest", kind="moved")

    def sends(host, events, destination=FAR):
        return {**forwards(host, destination), "events": events}

    return [
        sequence("member that sends from another MAC is reported once",
                 sends(MEMBER, []), sends(moved, [told]), sends(moved, []),
                 sends(moved, [], LAN_HOST), once=True),
        sequence("member that moves back is reported again", sends(MEMBER, []),
                 sends(moved, [told]),
                 sends(MEMBER, [event(MEMBER.address, "::", MEMBER.mac, "zttest", kind="moved")]),
                 once=True),
        sequence("two members on one route are no move", sends(MEMBER, []),
                 sends(POOL_MEMBER, []), sends(MEMBER, []), sends(POOL_MEMBER, []), once=True),
        sequence("spoofed source is no move", sends(LAN_HOST, []),
                 {**stays(LAN_HOST._replace(port="zttest"), FAR, "drop_spoofed"), "events": []},
                 sends(LAN_HOST, []), once=True),
        sequence("upstream router that changes its MAC is no member", sends(FAR, [], MEMBER),
                 sends(FAR._replace(mac="02:00:00:00:e0:02"), [], MEMBER), once=True),
    ]


def outdated():
    return [
        sequence("new link-layer address counts once the agent has told of it",
                 change(neighbour(OLD_MAC)), forwards(FAR, MOVED, OLD_MAC),
                 change(neighbour(NEW_MAC)), forwards(FAR, MOVED, NEW_MAC), cleanup=[FORGET]),
        sequence("new link-layer address counts after a second without agent",
                 change(neighbour(OLD_MAC)), forwards(FAR, MOVED, OLD_MAC),
                 change(neighbour(NEW_MAC), bump=False, wait_ms=1100),
                 forwards(FAR, MOVED, NEW_MAC), once=True, cleanup=[FORGET]),
        sequence("vanished neighbour counts once the agent has told of it",
                 change(neighbour(OLD_MAC)), forwards(FAR, MOVED, OLD_MAC), change(FORGET),
                 stays(FAR, MOVED, "pass_unresolved"), cleanup=[FORGET]),
        sequence("vanished neighbour counts after a second without agent",
                 change(neighbour(OLD_MAC)), forwards(FAR, MOVED, OLD_MAC),
                 change(FORGET, bump=False, wait_ms=1100), stays(FAR, MOVED, "pass_unresolved"),
                 once=True, cleanup=[FORGET]),
        sequence("kernel sends one packet a second when the agent has died",
                 change(neighbour(OLD_MAC)),
                 {**stays(FAR, MOVED, "pass_unwatched"), "heartbeat_ms": 11000},
                 {**forwards(FAR, MOVED, OLD_MAC), "heartbeat_ms": 11000},
                 change(wait_ms=1100),
                 {**stays(FAR, MOVED, "pass_unwatched"), "heartbeat_ms": 11000},
                 {**forwards(FAR, MOVED, OLD_MAC), "heartbeat_ms": 0}, once=True, cleanup=[FORGET]),
        sequence("new route counts once the agent has told of it",
                 change(), forwards(FAR, MEMBER),
                 change(f"ip -6 route add blackhole {MEMBER.address}/128"),
                 stays(FAR, MEMBER, "drop_blackhole"),
                 change(f"ip -6 route del blackhole {MEMBER.address}/128"),
                 forwards(FAR, MEMBER)),
        sequence("new IPv4 next hop counts once the agent has told of it",
                 change(),
                 step("zttest", arrives(MEMBER, packet(MEMBER.address, FAR_TUNNEL)),
                      "encapsulated", leaves_6in4(packet(MEMBER.address, FAR_TUNNEL))),
                 change("ip neighbour replace 192.0.2.1 lladdr 02:00:00:00:e0:77 dev eth0"
                        " nud permanent"),
                 step("zttest", arrives(MEMBER, packet(MEMBER.address, FAR_TUNNEL)),
                      "encapsulated",
                      bytes.fromhex("02000000e077") +
                      leaves_6in4(packet(MEMBER.address, FAR_TUNNEL))[6:]), once=True,
                 cleanup=["ip neighbour replace 192.0.2.1 lladdr 02:00:00:00:e0:01 dev eth0"
                          " nud permanent"]),
    ]


def crowd():
    """More destinations than the cache holds, again and again: they meet in its sets."""
    members = [Host(f"2001:470:811d::c:{i:x}", f"32:00:00:00:0c:{i:02x}", "zttest")
               for i in range(96)]
    batch = "".join(f"neighbour replace {m.address} lladdr {m.mac} dev zttest nud permanent\n"
                    for m in members)
    arrive = change(f"ip -batch - <<'END'\n{batch}END")
    forget = "ip neighbour flush dev zttest to 2001:470:811d::c:0/120 nud permanent"
    steps = [forwards(FAR, member) for member in members]
    back = [forwards(member, FAR) for member in members[:8]]
    ways = [one for member in members
            for one in (forwards(LAN_HOST, member), stays(MEMBER, member, "pass_other"))]
    return [
        sequence("more members than the cache holds are all served right", arrive, *steps, *back,
                 *steps[::-1], cleanup=[forget]),
        sequence("route of one port never serves another, however full the cache", arrive, *ways,
                 cleanup=[forget]),
    ]


def unresolved():
    """A scan must not become a storm of Neighbour Solicitations inside."""
    nobody = [arrives(FAR, packet(FAR_NATIVE, f"2001:470:811d::dead:{i:x}")) for i in range(300)]
    nobody_6in4 = [arrives_6in4(packet(FAR_TUNNEL, f"2001:470:811d::dead:{i:x}"))
                   for i in range(300)]
    unreachable = arrives(FAR, packet(FAR_NATIVE, "2001:470:811d:a1::1"))
    prohibited = arrives(FAR, packet(FAR_NATIVE, "2001:470:811d:a3::1"))
    lan = arrives(LAN_HOST, packet(LAN_HOST.address, "2001:470:811d::dead"))
    no_route = arrives(MEMBER, packet(MEMBER.address, "2001:db8:dddd::1"))

    def limited(frames, within="pass_unresolved", count=300, port="eth0"):
        return flood(port, frames, count, "unresolved", (within,), "drop_unresolved_limited")

    return [
        sequence("scan of unknown addresses is limited", limited(nobody), once=True),
        sequence("scan through the tunnel is limited", limited(nobody_6in4), once=True),
        sequence("packets to one unresolved address are limited", limited(nobody[0]), once=True),
        sequence("packets to an unreachable route are limited",
                 limited(unreachable, "pass_no_route"), once=True),
        sequence("packets to a prohibit route are limited",
                 limited(prohibited, "pass_no_route"), once=True),
        sequence("scan does not disturb members",
                 limited(nobody), forwards(FAR, MEMBER), decapsulates(MEMBER),
                 forwards(FAR, LAN_HOST), once=True),
        sequence("a storm does not disturb members who were there of late",
                 decapsulates(MEMBER), limited(nobody, count=8000), forwards(FAR, MEMBER),
                 once=True),
        sequence("scan of one port does not limit another", limited(nobody),
                 step("eth1", lan, "pass_unresolved"), once=True),
        sequence("bucket fills again", limited(nobody), change(wait_ms=400),
                 step("eth0", nobody[:2], "pass_unresolved"), once=True),
        sequence("scan of unknown addresses leaves nothing for unreachable ones",
                 limited(nobody), step("eth0", unreachable, "drop_unresolved_limited"), once=True),
        sequence("blackhole takes nothing from the bucket",
                 step("eth0", [arrives(FAR, packet(FAR_NATIVE, "2001:470:811d:a2::1"))] * 300,
                      "drop_blackhole"),
                 step("eth0", nobody[0], "pass_unresolved"), once=True),
        sequence("packets without any route are not limited",
                 change("ip -6 route del default"),
                 step("zttest", [no_route] * 300, "pass_no_route"), once=True,
                 cleanup=["ip -6 route replace default via 2001:470:811d::1 dev he-ipv6"]),
        sequence("packets for the gateway itself are not limited",
                 limited(nobody),
                 step("eth0", [arrives(FAR, packet(FAR_NATIVE, "2001:470:811d::80"))] * 300,
                      "pass_local"), once=True),
    ]


SMALLEST = "limits {\n\tcache-entries 64\n}\n"


def by_source():
    """`ip -6 rule from`: the source decides, and the cache knows."""
    def native(host_id=5):
        host = LAN_HOST._replace(address=f"2001:470:811d:10::{host_id:x}")
        ip = packet(host.address, FAR_TUNNEL)
        return step("eth1", arrives(host, ip), "forwarded", leaves(FAR, ip))

    def tunnelled(host_id=5):
        host = ON_LINK_LAN_HOST._replace(address=f"2001:db8:48:20::{host_id:x}")
        ip = packet(host.address, FAR_TUNNEL)
        return step("eth1", arrives(host, ip), "encapsulated", leaves_6in4(ip))

    crowd_of_sources = [way(i) for i in range(0x20, 0x60) for way in (native, tunnelled)]
    cases = [
        sequence("two sources, one destination, two ways", native(), tunnelled(), native(),
                 tunnelled()),
        sequence("two sources, one destination, two ways, the other first", tunnelled(), native(),
                 tunnelled(), native()),
        sequence("more sources than the cache holds all go their own way", *crowd_of_sources,
                 *crowd_of_sources[::-1]),
    ]
    return scenario("routes by source", configuration(more=SMALLEST), cases, last=True,
                    setup=["ip -6 route add 2001:db8:a::/48 via 2001:db8:ffff:1::1 dev eth0"
                           " table 100",
                           "ip -6 rule add from 2001:470:811d:10::/64 lookup 100"],
                    cleanup=["ip -6 rule del from 2001:470:811d:10::/64 lookup 100",
                             "ip -6 route flush table 100"])


def scenarios():
    slow = "limits {\n\tunresolved-rate 10\n}\n"
    return [
        scenario("route cache", configuration(), cache() + outdated() + crowd() + members()),
        scenario("smallest route cache", configuration(more=SMALLEST), cache() + crowd(),
                 last=True),
        scenario("unresolved-rate", configuration(more=slow), unresolved()),
        by_source(),
    ]
