# SPDX-License-Identifier: GPL-2.0-or-later
"""`policy kernel`: the fast path carries what the kernel has let in, and nothing else (design §4.6).

No agent runs here but where a test starts one: none of this may depend on it."""

import contextlib
import os
import socket
import threading
import time

import pytest
from scapy.layers.inet import UDP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import Ether
from scapy.packet import Raw

import conntrack
from conftest import running
from frames import Path
from lab import GATEWAY, INET, M1, M2, OVERLAY, TUNNEL, conf
from traffic import FEW_MEGABYTES, MEGABYTES, ping, transfer
from waiting import wait_for

LIBERAL = "netfilter/nf_conntrack_tcp_be_liberal"
UDP_PROTOCOL = 17
BELIEVED = 1.0  # seconds that the kernel's last word may be old
FLOWS = int(os.environ.get("ZT6_TEST_FLOWS", 10_000))  # fewer where all is emulated
FLOW_PORTS = range(20_000, 20_000 + FLOWS)
ECHO_PORT = 7
PAYLOAD = b"policed"


@pytest.fixture(scope="module")
def policed():
    """Without an agent: it is the tunnel alone, for which none is needed."""
    yield from running({"onlink": False, "policy": "kernel"}, agent=False)


@pytest.fixture
def gateway_counts(policed):
    assert ping(policed.m1, INET, source=M1.routed, count=2) >= 1
    before = policed.gateway.counters()
    return lambda: policed.gateway.counters() - before


def few(counted, port):
    """What went to the kernel for its word, of one bulk transfer."""
    return counted[port].get("pass_policy", 0)


@pytest.mark.parametrize("direction", ["download", "upload"])
def test_a_members_own_connection_is_carried_by_the_fast_path(policed, gateway_counts, direction):
    lab = policed
    if direction == "download":
        assert transfer(lab.inet, INET, lab.m1, M1.routed, MEGABYTES).intact
    else:
        assert upload(lab.m1, M1.routed, lab.inet, INET, MEGABYTES) == MEGABYTES << 20
    counted = gateway_counts()
    bulk = (MEGABYTES << 20) // 1440
    inward, outward = (bulk, MEGABYTES) if direction == "download" else (MEGABYTES, bulk)
    assert counted["eth0"]["decapsulated"] >= inward
    assert counted[OVERLAY]["encapsulated"] >= outward
    assert 3 <= few(counted, "eth0") <= 200 and 3 <= few(counted, OVERLAY) <= 200


def upload(client, source, server, address, megabytes):
    """`client` opens the connection and sends; the bytes that arrive."""
    got = 0
    with server.socket(socket.AF_INET6, socket.SOCK_STREAM) as listener, \
            client.socket(socket.AF_INET6, socket.SOCK_STREAM) as writer:
        listener.bind((address, 0))
        listener.listen(1)
        listener.settimeout(20)
        writer.bind((source, 0))
        writer.settimeout(20)
        writer.connect((address, listener.getsockname()[1]))
        reader, _ = listener.accept()
        reader.settimeout(20)
        body = bytes(1 << 20)

        def send():
            for _ in range(megabytes):
                writer.sendall(body)
            writer.shutdown(socket.SHUT_WR)

        sender = threading.Thread(target=send)
        sender.start()
        with reader:
            while data := reader.recv(1 << 20):
                got += len(data)
        sender.join()
    return got


@contextlib.contextmanager
def connection(lab):
    """TCP from m1 to the Internet: both ends, and their ports."""
    with lab.inet.socket(socket.AF_INET6, socket.SOCK_STREAM) as listener, \
            lab.m1.socket(socket.AF_INET6, socket.SOCK_STREAM) as client:
        listener.bind((INET, 0))
        listener.listen(1)
        listener.settimeout(5)
        client.settimeout(5)
        client.bind((M1.routed, 0))
        client.connect((INET, listener.getsockname()[1]))
        server, _ = listener.accept()
        server.settimeout(5)
        with server:
            yield client, server, listener.getsockname()[1]


