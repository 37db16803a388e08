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
ICMP6_FILTER, IPV6_RECVERR, MSG_CONFIRM = 1, 25, 0x800  # Python's socket has no names for them
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
    """How many of `count` pings were answered, each within `wait` seconds of the last. `source` is
    an address or a device.

    ping(8) does not say: once an answer has come it waits for the others no longer than twice as
    long as that took, or `interval`; on a busy machine they come later.
    """
    with namespace.socket(socket.AF_INET6, socket.SOCK_RAW, ICMPV6) as sock:
        sock.setsockopt(socket.IPPROTO_ICMPV6, ICMP6_FILTER, _only(ECHO_REPLY))
        sock.setsockopt(socket.IPPROTO_IPV6, IPV6_RECVERR, 1)
        try:
            with namespace.enter():
                address = socket.getaddrinfo(destination, None, socket.AF_INET6, socket.SOCK_RAW,
                                             flags=socket.AI_NUMERICHOST)[0][4]
            if source and ":" in source:
                sock.bind((source, 0))
            elif source:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, source.encode())
        except OSError:
            return 0  # the device or the address is not there
        pinger = _Pinger(sock, address, size)
        for turn in range(count):
            if turn:
                time.sleep(interval)
            pinger.send()
        pinger.listen(wait)
        return pinger.answered


class _Pinger:
    """Echo requests that are under way, by their numbers."""

    def __init__(self, sock, address, size):
        self.sock, self.address = sock, address
        self.identifier = random.getrandbits(16)
        self.payload = random.randbytes(size)
        self.numbers, self.waiting = itertools.count(1), set()
        self.answered = 0

    def send(self):
        self.listen(0)
        number = next(self.numbers)
        self.waiting.add(number)
        request = struct.pack("!BBHHH", ECHO_REQUEST, 0, 0, self.identifier, number) + self.payload
        # As ping(8): where an answer has come from, the way there works.
        flags = MSG_CONFIRM if self.answered else 0
        try:
            self.sock.sendto(request, flags, self.address)
        except OSError:
            # Of this one, or of one before it, which the call tells of instead of sending.
            self._errors()
            with contextlib.suppress(OSError):
                self.sock.sendto(request, flags, self.address)
                return
            self.waiting.discard(number)

    def listen(self, seconds):
        """Until all are answered, or for so long."""
        end = time.monotonic() + seconds
        while self.waiting:
            self.sock.settimeout(max(0, end - time.monotonic()))
            try:
                self._take(self.sock.recv(65536), ECHO_REPLY)
            except (TimeoutError, BlockingIOError):
                return
            except OSError:
                self._errors()

    def _take(self, message, kind):
        """An answer to, or an error about, one of ours that is waited for."""
        if len(message) < 8:
            return
        found, _, _, identifier, number = struct.unpack("!BBHHH", message[:8])
        if found != kind or identifier != self.identifier or number not in self.waiting:
            return
        self.waiting.remove(number)
        if kind == ECHO_REPLY:
            self.answered += 1

    def _errors(self):
        """Requests of which an ICMP error or the kernel itself says that they went nowhere."""
        self.sock.settimeout(0)
        with contextlib.suppress(OSError):
            while True:
                self._take(self.sock.recvmsg(65536, 0, socket.MSG_ERRQUEUE)[0], ECHO_REQUEST)


def ping_sizes(namespace, destination, source, payloads, window=32, timeout=2):
    """Ping once with each payload size and return the sizes that got no answer with the same
    bytes. At most `window` are under way at a time."""
    waiting, lost, sizes = {}, [], iter(payloads)
    with namespace.socket(socket.AF_INET6, socket.SOCK_RAW, ICMPV6) as sock:
        sock.setsockopt(socket.IPPROTO_ICMPV6, ICMP6_FILTER, _only(ECHO_REPLY))
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
