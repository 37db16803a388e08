# SPDX-License-Identifier: GPL-2.0-or-later
"""`doctor`: each situation is made, and found with what to do about it; where that is a command, it is
run, and nothing is found any more. A healthy gateway has no finding at all."""

import contextlib
import json
import os
import pty
import re
import shutil
import signal
import socket
import subprocess

import pytest

from conftest import running
from disguise import Disguise
from gateway import BINARY, peer
from lab import GATEWAY, NETWORK, OVERLAY, TUNNEL, conf
from machine import CONFIG, DONE, FAILED, USAGE, Machine, minimal_conf
from netns import run
from probes import needs_no_sit
from waiting import wait_for
from zerotier_double import ZeroTier

FIELDS = {"severity", "area", "what", "why", "remedy"}
FORWARD_CHAIN = """table inet filter {{
    chain forward {{
        type filter hook forward priority 10; policy {policy};
        {rule}
    }}
}}"""


@pytest.fixture(scope="module")
def tunnel():
    """T1, its device a TUN where the kernel has no sit."""
    yield from running({"onlink": False, "policy": "kernel"})


@pytest.fixture(scope="module")
def onlink():
    """T2."""
    yield from running({"tunnel": False, "policy": "kernel"})


@pytest.fixture
def bare():
    """A machine with a tunnel to be, and nothing of it yet."""
    with Machine() as machine:
        machine.gateway.configure(minimal_conf())
        yield machine


@pytest.fixture
def disguise(tmp_path):
    return Disguise(tmp_path)


def command(gateway, *arguments):
    return [BINARY, "-c", gateway.conf_path, "--instance", gateway.instance, *arguments]


def read(done):
    """The findings, once it is sure that the exit status and every field are as they must be."""
    shown = json.loads(done.stdout)
    assert shown["schema"] == 1 and isinstance(shown["up"], bool)
    errors = [each for each in shown["findings"] if each["severity"] == "error"]
    assert shown["healthy"] == (not errors)
    assert done.returncode == (FAILED if errors else DONE), done.stderr
    for finding in shown["findings"]:
        assert set(finding) == FIELDS and all(finding.values()), finding
        assert finding["severity"] in ("error", "warning")
    return shown["findings"]


def examine(gateway, disguise=None):
    words = command(gateway, "doctor", "--json")
    return read(gateway.namespace.run(*(disguise.command(*words) if disguise else words),
                                      check=False))


def only(findings, severity, area, words, besides=()):
    """The one finding that there is, apart from areas that are known to be amiss."""
    found = [each for each in findings if each["area"] not in besides]
    assert len(found) == 1, found
    assert found[0]["severity"] == severity and found[0]["area"] == area, found
    assert words in found[0]["what"], found
    return found[0]


def without_agent(gateway, disguise=None):
    """For a gateway that is up and has none: of that there is a warning."""
    findings = examine(gateway, disguise)
    assert [each["severity"] for each in findings if each["area"] == "agent"] == ["warning"]
    return [each for each in findings if each["area"] != "agent"]


def quoted(finding):
    """The commands of its remedy."""
    return re.findall(r'"([^"]+)"', finding["remedy"])


def obey(gateway, line):
    """Type it."""
    if line.startswith("zt6-bpf "):
        gateway(*line.split()[1:])
    else:
        gateway.namespace.run("sh", "-c", line)


# Healthy


@pytest.mark.parametrize("situation", ["tunnel", "onlink", "lab"])
def test_a_healthy_gateway_has_no_finding(situation, request):
    gateway = request.getfixturevalue(situation).gateway
    assert wait_for(lambda: not examine(gateway)), examine(gateway)
    done = gateway("doctor")
    assert done.stdout == f'nothing is wrong; instance "{gateway.instance}" is up\n'
    assert not done.stderr


def test_before_up_a_machine_that_has_what_it_takes_has_no_finding(bare):
    assert examine(bare.gateway) == []
    assert f'instance "{bare.name}" is not up here' in bare.gateway("doctor").stdout


