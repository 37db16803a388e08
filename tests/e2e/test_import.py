# SPDX-License-Identifier: GPL-2.0-or-later
"""What ndppd and ifupdown had configured runs when it is imported; and their files are read as the
distribution's ndppd reads them, which says with -v what it made of them."""

import contextlib
import ipaddress
import os
import re
import subprocess
import time

import pytest

from conftest import assert_every_packet_counted_once
from gateway import BINARY
from lab import (BROKER_V4, GATEWAY_V4, INET, M1, NETWORK, ONLINK, OVERLAY, ROUTED, TUNNEL,
                 TUNNEL_ADDRESS, TUNNEL_GATEWAY, GATEWAY, Lab)
from netns import Namespace, remove_stale, stop
from test_ndp import advertisement, is_advertisement, solicitation
from traffic import ping

CONFIG = 78

NDPPD = f"""\
route-ttl 30000
proxy eth0 {{
   router no
   timeout 500
   ttl 30000
   rule {ONLINK} {{
      iface {OVERLAY}
   }}
}}
"""

# As the broker's example, with routes by source beside the native ones.
INTERFACES = f"""\
auto lo
iface lo inet loopback

auto eth0
iface eth0 inet static
    address {GATEWAY_V4}/24
    gateway 192.0.2.1

auto {TUNNEL}
iface {TUNNEL} inet6 v4tunnel
    address {TUNNEL_ADDRESS}
    netmask 64
    endpoint {BROKER_V4}
    local {GATEWAY_V4}
    ttl 255
    up ip -6 route add default via {TUNNEL_GATEWAY} dev $IFACE table 6
    up ip -6 rule add from {ROUTED} table 6
    up ip -6 route add {ROUTED} dev {OVERLAY} || true
"""

NETWORKS = f"""[{{
 "id": "{NETWORK:016x}", "portDeviceName": "{OVERLAY}", "status": "OK",
 "allowManaged": true, "allowGlobal": true, "allowDefault": false,
 "assignedAddresses": ["{GATEWAY.rfc4193}/88"],
 "routes": [{{"target": "{ROUTED}", "via": null}}, {{"target": "::/0", "via": "{GATEWAY.rfc4193}"}}]
}}]
"""


@pytest.fixture
def files(tmp_path):
    """The arguments of an import of the three files."""
    arguments = []
    for source, text in (("ndppd", NDPPD), ("interfaces", INTERFACES), ("zerotier", NETWORKS)):
        (tmp_path / source).write_text(text)
        arguments += [source, tmp_path / source]
    return arguments


@pytest.mark.parametrize("sources", [2, 3], ids=["ndppd+interfaces", "and-zerotier"])
def test_what_ndppd_and_ifupdown_had_configured_runs_as_it_is_imported(files, sources):
    with Lab() as lab:
        imported = lab.gateway("import", *files[:2 * sources])
        lab.gateway.up(imported.stdout)
        lab.gateway.start_agent()

        with lab.router.wire("to-gw") as wire:
            wire.send(solicitation(M1.onlink))
            answer = wire.wait(lambda frame: is_advertisement(frame, M1.onlink), 2)
        assert answer == advertisement(lab, M1.onlink, R=0)

        assert ping(lab.m1, INET, source=M1.onlink, count=3) == 3
        before = lab.gateway.counters()
        assert ping(lab.m1, INET, source=M1.routed, count=3) == 3
        went = (lab.gateway.counters() - before).rx
        assert went["eth0"] >= 3 and went[OVERLAY] >= 3
        assert_every_packet_counted_once(lab.gateway)


def test_the_tunnels_prefix_that_swallowed_members_is_told_once_with_its_stanza(files):
    done = subprocess.run([BINARY, "import", *files], capture_output=True, text=True, check=True)
    told = [line for line in done.stderr.splitlines() if "swallows members" in line]
    line = INTERFACES.splitlines().index(f"iface {TUNNEL} inet6 v4tunnel") + 1
    assert len(told) == 1 and told[0].startswith(f"{files[3]}:{line}: 2001:470:811d::/64")
    assert f"    # {told[0]}\n" in done.stdout


# Beside the real ndppd

@pytest.fixture(scope="module")
def segment():
    """A namespace with interfaces for ndppd to open."""
    remove_stale(r"zt6i-(\d+)")
    namespace = Namespace(f"zt6i-{os.getpid()}")
    try:
        for device in ("eth0", "eth1"):
            namespace.ip(f"link add {device} type veth peer name {device}-peer")
            namespace.ip(f"link set {device} up")
        yield namespace
    finally:
        namespace.remove()


def ndppd_says(namespace, path, seconds=10):
    """What ndppd says of its configuration, and whether it runs with that."""
    log = path.with_suffix(".log")
    with open(log, "w", encoding="ascii") as output:
        process = namespace.popen("ndppd", "-v", "-v", "-v", "-c", path, stdout=output,
                                  stderr=subprocess.STDOUT)
    deadline = time.monotonic() + seconds
    try:
        while process.poll() is None and "reading routes" not in log.read_text("latin-1"):
            assert time.monotonic() < deadline, "ndppd neither starts nor ends"
            time.sleep(0.02)
        return log.read_text("latin-1"), process.poll() is None
    finally:
        with contextlib.suppress(ProcessLookupError):
            stop(process)


def rules_of_ndppd(text):
    """The rules that can match anything: those that it could not read are for ::/128."""
    rules = []
    for proxy, prefix, method in re.findall(
            r"rule::create\(\) if=([^,\s]+), addr=([0-9a-f:/]+)(?:, auto=(yes|no))?", text):
        network = ipaddress.IPv6Network(prefix, strict=False)
        if str(network) != "::/128":
            rules.append((str(network), {"yes": "auto", "no": "static"}.get(method, proxy)))
    return rules


