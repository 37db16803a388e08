#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Bulk TCP by way of XDP, of TC and of the kernel alone, side by side: one gateway of each kind is up
at a time, and they take turns, so that what disturbs the machine disturbs all. Then what a
program on a veth costs what it passes up. Ratios are of the rates of the same round.

The cables are honest (see lab.py): no frame is larger than a wire carries. The gateway merges what
arrives (GRO), as it does behind a network card.
"""

import argparse
import contextlib
import json
import os
import socket
import statistics
import struct
import sys
import threading
import time
from dataclasses import dataclass

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(TOP, "tests/e2e"))

from gateway import peer  # noqa: E402
from lab import INET, M1, ONLINK_ADDRESS, ONLINK_ROUTER  # noqa: E402
from probes import SIT, refusal  # noqa: E402
from traffic import ping  # noqa: E402
from ways import KERNEL, NATIVE_LAN_HOST, TC, XDP, gateway_of  # noqa: E402

BLOCK = 1 << 20
STALLED = 10  # seconds in which nothing has moved
TCPI_TOTAL_RETRANS = 100  # offset in struct tcp_info

# "Not below the kernel alone", as far as bulk TCP can be measured: medians differ by so much from
# one run to the next.
AT_LEAST = 0.9


@dataclass
class Sample:
    megabits: float  # per second
    sent_again: int  # segments


def _send(listener, stop, sample):
    connection, _ = listener.accept()
    block = bytes(BLOCK)
    with connection, contextlib.suppress(OSError):
        connection.settimeout(STALLED)
        while not stop.is_set():
            connection.send(block)
        told = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 256)
        sample.sent_again = struct.unpack_from("=I", told, TCPI_TOTAL_RETRANS)[0]


def bulk(server, address, client, source, seconds):
    """`client`, from `source`, reads from `server` at `address` for so long."""
    sample, stop, sink, size = Sample(0, 0), threading.Event(), bytearray(BLOCK), 0
    with server.socket(socket.AF_INET6, socket.SOCK_STREAM) as listener, \
            client.socket(socket.AF_INET6, socket.SOCK_STREAM) as reader:
        listener.bind((address, 0))
        listener.listen(1)
        reader.bind((source, 0))
        reader.settimeout(STALLED)
        reader.connect((address, listener.getsockname()[1]))
        sender = threading.Thread(target=_send, args=(listener, stop, sample))
        sender.start()
        try:
            start = time.monotonic()
            while time.monotonic() < start + seconds:
                # Counted, but not copied.
                size += reader.recv_into(sink, BLOCK, socket.MSG_TRUNC)
            sample.megabits = size * 8 / (time.monotonic() - start) / 1e6
        finally:
            stop.set()
            while reader.recv_into(sink, BLOCK, socket.MSG_TRUNC):
                pass
            sender.join()
    return sample


class Rows:
    """Samples by what was measured and by way."""

    def __init__(self):
        self.samples = {}

    def add(self, title, way, sample):
        self.samples.setdefault(title, {}).setdefault(way, []).append(sample)

    def as_json(self):
        """Medians. A ratio is to the first way that was measured."""
        rows = {}
        for title, by_way in self.samples.items():
            base = next(iter(by_way.values()))
            rows[title] = {way: {
                "megabits": statistics.median(one.megabits for one in samples),
                "ratio": statistics.median(one.megabits / other.megabits
                                           for one, other in zip(samples, base)),
                "sent_again": statistics.median(one.sent_again for one in samples),
            } for way, samples in by_way.items()}
        return rows

    def print(self):
        print(f"{'':<34}{'way':<14}{'Mb/s':>8}{'ratio':>8}{'sent again':>12}")
        for title, by_way in self.as_json().items():
            for way, row in by_way.items():
                print(f"{title:<34}{way:<14}{row['megabits']:>8.0f}{row['ratio']:>8.2f}"
                      f"{row['sent_again']:>12.0f}")


def forwarding(rows, rounds, seconds, device):
    """Through the gateway, inward and outward."""
    with contextlib.ExitStack() as stack:
        labs = {}
        for way in (KERNEL, XDP, TC):
            labs[way] = stack.enter_context(gateway_of(way, device, lan=True))
        paths = {"on-link to a member": ("m1", M1.onlink),
                 "on-link to a lan": ("lan", NATIVE_LAN_HOST),
                 f"{device} to a member": ("m1", M1.routed)}
        for number in range(rounds + 1):
            for path, (end, address) in paths.items():
                for way, lab in labs.items():
                    if way == KERNEL and address == M1.routed and device == "bpf":
                        continue  # the kernel has no such tunnel
                    inside = getattr(lab, end)
                    if not number:  # whom nobody has spoken to yet must be found first
                        assert ping(lab.inet, address, source=INET) == 3, (way, path)
                        continue
                    rows.add(f"{path}, inward", way,
                             bulk(lab.inet, INET, inside, address, seconds))
                    rows.add(f"{path}, outward", way,
                             bulk(inside, address, lab.inet, INET, seconds))


def passed_up(rows, rounds, seconds):
    """From the router to the gateway itself: what each program hands to the kernel."""
    with contextlib.ExitStack() as stack:
        labs = {name: stack.enter_context(gateway_of(XDP if name == "ours" else KERNEL, "bpf"))
                for name in ("no program", "XDP_PASS", "ours")}
        labs["XDP_PASS"].gw.attach_xdp("eth0", peer("pass.bpf.o"), "xdp.frags")
        for offload in ("off", "on"):
            title = {"off": "passed up, from a wire", "on": "passed up, veth's own TSO"}[offload]
            for lab in labs.values():
                lab.router.run("ethtool", "-K", "to-gw", "tx", offload, "tso", offload,
                               "gso", offload)
            for _ in range(rounds):
                for name, lab in labs.items():
                    rows.add(title, name, bulk(lab.router, ONLINK_ROUTER, lab.gw, ONLINK_ADDRESS,
                                               seconds))


def is_not_below_the_kernel(rows):
    """Says on stderr what is."""
    good = True
    for title, by_way in rows.as_json().items():
        for way in (XDP, TC) if KERNEL in by_way else ():
            if by_way[way]["ratio"] < AT_LEAST:
                print(f"bench: {title}, {way}: {by_way[way]['ratio']:.2f} of the kernel alone, which "
                      f"is less than {AT_LEAST}", file=sys.stderr)
                good = False
    return good


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=11, help="medians of so many (%(default)s)")
    parser.add_argument("--seconds", type=float, default=0.5,
                        help="of each transfer (%(default)s)")
    parser.add_argument("--json", action="store_true", help="for machines")
    parser.add_argument("--check", action="store_true",
                        help="exit status 1 when XDP or TC is below the kernel alone")
    options = parser.parse_args()
    rows = Rows()
    forwarding(rows, options.rounds, options.seconds, "bpf" if refusal(SIT) else "sit")
    passed_up(rows, options.rounds, options.seconds)
    if options.json:
        json.dump({"schema": 1, "rows": rows.as_json()}, sys.stdout, indent=2)
        print()
    else:
        rows.print()
    return int(options.check and not is_not_below_the_kernel(rows))


if __name__ == "__main__":
    sys.exit(main())
