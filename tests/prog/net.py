# SPDX-License-Identifier: GPL-2.0-or-later
"""The network of topology.sh as the cases see it, and the words that cases are written in.

Scapy builds every frame, those that go in and those that must come out: it is the codec that
shares no code with the programs.
"""

from collections import namedtuple
from ipaddress import IPv6Address

from scapy.compat import raw
from scapy.layers.inet import IP, UDP
from scapy.layers.inet6 import ICMPv6PacketTooBig, IPv6
from scapy.layers.l2 import Ether
from scapy.packet import Raw
from scapy.utils import mac2str

# --- the gateway ---------------------------------------------------------------------------

MAC = {
    "eth0": "02:00:00:00:0e:00",
    "zttest": "32:11:22:33:44:55",
    "ztbig": "32:11:22:33:44:66",
    "eth1": "02:00:00:00:1e:00",
    "eth2": "02:00:00:00:2e:00",
}
LINK_LOCAL = {"eth0": "fe80::e:0", "zttest": "fe80::32", "eth1": "fe80::1e:0"}

# Of the port, or where it has none a tunnel's.
ERROR_SOURCE = {
    "eth0": "2001:db8:48:ff::2",
    "zttest": "2001:db8:48::1",
    "ztbig": "2001:470:811d::80",
    "eth1": "2001:db8:48:20::1",
    "eth2": "2001:470:811d:30::1",
}

LOCAL, REMOTE = "192.0.2.10", "72.52.104.74"
REMOTE2 = "203.0.113.9"
TUNNEL_ADDRESS, TUNNEL_GATEWAY = "2001:470:811d::80", "2001:470:811d::1"

# --- who is around it ----------------------------------------------------------------------

Host = namedtuple("Host", "address mac port")

ROUTER = Host("2001:db8:ffff:1::1", "02:00:00:00:e0:01", "eth0")
ON_LINK_ROUTER = Host("2001:db8:48:ff::1", "02:00:00:00:e0:01", "eth0")
NEIGHBOUR = Host("2001:db8:ffff:1::77", "02:00:00:00:e0:77", "eth0")
MEMBER = Host("2001:470:811d::1:0:5", "32:00:00:00:00:05", "zttest")
# Where ZeroTier's pool puts it: in the /48's first /64, with the tunnel's own address.
POOL_MEMBER = Host("2001:470:811d::33:8a13:b4bb", "32:00:00:00:00:33", "zttest")
# The same in the on-link prefix; :7 becomes a STALE neighbour where a case says so: the kernel
# forgets those when it likes.
ON_LINK_MEMBER = Host("2001:db8:48::5", "32:00:00:00:00:05", "zttest")
STALE_MEMBER = Host("2001:db8:48::7", "32:00:00:00:00:07", "zttest")
STALE = (f"ip neighbour replace {STALE_MEMBER.address} lladdr {STALE_MEMBER.mac} dev zttest"
         " nud stale")
BEHIND_MEMBER = Host("2001:470:811d:20::9", "32:00:00:00:00:05", "zttest")
BIG_MEMBER = Host("2001:470:811d:60::5", "32:00:00:00:60:05", "ztbig")
LAN_HOST = Host("2001:470:811d:10::5", "02:00:00:00:10:05", "eth1")
ON_LINK_LAN_HOST = Host("2001:db8:48:20::5", "02:00:00:00:20:05", "eth1")
LAN2_HOST = Host("2001:470:811d:30::5", "02:00:00:00:30:05", "eth2")

FAR_TUNNEL = "2001:db8:a::1"  # the Internet, by the default route through the tunnel
FAR_NATIVE = "2001:db8:b::1"  # the Internet, behind ROUTER
FAR_TUNNEL2 = "2001:db8:c::1"  # behind the second tunnel

# --- frames --------------------------------------------------------------------------------


def packet(source, destination, size=64, hlim=64, tc=0, **fields):
    """A UDP packet of `size` bytes, IPv6 header included; its content shows misplaced bytes."""
    body = bytes((i * 7 + 1) % 256 for i in range(size - 48))
    header = IPv6(src=source, dst=destination, hlim=hlim, tc=tc, fl=0x12345, **fields)
    return IPv6(raw(header / UDP(sport=4096, dport=53) / Raw(body)))


def arrives(host, ip, **ether):
    """The frame in which a neighbour of the gateway hands it a packet to forward."""
    ether = {"src": host.mac, "dst": MAC[host.port], **ether}
    return raw(Ether(type=0x86DD, **ether) / Raw(raw(ip)))