def exchange(client, server, seconds, block=4000):
    """Both talk for a while; every byte arrives."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        client.sendall(bytes(block))
        server.sendall(bytes(block))
        for one in (client, server):
            got = 0
            while got < block:
                got += len(one.recv(block - got))


def test_conntrack_follows_a_long_connection_to_its_end(policed, gateway_counts):
    with connection(policed) as (client, server, port):
        exchange(client, server, 2.5)
        assert conntrack.states(policed.gw, port) == ["ESTABLISHED"]
        client.shutdown(socket.SHUT_WR)
        assert server.recv(1) == b""
        server.shutdown(socket.SHUT_WR)
        assert client.recv(1) == b""
        time.sleep(0.1)
        assert conntrack.states(policed.gw, port) == ["TIME_WAIT"]
    counted = gateway_counts()
    assert counted["eth0"]["decapsulated"] > 10 * few(counted, "eth0")
    statistics = policed.gw.run("cat", "/proc/net/stat/nf_conntrack").stdout.splitlines()
    invalid = statistics[0].split().index("invalid")
    assert sum(int(line.split()[invalid], 16) for line in statistics[1:]) == 0


def carriers_of(lab):
    """Process ids of the programs that are the lab's overlay and its broker: the CPU that one of
    them runs on is that of the gateway's program for the packets that it brings."""
    found, broker = [], os.stat(lab.broker.path).st_ino
    for pid in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError), open(f"/proc/{pid}/cmdline", "rb") as file:
            command = file.read()
            name = os.path.basename(command.split(b"\0")[0])
            if name == b"tapswitch" and lab.m1.path.encode() in command or (
                    name == b"sixinfour_peer" and os.stat(f"/proc/{pid}/ns/net").st_ino == broker):
                found.append(int(pid))
    return found


@pytest.mark.parametrize("first", ["server", "client"])
def test_the_last_acknowledgment_is_the_kernels_whichever_cpu_it_comes_by(policed, first):
    """Each CPU has its own memory of flows, and a connection may wander."""
    cpus = sorted(os.sched_getaffinity(0))
    if len(cpus) < 2:
        pytest.skip("one CPU alone")
    carriers = carriers_of(policed)
    assert len(carriers) == 2

    def go_to(cpu):
        for pid in carriers:
            os.sched_setaffinity(pid, {cpu})

    try:
        with connection(policed) as (client, server, port):
            for turn in range(10):
                go_to(cpus[turn % 2])
                exchange(client, server, 0.15)
            ends = (server, client) if first == "server" else (client, server)
            go_to(cpus[0])
            ends[0].shutdown(socket.SHUT_WR)
            assert ends[1].recv(1) == b""
            go_to(cpus[1])
            ends[1].shutdown(socket.SHUT_WR)
            assert ends[0].recv(1) == b""
            assert wait_for(lambda: conntrack.states(policed.gw, port) == ["TIME_WAIT"], 1), \
                conntrack.states(policed.gw, port)
    finally:
        for pid in carriers:
            os.sched_setaffinity(pid, set(cpus))


def test_a_timeout_stays_what_the_kernel_makes_of_it(policed, gateway_counts):
    """The entry of a flow that the fast path carries is as young as if the kernel did."""
    with connection(policed) as (client, server, port):
        exchange(client, server, 2.5)
        line = next(line for line in conntrack.entries(policed.gw) if f"dport={port} " in line)
    timeout = int(policed.gw.sysctl("netfilter/nf_conntrack_tcp_timeout_established"))
    assert timeout - 2 <= int(line.split()[4]) <= timeout
    assert gateway_counts()["eth0"]["decapsulated"] > 100


class Stream:
    """UDP from the Internet to m1, who has asked for it once: a datagram every 5 ms."""

    def __init__(self, lab, port):
        self.server = lab.inet.socket(socket.AF_INET6, socket.SOCK_DGRAM)
        self.client = lab.m1.socket(socket.AF_INET6, socket.SOCK_DGRAM)
        self.server.bind((INET, port))
        self.client.bind((M1.routed, port))
        self.port = port
        self.arrivals = []
        self.over = threading.Event()
        self.threads = [threading.Thread(target=run) for run in (self._send, self._receive)]

    def _send(self):
        while not self.over.is_set():
            with contextlib.suppress(OSError):
                self.server.sendto(PAYLOAD, (M1.routed, self.port))
            time.sleep(0.005)

    def _receive(self):
        self.client.settimeout(0.1)
        while not self.over.is_set():
            with contextlib.suppress(OSError):
                self.client.recv(64)
                self.arrivals.append(time.monotonic())

    def __enter__(self):
        self.client.sendto(PAYLOAD, (INET, self.port))
        for thread in self.threads:
            thread.start()
        time.sleep(1.5)
        assert len(self.arrivals) > 100
        return self

    def __exit__(self, *_):
        self.over.set()
        for thread in self.threads:
            thread.join()
        self.server.close()
        self.client.close()


def assert_stops(stream, change):
    change()
    changed = time.monotonic()
    time.sleep(2)
    assert stream.arrivals[-1] - changed <= BELIEVED
    assert len(stream.arrivals) > 100


def test_a_flow_whose_conntrack_entry_is_deleted_stops_within_a_second(policed, gateway_counts):
    with Stream(policed, 5001) as stream:
        assert gateway_counts()["eth0"]["decapsulated"] > 100
        assert_stops(stream, lambda: conntrack.delete(
            policed.gw, UDP_PROTOCOL, M1.routed, 5001, INET, 5001))