def rules_of_ours(text):
    return [(prefix, word.split()[-1]) for prefix, word in re.findall(
        r"^ +rule (\S+) \{\n +(auto|static|iface \S+)$", text, re.MULTILINE)]


READ = {
    "plain": "proxy eth0 {\n rule 2001:db8:1::/64 {\n auto\n }\n rule 2001:db8:2::5 { static }\n"
             " rule 2001:db8:3::/80 { iface eth1 }\n}\n",
    "one-line": "proxy eth0{rule 2001:db8:1::/64{auto}rule 2001:db8:2::/64{static}}",
    "equals": "proxy = eth0 {\nrule=2001:db8:1::/64 {\nauto=\n}\n}",
    "semicolons": "proxy eth0 { router yes; rule 2001:db8:1::/64 { auto; } }",
    "auto-no": "proxy eth0 { rule 2001:db8:1::/64 { auto no } }",
    "comments": "/* proxy eth1 {\n*/ proxy eth0 { # rule ::1 { auto }\n"
                "rule 2001:db8:1::/64 { // static\nauto } }",
    "slash-star-slash": "/*/ proxy eth0 { rule 2001:db8:1::/64 { auto } }",
    "open-comment": "proxy eth0 { rule 2001:db8:1::/64 { auto } } /* proxy eth1 {",
    "brace-below": "proxy eth0\n{\n rule 2001:db8:1::/64 { auto }\n}\n"
                   "proxy eth1 { rule 2001:db8:2::/64 { auto } }",
    "stray-brace": "proxy eth0 { rule 2001:db8:1::/64 { auto } } }\n"
                   "proxy eth1 { rule 2001:db8:2::/64 { auto } }",
    "quoted-proxy": "proxy \"eth0\" {\n rule 2001:db8:1::/64 { auto }\n}\n",
    "quoted-proxy-in-the-middle": "proxy eth1 { rule 2001:db8:2::/64 { static } }\n"
                                  "proxy 'eth0' {\n rule 2001:db8:1::/64 { auto }\n}\n"
                                  "proxy eth0 { rule 2001:db8:3::/64 { static } }\n",
    "quoted-iface": "proxy eth0 {\n rule 2001:db8:1::/64 {\n iface \"eth1\"\n }\n"
                    " rule 2001:db8:2::/64 { static }\n}\n",
    "host-bits": "proxy eth0 { rule 2001:db8:1::77/64 { auto } }",
    "no-digits": "proxy eth0 { rule 2001:db8:1::/ { auto } }",
    "too-long": "proxy eth0 { rule 2001:db8:1::/999 { auto } }",
    "far-too-long": "proxy eth0 { rule 2001:db8:1::/12345 { auto } }",
    "junk-behind": "proxy eth0 { rule 2001:db8:1::/64; { auto } }",
    "dotted-quad": "proxy eth0 { rule 64:ff9b::192.0.2.1/96 { auto } }",
    "no-address": "proxy eth0 { rule eth1 { auto } rule 2001:db8:1::/64 { static } }",
    "unknown-keys": "listen eth1\nproxy eth0 { speed 9 { a b }\nRule 2001:db8:2::/64 { auto }\n"
                    "rule 2001:db8:1::/64 { auto\n dad no } }",
    "dead-options": "address-ttl 5\nproxy eth0 { keepalive no\nretries 5\nautowire yes\n"
                    "promiscuous no\ndeadtime 50\nrule 2001:db8:1::/64 { static\nautovia yes } }",
    "carriage-returns": "proxy eth0 {\r\n rule 2001:db8:1::/64 {\r\n auto\r\n }\r\n}\r\n",
}


@pytest.mark.parametrize("name", READ)
def test_a_file_has_the_rules_that_ndppd_makes_of_it(segment, tmp_path, name):
    path = tmp_path / "ndppd.conf"
    path.write_text(READ[name])
    said, runs = ndppd_says(segment, path)
    assert runs, said
    done = subprocess.run([BINARY, "import", "ndppd", path], capture_output=True, text=True,
                          check=True)
    # It does not say by which interface a rule asks.
    ours = [(prefix, method if method in ("auto", "static") else "eth0")
            for prefix, method in rules_of_ours(done.stdout)]
    assert sorted(ours) == sorted(rules_of_ndppd(said)), said


REFUSED = {
    "no-interface": "proxy {\n rule 2001:db8:1::/64 { auto }\n}\n",
    "semicolon": "proxy eth0; {\n rule 2001:db8:1::/64 { auto }\n}\n",
    "no-prefix": "proxy eth0 {\n rule { auto }\n}\n",
    "no-method": "proxy eth0 {\n rule 2001:db8:1::/64 {\n }\n}\n",
    "two-methods": "proxy eth0 {\n rule 2001:db8:1::/64 {\n auto\n static\n }\n}\n",
    "iface-of-nothing": "proxy eth0 {\n rule 2001:db8:1::/64 {\n iface\n }\n}\n",
    "never-closed": "proxy eth0 {\n rule 2001:db8:1::/64 { auto }\n",
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_file_that_ndppd_does_not_start_with_is_refused(segment, tmp_path, name):
    path = tmp_path / "ndppd.conf"
    path.write_text(REFUSED[name])
    said, runs = ndppd_says(segment, path)
    assert not runs, said
    done = subprocess.run([BINARY, "import", "ndppd", path], capture_output=True, text=True,
                          check=False)
    assert done.returncode == CONFIG
    assert re.match(rf"{re.escape(str(path))}:\d+: ", done.stderr)
    assert done.stdout == ""
