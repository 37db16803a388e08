# SPDX-License-Identifier: GPL-2.0-or-later
"""A gateway between the Internet and many members, and numbered packets from one to the other.

    far eth0 ---- eth0 gw ztXXXXXXXX ---- far ztXXXXXXXX
    (the router, who sends)               (the crowd, who is counted)
"""

import contextlib
import ipaddress
import json
import subprocess

from gateway import peer
from lab import NETWORK, ONLINK, OVERLAY
from machine import Machine
from netns import stop
from test_ndp import is_advertisement, solicitation

OUTSIDE = "2001:db8:9::1"  # whence the packets are
FIRST = "2001:db8:48:1::"  # the first member


def address(index):
    """Of a member."""
    return str(ipaddress.IPv6Address(FIRST) + index)


def mac(index, moved=False):
    return f"02:{'c1' if moved else 'c0'}:" + ":".join(f"{index >> shift & 255:02x}"
                                                      for shift in (24, 16, 8, 0))


def conf(proxy="", rule="", limits="", method="auto"):
    return f"""uplink eth0
zerotier {NETWORK:016x} {{
    interface {OVERLAY}
}}
proxy eth0 {{
    {proxy}
    rule {ONLINK} {{
        {method}
        {rule}
    }}
}}
firewall {{
    policy off
}}
limits {{
    {limits}
}}
"""


class Crowded(Machine):
    """A Machine with `count` members; use as a context manager."""

    def __init__(self, count):
        super().__init__()
        self.count = count

    def __enter__(self):
        super().__enter__()
        try:
            for device in ("eth0", OVERLAY):
                # Without a program here, frames that another program sends would be lost.
                self.far.attach_xdp(device, peer("pass.bpf.o"), "xdp.frags")
            self.gw.ip(f"route add {ONLINK} dev {OVERLAY} proto static metric 5000")
            self._crowd = self._stack.enter_context(self.far.daemon(
                peer("crowd"), OVERLAY, FIRST, self.count, ready="READY", stdin=subprocess.PIPE))
        except BaseException:
            self._stack.close()
            raise
        return self

    def tell(self, line):
        """A line for the crowd; see crowd.c."""
        self._crowd.stdin.write(f"{line}\n")
        self._crowd.stdin.flush()

    def solicited(self):
        """How many solicitations the crowd has heard, by their kind."""
        self.tell("report")
        return json.loads(self._crowd.stdout.readline())

    def ask(self, wire, target, timeout=2):
        """Solicit a target on a Wire of the router's; the advertisement, or None."""
        wire.send(bytes(solicitation(target)))
        return wire.wait(lambda reply: is_advertisement(reply, target), timeout)

    def meet(self, count, state="reachable"):
        """The kernel knows the first `count` members, in that state."""
        self.gw.ip("\n".join(f"neigh replace {address(i)} lladdr {mac(i)} dev {OVERLAY} nud {state}"
                             for i in range(count)))

    def sender(self, rate, packets, first=0, destinations=1):
        """The arguments of a process in `far` that sends to members in turn."""
        return [peer("stream"), "send", "eth0", self.gw.mac("eth0"), OUTSIDE, address(first), rate,
                packets, destinations]

    def send(self, *arguments, **options):
        """Send to the end; how long it took and how many it were."""
        return json.loads(self.far.run(*self.sender(*arguments, **options)).stdout)

    def queue_losses(self):
        """Frames that queues between the stages had no room for; no program has seen them."""
        lost = 0
        for namespace in (self.gw, self.far):
            for device in ("eth0", OVERLAY):
                link = json.loads(namespace.show(f"-s -j link show {device}"))[0]["stats64"]
                lost += link["tx"]["dropped"]  # the receiver's count repeats the sender's
        return lost

    @contextlib.contextmanager
    def stream(self, rate, packets, **options):
        """A Stream that runs during the body of the `with` statement, and is over after it."""
        stream = Stream(self, packets)
        with self.far.daemon(peer("stream"), "sink", OVERLAY, packets, ready="READY",
                             stdin=subprocess.PIPE) as sink:
            # The queues of a veth hold 256 frames and are emptied where they were filled: who
            # stays on one CPU, and gets it, loses the fewest.
            sending = self.far.popen("nice", "-n", "-10", "taskset", "--cpu-list", "0",
                                     *self.sender(rate, packets, **options),
                                     stdout=subprocess.PIPE)
            try:
                yield stream
                stream.finish(sending, sink)
            finally:
                stop(sending)


class Stream:
    """What has become of numbered packets, stage by stage."""

    def __init__(self, crowded, packets):
        self._crowded, self.packets = crowded, packets
        self._queues = crowded.queue_losses()
        self._counters = crowded.gateway.counters()

    def finish(self, sending, sink):
        self.sent = json.loads(sending.communicate(timeout=300)[0])
        self.sink = json.loads(sink.communicate(timeout=60)[0])
        self.queued_away = self._crowded.queue_losses() - self._queues + self.sink["overrun"]
        self.verdicts = (self._crowded.gateway.counters() - self._counters)["eth0"]
        self.lost = self.sent["sent"] - self.sink["distinct"]
        self.duplicated = self.sink["received"] - self.sink["distinct"]

    @property
    def pace(self):
        """Packets per second."""
        return self.sent["sent"] / self.sent["seconds"]

    def __str__(self):
        return (f"{self.sent['sent']} packets at {self.pace:.0f}/s: {self.lost} lost, "
                f"{self.queued_away} of them in queues between the stages, {self.duplicated} "
                f"duplicated; {self.verdicts}")