def test_looking_changes_nothing(bare):
    before = bare.snapshot()
    bare.gateway("doctor")
    bare.assert_unchanged(before)


@pytest.mark.parametrize("argument", ["--jason", "it"])
def test_it_takes_no_other_argument(bare, argument):
    assert "usage: zt6-bpf doctor [--json]" in bare.fails("doctor", argument, status=USAGE)


def test_an_invalid_configuration_is_told_with_its_line(bare):
    bare.gateway.configure("uplink eth0\nuplink eth0\n")
    done = bare.gateway("doctor", "--json", check=False)
    assert done.returncode == CONFIG and f"{bare.gateway.conf_path}:2:" in done.stderr
    assert not done.stdout


def test_colours_are_for_terminals_alone(bare):
    bare.gateway.configure(minimal_conf().replace("uplink eth0", "uplink eth9"))
    assert "\033" not in bare.gateway("doctor", check=False).stdout
    shown = {}
    for name, more in (("plain", {"NO_COLOR": "1"}), ("coloured", {})):
        ours, its = pty.openpty()
        environment = {key: value for key, value in os.environ.items() if key != "NO_COLOR"}
        process = subprocess.Popen(
            bare.gw.command(*command(bare.gateway, "doctor")), stdout=its, close_fds=True,
            env={**environment, "TERM": "xterm", **more})
        os.close(its)
        shown[name] = b""
        with contextlib.suppress(OSError):  # EIO: the other end is closed
            while got := os.read(ours, 4096):
                shown[name] += got
        os.close(ours)
        assert process.wait(10) == FAILED
    assert b"\033[1;31merror" in shown["coloured"] and b"\033" not in shown["plain"]


# Before `up`


@pytest.mark.parametrize("before, settings, words, remedy", [
    ("link add he-ipv6 type veth", {}, "an interface of this name is there that is not ours",
     "ip link delete he-ipv6"),
    ("link set eth0 mtu 1400", {}, "mtu 1480 is too large: eth0 carries 1400 bytes",
     "set mtu to 1380 or less"),
    ("addr del 192.0.2.80/24 dev eth0", {}, "local 192.0.2.80 is on no interface",
     "the machine's own private address (or auto)"),
    ("link set eth0 name eth9", {}, "uplink eth0: no such interface", 'run "zt6-bpf up"'),
    ("addr add 2001:db8:7::80/64 dev eth2 nodad", {}, "address 2001:db8:7::80 is on eth2 already",
     "delete it there, or give the tunnel another"),
])
def test_what_up_would_refuse_is_told(bare, before, settings, words, remedy):
    bare.gw.ip(before)
    bare.gateway.configure(minimal_conf(device="bpf", **settings))
    finding = only(examine(bare.gateway), "error", "instance", words)
    assert remedy in finding["remedy"]
    assert words in bare.fails("up")


def test_what_up_would_warn_of_is_told_as_a_warning(bare):
    bare.gw.ip("link set eth0 down")
    findings = examine(bare.gateway)
    down, = [each for each in findings if "the interface is down" in each["what"]]
    assert down["severity"] == "warning" and "ip link set eth0 up" in down["remedy"]


@needs_no_sit()
def test_a_kernel_without_the_device_that_is_asked_for_is_told(bare):
    bare.gateway.configure(minimal_conf(device="sit"))
    finding = only(examine(bare.gateway), "error", "kernel", "tunnel he-ipv6: this kernel has no sit")
    assert "device auto" in quoted(finding)


def test_a_machine_without_tun_is_told(bare, disguise):
    bare.gateway.configure(minimal_conf(device="bpf"))
    disguise.hide("/dev/net")
    finding = only(examine(bare.gateway, disguise), "error", "kernel", "there is no /dev/net/tun")
    assert "modprobe tun" in quoted(finding)


