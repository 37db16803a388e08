# SPDX-License-Identifier: GPL-2.0-or-later
"""Who says to be somebody else is dropped and counted, whichever way the packet would take through the
gateway: nothing of it comes out anywhere, nor in at the gateway itself."""

import collections
import contextlib
import itertools
import socket
import time

import pytest
from scapy.layers.inet import IP, UDP, fragment
from scapy.layers.inet6 import (ICMPv6ND_NA, ICMPv6ND_NS, ICMPv6ND_RA, ICMPv6ND_Redirect,
                                ICMPv6ND_RS, ICMPv6NDOptDstLLAddr, ICMPv6NDOptPrefixInfo,
                                ICMPv6NDOptSrcLLAddr, ICMPv6NDOptUnknown, IPv6, IPv6ExtHdrFragment,
                                IPv6ExtHdrHopByHop)
from scapy.layers.l2 import Ether
from scapy.packet import Raw

from conftest import assert_every_packet_counted_once
from frames import PORT
from lab import (BROKER_V4, GATEWAY, GATEWAY_V4, INET, LAN_ADDRESS, LAN_HOST, M1, M2,
                 ONLINK_ADDRESS, OVERLAY, TUNNEL, TUNNEL_ADDRESS, TUNNEL_GATEWAY, Lab, conf)
from probes import SIT, refusal
from test_tc import set_datapath
from traffic import ping
from waiting import wait_for

EVIL = "02:00:00:00:66:66"  # what forgers would have others send to
QUIET = 0.5  # seconds after which nothing of what was sent is still on its way

# datapath of all ports, policy, device of the tunnel
WAYS = ([] if refusal(SIT) else [("xdp", "kernel", "sit"), ("xdp", "off", "sit")]) + [
    (datapath, policy, "bpf") for datapath in ("xdp", "tc") for policy in ("kernel", "off")]


@pytest.fixture(scope="module", params=WAYS, ids="-".join)
def way(request):
    datapath, policy, device = request.param
    text = conf(lan=True, policy=policy, sixinfour=f"device {device}", overlay="bind enforce")
    if datapath == "tc":
        text = set_datapath(text, uplink="tc", overlay="tc", lan="tc")
    with Lab() as lab:
        lab.device = device
        lab.gateway.up(text)
        lab.gateway.start_agent()
        for source, target in ((lab.m1, INET), (lab.m2, INET), (lab.m1, LAN_HOST),
                               (lab.lan, M1.routed)):
            assert wait_for(lambda s=source, t=target: ping(s, t, count=1, wait=1))
        yield lab
        assert_every_packet_counted_once(lab.gateway)


class Forger:
    """Sends frames that each carry a word of their own, and listens for those words everywhere:
    on every wire around the gateway, and at the gateway's own UDP port."""

    def __init__(self, lab):
        self.lab = lab
        self.words = itertools.count(1)
        self.stack = contextlib.ExitStack()
        self.macs = {"eth0": (lab.router.mac("to-gw"), lab.gw.mac("eth0")),
                     OVERLAY: (M1.mac, GATEWAY.mac),
                     "eth1": (lab.lan.mac("eth0"), lab.gw.mac("eth1"))}

    def __enter__(self):
        lab = self.lab
        self.wires = {name: self.stack.enter_context(namespace.wire(device)) for
                      name, namespace, device in (("eth0", lab.router, "to-gw"),
                                                  (OVERLAY, lab.m1, OVERLAY),
                                                  ("m2", lab.m2, OVERLAY),
                                                  ("eth1", lab.lan, "eth0"))}
        self.own = self.stack.enter_context(lab.gw.socket(socket.AF_INET6, socket.SOCK_DGRAM))
        self.own.bind(("::", PORT))
        self.own.settimeout(0)
        return self

    def __exit__(self, *_):
        self.stack.close()

    def word(self):
        return b"\xfb%05d" % next(self.words)

    def frame(self, port, packet, **ether):
        source, gateway = self.macs[port]
        return bytes(Ether(**{"src": source, "dst": gateway, **ether}) / packet)

    def heard(self, words):
        """Where each word was heard: {word: {place}}."""
        places = collections.defaultdict(set)
        for name, wire in self.wires.items():
            for data in wire.frames(QUIET if name == "eth0" else 0.05):
                for word in words:
                    if word in data:
                        places[word].add(name)
        with contextlib.suppress(OSError):
            while True:
                data = self.own.recv(2048)
                for word in words:
                    if word in data:
                        places[word].add("gateway")
        return places


