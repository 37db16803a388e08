# SPDX-License-Identifier: GPL-2.0-or-later
"""A small Internet out of network namespaces, with the gateway in its middle.

    inet ------+                    2001:db8:1::/64, an IPv6 host somewhere
               | to-inet
             router                 forwards; believes that 2001:db8:48::/48 is on-link at to-gw
               | | to-gw
    broker ----+ |                  the far end of the 6in4 tunnel: 2001:470:811d::/48
      to-broker  | eth0
                gw ------ lan       2001:470:811d:10::/64 on eth1
                 | ztXXXXXXXX
             m1 -+- m2              ZeroTier members, behind TAPs that tapswitch holds

All addresses are of documents (RFC 3849, RFC 5737) except those of the reference case, a tunnel of
Hurricane Electric's; nothing leaves the namespaces.
"""

import base64
import contextlib
import itertools
import os
import signal

from gateway import Gateway, peer
from netns import Namespace, remove_stale

NETWORK = 0x159924d6308e1d7e
OVERLAY_MTU = 2800  # ZeroTier's default

INET = "2001:db8:1::2"
BROKER = "2001:db8:2::2"
BROKER_V4 = "72.52.104.74"
GATEWAY_V4 = "192.0.2.80"

# T1: the /48 that is routed through the tunnel.
TUNNEL = "he-ipv6"
ROUTED = "2001:470:811d::/48"
TUNNEL_GATEWAY = "2001:470:811d::1"
TUNNEL_ADDRESS = "2001:470:811d::80"

# T2: the /48 that the router takes to be on-link, and the gateway's own part of it.
ONLINK = "2001:db8:48::/48"
ONLINK_ROUTER = "2001:db8:48:ffff::1"
ONLINK_ADDRESS = "2001:db8:48:ffff::80"

# T3: an Ethernet segment behind the gateway.
LAN = "2001:470:811d:10::/64"
LAN_ADDRESS = "2001:470:811d:10::1"
LAN_HOST = "2001:470:811d:10::10"


def overlay_name(network):
    """ZeroTier's name for a network's TAP."""
    folded = (network ^ network >> 24) & 0xffffffffff
    return "zt" + base64.b32encode(folded.to_bytes(5, "big")).decode().lower()


OVERLAY = overlay_name(NETWORK)


class Node:
    """The addresses that ZeroTier derives for a node in NETWORK."""

    def __init__(self, node_id):
        octets = node_id.to_bytes(5, "big")
        groups = [f"{node_id >> shift & 0xffff:x}" for shift in (32, 16, 0)]
        self.id = node_id
        self.mac = ":".join(f"{octet:02x}" for octet in [
            (NETWORK & 0xfe) | 2 if (NETWORK & 0xfe) | 2 != 0x52 else 0x32,
            *(octet ^ (NETWORK >> 8 * (i + 1) & 0xff) for i, octet in enumerate(octets))])
        rfc4193 = (0xfd << 120 | NETWORK << 56 | 0x9993 << 40 | node_id).to_bytes(16, "big")
        self.rfc4193 = ":".join(rfc4193[i:i + 2].hex() for i in range(0, 16, 2))
        self.routed = f"2001:470:811d::{':'.join(groups)}"  # pool start + node id: the first /64
        self.onlink = f"2001:db8:48::{':'.join(groups)}"


GATEWAY = Node(0x0123456789)
M1 = Node(0x338a13b4bb)
M2 = Node(0x22a1b2c3d4)
M2_MANUAL = "2001:470:811d:8::2"  # assigned by hand: nothing derives it

_serial = itertools.count()