@pytest.mark.parametrize("rule", [f"ip6 daddr {M1.routed} udp dport 5002 drop",
                                  f"ip6 saddr {INET} udp dport 5002 drop"])
def test_a_flow_that_is_newly_denied_stops_within_a_second(policed, gateway_counts, rule):
    lab = policed
    with Stream(lab, 5002) as stream:
        assert gateway_counts()["eth0"]["decapsulated"] > 100
        try:
            assert_stops(stream, lambda: lab.gw.run(
                "nft", "table ip6 denied { chain c { type filter hook forward priority 10; "
                f"{rule}; }}; }}"))
        finally:
            lab.gw.run("nft", "delete table ip6 denied")


def test_denying_one_direction_leaves_the_other_alone(policed, gateway_counts):
    """The word on one direction is none on the other."""
    lab = policed
    with Stream(lab, 5003) as stream:
        lab.gw.run("nft", "table ip6 denied { chain c { type filter hook forward priority 10; "
                   f"ip6 saddr {M1.routed} udp dport 5003 drop; }}; }}")
        try:
            stream.server.settimeout(0.3)
            with contextlib.suppress(OSError):
                while stream.server.recv(64):
                    pass
            time.sleep(1.1)
            stream.client.sendto(b"out", (INET, 5003))
            with pytest.raises(OSError):
                stream.server.recv(64)
            before = len(stream.arrivals)
            time.sleep(0.5)
            assert len(stream.arrivals) > before + 20
        finally:
            lab.gw.run("nft", "delete table ip6 denied")


def test_what_nobody_asked_for_does_not_arrive(policed, gateway_counts):
    path = Path(policed)
    with policed.inet.socket(socket.AF_INET6, socket.SOCK_DGRAM) as sock, path.inside() as inside:
        for _ in range(20):
            sock.sendto(PAYLOAD, (M1.routed, 5004))
        assert inside.wait(lambda frame: UDP in Ether(frame), 0.5) is None
    assert gateway_counts()["eth0"]["pass_policy"] >= 20
    assert "decapsulated" not in gateway_counts()["eth0"]


SO_RCVBUFFORCE = 33  # Linux's own


class Crowd:
    """Datagrams of m1 from each of FLOW_PORTS to an echo server in the Internet, and what comes
    back, on the wire."""

    def __init__(self, lab):
        self.lab = lab
        self.over = threading.Event()
        self.server = lab.inet.socket(socket.AF_INET6, socket.SOCK_DGRAM)
        self.server.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 32 << 20)
        self.server.bind((INET, ECHO_PORT))
        self.server.settimeout(0.1)
        self.thread = threading.Thread(target=self._serve)
        self.wire = lab.m1.wire(OVERLAY)
        self.wire.socket.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 64 << 20)
        self.frames = {port: bytes(
            Ether(src=M1.mac, dst=GATEWAY.mac) / IPv6(src=M1.routed, dst=INET) /
            UDP(sport=port, dport=ECHO_PORT) / Raw(PAYLOAD)) for port in FLOW_PORTS}

    def _serve(self):
        while not self.over.is_set():
            with contextlib.suppress(OSError):
                self.server.sendto(*self.server.recvfrom(64))

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()
        self.server.close()
        self.wire.socket.close()

    def ask_all(self, ports):
        """Again where no answer came, for queues on the way overflow: the ports without one."""
        left = set(ports)
        for _ in range(4):
            left = left and self.ask(sorted(left))
        return left

    def ask(self, ports, seconds=2):
        """The ports that got no answer."""
        waiting = set(ports)
        for number, port in enumerate(ports):
            self.wire.send(self.frames[port])
            if number % 50 == 49:
                time.sleep(0.002)
        for frame in self.wire.frames(seconds):
            if len(frame) >= 62 and frame[20] == UDP_PROTOCOL and frame[12:14] == b"\x86\xdd":
                waiting.discard(int.from_bytes(frame[56:58], "big"))
            if not waiting:
                break
        return waiting


@pytest.mark.alone
def test_ten_thousand_flows_at_once_are_all_carried(policed, gateway_counts):
    with Crowd(policed) as crowd:
        for first in range(0, FLOWS, 500):  # a busy machine takes seconds for all of them
            for _ in range(4):
                assert not crowd.ask_all(FLOW_PORTS[first:first + 500])
        assert not crowd.ask_all(FLOW_PORTS)
        assert len(conntrack.entries(policed.gw)) >= FLOWS
    counted = gateway_counts()
    for port, verdict in (("eth0", "decapsulated"), (OVERLAY, "encapsulated")):
        assert counted[port][verdict] >= FLOWS
        assert counted[port][verdict] + counted[port]["pass_policy"] >= 5 * FLOWS


