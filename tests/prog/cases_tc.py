# SPDX-License-Identifier: GPL-2.0-or-later
"""What XDP passed up on the uplink, for a tunnel without a kernel driver (`device bpf`): it goes on
as if it had come from the tunnel's interface, headers untouched but for ECN."""

from scapy.compat import raw
from scapy.layers.inet import IP, UDP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import ARP, Ether
from scapy.packet import Raw

from cases_sixinfour import CE, DECAPSULATED_ECN, ECN_NAMES
from net import (FAR_NATIVE, FAR_TUNNEL, LAN_HOST, LOCAL, MAC, MEMBER, REMOTE, ROUTER,
                 TUNNEL_ADDRESS, arrives, arrives_6in4, behind_xdp, configuration, packet, scenario)


def handed_on(name, ip, frame=None, tc=None):
    """The packet in 6in4 goes to the tunnel's interface, its hop limit as it was. That interface
    has no link layer: what is left of Ethernet is of no matter there."""
    changed = ip.copy()
    if tc is not None:
        changed.tc = tc
    out = Ether(src=ROUTER.mac, dst=MAC["eth0"], type=0x0800) / Raw(raw(changed))
    return behind_xdp(name, frame or arrives_6in4(ip), "decapsulated", raw(out))


def dropped(name, verdict, ip, **outer):
    return behind_xdp(name, arrives_6in4(ip, **outer), verdict)


def left_alone(name, frame):
    return behind_xdp(name, frame, None)


def ecn():
    cases = []
    for inner in range(4):
        for outer in range(4):
            result = DECAPSULATED_ECN[inner][outer]
            ip = packet(FAR_TUNNEL, TUNNEL_ADDRESS, tc=0x28 | inner)
            name = f"decapsulation of {ECN_NAMES[inner]} in {ECN_NAMES[outer]} "
            if result is None:
                cases.append(dropped(name + "is dropped", "drop_ecn", ip, tos=CE))
            else:
                cases.append(handed_on(name + f"gives {ECN_NAMES[result]}", ip,
                                       arrives_6in4(ip, tos=outer), tc=0x28 | result))
    return cases


def scenarios():
    own = packet(FAR_TUNNEL, TUNNEL_ADDRESS)
    ether = Ether(src=ROUTER.mac, dst=MAC["eth0"])
    cases = [
        handed_on("6in4 for the gateway itself is handed to the tunnel's interface", own),
        handed_on("6in4 for a member is handed to the tunnel's interface",
                  packet(FAR_TUNNEL, MEMBER.address)),
        handed_on("6in4 with hop limit 1 is handed on, the kernel answers",
                  packet(FAR_TUNNEL, MEMBER.address, hlim=1)),
        handed_on("6in4 for nobody known is handed on, the kernel looks for it",
                  packet(FAR_TUNNEL, "2001:470:811d::dead")),
        handed_on("6in4 of 1480 bytes is handed on", packet(FAR_TUNNEL, TUNNEL_ADDRESS, size=1480)),
        handed_on("6in4 for a link-local address is handed on", packet("fe80::1", "fe80::2")),
        handed_on("6in4 without payload is handed on",
                  IPv6(src=FAR_TUNNEL, dst=TUNNEL_ADDRESS, nh=59, plen=0)),
        dropped("martian inner source is dropped", "drop_inner_source",
                packet("::1", TUNNEL_ADDRESS)),
        dropped("mapped inner source is dropped", "drop_inner_source",
                packet("::ffff:192.0.2.1", TUNNEL_ADDRESS)),
        dropped("own prefix as inner source is dropped", "drop_spoofed",
                packet(LAN_HOST.address, MEMBER.address)),
        left_alone("6in4 with a bad checksum is left alone", arrives_6in4(own, chksum=1)),
        left_alone("6in4 from another remote is left alone",
                   arrives_6in4(own, src="72.52.104.75")),
        left_alone("fragment is left alone", arrives_6in4(own, flags="MF")),
        left_alone("IPv6 is left alone", arrives(ROUTER, packet(FAR_NATIVE, MEMBER.address))),
        left_alone("UDP from the remote is left alone",
                   raw(ether / IP(src=REMOTE, dst=LOCAL) / UDP() / Raw(bytes(60)))),
        left_alone("ARP is left alone", raw(ether / ARP(pdst="192.0.2.10"))),
    ]
    return [scenario("behind XDP", configuration(), cases + ecn())]
