# SPDX-License-Identifier: GPL-2.0-or-later
"""What zt6-bpf makes of the local ZeroTier service: its answers, good and bad, and what it says to an
administrator. No output ever holds the service's token."""

import itertools
import json
import os

import pytest
from scapy.layers.l2 import Ether

from gateway import BINARY
from lab import M1, NETWORK, overlay_name
from netns import Namespace, remove_stale
from zerotier_double import (NODE, TOKEN, Switch, Tap, ZeroTier, body, no_http, redirect, silence,
                             status, truncated_body)

DONE, FAILED, USAGE, CONFIG = 0, 1, 2, 78
NETWORK_TEXT = f"{NETWORK:016x}"
NODE_TEXT = f"{NODE:010x}"
GATEWAY = "fd15:9924:d630:8e1d:7e99:9333:8a13:b4bb"  # NODE in NETWORK
OWN_CONTROLLER = NETWORK >> 24

CONF = f"""
uplink eth0
tunnel he-ipv6 {{
    remote  72.52.104.74
    address 2001:470:811d::80/64
    gateway 2001:470:811d::1
    routed  2001:470:811d::/48
}}
zerotier {NETWORK_TEXT} {{
    interface auto
}}
"""

_serial = itertools.count()


@pytest.fixture
def machine():
    """A namespace with an uplink, eth0."""
    remove_stale(r"zt6zt-(\d+)-\d+")
    namespace = Namespace(f"zt6zt-{os.getpid()}-{next(_serial)}")
    namespace.ip("""
        link add eth0 type veth peer name wire0
        link set eth0 up
        link set wire0 up
        addr add 192.0.2.80/24 dev eth0""")
    yield namespace
    namespace.remove()


@pytest.fixture
def service(machine):
    with ZeroTier(machine, NETWORK) as double:
        yield double


@pytest.fixture
def own_controller(machine):
    """A service that is also the controller of its network."""
    with ZeroTier(machine, NETWORK, node=OWN_CONTROLLER, controller=True) as double:
        yield double


@pytest.fixture
def run(machine, tmp_path):
    """Call it with a double and a command; returns what came of it, free of the token."""
    def call(double, *arguments, conf=CONF, token=TOKEN, **environment):
        path = tmp_path / "zt6.conf"
        path.write_text(conf)
        done = machine.run(BINARY, "-v", "-c", path, "--instance", machine.name, *arguments,
                           check=False, env={**double.environment, **environment}, timeout=60)
        assert token not in done.stdout + done.stderr
        return done
    return call


def test_the_guide_for_the_controller_has_this_gateways_values(service, run):
    done = run(service, "guide", "controller")
    assert done.returncode == DONE, done.stderr
    for text in (f"network {NETWORK_TEXT}", f"node {NODE_TEXT}", "2001:470:811d::/48",
                 "::/0", GATEWAY,
                 "2001:470:811d:: - 2001:470:811d:ffff:ffff:ffff:ffff:ffff"):
        assert text in done.stdout
    assert "error " not in done.stdout
    assert done.stderr == ""


def test_every_request_carries_the_token_and_nothing_goes_through_a_proxy(service, run):
    run(service, "guide", "controller")
    paths = [path for _, path, _, _ in service.requests]
    assert paths == ["/status", f"/network/{NETWORK_TEXT}", "/peer"]
    for _, _, _, headers in service.requests:
        assert headers["X-ZT1-Auth"] == TOKEN
        assert headers["Host"].startswith("127.0.0.1:")


@pytest.mark.parametrize("audience, texts", [
    ("linux", [f"zerotier-cli join {NETWORK_TEXT}", "allowGlobal=1", "allowDefault=1",
               f"ping6 -c 3 {GATEWAY}", "ss -6"]),
    ("macos", [f"zerotier-cli join {NETWORK_TEXT}", "allowGlobal=1",
               f"route add -inet6 default {GATEWAY}", f"ping6 -c 3 {GATEWAY}"]),
    ("windows", [f"zerotier-cli join {NETWORK_TEXT}", "allowGlobal=1", "allowDefault=1",
                 f"ping -6 -n 3 {GATEWAY}", "Set-NetFirewallProfile"]),
])
def test_the_guides_for_members_have_this_gateways_values(service, run, audience, texts):
    done = run(service, "guide", audience)
    assert done.returncode == DONE, done.stderr
    for text in texts:
        assert text in done.stdout
    assert "2001:470:811d::/48" in done.stdout
    assert all(len(line) <= 100 for line in done.stdout.splitlines())