def assert_forged(lab, frames, honest=()):
    """Each of `frames` (port, frame, verdict and, where it is not the port, who counts it) is dropped
    with its verdict; each of `honest` (port, packet, place) arrives."""
    with Forger(lab) as forger:
        words, expected, controls = {}, collections.Counter(), {}
        before = lab.gateway.counters()
        for port, make, verdict, *counts in frames:
            word = forger.word()
            made, ether = make(word)
            for packet in made if isinstance(made, list) else [made]:
                forger.wires[port].send(forger.frame(port, packet, **ether))
            words[word] = (port, verdict, made)
            expected[(counts or [port])[0], verdict] += 1
        for port, make, place in honest:
            word = forger.word()
            forger.wires[port].send(forger.frame(port, make(word)[0]))
            controls[word] = place
        heard = forger.heard([*words, *controls])

        def counted():
            after = lab.gateway.counters() - before
            return {key: after[key[0]].get(key[1], 0) for key in expected}

        leaked = {words[word][2].summary() if hasattr(words[word][2], "summary") else word: places
                  for word, places in heard.items() if word in words}
        assert not leaked
        for word, place in controls.items():
            assert place in heard[word], (place, heard[word])
        assert wait_for(lambda: counted() == dict(expected), 2), (counted(), expected)


# Shapes of a packet: those that the fast path forwards, and those that it leaves to the kernel


def plain(source, destination, word):
    return IPv6(src=source, dst=destination) / UDP(sport=1234, dport=PORT) / Raw(word)


def hop_by_hop(source, destination, word):
    return IPv6(src=source, dst=destination) / IPv6ExtHdrHopByHop() / UDP(
        sport=1234, dport=PORT) / Raw(word)


def first_fragment(source, destination, word):
    return IPv6(src=source, dst=destination) / IPv6ExtHdrFragment(nh=17, m=1, id=7) / UDP(
        sport=1234, dport=PORT) / Raw(word + bytes(2))


SHAPES = (plain, hop_by_hop, first_fragment)


def claims(shape, source, destination, mac=None):
    """A function that makes the packet around a word, and what is special of its Ethernet."""
    return lambda word: (shape(source, destination, word), {"src": mac} if mac else {})


# By source. The overlay itself takes no frame from another MAC than the member's; those are in
# tests/prog/cases_forgery.py.
MEMBERS_LIES = (
    M2.routed, M2.onlink,  # another's
    "2001:470:811d::5", "2001:470:811d:8::77",  # nobody's
    LAN_HOST, TUNNEL_ADDRESS, ONLINK_ADDRESS, LAN_ADDRESS,
    "::1", "::ffff:192.0.2.7", "ff02::5",
)
OUTSIDERS = ("2001:db8:dead::1", "fe80::66", "fd00:66::1", "fec0::1")


def test_a_member_speaks_for_nobody_else(way):
    lies = [(OVERLAY, claims(shape, source, target), "drop_spoofed")
            for source in (*MEMBERS_LIES, *OUTSIDERS)
            for target in (INET, M2.routed, LAN_HOST) for shape in SHAPES]
    assert_forged(way, lies, [(OVERLAY, claims(plain, M1.routed, INET), "eth0"),
                              (OVERLAY, claims(plain, M1.routed, LAN_HOST), "eth1"),
                              (OVERLAY, claims(hop_by_hop, M1.routed, INET), "eth0")])


def test_nor_to_the_gateway_itself(way):
    lies = [(OVERLAY, claims(shape, source, target), "drop_spoofed") for source in MEMBERS_LIES
            for target in (GATEWAY.rfc4193, TUNNEL_ADDRESS) for shape in SHAPES]
    assert_forged(way, lies, [(OVERLAY, claims(plain, M1.routed, GATEWAY.rfc4193), "gateway"),
                              (OVERLAY, claims(plain, M1.rfc4193, GATEWAY.rfc4193), "gateway"),
                              (OVERLAY, claims(hop_by_hop, M1.routed, GATEWAY.rfc4193), "gateway")])