def test_a_kernel_without_type_information_is_told(bare, disguise):
    disguise.hide("/sys/kernel/btf")
    findings = examine(bare.gateway, disguise)
    finding, = [each for each in findings if "does not describe its types" in each["what"]]
    assert finding["severity"] == "error" and "CONFIG_DEBUG_INFO_BTF=y" in finding["remedy"]


@pytest.mark.parametrize("value", ["0", "1"])
def test_a_kernel_that_interprets_programs_is_told(bare, disguise, value):
    disguise.put("/proc/sys/net/core/bpf_jit_enable", f"{value}\n")
    findings = examine(bare.gateway, disguise)
    if value == "1":
        assert not findings
        return
    finding = only(findings, "warning", "kernel", "interprets programs")
    assert quoted(finding) == ["sysctl -w net.core.bpf_jit_enable=1"]


def test_capabilities_that_are_missing_are_named(bare):
    done = bare.gw.run("setpriv", "--bounding-set=-all,+net_admin,+net_raw", "--",
                       *command(bare.gateway, "doctor", "--json"), check=False)
    finding, = [each for each in read(done) if "lacks" in each["what"]]
    assert finding["what"] == "this process lacks CAP_BPF, CAP_PERFMON"


@pytest.mark.parametrize("state, words, remedy", [
    ({"joined": False}, "this machine has not joined it", "join yes"),
    ({"status": "ACCESS_DENIED"}, "is not an authorised member",
     f"authorise node {GATEWAY.id:010x}")])
def test_what_zerotier_lacks_is_told_before_up(bare, state, words, remedy):
    with ZeroTier(bare.gw, NETWORK, node=GATEWAY.id, device=OVERLAY,
                  joined=state.get("joined", True)) as service:
        service.status = state.get("status", "OK")
        bare.gateway.configure(conf(tunnel=False, policy="kernel"))
        done = bare.gw.run(*command(bare.gateway, "doctor", "--json"), check=False,
                           env=service.environment)
        assert service.token not in done.stdout + done.stderr
    finding, = [each for each in read(done) if words in each["what"]]
    assert finding["area"] == "zerotier" and remedy in finding["remedy"]


# Another program on the hook


def test_another_program_on_the_hook_is_named_before_and_after_up(bare):
    bare.gw.attach_xdp("eth0", peer("pass.bpf.o"), "xdp.frags")
    words = "eth0: its packets go by TC and not by XDP: another program is on the XDP hook"
    only(examine(bare.gateway), "warning", "ports", words)
    bare.gateway("up")
    finding = only(without_agent(bare.gateway), "warning", "ports", words)
    assert re.search(r"it is \w+ \(id \d+\)", finding["remedy"])
    take_off, reload = quoted(finding)
    obey(bare.gateway, take_off)
    finding = only(without_agent(bare.gateway), "warning", "ports", words)
    assert "it has gone by now" in finding["remedy"] and quoted(finding) == [reload]
    obey(bare.gateway, reload)
    assert without_agent(bare.gateway) == []


# What others have done to what is up


@pytest.fixture
def up(bare):
    bare.gateway("up")
    assert without_agent(bare.gateway) == []
    return bare


@pytest.mark.parametrize("harm, words", [
    ("ip -6 rule del from 2001:db8:7::80", "been taken away"),
    (f"ip -6 addr del 2001:db8:7::80/64 dev {TUNNEL}", "been taken away"),
    ("sysctl -qw net.ipv6.conf.all.forwarding=0", "sysctl net/ipv6/conf/all/forwarding = 1"),
    ("sysctl -qw net.ipv4.conf.lo.forwarding=0", "been changed"),
    (f"ip link set {TUNNEL} mtu 1300", None),  # as the agent does where the path is narrow
])
def test_what_up_made_and_somebody_took_away_is_told(up, harm, words):
    up.gw.run("sh", "-c", harm)
    findings = without_agent(up.gateway)
    if not words:
        assert not findings
        return
    assert findings and all(each["area"] == "drift" for each in findings)
    assert any(words in each["what"] for each in findings)
    assert quoted(findings[0]) == ["zt6-bpf reload"]
    up.gateway("reload")
    assert without_agent(up.gateway) == []