def arrives_6in4(ip, ether=None, **fields):
    """The same from the tunnel broker, by way of the upstream router."""
    ether = {"src": ROUTER.mac, "dst": MAC["eth0"], **(ether or {})}
    fields = {"src": REMOTE, "dst": LOCAL, "ttl": 57, "id": 0x1234, **fields}
    return raw(Ether(type=0x0800, **ether) / IP(proto=41, **fields) / Raw(raw(ip)))


# Behind `sit` there is no link layer. BPF_PROG_TEST_RUN believes that there is, and reads the protocol where
# Ethernet has it: in the source address.
FAR_BEHIND_SIT = "2001:db8:86dd::1"


def hop(ip, tc=None):
    """The packet, one hop further; `tc`: its new traffic class."""
    further = ip.copy()
    further.hlim = ip.hlim - 1
    if tc is not None:
        further.tc = tc
    return raw(further)


def leaves(host, ip, **changes):
    """The frame in which the gateway hands it on to a neighbour."""
    return raw(Ether(src=MAC[host.port], dst=host.mac, type=0x86DD) / Raw(hop(ip, **changes)))


def leaves_6in4(ip, **fields):
    """The same into the tunnel; by default as a tunnel with default settings does it."""
    fields = {"src": LOCAL, "dst": REMOTE, "ttl": 255, "id": 0, "flags": "DF", "tos": ip.tc & 3,
              **fields}
    outer = Ether(src=MAC["eth0"], dst=ROUTER.mac, type=0x0800) / IP(proto=41, **fields)
    return raw(outer / Raw(hop(ip)))


def told_too_big(host, ip, mtu, tag=b""):
    """The frame in which the gateway answers a packet of `host` that is larger than its path:
    RFC 4443 §3.2, with as much of the packet as 1280 bytes hold."""
    error = (IPv6(src=ERROR_SOURCE[host.port], dst=ip.src, hlim=64) / ICMPv6PacketTooBig(mtu=mtu) /
             Raw(raw(ip)[:1280 - 40 - 8]))
    return raw(Ether(src=MAC[host.port], dst=host.mac, type=0x86DD) / Raw(raw(error)))


def solicited_node(address):
    """RFC 4291 §2.7.1"""
    low = int(IPv6Address(address)) & 0xFFFFFF
    return str(IPv6Address(int(IPv6Address("ff02::1:ff00:0")) | low))


def multicast_mac(address):
    """RFC 2464 §7"""
    return "33:33:" + ":".join(f"{byte:02x}" for byte in IPv6Address(address).packed[12:])


# --- cases ---------------------------------------------------------------------------------

REDIRECTS = ("forwarded", "decapsulated", "encapsulated")
REPLIES = ("ndp_answered", "too_big_answered")


def action(verdict):
    """What a verdict does with the frame, design §7."""
    if verdict in REDIRECTS:
        return "REDIRECT"
    if verdict in REPLIES:
        return "REPLY"
    return "PASS" if verdict.startswith("pass_") else "DROP"


def ending(verdict, out=None, any=None, ipv4_checksum=False, unbound=False):
    """How a frame ends.

    out: the frame that comes out, or None when it stays as it is, byte for byte
    any: (offset, length) of bytes in it that may be anything, but vary from frame to frame
    ipv4_checksum: instead of comparing the outer IPv4 checksum, verify it
    unbound: it is counted, too, as one whose source is bound to another MAC
    """
    if (out is None) == (verdict in REDIRECTS + REPLIES):
        raise ValueError(f"{verdict} and {'a' if out else 'no'} frame to come out")
    made = {"verdict": verdict, "action": action(verdict)}
    if out is not None:
        made["out"] = out.hex()
    if any:
        made["any"] = list(any)
    if ipv4_checksum:
        made["ipv4_checksum"] = True
    if unbound:
        made["unbound"] = True
    return made


def event(address, source, mac, port, kind="solicited"):
    """What the agent is told: that somebody asks for an address, or that a member has moved."""
    return {"addr": IPv6Address(address).packed.hex(), "source": IPv6Address(source).packed.hex(),
            "mac": mac2str(mac).hex(), "port": port, "kind": kind}


def knows(target, verified=True, port="eth0", for_ms=60000):
    """What the agent has found out about a target that is asked for on a port."""
    return {"target": IPv6Address(target).packed.hex(), "port": port, "verified": verified,
            "for_ms": for_ms}