@pytest.mark.parametrize("firewall, text", [
    ("", "exposure"),
    ("firewall {\n    policy off\n}\n", "open to the whole Internet"),
    ("firewall {\n    rules none\n}\n", "open to the whole Internet"),
], ids=["shipped", "off", "none"])
def test_the_guides_say_what_stands_before_the_members(service, run, firewall, text):
    done = run(service, "guide", "linux", conf=CONF + firewall)
    assert text in done.stdout
    controller = run(service, "guide", "controller", conf=CONF + firewall).stdout
    assert ("exposure" in controller) == ("rule set of yours" not in controller) == (not firewall)


def test_the_rule_set_that_the_guide_shows_is_one(service, run, machine):
    lines = run(service, "guide", "linux").stdout.splitlines()
    start = next(i for i, line in enumerate(lines) if "table ip6 members" in line)
    rules = "\n".join(lines[start:])
    machine.run("nft", "-f", "-", input=rules)
    assert "policy drop" in machine.run("nft", "list", "ruleset").stdout


@pytest.mark.parametrize("arguments, code, text", [
    (["guide"], USAGE, "usage: zt6-bpf guide controller|linux|macos|windows"),
    (["guide", "amiga"], USAGE, "usage:"),
    (["guide", "linus"], USAGE, 'did you mean "linux"'),
    (["guide", "linux", "1234"], USAGE, "16 hexadecimal digits"),
    (["guide", "linux", "0123456789abcdef"], USAGE, "no section"),
    (["guide", "linux", NETWORK_TEXT, "more"], USAGE, "usage:"),
])
def test_the_guide_says_what_it_takes(service, run, arguments, code, text):
    done = run(service, *arguments)
    assert done.returncode == code
    assert text in done.stderr


GOOD = json.dumps({"id": NETWORK_TEXT, "status": "OK", "portDeviceName": "zt0",
                   "mac": "32:00:00:00:00:01", "mtu": 2800})
JUNK = "[" + "1," * (1 << 20) + "1]"  # 2 MB of JSON

NETWORK_PATH = f"/network/{NETWORK_TEXT}"


@pytest.mark.parametrize("path, special, text", [
    (".*", silence, "no complete answer within 3 s"),
    (".*", status(401), "refuses the token of"),
    (".*", status(500, "oops"), "answers with HTTP 500"),
    (".*", body(GOOD[:40]), "no JSON at byte"),
    (".*", truncated_body(GOOD), "no HTTP answer"),
    (".*", body(JUNK), "more than 1048576 bytes"),
    (".*", body("[1, 2]"), "JSON of another kind"),
    (".*", body("{}"), "without the id of this node"),
    (".*", body('{"address": "338a13b4bb\\n"}'), "without the id of this node"),
    (".*", no_http, "no HTTP answer"),
    (".*", redirect("http://127.0.0.1:1/"), "a redirect (HTTP 302), which is not followed"),
    (".*", redirect("http://192.0.2.1/"), "a redirect (HTTP 302), which is not followed"),
    (NETWORK_PATH, status(500), "answers with HTTP 500"),
    (NETWORK_PATH, body(GOOD.replace(NETWORK_TEXT, "0123456789abcdef")),
     f"answers for network 0123456789abcdef when asked for {NETWORK_TEXT}"),
    (NETWORK_PATH, body(GOOD.replace("zt0", "../../etc")), "usable name"),
    (NETWORK_PATH, body(GOOD.replace("zt0", "\\u001b[31m")), "usable name"),
    (NETWORK_PATH, body("{}"), "without the id of the network"),
    (NETWORK_PATH, body("[" * 100000), "no JSON"),
], ids=lambda value: value if isinstance(value, str) else "")
def test_an_answer_that_is_none_is_explained_and_disturbs_nothing(service, run, path, special,
                                                                  text):
    service.answer_with(special, path)
    done = run(service, "guide", "controller")
    assert text in done.stderr
    # The node's id is on the interface all the same.
    assert done.returncode == DONE
    assert GATEWAY in done.stdout
    assert "\x1b" not in done.stdout + done.stderr


def test_a_redirect_is_not_followed_anywhere(service, machine, run):
    with ZeroTier(machine, NETWORK, device="none0") as other:
        other.write("authtoken.secret", "another-token")
        service.answer_with(redirect(f"http://127.0.0.1:{other.server.server_port}/status"))
        run(service, "guide", "controller")
        assert service.requests and not other.requests


