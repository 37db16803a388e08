# SPDX-License-Identifier: GPL-2.0-or-later
"""A stand-in for zerotier-one: its local API on a real port of a namespace's loopback interface, its
files in a home folder, and real TAPs that come and go as its own do.

What it answers is what version 1.14 answers. `answer_with()` puts something else in the place of an
answer: what a service that hangs, starts, or is none would send.
"""

import contextlib
import fcntl
import http.server
import json
import os
import re
import select
import socket
import struct
import tempfile
import threading
import time

from lab import OVERLAY_MTU, overlay_name

TUNSETIFF = 0x400454ca
IFF_TAP, IFF_NO_PI = 0x0002, 0x1000

TOKEN = "q7w3mk2c9x5v1b8n4z6l0pyt"  # 24 characters, as the service makes them
NODE = 0x338a13b4bb


class Tap:
    """A TAP as the service holds it: one queue, not persistent, gone with its file descriptor."""

    def __init__(self, namespace, name, mac, mtu=OVERLAY_MTU, pace=0.0, switch=None):
        self.switch = switch
        self.mac = bytes.fromhex(mac.replace(":", ""))
        with namespace.enter():
            self.fd = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
            fcntl.ioctl(self.fd, TUNSETIFF,
                        struct.pack("16sH22x", name.encode(), IFF_TAP | IFF_NO_PI))
        if switch:
            switch.add(self)
        namespace.ip(f"link set {name} address {mac}")
        time.sleep(pace)
        namespace.ip(f"link set {name} up")
        self.up_at = time.monotonic()
        time.sleep(pace)
        namespace.ip(f"link set {name} mtu {mtu}")

    def close(self):
        if self.switch:
            self.switch.remove(self)
        os.close(self.fd)


class Switch:
    """The network between TAPs, as it is to members that are no bridges: a frame carries the MAC of
    the TAP that it was sent on, and reaches the TAP whose MAC it names, or all if it is multicast."""

    def __init__(self):
        self.taps = []
        self.lock = threading.Lock()
        self.stopping = False
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def add(self, tap):
        with self.lock:
            self.taps.append(tap)

    def remove(self, tap):
        with self.lock:
            self.taps.remove(tap)

    def close(self):
        self.stopping = True
        self.thread.join(5)

    def _run(self):
        while not self.stopping:
            with self.lock:
                ready = select.select([tap.fd for tap in self.taps], [], [], 0)[0]
                for tap in [tap for tap in self.taps if tap.fd in ready]:
                    self._forward(tap)
            if not ready:
                time.sleep(0.001)

    def _forward(self, source):
        with contextlib.suppress(BlockingIOError, OSError):
            frame = os.read(source.fd, 65536)
            if frame[6:12] != source.mac:
                return
            for tap in self.taps:
                if tap is not source and (frame[0] & 1 or frame[:6] == tap.mac):
                    os.write(tap.fd, frame)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def reply(self, status, body, content_type="application/json", **headers):
        data = body if isinstance(body, bytes) else body.encode()
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(data)))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def _serve(self):
        double = self.server.double
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length).decode()
        double.requests.append((self.command, self.path, body, dict(self.headers)))
        for pattern, special in list(double.special.items()):
            if re.fullmatch(pattern, self.path):
                # Whoever asks may have given up in the meantime.
                with contextlib.suppress(OSError):
                    special(self)
                self.close_connection = True
                return
        if self.headers.get("X-ZT1-Auth") != double.token:
            self.reply(401, "{}")
            return
        status, answer = double.answer(self.command, self.path, body)
        self.reply(status, json.dumps(answer))

    do_GET = do_POST = do_DELETE = _serve


# What a service may send in place of its answer: for answer_with().

def status(code, body="{}"):
    return lambda handler: handler.reply(code, body)


def body(text):
    return lambda handler: handler.reply(200, text)


def redirect(to):
    return lambda handler: handler.reply(302, "", Location=to)


def truncated_body(text):
    """Less than the header promises."""
    def answer(handler):
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(text) + 100))
        handler.end_headers()
        handler.wfile.write(text.encode())
    return answer


