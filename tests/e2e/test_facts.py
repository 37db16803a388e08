# SPDX-License-Identifier: GPL-2.0-or-later
"""Where the kernel's routes depend on the source of a packet, the cache has to know."""

import json

from lab import LAN, ROUTED, TUNNEL_ADDRESS, TUNNEL_GATEWAY
from machine import Machine, minimal_conf

SOURCE_ROUTED = 1 << 3  # ZT6_PORT_SOURCE_ROUTED

CONF = minimal_conf(address=f"{TUNNEL_ADDRESS}/64", gateway=TUNNEL_GATEWAY, routed=ROUTED
                    ) + f"lan eth1 {{\n    prefix {ROUTED}\n}}\n"


def source_decides(machine):
    """For packets that come in on (eth1, eth0): of members, and of others."""
    shown = machine.gw.run("bpftool", "-j", "map", "dump", "pinned",
                           f"/sys/fs/bpf/zt6-bpf/{machine.name}/ports").stdout
    ports = [element["formatted"]["value"] for element in json.loads(shown)]
    flags = {port["name"]: port["flags"] for port in ports}
    return tuple(bool(flags[name] & SOURCE_ROUTED) for name in ("eth1", "eth0"))


def test_the_source_is_part_of_the_key_only_where_it_decides():
    inside = "2001:470:811d:8::/64"
    with Machine() as machine:
        machine.gateway.up(CONF)
        # Our own rules take all members alike, and nobody else.
        assert source_decides(machine) == (False, False)
        for commands, expected in (
                (f"rule add from {inside} lookup 100", (True, False)),
                (f"rule add from {ROUTED} lookup 100", (False, False)),
                ("rule add from 2001:db8:9::/48 lookup 100", (False, True)),
                ("rule add from 2001:db8:48:ffff::80 lookup 100", (False, False)),
                (f"rule add to {LAN} lookup 100", (False, False)),
                ("rule add from 2001:470::/32 lookup 100", (False, True)),
                ("route add 2001:db8:9::/48 nexthop via fe80::1 dev eth0 "
                 "nexthop via fe80::2 dev eth0", (True, True))):
            machine.gw.run("ip", "-6", *commands.split())
            machine.gateway("up")
            assert source_decides(machine) == expected, commands
            machine.gw.run("ip", "-6", *commands.replace(" add ", " del ").split())
