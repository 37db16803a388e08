# SPDX-License-Identifier: GPL-2.0-or-later
"""Traffic between namespaces through the kernel's own stacks: bulk TCP and pings."""

import contextlib
import hashlib
import itertools
import os
import random
import socket
import struct
import threading
import time
from dataclasses import dataclass

ICMPV6 = 58
ECHO_REQUEST, ECHO_REPLY = 128, 129
IPV6_HEADERS = 48  # IPv6 and ICMPv6 echo: what a ping is longer than its payload
BLOCK = 1 << 20

# Of a bulk transfer, and of one that only has to work; less where all is emulated.
MEGABYTES = int(os.environ.get("ZT6_TEST_MEGABYTES", 100))
FEW_MEGABYTES = min(20, MEGABYTES)


@dataclass
class Transfer:
    bytes: int
    seconds: float
    sent: str  # SHA-256 of what the sender wrote
    received: str  # and of what the receiver read

    @property
    def intact(self):
        return self.sent == self.received

    @property
    def megabits(self):
        return self.bytes * 8 / self.seconds / 1e6


def _blocks(megabytes):
    """Bytes of which no two blocks are equal, so that a lost or swapped one shows."""
    body = random.Random(megabytes).randbytes(BLOCK - 8)
    return (struct.pack("!Q", number) + body for number in range(megabytes))


def _send(listener, megabytes, digest, timeout):
    listener.settimeout(timeout)
    try:
        connection, _ = listener.accept()
        with connection:
            connection.settimeout(timeout)
            for block in _blocks(megabytes):
                digest.update(block)
                connection.sendall(block)
    except OSError:
        return  # the reader has less than was sent, and says so


def transfer(server, address, client, source, megabytes=MEGABYTES, timeout=20):
    """`client` (a namespace, from its address `source`) downloads from `server` at `address`.
    Raises TimeoutError when nothing moves for `timeout` seconds."""
    sent, received, size = hashlib.sha256(), hashlib.sha256(), 0
    with server.socket(socket.AF_INET6, socket.SOCK_STREAM) as listener, \
            client.socket(socket.AF_INET6, socket.SOCK_STREAM) as reader:
        listener.bind((address, 0))
        listener.listen(1)
        reader.settimeout(timeout)
        reader.bind((source, 0))
        sender = threading.Thread(target=_send, args=(listener, megabytes, sent, timeout))
        sender.start()
        try:
            start = time.monotonic()
            reader.connect((address, listener.getsockname()[1]))
            while data := reader.recv(BLOCK):
                received.update(data)
                size += len(data)
            seconds = time.monotonic() - start
        finally:
            reader.close()
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)  # wakes a sender that nobody connected to
            sender.join()
    return Transfer(size, seconds, sent.hexdigest(), received.hexdigest())


def ping(namespace, destination, source=None, count=3, size=56, interval=0.05, wait=2):
    """How many of `count` pings were answered."""
    command = ["ping", "-6", "-n", "-c", count, "-s", size, "-i", interval, "-W", wait]
    if source:
        command += ["-I", source]
    done = namespace.run(*command, destination, check=False)
    words = done.stdout.split(" received")[0].split()
    return int(words[-1]) if " received" in done.stdout else 0


def ping_sizes(namespace, destination, source, payloads, window=32, timeout=2):
    """Ping once with each payload size and return the sizes that got no answer with the same
    bytes. At most `window` are under way at a time."""
    waiting, lost, sizes = {}, [], iter(payloads)
    with namespace.socket(socket.AF_INET6, socket.SOCK_RAW, ICMPV6) as sock:
        sock.setsockopt(socket.IPPROTO_ICMPV6, 1, _only(ECHO_REPLY))
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        sock.bind((source, 0))
        identifier = random.getrandbits(16)
        while True:
            for size in itertools.islice(sizes, window - len(waiting)):
                payload = random.Random(size).randbytes(size)
                sock.sendto(struct.pack("!BBHHH", ECHO_REQUEST, 0, 0, identifier, size) + payload,
                            (destination, 0))
                waiting[size] = (payload, time.monotonic() + timeout)
            if not waiting:
                return lost
            sock.settimeout(max(0.001, min(end for _, end in waiting.values()) - time.monotonic()))
            try:
                reply = sock.recv(65536)
            except TimeoutError:
                late = [size for size, (_, end) in waiting.items() if end <= time.monotonic()]
                lost += late
                for size in late:
                    del waiting[size]
                continue
            _, _, _, echoed, size = struct.unpack("!BBHHH", reply[:8])
            if echoed == identifier and size in waiting:
                if waiting.pop(size)[0] != reply[8:]:
                    lost.append(size)


def _only(kind):
    """A filter for ICMP6_FILTER (RFC 3542 §3.2) that lets one type pass: its bit is 0."""
    words = [0xffffffff] * 8
    words[kind >> 5] &= ~(1 << (kind & 31))
    return struct.pack("=8I", *words)