def test_a_file_that_is_not_what_is_up_is_told(up):
    up.gateway.configure(minimal_conf(ttl=64))
    finding = only(without_agent(up.gateway), "warning", "instance", "is not what is up")
    obey(up.gateway, quoted(finding)[0])
    assert without_agent(up.gateway) == []


def test_a_trial_that_nobody_has_confirmed_is_told(bare):
    bare.gateway("up", "--try", "60s")
    finding = only(without_agent(bare.gateway), "warning", "trial", "on trial")
    obey(bare.gateway, quoted(finding)[0])
    assert without_agent(bare.gateway) == []


def test_pins_that_are_gone_are_told(up):
    shutil.rmtree(f"/sys/fs/bpf/zt6-bpf/{up.name}")
    finding = only(examine(up.gateway), "error", "instance", "its programs and maps are gone")
    obey(up.gateway, quoted(finding)[0])
    assert without_agent(up.gateway) == []


def test_an_instance_of_another_namespace_is_told(up):
    done = up.far.run(*command(up.gateway, "doctor", "--json"), check=False)
    only(read(done), "error", "instance", "is up in another network namespace, net:[")


def test_everything_that_status_finds_is_here_with_its_remedy(up):
    up.gw.run("nft", "flush", "ruleset")
    up.gw.ip("link set eth0 down")
    done = up.gateway("status", "--json", check=False)
    problems = json.loads(done.stdout)["problems"]
    found = [f'{each["what"]}; {each["remedy"]}' for each in examine(up.gateway)]
    assert done.returncode == FAILED and len(problems) >= 2
    assert set(problems) <= set(found)


def test_an_uplink_that_has_become_too_narrow_is_told(tunnel):
    tunnel.gw.ip("link set eth0 mtu 1400")
    finding = only(examine(tunnel.gateway), "error", "tunnels",
                   "mtu 1480 is too large: eth0 carries 1400 bytes by now")
    assert quoted(finding)[0] == "mtu 1380"
    obey(tunnel.gateway, quoted(finding)[-1])
    assert wait_for(lambda: not examine(tunnel.gateway))


@pytest.mark.parametrize("harm, severity, area, words", [
    (f"route add 2001:470:811d::/64 dev {TUNNEL} proto kernel metric 256", "error", "zerotier",
     f"the route 2001:470:811d::/64 dev {TUNNEL} takes members' packets"),
    (f"addr add 2001:470:811d:20::99/64 dev {TUNNEL} nodad", "warning", "tunnels",
     "has the kernel send packets for all members in that prefix into the tunnel")])
def test_a_prefix_that_swallows_members_is_told(tunnel, harm, severity, area, words):
    tunnel.gw.ip(harm)
    try:
        finding = only(examine(tunnel.gateway), severity, area, words)
        obey(tunnel.gateway, quoted(finding)[-1])
        assert examine(tunnel.gateway) == []
    finally:
        tunnel.gw.run("sh", "-c", f"ip {harm.replace(' add ', ' del ').removesuffix(' nodad')}",
                      check=False)


def test_ipv6_that_is_switched_off_is_told(bare):
    bare.gateway.configure(conf(onlink=False, policy="kernel"))
    assert examine(bare.gateway) == []
    bare.gw.sysctl(f"ipv6/conf/{OVERLAY}/disable_ipv6", 1)
    finding = only(examine(bare.gateway), "error", "ports", f"{OVERLAY}: IPv6 is switched off")
    obey(bare.gateway, quoted(finding)[0])
    assert examine(bare.gateway) == []
    bare.gw.sysctl("ipv6/conf/eth0/disable_ipv6", 1)  # a tunnel's uplink needs none
    assert examine(bare.gateway) == []