def test_a_service_that_does_not_run_is_explained(service, run):
    service.server.shutdown()
    service.server.server_close()
    done = run(service, "guide", "controller")
    assert "Connection refused: is it running?" in done.stderr
    service.server = None


def test_a_service_that_has_never_run_is_explained(service, run):
    done = run(service, "guide", "controller", ZEROTIER_HOME="/nonexistent")
    assert "cannot read /nonexistent/authtoken.secret: No such file or directory" in done.stderr
    assert "has not run here yet" in done.stderr
    assert "ZEROTIER_HOME" in done.stderr


@pytest.mark.parametrize("content", ["", "\n", "secret token\nX-Evil: 1", "secret\x01", "s" * 500])
def test_a_token_that_is_none_is_never_sent_nor_shown(service, run, content):
    service.write("authtoken.secret", content)
    done = run(service, "guide", "controller", token=content.strip() or TOKEN)
    assert "authtoken.secret" in done.stderr
    assert not service.requests


@pytest.mark.parametrize("content", ["", "0", "65536", "-1", "9993x", "1 2"])
def test_a_port_that_is_none_is_explained(service, run, content):
    service.write("zerotier-one.port", content)
    assert "does not hold a port" in run(service, "guide", "controller").stderr


def test_without_a_node_id_there_is_no_guide(machine, run):
    with ZeroTier(machine, NETWORK, joined=False) as service:
        service.answer_with(status(500))
        done = run(service, "guide", "linux")
    assert done.returncode == FAILED
    assert "start zerotier-one" in done.stderr
    assert done.stdout == ""


def test_the_node_id_is_read_off_the_mac_where_there_is_no_address(service, machine, run):
    machine.ip(f"addr flush dev {service.device} scope global")
    service.answer_with(status(500))
    assert GATEWAY in run(service, "guide", "linux").stdout


@pytest.mark.parametrize("state, texts", [
    ("REQUESTING_CONFIGURATION", ["has not answered yet", f"{NETWORK >> 24:010x}"]),
    ("ACCESS_DENIED",
     [f"authorise node {NODE_TEXT} for network {NETWORK_TEXT} on the controller"]),
    ("NOT_FOUND", ["knows no such network"]),
    ("PORT_ERROR", ["cannot make its interface", "/dev/net/tun"]),
    ("CLIENT_TOO_OLD", ["install a newer zerotier-one"]),
    ("AUTHENTICATION_REQUIRED", ["single sign-on"]),
    ("SOMETHING_NEW", ["zerotier-cli listnetworks"]),
])
def test_the_state_of_the_network_is_said_with_who_must_do_what(service, run, state, texts):
    service.status = state
    done = run(service, "guide", "controller")
    assert done.returncode == DONE
    for text in texts:
        assert text in done.stdout


def test_a_network_that_was_not_joined_is_named(machine, run):
    with ZeroTier(machine, NETWORK, joined=False) as service:
        done = run(service, "guide", "controller")
    assert f"zerotier-cli join {NETWORK_TEXT}" in done.stdout
    assert "join yes" in done.stdout


def findings(done):
    """{severity: [text]} of what `guide controller` says about the state of things; a finding with
    its remedy is one text."""
    result = {"ok": [], "unknown": [], "warning": [], "error": []}
    lines = done.stdout.split("As it is\n\n", 1)[1].splitlines()
    severity = None
    for line in lines:
        word = line[2:11].strip()
        if word:
            severity = word
            result[severity].append(line[11:])
        else:
            result[severity][-1] += line
    return result


def test_a_network_as_it_should_be_has_no_faults(service, run):
    found = findings(run(service, "guide", "controller"))
    assert not found["error"] and not found["warning"]
    assert [text for text in found["unknown"] if f"{NETWORK >> 24:010x}" in text]


@pytest.mark.parametrize("routes, text", [
    ([{"target": "::/0", "via": GATEWAY}], 'add the managed route 2001:470:811d::/48 with "via"'),
    ([{"target": "2001:470:811d::/48", "via": GATEWAY}, {"target": "::/0", "via": GATEWAY}],
     f"replace the route 2001:470:811d::/48 via {GATEWAY}"),
    ([{"target": "2001:470:811d::/64", "via": None}, {"target": "::/0", "via": GATEWAY}],
     "no route for 2001:470:811d::/48"),
    ([{"target": "2001:470:811d::/48", "via": None}], f"add the managed route ::/0 via {GATEWAY}"),
    ([{"target": "2001:470:811d::/48", "via": None}, {"target": "::/0", "via": "fd00::1"}],
     f"make it ::/0 via {GATEWAY}"),
    ([{"target": "2001:470:811d::/48", "via": None}, {"target": "::/0", "via": None}],
     f"make it ::/0 via {GATEWAY}"),
    (["junk", {"target": 5}, {"target": "2001:470:811d::/129"}, {"target": "10.0.0.0/33"}, {}],
     "no route for 2001:470:811d::/48"),
])
def test_a_route_that_the_controller_lacks_is_named_with_the_one_to_add(service, run, routes,
                                                                        text):
    service.routes = routes
    found = findings(run(service, "guide", "controller"))
    assert [error for error in found["error"] if text in error]


