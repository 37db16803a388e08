# SPDX-License-Identifier: GPL-2.0-or-later
"""What goes wrong around the agent: whatever happens, it ends in the right state and leaks nothing.

ZT6_TEST_RECREATIONS=100 makes the TAP anew so often in a row.
"""

import contextlib
import fcntl
import os
import signal
import socket
import struct
import subprocess
import time

import pytest
from scapy.layers.inet6 import ICMPv6ND_NS
from scapy.layers.l2 import Ether

from gateway import BINARY, peer
from lab import M1, M2, ONLINK, OVERLAY, Lab, conf
from maps import Map
from netns import stop
from processes import own_kilobytes
from test_ndp import answer, solicitation
from traffic import ping
from waiting import wait_for

RECREATIONS = int(os.environ.get("ZT6_TEST_RECREATIONS", 20))
QUICK = "timeout 200ms\n    retries 1\n    valid 3s\n    invalid 3s"
LATE = "2001:db8:48::1a7e"  # a member that comes later
STALE_SECONDS = 11  # without a heartbeat an agent counts as dead after 10
KERNEL_SECONDS = 12  # delay_first_probe_time is 5; then it probes
EVENTS_HELD = 65536 // 48  # by the ring buffer: 40 bytes each, and a header of 8


@pytest.fixture(scope="module")
def lab():
    with Lab() as made:
        yield made


@pytest.fixture
def gateway(lab):
    lab.gateway.up(conf(tunnel=False, proxy=QUICK))
    lab.gateway.start_agent()
    yield lab.gateway
    lab.gateway.stop_agent()
    lab.gateway("down", check=False)


@pytest.fixture
def late(lab, gateway):
    """A function that lets the late member come."""
    yield lambda: lab.m2.ip(f"addr add {LATE}/128 dev {OVERLAY} nodad")
    lab.m2.run("ip", "addr", "del", f"{LATE}/128", "dev", OVERLAY, check=False)