def step(port, frames, verdict, out=None, linear=None, events=None, agent=None, told=(), any=None,
         ipv4_checksum=False, unbound=False):
    """Frames that arrive one after the other, each with the same end.

    linear: how many bytes of each are not in fragments of the driver's buffer
    agent: None: there is none; else how many ms ago it was last heard of
    told: what it knows of targets, see knows()
    events: what it is told then
    """
    frames = [frames] if isinstance(frames, bytes) else frames
    made = {"port": port, "frames": [frame.hex() for frame in frames],
            "expect": ending(verdict, out, any, ipv4_checksum, unbound)}
    if linear:
        made["linear"] = linear
    if agent is not None:
        made["heartbeat_ms"] = agent
    if told:
        made["told"] = list(told)
    if events is not None:
        made["events"] = events
    return made


def behind_xdp(name, frame, verdict, out=None):
    """A case for the TC program that takes 6in4 which XDP passed up on the uplink: counted, if at
    all (a verdict of None), on the tunnel's port."""
    made = {"action": "TC_UNSPEC"} if verdict is None else ending(verdict, out)
    if verdict is not None:
        made["action"] = "TC_REDIRECT" if out else "TC_SHOT"
    return sequence(name, {"tc": True, "port": "eth0", "counts": "he-ipv6", "expect": made,
                           "frames": [frame.hex()]})


def flood(port, frames, count, bucket, within, beyond):
    """`count` frames at once: as many as the bucket holds end `within`, the others `beyond`."""
    return {**step(port, frames, within[0], *within[1:]), "flood": count, "bucket": bucket,
            "beyond": ending(beyond)}


def beyond_limit(port, frames, count, of, size, within):
    """The same where `limit` bounds what a member of the port `of` sends or is sent, in packets of
    `size` bytes of IPv6."""
    return {**flood(port, frames, count, of, within, "drop_rate_limited"), "limit_bytes": size}


def kernel_forwards(port, to, frame):
    """The kernel itself sends a frame that came in on one port out of another."""
    return {"port": port, "forwarded_to": to, "frames": [frame.hex()]}


def change(*commands, bump=True, wait_ms=0, age_s=0):
    """The network changes; with `bump`, the agent is there to notice. `age_s`: the last that was heard of
    each member is so much longer ago."""
    return {"commands": list(commands), "bump": bump, "wait_ms": wait_ms, "age_s": age_s}


def drained(bucket, *ports):
    """The bucket of each port is empty, for longer than the case takes."""
    return {"drain": bucket, "ports": list(ports)}


def sequence(name, *steps, once=False, cleanup=()):
    """A case of several steps. `once`: it is not repeated on the cache that it left."""
    return {"name": name, "steps": list(steps), "once": once, "cleanup": list(cleanup)}


def case(name, port, frames, verdict, out=None, **more):
    """A case of one step. One that looks at events runs once: the agent is not told twice."""
    return sequence(name, step(port, frames, verdict, out, **more), once="events" in more)


# --- configurations ------------------------------------------------------------------------

UPLINK = "uplink eth0 {\n\tdatapath auto\n}\n"
TUNNEL = f"""tunnel he-ipv6 {{
\tlocal {LOCAL}
\tremote {REMOTE}
\taddress {TUNNEL_ADDRESS}/64
\tgateway {TUNNEL_GATEWAY}
\trouted 2001:470:811d::/48
\tdevice bpf
%s}}
"""
ZEROTIER = """zerotier 159924d6308e1d7e {
\tinterface zttest
\tprefix 2001:470:811d::/48 2001:db8:48::/48 2001:db8:49::/48
}
zerotier 159924d6308e1d7f {
\tinterface ztbig
\tprefix 2001:470:811d:60::/64
}
"""
LAN = """lan eth1 {
\tprefix 2001:470:811d:10::/64 2001:db8:48:20::/64
}
lan eth2 {
\tprefix 2001:470:811d:30::/64
}
"""
RULES = """\trule 2001:db8:48::/48 {
\t\tauto
\t}
\trule 2001:db8:49::/48 {
\t\tstatic
\t}
"""
PROXY = "proxy eth0 {\n%s}\n"
OPEN = "firewall {\n\tpolicy off\n}\n"


def configuration(uplink=UPLINK, tunnel="", zerotier=ZEROTIER, lan=LAN, proxy=PROXY % RULES,
                  firewall=OPEN, more=""):
    """A whole zt6.conf; `tunnel`: more lines in its tunnel section."""
    return uplink + TUNNEL % tunnel + zerotier + lan + proxy + firewall + more


def scenario(name, conf, cases, setup=(), cleanup=(), last=False):
    """Cases that share a configuration; `setup` and `cleanup` are shell commands around them.

    last: of other ports or limits than the others, which share one set of loaded programs
    """
    return {"name": name, "conf": conf, "setup": list(setup), "cleanup": list(cleanup),
            "last": last, "cases": cases}