def test_an_interface_that_is_too_narrow_for_ipv6_is_told(bare):
    bare.gateway.configure(conf(onlink=False, policy="kernel"))
    bare.gw.ip(f"link set {OVERLAY} mtu 1279")
    finding = only(examine(bare.gateway), "error", "ports", "its MTU is 1279, and IPv6 needs 1280")
    obey(bare.gateway, quoted(finding)[0])
    assert examine(bare.gateway) == []


# Routes


@contextlib.contextmanager
def route(machine, words):
    run("ip", "-n", machine.gw.name, "-6", "route", "append", *words.split())
    try:
        yield
    finally:
        run("ip", "-n", machine.gw.name, "-6", "route", "del", *words.split(), check=False)


@pytest.mark.parametrize("words", ["default dev eth1 metric 1024",
                                   "default via fe80::1 dev eth1 metric 1024"])
def test_default_routes_of_the_same_metric_are_told(up, words):
    with route(up, words):
        only(without_agent(up.gateway), "warning", "routes",
             "several IPv6 default routes of the same metric, 1024")
    with route(up, words.replace("1024", "2048")):
        assert without_agent(up.gateway) == []


def test_a_default_route_of_the_tunnel_that_loses_is_told(bare):
    settings = {"default": "yes", "metric": 2048, "gateway": "2001:db8:7::1"}
    bare.gateway.up(minimal_conf(**settings))
    finding = only(without_agent(bare.gateway), "error", "routes", "of metric 2048, is not used")
    assert quoted(finding)[:2] == ["default source", "metric 1023"]
    bare.gateway.up(minimal_conf(**{**settings, "metric": 1023}))
    assert without_agent(bare.gateway) == []


def test_an_advertised_default_route_that_will_expire_is_told(up):
    up.gw.sysctl("ipv6/conf/eth1/accept_ra", 1)
    with route(up, "default via fe80::1 dev eth1 proto ra metric 4096"):
        finding = only(without_agent(up.gateway), "error", "routes",
                       "eth1: its default route is from a Router Advertisement")
        obey(up.gateway, quoted(finding)[0])
        assert without_agent(up.gateway) == []


# Rules of others


@pytest.mark.parametrize("policy, rule, severity, words", [
    ("drop", "", "error", "inet filter forward drops every forwarded packet"),
    ("drop", 'iifname "docker0" accept', "warning", "none of them names an interface of members"),
    ("drop", f'iifname "{OVERLAY}" accept', None, ""),
    ("accept", "tcp dport 23 drop", None, "")])
def test_forward_chains_that_drop_what_members_send_are_told(tunnel, policy, rule, severity, words):
    tunnel.gw.run("nft", "-f", "-", input=FORWARD_CHAIN.format(policy=policy, rule=rule))
    try:
        findings = examine(tunnel.gateway)
        if not severity:
            assert findings == []
            return
        finding = only(findings, severity, "firewall", words)
        obey(tunnel.gateway, quoted(finding)[0].replace("INTERFACE", OVERLAY))
        assert examine(tunnel.gateway) == []
    finally:
        tunnel.gw.run("nft", "delete", "table", "inet", "filter")


def test_rules_that_policy_off_goes_past_are_told(lab):
    assert examine(lab.gateway) == []
    lab.gw.run("nft", "-f", "-",
               input=FORWARD_CHAIN.format(policy="accept", rule="tcp dport 23 drop"))
    try:
        only(examine(lab.gateway), "warning", "firewall",
             "policy off: the fast path goes past the rules in inet filter forward")
    finally:
        lab.gw.run("nft", "delete", "table", "inet", "filter")


def test_rules_none_without_rules_is_told(bare):
    bare.gateway.up(minimal_conf() + "firewall {\n    rules none\n}\n")
    only(without_agent(bare.gateway), "warning", "firewall", "everything comes in")
    bare.gw.run("nft", "-f", "-",
                input=FORWARD_CHAIN.format(policy="accept", rule="tcp dport 23 drop"))
    assert without_agent(bare.gateway) == []


# Programs beside ours