def open_files(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def is_well(gateway):
    return gateway("status", check=False).returncode == 0


def stop_and_go(process, body):
    """Do something while the process stands still."""
    process.send_signal(signal.SIGSTOP)
    try:
        body()
    finally:
        process.send_signal(signal.SIGCONT)


def test_an_agent_killed_while_it_verifies_leaves_nothing_undone(lab, gateway, late):
    with lab.m1.wire(OVERLAY) as inside, lab.router.wire("to-gw") as outside:
        outside.send(solicitation(LATE))
        assert inside.wait(lambda frame: ICMPv6ND_NS in Ether(frame) and
                           Ether(frame)[ICMPv6ND_NS].tgt == LATE)
    gateway.agent_process.kill()
    gateway.agent_process.wait()
    late()
    gateway.start_agent()
    assert answer(lab, solicitation(LATE), LATE)
    assert is_well(gateway)


def overruns(lab, pid):
    """Of the agent's netlink sockets."""
    listed = lab.gw.run("cat", "/proc/net/netlink").stdout.splitlines()
    drops = listed[0].split().index("Drops")
    sockets = {os.readlink(f"/proc/{pid}/fd/{fd}") for fd in os.listdir(f"/proc/{pid}/fd")
               if os.path.islink(f"/proc/{pid}/fd/{fd}")}
    return sum(int(line.split()[drops]) for line in listed[1:]
               if f"socket:[{line.split()[-1]}]" in sockets)


@pytest.mark.alone
def test_notices_that_are_lost_make_the_agent_read_everything_anew(lab, gateway):
    own, pid = "2001:db8:48::9a7e", gateway.agent_process.pid
    routes = [f"2001:db8:{0xa000 + i:x}::/48 dev eth0" for i in range(4000)]

    def storm():
        for verb in ("add", "del"):
            lab.gw.ip("\n".join(f"route {verb} {route}" for route in routes))
        lab.gw.ip(f"addr add {own}/128 dev {OVERLAY} nodad")
        lab.gw.ip(f"neigh replace {M2.onlink} lladdr {M1.mac} dev {OVERLAY} nud reachable")

    assert ping(lab.inet, M2.onlink) == 3
    stop_and_go(gateway.agent_process, storm)
    try:
        assert wait_for(lambda: overruns(lab, pid) > 0)
        # An own address is the kernel's; and the neighbour that changed unseen is found out.
        assert wait_for(lambda: answer(lab, solicitation(own), own, timeout=0.2) is None and
                        gateway.counters()["eth0"].get("pass_ndp", 0) > 0)
        assert wait_for(lambda: ping(lab.inet, M2.onlink, count=1) == 1, 10)
        assert is_well(gateway)
    finally:
        lab.gw.ip(f"addr del {own}/128 dev {OVERLAY}")


@contextlib.contextmanager
def storm_of_routes(lab):
    """Routes are changed as fast as the kernel can."""
    routes = [f"2001:db8:{0xa000 + i:x}::/48 dev eth0" for i in range(64)]
    lines = "".join(f"echo route replace {route};" for route in routes)
    storm = subprocess.Popen(["sh", "-c", f"while :; do {lines} done | ip -n {lab.gw.name} -batch -"],
                             stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        stop(storm)
        lab.gw.ip("\n".join(f"route del {route}" for route in routes))


@pytest.mark.alone
def test_a_storm_of_routes_is_no_storm_of_the_agents(lab, gateway):
    """While it lasts members are answered, and what it takes does not grow with it."""
    pid = gateway.agent_process.pid
    kilobytes = []
    for _ in range(3):
        with storm_of_routes(lab):
            for _ in range(15):
                assert answer(lab, solicitation(M1.onlink), M1.onlink, timeout=1)
                time.sleep(0.05)
        assert wait_for(lambda: is_well(gateway))
        kilobytes.append(own_kilobytes(pid))
    assert max(kilobytes[1:]) <= kilobytes[0] + 512


@pytest.mark.alone
def test_a_tap_made_anew_many_times_in_a_row_is_a_port_each_time(lab, gateway):
    pid = gateway.agent_process.pid
    assert ping(lab.inet, M1.onlink) == 3
    lab.restart_zerotier()
    assert wait_for(lambda: ping(lab.inet, M1.onlink, count=1) == 1)
    time.sleep(2)  # until it has put everything right
    files, memory = open_files(pid), own_kilobytes(pid)
    packets = gateway.counters().rx[OVERLAY]
    for turn in range(RECREATIONS):
        lab.restart_zerotier()
        if turn % 5 == 4:  # mostly they follow each other faster than anybody could act
            assert wait_for(lambda: ping(lab.inet, M1.onlink, count=1) == 1)
    assert wait_for(lambda: ping(lab.inet, M1.onlink, count=1) == 1)
    assert wait_for(lambda: is_well(gateway))
    port = next(port for port in gateway.stats()["ports"] if port["name"] == OVERLAY)
    assert port["ifindex"] == lab.gw.link_index(OVERLAY) and port["datapath"] == "xdp"
    assert gateway.counters().rx[OVERLAY] > packets
    assert wait_for(lambda: open_files(pid) == files)  # it may be at work on the journal
    assert own_kilobytes(pid) <= memory + 1024
    assert gateway.agent_process.poll() is None


@pytest.mark.alone
def test_a_full_ring_buffer_costs_solicitations_and_nothing_else(lab, gateway, late):
    gateway.configure(conf(tunnel=False, proxy=QUICK,
                           more="limits {\n    unresolved-rate 100000\n}"))
    gateway("reload")
    time.sleep(1.5)  # the agent follows
    memory = own_kilobytes(gateway.agent_process.pid)
    before = gateway.counters()
    stop_and_go(gateway.agent_process, lambda: lab.router.run(
        peer("flood"), "to-gw", ONLINK.split("/", maxsplit=1)[0], 2000, 2))
    verdicts = (gateway.counters() - before)["eth0"]
    assert verdicts["drop_ndp_limited"] >= 1000
    assert EVENTS_HELD - 50 <= verdicts["ndp_deferred"] <= EVENTS_HELD + 50
    late()
    assert wait_for(lambda: answer(lab, solicitation(LATE), LATE, timeout=0.6) is not None)
    assert ping(lab.inet, M1.onlink) == 3
    assert is_well(gateway)
    assert own_kilobytes(gateway.agent_process.pid) <= memory + 2048


def test_of_agents_that_start_together_one_stays(lab, gateway):
    gateway.stop_agent()
    started = [lab.gw.popen(BINARY, "-c", gateway.conf_path, "--instance", gateway.instance,
                            "agent", stderr=subprocess.PIPE) for _ in range(4)]
    try:
        assert wait_for(lambda: sum(agent.poll() is None for agent in started) == 1)
        time.sleep(1)
        ended = [agent for agent in started if agent.poll() is not None]
        assert len(ended) == 3
        assert all(agent.returncode == 1 and "running already" in agent.stderr.read()
                   for agent in ended)
        assert is_well(gateway) and ping(lab.inet, M1.onlink) == 3
    finally:
        for agent in started:
            stop(agent)
            agent.stderr.close()


def is_own(gateway, address):
    """Whether the programs take an address for the gateway's own."""
    key = struct.pack("=I", 128) + socket.inet_pton(socket.AF_INET6, address)
    with Map(gateway, "prefixes") as prefixes:
        owner = prefixes.get(key, 64)
        return bool(owner and owner[1])  # struct zt6_prefix


@contextlib.contextmanager
def locked(gateway):
    """The loader's lock is taken, as `reload` does it, until the function that comes is called."""
    with open(f"/run/zt6-bpf/{gateway.instance}/lock", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield lambda: fcntl.flock(lock, fcntl.LOCK_UN)


def test_the_agent_writes_no_maps_while_the_loader_does(lab, gateway):
    """It would write what it has read before: a reload would be undone."""
    own = "2001:db8:48:ffff::77"
    with locked(gateway) as unlock:
        lab.gw.ip(f"addr add {own}/128 dev eth0 nodad")
        try:
            time.sleep(1)
            assert not is_own(gateway, own)
            assert answer(lab, solicitation(M1.onlink), M1.onlink)  # it does not stand still
            unlock()
            assert wait_for(lambda: is_own(gateway, own))
        finally:
            lab.gw.ip(f"addr del {own}/128 dev eth0")


def test_an_agent_that_starts_while_the_loader_is_at_work_finds_members_and_writes_no_maps(
        lab, gateway, late):
    own = "2001:db8:48:ffff::77"
    late()
    gateway.stop_agent()
    with locked(gateway) as unlock:
        lab.gw.ip(f"addr add {own}/128 dev eth0 nodad")
        try:
            gateway.start_agent()
            assert answer(lab, solicitation(LATE), LATE)
            assert not is_own(gateway, own)
            unlock()
            assert wait_for(lambda: is_own(gateway, own))
            assert ping(lab.inet, M2.onlink) == 3
        finally:
            lab.gw.ip(f"addr del {own}/128 dev eth0")


def test_a_target_whose_route_leads_elsewhere_by_now_is_not_taken_for_absent(lab, gateway):
    gateway.configure(conf(tunnel=False, lan=True,
                           proxy=QUICK.replace("invalid 3s", "invalid 60s")))
    gateway("reload")
    time.sleep(1.5)  # the agent follows
    assert answer(lab, solicitation(M1.onlink), M1.onlink)
    lab.lan.ip(f"addr add {M1.onlink}/128 dev eth0 nodad")
    lab.gw.ip(f"route add {M1.onlink} dev eth1")
    lab.m1.ip(f"addr del {M1.onlink}/48 dev {OVERLAY}")
    try:
        time.sleep(5)  # until it has been looked for anew
        assert answer(lab, solicitation(M1.onlink), M1.onlink)
    finally:
        lab.gw.ip(f"route del {M1.onlink} dev eth1")
        lab.lan.ip(f"addr del {M1.onlink}/128 dev eth0")
        lab.m1.ip(f"addr add {M1.onlink}/48 dev {OVERLAY} nodad")


def test_routes_of_autowire_do_not_outlive_a_killed_agent(lab, gateway):
    gateway.configure(conf(tunnel=False, proxy=QUICK, method=f"iface {OVERLAY}",
                           rule="autowire yes"))
    gateway("reload")
    time.sleep(1.5)  # the agent follows the pins
    try:
        lab.gw.ip(f"route del {ONLINK} dev {OVERLAY} proto static metric 5000")
        assert wait_for(lambda: answer(lab, solicitation(M1.onlink), M1.onlink) is not None)
        assert M1.onlink in lab.gw.show(f"-6 route show {M1.onlink}")
        gateway.agent_process.kill()
        gateway.agent_process.wait()
        # The kernel uses no route whose time is over; it takes it away every 30 s, or now.
        time.sleep(3 + 2)
        lab.gw.sysctl("ipv6/route/flush", 1)
        assert wait_for(lambda: not lab.gw.show(f"-6 route show {M1.onlink}"))
    finally:
        lab.gw.ip(f"route replace {ONLINK} dev {OVERLAY} proto static metric 5000")


def test_a_dead_agent_leaves_no_dead_member_advertised(lab, gateway):
    """The kernel finds out by itself, in its own time: it sends one of the packets in a second."""
    def packet_and_solicitation():
        ping(lab.inet, M1.onlink, count=1, wait=0.2)
        return answer(lab, solicitation(M1.onlink), M1.onlink, timeout=0.3)

    gateway.agent_process.kill()
    gateway.agent_process.wait()
    time.sleep(STALE_SECONDS)
    for member in (M1, M2):
        lab.gw.ip(f"neigh replace {member.onlink} lladdr {member.mac} dev {OVERLAY} nud stale")
    lab.m1.ip(f"addr del {M1.onlink}/48 dev {OVERLAY}")
    try:
        # Without an agent the kernel's word counts, and it does not know better yet.
        assert packet_and_solicitation() is not None
        assert wait_for(lambda: packet_and_solicitation() is None, KERNEL_SECONDS)
        assert gateway.counters()["eth0"]["pass_unwatched"] >= 1
        assert answer(lab, solicitation(M2.onlink), M2.onlink) is not None
        assert ping(lab.inet, M2.onlink) == 3
    finally:
        lab.m1.ip(f"addr add {M1.onlink}/48 dev {OVERLAY} nodad")