def test_a_broader_route_will_do(service, run):
    service.routes = [{"target": "2001:470::/32", "via": None}, {"target": "::/0", "via": GATEWAY}]
    assert not findings(run(service, "guide", "controller"))["error"]


def test_rfc4193_assignment_that_is_off_is_found(service, run):
    service.assigned = ["2001:470:811d::33:8a13:b4bb/48"]
    found = findings(run(service, "guide", "controller"))
    assert [error for error in found["error"] if "rfc4193" in error and GATEWAY in error]


@pytest.mark.parametrize("flag, value, severity, text", [
    ("allowManaged", False, "error", "allowManaged=1"),
    ("allowDefault", True, "warning", "allowDefault=0"),
])
def test_flags_that_harm_a_gateway_are_found(service, run, flag, value, severity, text):
    service.flags[flag] = value
    found = findings(run(service, "guide", "controller"))
    assert [finding for finding in found[severity] if text in finding]


def test_members_and_pool_of_a_controller_on_this_machine_are_checked(own_controller, run):
    own_controller.add_member(OWN_CONTROLLER)
    own_controller.add_member(M1.id, M1.routed, "10.147.17.1")
    found = findings(run(own_controller, "guide", "controller"))
    assert not found["error"] and not found["warning"] and not found["unknown"]
    assert "1 members, all with addresses of the prefix" in found["ok"]


@pytest.mark.parametrize("pools, mode, severity, text", [
    ([], True, "warning", "let IPv6 addresses be assigned from 2001:470:811d:: - "),
    ([{"ipRangeStart": "2001:470:811d::", "ipRangeEnd": "2001:470:811d::ffff"}], False,
     "warning", "assigns no IPv6 addresses by itself"),
    ([{"ipRangeStart": "2001:db8::", "ipRangeEnd": "2001:db8::ffff"}], True,
     "error", "2001:db8:: - 2001:db8::ffff is not inside"),
    ([{"ipRangeStart": "2001:470:811d::", "ipRangeEnd": "2001:470:811e::"}], True,
     "error", "is not inside"),
    ([{"ipRangeStart": "10.0.0.1", "ipRangeEnd": "10.0.0.9"}], True,
     "warning", "assigns no IPv6 addresses by itself"),
])
def test_a_pool_that_does_not_fit_is_named(own_controller, run, pools, mode, severity, text):
    own_controller.controller["ipAssignmentPools"] = pools
    own_controller.controller["v6AssignMode"]["zt"] = mode
    found = findings(run(own_controller, "guide", "controller"))
    assert [finding for finding in found[severity] if text in finding]


def test_members_outside_of_the_prefix_are_named(own_controller, run):
    own_controller.add_member(0x1111111111, "2001:db8::1")
    own_controller.add_member(0x2222222222)
    own_controller.add_member(0x3333333333, "2001:470:811d::5", "fd00::1")
    own_controller.add_member(0x4444444444, "2001:db8::4", authorized=False)
    found = findings(run(own_controller, "guide", "controller"))
    assert [text for text in found["warning"] if "1111111111 has 2001:db8::1" in text]
    assert [text for text in found["warning"] if "1111111111 has no address" in text]
    assert [text for text in found["warning"] if "2222222222 has no address" in text]
    assert len(found["warning"]) == 3


def test_rfc4193_of_a_controller_here_is_what_counts(own_controller, run):
    own_controller.controller["v6AssignMode"]["rfc4193"] = False
    found = findings(run(own_controller, "guide", "controller"))
    assert [error for error in found["error"] if "rfc4193" in error]


def test_a_member_that_is_deleted_meanwhile_does_not_matter(own_controller, run):
    own_controller.add_member(M1.id, M1.routed)
    own_controller.answer_with(status(404), f".*/member/{M1.id:010x}")
    assert run(own_controller, "guide", "controller").returncode == DONE