def test_a_lan_host_speaks_for_no_member_and_not_for_the_gateway(way):
    mac = way.gw.mac("eth1")
    lies = [("eth1", claims(shape, source, target, source_mac), "drop_spoofed")
            for source, source_mac in ((M1.routed, None), (M1.onlink, None), (TUNNEL_ADDRESS, None),
                                       (LAN_ADDRESS, None), (LAN_HOST, mac), ("::1", None),
                                       ("ff02::5", None))
            for target in (INET, M1.routed, LAN_ADDRESS) for shape in SHAPES]
    lies += [("eth1", claims(shape, source, M1.routed), "drop_spoofed")
             for source in OUTSIDERS for shape in SHAPES]
    assert_forged(way, lies, [("eth1", claims(plain, LAN_HOST, M1.routed), OVERLAY),
                              ("eth1", claims(plain, LAN_HOST, LAN_ADDRESS), "gateway")])


INSIDE = (M2.onlink, M2.routed, LAN_HOST, TUNNEL_ADDRESS, ONLINK_ADDRESS)


def to_all(source, destination):
    """In a frame for all, as which the kernel takes it if it is that host."""
    return lambda word: (plain(source, destination, word), {"dst": "33:33:00:00:00:01"})


def test_the_internet_speaks_for_nobody_inside(way):
    mac = way.gw.mac("eth0")
    targets = (M1.onlink, M1.routed, LAN_HOST, ONLINK_ADDRESS)
    lies = [("eth0", claims(shape, source, target, source_mac), "drop_spoofed")
            for source, source_mac in (*((inside, None) for inside in INSIDE), (INET, mac),
                                       ("::1", None), ("ff0e::5", None))
            for target in targets for shape in SHAPES]
    lies += [("eth0", to_all(source, ONLINK_ADDRESS), "drop_spoofed") for source in INSIDE]
    assert_forged(way, lies, [("eth0", claims(plain, INET, ONLINK_ADDRESS), "gateway"),
                              ("eth0", to_all(INET, ONLINK_ADDRESS), "gateway")])


def in_tunnel(make, **outer):
    """The same out of the broker's hands."""
    def wrapped(word):
        packet, ether = make(word)
        return IP(**{"src": BROKER_V4, "dst": GATEWAY_V4, "proto": 41, **outer}) / packet, ether
    return wrapped


def test_nor_does_it_through_the_tunnel(way):
    lies = [("eth0", in_tunnel(claims(shape, source, target)), "drop_spoofed")
            for source in INSIDE for target in (M1.routed, LAN_HOST, TUNNEL_ADDRESS)
            for shape in SHAPES]
    lies += [("eth0", in_tunnel(claims(shape, source, M1.routed)), "drop_inner_source")
             for source in ("::1", "ff0e::5", "::ffff:192.0.2.7") for shape in SHAPES]
    assert_forged(way, lies, [])


def test_nor_in_fragments_of_the_tunnels_packets(way):
    """Which the kernel puts together: sit gives what is in them to the program in TC."""
    if way.device != "sit":
        pytest.skip("without sit outer fragments go nowhere")

    def in_fragments(make):
        def wrapped(word):
            packet, ether = make(word)
            padded = packet / Raw(bytes(600))
            return fragment(IP(src=BROKER_V4, dst=GATEWAY_V4, proto=41, id=int(word[1:])) / padded,
                            400), ether
        return wrapped

    lies = [("eth0", in_fragments(claims(plain, source, M1.routed)), "drop_spoofed", TUNNEL)
            for source in (M2.routed, LAN_HOST, TUNNEL_ADDRESS)]
    assert_forged(way, lies)


def test_nobody_inside_is_the_tunnels_broker(way):
    """Else a member could say to be anybody in the Internet."""
    lies = [(port, in_tunnel(claims(plain, INET, target), **outer), "drop_spoofed")
            for port in (OVERLAY, "eth1") for target in (M2.routed, LAN_HOST, TUNNEL_ADDRESS)
            for outer in ({}, {"flags": "MF"}, {"frag": 100})]
    assert_forged(way, lies)


# Neighbour Discovery