@pytest.fixture
def program(bare, tmp_path):
    """Call it with a name: a process of that name runs in the machine's namespace."""
    with contextlib.ExitStack() as stack:
        def start(name):
            shutil.copy(shutil.which("sleep"), tmp_path / name)
            process = stack.enter_context(bare.gw.daemon(tmp_path / name, "600"))

            def is_named():
                with open(f"/proc/{process.pid}/comm", encoding="ascii") as file:
                    return file.read().strip() == name[:15]
            assert wait_for(is_named)
        yield start


def test_a_running_ndppd_is_told(bare, program, tmp_path):
    program("ndppd")
    finding = only(examine(bare.gateway), "error", "programs", "ndppd is running")
    assert quoted(finding)[0] == "systemctl disable --now ndppd"
    # Of a process elsewhere nothing is said.
    done = bare.far.run(*command(bare.gateway, "doctor", "--json"), check=False)
    assert not [each for each in read(done) if each["area"] == "programs"]


@pytest.mark.parametrize("text, words", [
    ("", "takes away routes and routing rules of others"),
    ("[Network]\nManageForeignRoutes = no\n", "takes away routing rules of others"),
    ("[DHCPv4]\nManageForeignRoutes=no\n[Network]\nManageForeignRoutingPolicyRules=no\n",
     "takes away routes of others"),
    ("[Network]\n#x\nManageForeignRoutes=no\nManageForeignRoutingPolicyRules=off\n", None)])
def test_networkd_that_takes_away_what_others_made_is_told(bare, program, disguise, text, words):
    disguise.put("/etc/systemd/networkd.conf.d/50-test.conf", text)
    assert examine(bare.gateway, disguise) == []
    program("systemd-networkd")
    findings = examine(bare.gateway, disguise)
    if words:
        only(findings, "warning", "managers", words)
    else:
        assert findings == []


@pytest.mark.parametrize("text, is_told", [
    ("[device]\nmanaged=true\nconnection-uuid=5fb06bd0-0bb0-7ffb-45f1-d6edd65f3e03\n", True),
    ("[device]\nmanaged=false\n", False), ("[device]\nmanaged=true\n", False)])
def test_networkmanager_on_the_overlay_is_told(bare, program, disguise, text, is_told):
    bare.gateway.configure(conf(onlink=False, policy="kernel"))
    index = bare.gw.link_index(OVERLAY)
    disguise.put(f"/run/NetworkManager/devices/{index}", text)
    assert examine(bare.gateway, disguise) == []
    program("NetworkManager")
    findings = examine(bare.gateway, disguise)
    if is_told:
        finding = only(findings, "warning", "managers", f"a profile in force on {OVERLAY}")
        assert f"unmanaged-devices=interface-name:{OVERLAY}" in quoted(finding)
    else:
        assert findings == []


# What the overlay's queue has lost


def test_packets_that_zerotier_does_not_fetch_are_told(fresh):
    fresh.gateway.up(conf(onlink=False, policy="kernel"))
    fresh.gateway.start_agent()
    assert wait_for(lambda: not examine(fresh.gateway)), examine(fresh.gateway)
    service, = (int(pid) for namespace in (fresh.m1, fresh.m2)
                for pid in run("ip", "netns", "pids", namespace.name).stdout.split())
    os.kill(service, signal.SIGSTOP)
    try:
        with fresh.gw.socket(socket.AF_PACKET, socket.SOCK_RAW) as sender:
            sender.bind((OVERLAY, 0))
            for _ in range(3000):  # more than fits into any queue
                with contextlib.suppress(OSError):  # ENOBUFS
                    sender.send(bytes(12) + b"\x88\xb5" + bytes(50))
    finally:
        os.kill(service, signal.SIGCONT)
    finding = only(examine(fresh.gateway), "warning", "ports",
                   "packets for members were lost in the queue to zerotier-one")
    assert "systemctl restart zerotier-one" in finding["remedy"]
    fresh.restart_zerotier()
    assert wait_for(lambda: not examine(fresh.gateway)), examine(fresh.gateway)