def no_http(handler):
    handler.wfile.write(b"220 mail.example ESMTP\r\n")


def silence(handler):
    """Nothing until the server is closed."""
    handler.server.closing.wait(20)


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, *arguments):
        self.closing = threading.Event()
        super().__init__(*arguments)

    def handle_error(self, *_):
        pass  # a peer that has gone away


class ZeroTier:
    """Use as a context manager. The service runs, has joined `network`, and is authorised.

    `device` makes it claim an interface that somebody else holds, instead of a TAP of its own. `pace`
    is the time between the steps in which a TAP appears: 0.1 s with the real service.
    """

    def __init__(self, namespace, network, node=NODE, joined=True, controller=False, device=None,
                 prefixes=("2001:470:811d::/48",), mtu=OVERLAY_MTU, pace=0.0):
        self.namespace = namespace
        self.network = network
        self.node = node
        self.joined = joined
        self.mtu = mtu
        self.pace = pace
        self.token = TOKEN
        self.claimed = device
        self.status = "OK"
        self.flags = {"allowManaged": True, "allowGlobal": False, "allowDefault": False,
                      "allowDNS": False}
        self.rfc4193 = derived_rfc4193(network, node)
        self.assigned = [f"{self.rfc4193}/88"]
        self.routes = [{"target": prefix, "via": None} for prefix in prefixes]
        self.routes.append({"target": "::/0", "via": self.rfc4193})
        self.listening = ["192.0.2.80/9993"]
        self.peers = []
        self.members = {}
        self.controller = {
            "id": f"{network:016x}", "nwid": f"{network:016x}", "private": True,
            "routes": self.routes,
            "ipAssignmentPools": [{"ipRangeStart": "2001:470:811d::",
                                   "ipRangeEnd": "2001:470:811d:ffff:ffff:ffff:ffff:ffff"}],
            "v4AssignMode": {"zt": False},
            "v6AssignMode": {"zt": True, "rfc4193": True, "6plane": False},
        } if controller else None
        self.special = {}
        self.requests = []
        self.switch = None
        self.tap = None
        self.server = None
        self._home = tempfile.TemporaryDirectory(prefix="zt6-home-")
        self.home = self._home.name

    def __enter__(self):
        self.write("authtoken.secret", self.token)
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()
        self._home.cleanup()

    @property
    def environment(self):
        """Of a zt6-bpf that shall find this service, and nothing else by the environment."""
        return {**os.environ, "ZEROTIER_HOME": self.home, "http_proxy": "http://127.0.0.1:1",
                "ALL_PROXY": "http://127.0.0.1:1"}

    @property
    def device(self):
        if not self.joined:
            return None
        return self.claimed or overlay_name(self.network)

    @property
    def mac(self):
        octets = self.node.to_bytes(5, "big")
        first = (self.network & 0xfe) | 2
        return ":".join(f"{octet:02x}" for octet in [
            0x32 if first == 0x52 else first,
            *(octet ^ (self.network >> 8 * (i + 1) & 0xff) for i, octet in enumerate(octets))])

    def write(self, name, text, mode=0o600):
        path = os.path.join(self.home, name)
        with open(path, "w", encoding="ascii") as file:
            file.write(text)
        os.chmod(path, mode)

    def start(self):
        with self.namespace.enter():
            self.server = Server(("127.0.0.1", 0), Handler)
        self.server.double = self
        self.write("zerotier-one.port", str(self.server.server_port), 0o644)
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()
        if self.joined:
            self._make_tap()

    def stop(self):
        self._destroy_tap()
        if self.server:
            self.server.closing.set()
            self.server.shutdown()
            self.server.server_close()
            self.server = None

    def restart(self, away=0.0):
        """The interface is destroyed and comes back: same name, same MAC, another index."""
        self.stop()
        time.sleep(away)
        self.start()

    def recreate_tap(self):
        """Leaving and joining again."""
        self._destroy_tap()
        self._make_tap()

    def set_mtu(self, mtu):
        """A change by the controller: live, on the same interface."""
        self.mtu = mtu
        self.namespace.ip(f"link set {self.device} mtu {mtu}")

    def answer_with(self, special, path=".*"):
        self.special = {path: special}

    def _make_tap(self):
        if self.claimed:
            return
        self.tap = Tap(self.namespace, self.device, self.mac, self.mtu, self.pace, self.switch)
        if self.flags["allowManaged"]:
            self.namespace.ip(f"addr add {self.rfc4193}/88 dev {self.device}")
            for route in self.routes:
                if not route["via"]:
                    self.namespace.ip(f"route replace {route['target']} dev {self.device} "
                                      "proto static metric 5000")

    def _destroy_tap(self):
        if not self.tap:
            return
        self.tap.close()
        self.tap = None

    def answer(self, method, path, body_text):
        """Status and JSON of the API."""
        if path == "/status":
            return 200, self._status_json()
        if path == "/peer":
            return 200, self.peers
        if path == "/network":
            return 200, [self._network_json()] if self.joined else []
        if path == f"/network/{self.network:016x}":
            return self._network(method, body_text)
        if path.startswith("/controller/"):
            return self._controller(path)
        return 404, {}

    def _network(self, method, body_text):
        if method == "POST":
            asked = json.loads(body_text or "{}")
            self.flags.update({key: value for key, value in asked.items() if key in self.flags})
            if not self.joined:
                self.joined = True
                self._make_tap()
        if method == "DELETE":
            self._destroy_tap()
            self.joined = False
            return 200, {"result": True}
        return (200, self._network_json()) if self.joined else (404, {})

    def _controller(self, path):
        base = f"/controller/network/{self.network:016x}"
        if not self.controller or not path.startswith(base):
            return 404, {}
        if path == base:
            return 200, self.controller
        if path == f"{base}/member":
            return 200, {member: 1 for member in self.members}
        member = path.removeprefix(f"{base}/member/")
        return (200, self.members[member]) if member in self.members else (404, {})

    def _status_json(self):
        return {
            "address": f"{self.node:010x}", "clock": 1700000000000,
            "config": {"settings": {"primaryPort": 9993, "homeDir": self.home,
                                    "listeningOn": self.listening, "surfaceAddresses": []}},
            "online": True, "planetWorldId": 149604618, "publicIdentity": "…",
            "tcpFallbackActive": False, "version": "1.14.1", "versionBuild": 0,
            "versionMajor": 1, "versionMinor": 14, "versionRev": 1,
        }

    def _network_json(self):
        ready = self.status == "OK"
        return {
            **self.flags, "assignedAddresses": self.assigned if ready else [],
            "bridge": False, "broadcastEnabled": True, "dhcp": False, "dns": {},
            "id": f"{self.network:016x}", "mac": self.mac, "mtu": self.mtu,
            "multicastSubscriptions": [], "name": "", "netconfRevision": 1,
            "nwid": f"{self.network:016x}", "portDeviceName": self.device, "portError": 0,
            "routes": self.routes if ready else [], "status": self.status, "type": "PRIVATE",
        }

    def add_member(self, node, *addresses, authorized=True):
        self.members[f"{node:010x}"] = {
            "id": f"{node:010x}", "address": f"{node:010x}", "nwid": f"{self.network:016x}",
            "authorized": authorized, "activeBridge": False, "ipAssignments": list(addresses),
        }

    def add_peer(self, node, *paths, latency=5, role="LEAF"):
        self.peers.append({
            "address": f"{node:010x}", "isBonded": False, "latency": latency, "role": role,
            "paths": [{"active": True, "address": path, "expired": False, "preferred": i == 0,
                       "lastReceive": 1, "lastSend": 1, "trustedPathId": 0}
                      for i, path in enumerate(paths)],
            "tunneled": False, "version": "1.14.1",
        })


def derived_rfc4193(network, node):
    return socket.inet_ntop(
        socket.AF_INET6, (0xfd << 120 | network << 56 | 0x9993 << 40 | node).to_bytes(16, "big"))