@pytest.mark.parametrize("special, text", [
    (status(500), "HTTP 500"), (body("[]"), "another kind"), (body('{"id": "x"}'), "for another"),
])
def test_a_controller_that_answers_nonsense_is_explained(own_controller, run, special, text):
    own_controller.answer_with(special, f"/controller/network/{NETWORK_TEXT}")
    done = run(own_controller, "guide", "controller")
    assert done.returncode == DONE
    assert text in done.stderr


def test_the_reference_case_is_found_and_named(service, machine, run):
    """`address 2001:470:811d::80/64` made by hand: the /48 does not work, a /64 of it would."""
    machine.ip("addr add 2001:470:811d::80/64 dev eth0 nodad")
    found = findings(run(service, "guide", "controller"))
    error, = found["error"]
    assert "the route 2001:470:811d::/64 dev eth0 takes members' packets" in error
    assert "noprefixroute" in error


def test_the_tunnels_address_as_we_make_it_is_in_nobodys_way(service, machine, run):
    machine.ip("""
        addr add 2001:470:811d::80/64 dev eth0 nodad noprefixroute
        route add 2001:470:811d::1 dev eth0
        route add unreachable 2001:470:811d::/48 metric 4294967295""")
    found = findings(run(service, "guide", "controller"))
    assert not found["error"] and not found["warning"]
    assert "no route of this machine is in the members' way" in found["ok"]


def test_a_route_where_no_member_lives_is_only_mentioned(service, machine, run):
    machine.ip("route add 2001:470:811d:10::/64 dev eth0")
    found = findings(run(service, "guide", "controller"))
    assert not found["error"]
    assert [text for text in found["ok"] if "2001:470:811d:10::/64" in text and "eth0" in text]


def test_a_member_with_a_typed_address_is_not_swallowed_silently(own_controller, machine, run):
    machine.ip("route add 2001:470:811d:8::/64 dev eth0")
    own_controller.add_member(M1.id, "2001:470:811d:8::2")
    found = findings(run(own_controller, "guide", "controller"))
    error, = found["error"]
    assert "2001:470:811d:8::2" in error
    assert "ip -6 route del 2001:470:811d:8::/64 dev eth0" in error


def test_the_services_own_traffic_through_the_tunnel_is_found(service, run):
    service.listening.append("2001:470:811d::80/9993")
    found = findings(run(service, "guide", "controller"))
    warning, = found["warning"]
    assert "through tunnel he-ipv6" in warning
    assert '"interfacePrefixBlacklist": ["he-ipv6"]' in warning


def test_peers_that_are_reached_through_the_tunnel_are_found(service, machine, run):
    machine.ip("""
        link add he-ipv6 type veth peer name far0
        link set he-ipv6 up
        link set far0 up
        route add 2001:db8:77::/64 dev he-ipv6""")
    service.add_peer(0x62f865ae71, "203.0.113.7/9993", role="PLANET")
    service.add_peer(M1.id, "2001:db8:77::1/9993")
    found = findings(run(service, "guide", "controller"))
    warning, = found["warning"]
    assert f"to node {M1.id:010x} at 2001:db8:77::1" in warning


def test_peers_that_are_reached_through_the_network_itself_are_an_error(service, run):
    service.add_peer(M1.id, f"{M1.routed}/9993")
    found = findings(run(service, "guide", "controller"))
    error, = found["error"]
    assert "a loop" in error and '"blacklist": true' in error


def test_the_double_recreates_its_tap_as_the_service_does(machine):
    """The double itself: a frame crosses it, and a restart gives the TAP another index."""
    switch = Switch()
    member = Tap(machine, "member0", M1.mac)
    switch.add(member)
    try:
        with ZeroTier(machine, NETWORK) as service:
            service.stop()
            service.switch = switch
            service.pace = 0.1
            service.start()
            name = service.device
            assert name == overlay_name(NETWORK)
            assert machine.mac(name) == service.mac
            first = machine.link_index(name)
            with machine.wire("member0") as wire:
                with machine.wire(name) as sender:
                    sender.send(Ether(src=service.mac, dst=M1.mac, type=0x88b5) / b"hello")
                assert wire.wait(lambda frame: b"hello" in frame)
            service.set_mtu(1400)
            assert "mtu 1400" in machine.show(f"link show {name}")
            assert machine.link_index(name) == first
            service.restart()
            assert machine.link_index(name) != first
            assert "mtu 1400" in machine.show(f"link show {name}")
        assert name not in machine.show("link show")
    finally:
        switch.close()
        member.close()