def discoveries(source, target):
    """Every message, with what forgers put into it: another's address, a MAC that is theirs, a
    prefix. The word is in an option that nobody knows (RFC 4861 §4.6)."""
    prefix = ICMPv6NDOptPrefixInfo(prefix="2001:db8:66::", prefixlen=64)
    return {
        "RS": ICMPv6ND_RS() / ICMPv6NDOptSrcLLAddr(lladdr=EVIL),
        "RA": ICMPv6ND_RA(routerlifetime=1800) / ICMPv6NDOptSrcLLAddr(lladdr=EVIL) / prefix,
        "NS": ICMPv6ND_NS(tgt=source) / ICMPv6NDOptSrcLLAddr(lladdr=EVIL),
        "NA": ICMPv6ND_NA(R=1, S=1, O=1, tgt=source) / ICMPv6NDOptDstLLAddr(lladdr=EVIL),
        "Redirect": ICMPv6ND_Redirect(tgt=source, dst=target) / ICMPv6NDOptDstLLAddr(lladdr=EVIL),
    }


def discovery(source, target, kind, hops):
    def make(word):
        option = ICMPv6NDOptUnknown(type=253, len=1, data=word)
        return IPv6(src=source, dst=target, hlim=hops) / discoveries(source, target)[kind] / option, {}
    return make


KINDS = ("RS", "RA", "NS", "NA", "Redirect")


@pytest.mark.parametrize("port, source, targets", [
    (OVERLAY, M1.routed, (INET, M2.routed, LAN_HOST)),
    (OVERLAY, "fe80::66", (INET, M2.routed, LAN_HOST)),
    ("eth1", LAN_HOST, (INET, M1.routed, M1.onlink)),
], ids=["a member", "a member's link-local address", "a lan host"])
def test_discovery_from_inside_does_not_leave_its_link(way, port, source, targets):
    assert_forged(way, [(port, discovery(source, target, kind, hops), "drop_ndp_invalid")
                        for kind in KINDS for target in targets for hops in (255, 64)])


@pytest.mark.parametrize("source", [INET, "fe80::66"], ids=["a host's address", "link-local"])
def test_discovery_from_the_uplink_does_not_come_in(way, source):
    targets = (M1.onlink, M1.routed, LAN_HOST)
    assert_forged(way, [("eth0", discovery(source, target, kind, hops), "drop_ndp_invalid")
                        for kind in KINDS for target in targets for hops in (255, 64)])


def test_discovery_does_not_come_in_through_the_tunnel(way):
    targets = (M1.routed, LAN_HOST)
    lies = [("eth0", in_tunnel(discovery(source, target, kind, hops)), "drop_ndp_invalid")
            for source in (INET, TUNNEL_GATEWAY) for kind in KINDS for target in targets
            for hops in (255, 64)]
    lies += [("eth0", in_tunnel(discovery(INET, TUNNEL_ADDRESS, kind, 64)), "drop_ndp_invalid")
             for kind in KINDS]
    assert_forged(way, lies)


def test_a_member_cannot_take_anothers_address_by_discovery(way):
    """The gateway's kernel would send to the forger what is for the other."""
    def neighbour():
        return way.gw.run("ip", "-6", "neigh", "show", M2.routed, "dev", OVERLAY).stdout.lower()

    local = way.gw.link_local(OVERLAY)
    assert ping(way.inet, M2.routed, source=INET, count=2) or way.device
    assert wait_for(lambda: ping(way.gw, M2.routed, count=1, wait=1)) and M2.mac in neighbour()
    steals = [(OVERLAY, lambda word, make=make: (make / ICMPv6NDOptUnknown(type=253, len=1, data=word),
                                                 {}), "drop_spoofed")
              for make in (
                  IPv6(src="fe80::66", dst=local, hlim=255) /
                  ICMPv6ND_NA(R=0, S=1, O=1, tgt=M2.routed) / ICMPv6NDOptDstLLAddr(lladdr=M1.mac),
                  IPv6(src=M2.routed, dst=local, hlim=255) /
                  ICMPv6ND_NA(R=0, S=1, O=1, tgt=M2.routed) / ICMPv6NDOptDstLLAddr(lladdr=M1.mac),
                  IPv6(src=M2.routed, dst=local, hlim=255) /
                  ICMPv6ND_NS(tgt=local) / ICMPv6NDOptSrcLLAddr(lladdr=M1.mac))]
    assert_forged(way, steals)
    time.sleep(0.1)
    assert M2.mac in neighbour() and M1.mac not in neighbour()