@contextlib.contextmanager
def conntrack_bound(entries):
    """Of all namespaces: for as short as it can be."""
    path = "/proc/sys/net/netfilter/nf_conntrack_max"
    with open(path, encoding="ascii") as file:
        before = file.read()
    try:
        with open(path, "w", encoding="ascii") as file:
            file.write(str(entries))
        yield
    finally:
        with open(path, "w", encoding="ascii") as file:
            file.write(before)


@pytest.mark.alone
def test_a_full_conntrack_table_keeps_old_flows_and_lets_no_new_one_in(policed, gateway_counts):
    lab = policed
    known, new = FLOW_PORTS[:50], FLOW_PORTS[-200:]
    flush(lab)
    with Crowd(lab) as crowd:
        assert not crowd.ask_all(known)
        # UDP is ASSURED, and never given up for others, when it goes on for longer than 2 seconds.
        time.sleep(2.5)
        assert not crowd.ask_all(known)
        with conntrack_bound(len(conntrack.entries(lab.gw))):
            assert not crowd.ask_all(known)
            # The kernel gives up what is not ASSURED, such as other new ones, for a few of them.
            assert len(crowd.ask(new, seconds=0.5)) >= 0.9 * len(new)
            assert not crowd.ask_all(known)
        assert not crowd.ask_all(new)
    assert gateway_counts()["eth0"]["decapsulated"] >= 50


def flush(lab):
    """Empties the gateway's conntrack table."""
    conntrack.flush(lab.gw)


def test_what_up_changes_for_conntrack_down_puts_back(fresh):
    before = fresh.gw.sysctl(LIBERAL)
    fresh.gateway.up(conf(onlink=False, policy="kernel"))
    assert fresh.gw.sysctl(LIBERAL) == "1"
    for device in ("eth0", OVERLAY, TUNNEL):
        assert "zt6_witness" in fresh.gw.run("tc", "filter", "show", "dev", device, "egress").stdout
    fresh.gateway("down")
    assert fresh.gw.sysctl(LIBERAL) == before
    assert "clsact" not in fresh.gw.run("tc", "qdisc", "show").stdout


def test_the_witness_comes_and_goes_with_the_policy(fresh):
    filters = lambda: fresh.gw.run("tc", "filter", "show", "dev", "eth0", "egress").stdout
    for policy in ("off", "kernel", "off", "kernel"):
        fresh.gateway.up(conf(onlink=False, policy=policy))
        assert ("zt6_witness" in filters()) == (policy == "kernel")
        assert transfer(fresh.inet, INET, fresh.m1, M1.routed, 2).intact


@pytest.mark.parametrize("rules", ["shipped", "none"])
def test_on_link_members_are_carried_as_well(fresh, rules):
    fresh.gateway.up(conf(tunnel=False, policy=f"kernel\n    rules {rules}"))
    fresh.gateway.start_agent()
    assert ping(fresh.m1, INET, source=M1.onlink, count=5) >= 3
    before = fresh.gateway.counters()
    assert transfer(fresh.inet, INET, fresh.m1, M1.onlink, FEW_MEGABYTES).intact
    counted = fresh.gateway.counters() - before
    assert counted["eth0"]["forwarded"] >= 20 * few(counted, "eth0")


def test_a_tap_that_comes_back_has_its_witness_again(fresh):
    fresh.gateway.up(conf(onlink=False, policy="kernel"))
    fresh.gateway.start_agent()
    assert transfer(fresh.inet, INET, fresh.m1, M1.routed, 2).intact
    fresh.restart_zerotier()
    time.sleep(1)
    assert ping(fresh.m1, INET, source=M1.routed, count=5) >= 3
    before = fresh.gateway.counters()
    assert transfer(fresh.inet, INET, fresh.m1, M1.routed, FEW_MEGABYTES).intact
    counted = fresh.gateway.counters() - before
    assert counted["eth0"]["decapsulated"] >= 20 * few(counted, "eth0")


def test_a_members_limit_holds_for_each_direction_of_each_member(fresh):
    fresh.gateway.up(conf(onlink=False, policy="kernel", overlay="limit 16mbit"))
    for direction in (fresh.inet, INET, fresh.m1, M1.routed), (fresh.inet, INET, fresh.m2, M2.routed):
        assert ping(direction[2], INET, source=direction[3], count=3) >= 2
        done = transfer(*direction, 8)
        assert done.intact and 2 <= done.megabits <= 16 * 1.25  # the burst comes first
    assert upload(fresh.m1, M1.routed, fresh.inet, INET, 2) == 2 << 20
    counted = fresh.gateway.counters()
    assert counted["eth0"]["drop_rate_limited"] > 0
    assert counted[OVERLAY]["drop_rate_limited"] > 0
    assert not counted.unexplained()