class Lab:
    """Use as a context manager: the namespaces exist inside it.

    `segment_mtu` is that of the router's and the gateway's Ethernet; `zerotier_routes` tells
    whether the overlay's service has installed its routes.
    """

    def __init__(self, segment_mtu=1500, tunnel_mtu=1480, zerotier_routes=True):
        self.segment_mtu = segment_mtu
        self.tunnel_mtu = tunnel_mtu
        self.zerotier_routes = zerotier_routes
        self.name = f"zt6-{os.getpid()}-{next(_serial)}"
        self._stack = contextlib.ExitStack()

    def __enter__(self):
        remove_stale(r"zt6-(\d+)-\d+-[a-z0-9]+")
        try:
            for role in ("inet", "router", "broker", "gw", "m1", "m2", "lan"):
                namespace = Namespace(f"{self.name}-{role}")
                self._stack.callback(namespace.remove)
                setattr(self, role, namespace)
            self._internet()
            self._tunnel_broker()
            self._zerotier()
            self.gateway = Gateway(self.gw, self.name)
            self._stack.callback(self.gateway.close)
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(self, *_):
        # A second Ctrl-C shall not interrupt the tidying up after the first.
        handler = signal.signal(signal.SIGINT, signal.SIG_IGN)
        try:
            self._stack.close()
        finally:
            signal.signal(signal.SIGINT, handler)

    @property
    def namespaces(self):
        return [self.inet, self.router, self.broker, self.gw, self.m1, self.m2, self.lan]

    @staticmethod
    def _cable(left, left_name, right, right_name, mtu=1500):
        """A veth pair as honest as a cable. Checksums are filled in before a frame leaves, for XDP
        redirects it as it is; and nothing is merged on arrival, for a raw socket, as the
        broker's, would get packets that no wire has carried."""
        left.ip(f"link add {left_name} mtu {mtu} type veth "
                f"peer name {right_name} mtu {mtu} netns {right.name}")
        for end, name in ((left, left_name), (right, right_name)):
            end.run("ethtool", "-K", name, "tx", "off", "tso", "off", "gso", "off", "gro", "off")
            end.ip(f"link set {name} up")

    def _internet(self):
        for other, name in ((self.inet, "to-inet"), (self.broker, "to-broker"), (self.gw, "to-gw")):
            self._cable(self.router, name, other, "eth0", self.segment_mtu)
        self._cable(self.gw, "eth1", self.lan, "eth0")
        # A program makes an end take at once what XDP sends by the other. (GRO would do for
        # redirected frames, but not for those of XDP_TX.)
        for beside_gateway, name in ((self.router, "to-gw"), (self.lan, "eth0")):
            beside_gateway.attach_xdp(name, peer("pass.bpf.o"), "xdp.frags")
        for namespace in (self.router, self.broker):
            namespace.sysctl("ipv6/conf/all/forwarding", 1)
            namespace.sysctl("ipv4/ip_forward", 1)
        self.router.ip(f"""
            addr add 2001:db8:1::1/64 dev to-inet
            addr add 2001:db8:2::1/64 dev to-broker
            addr add 72.52.104.73/24 dev to-broker
            addr add 192.0.2.1/24 dev to-gw
            addr add {ONLINK_ROUTER}/64 dev to-gw
            route add {ONLINK} dev to-gw
            route add {ROUTED} via {BROKER}""")
        self.inet.ip(f"""
            addr add {INET}/64 dev eth0
            route add default via 2001:db8:1::1""")
        self.gw.ip(f"""
            addr add {GATEWAY_V4}/24 dev eth0
            addr add {ONLINK_ADDRESS}/64 dev eth0
            route add default via 192.0.2.1
            route add default via {ONLINK_ROUTER}
            addr add {LAN_ADDRESS}/64 dev eth1""")
        self.lan.ip(f"""
            addr add {LAN_HOST}/64 dev eth0
            route add default via {LAN_ADDRESS}""")

    def _tunnel_broker(self):
        self.broker.ip(f"""
            addr add {BROKER}/64 dev eth0
            addr add {BROKER_V4}/24 dev eth0
            route add default via 72.52.104.73
            route add default via 2001:db8:2::1""")
        self._stack.enter_context(self.broker.daemon(
            peer("sixinfour_peer"), "-m", self.tunnel_mtu, "tun0", BROKER_V4, GATEWAY_V4,
            ready="READY"))
        self.broker.ip(f"""
            addr add {TUNNEL_GATEWAY}/128 dev tun0
            route add {ROUTED} dev tun0""")

    def _zerotier(self):
        self._service = contextlib.ExitStack()
        self._stack.callback(self._service.close)
        self.start_zerotier()

    def start_zerotier(self, addresses=True):
        """The TAPs come, and get what the service gives them."""
        taps = [f"{namespace.path},{OVERLAY},{node.mac}" for namespace, node in
                ((self.gw, GATEWAY), (self.m1, M1), (self.m2, M2))]
        self._service.enter_context(self.m1.daemon(
            peer("tapswitch"), "-m", OVERLAY_MTU, *taps, ready="READY"))
        if addresses:
            self.address_zerotier()

    def stop_zerotier(self):
        """The service ends, and its TAPs with it."""
        self._service.close()

    def address_zerotier(self):
        self.gw.ip(f"addr add {GATEWAY.rfc4193}/88 dev {OVERLAY}")
        if self.zerotier_routes:
            self.gw.ip(f"""
                route add {ROUTED} dev {OVERLAY} proto static metric 5000
                route add {ONLINK} dev {OVERLAY} proto static metric 5000""")
        for namespace, node in ((self.m1, M1), (self.m2, M2)):
            # Two halves instead of ::/0, as the service installs a default route.
            namespace.ip(f"""
                addr add {node.rfc4193}/88 dev {OVERLAY}
                addr add {node.routed}/48 dev {OVERLAY}
                addr add {node.onlink}/48 dev {OVERLAY}
                route add {LAN} via {GATEWAY.rfc4193} proto static metric 5000
                route add ::/1 via {GATEWAY.rfc4193} proto static metric 5000
                route add 8000::/1 via {GATEWAY.rfc4193} proto static metric 5000""")
        self.m2.ip(f"addr add {M2_MANUAL}/48 dev {OVERLAY}")

    def restart_zerotier(self):
        """As the service does it: the TAPs go, and come back with the same names and MACs."""
        self.stop_zerotier()
        self.start_zerotier()


def conf(tunnel=True, onlink=True, lan=False, policy="off", method="auto", sixinfour="", proxy="",
         rule="", overlay="", firewall="", more=""):
    """A zt6.conf for a Lab. `sixinfour`, `proxy`, `rule`, `overlay`, `firewall` and `more` are lines
    to add: to the tunnel, to the proxy, to its rule, to the zerotier section, to the firewall, at
    the end."""
    sections = ["uplink eth0\n"]
    if tunnel:
        sections.append(f"""
tunnel {TUNNEL} {{
    local   {GATEWAY_V4}
    remote  {BROKER_V4}
    address {TUNNEL_ADDRESS}/64
    gateway {TUNNEL_GATEWAY}
    routed  {ROUTED}
    {sixinfour}
}}
""")
    sections.append(f"""
zerotier {NETWORK:016x} {{
    interface {OVERLAY}
    {overlay}
}}
""")
    if onlink:
        sections.append(f"""
proxy eth0 {{
    {proxy}
    rule {ONLINK} {{
        {method}
        {rule}
    }}
}}
""")
    if lan:
        sections.append(f"""
lan eth1 {{
    prefix {LAN}
}}
""")
    sections.append(f"""
firewall {{
    policy {policy}
    {firewall}
}}
{more}
""")
    text = "".join(sections)
    return "\n".join(line for line in text.splitlines() if line.strip() or not line) + "\n"
