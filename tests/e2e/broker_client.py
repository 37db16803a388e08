# SPDX-License-Identifier: GPL-2.0-or-later
"""A gateway's machine as the tunnel broker's client. Neither the account's name nor a key is ever on a
command line or in an output."""

import base64
import itertools
import json
import os
import pathlib
import re
import shutil
import tempfile

from broker_double import KEY, TUNNEL_ID, USER
from gateway import BINARY
from netns import Namespace, remove_stale

DONE, FAILED, USAGE, CONFIG = 0, 1, 2, 78

PUBLIC = "198.41.0.4"  # global, and on no network but the namespace's
PRIVATE = "192.168.7.80"

LOGIN = f"[he-ipv6]\nuser={USER}\nkey={KEY}\ntunnel={TUNNEL_ID}\n"

_serial = itertools.count()


class Client:
    """A gateway's namespace, its configuration, its credentials, and a broker on its loopback."""

    def __init__(self, local):
        self.name = f"zt6br-{os.getpid()}-{next(_serial)}"
        self.local = local
        self.far = None  # the tunnel's other end, with tunnel()

    def __enter__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="zt6br-"))
        self.folder.chmod(0o755)  # pytest's own are closed to other users
        self.conf = self.folder / "zt6.conf"
        self.credentials = self.folder / "zt6.broker"
        remove_stale(r"zt6br-(\d+)-\d+(?:-far)?")
        self.namespace = Namespace(self.name)
        self.namespace.ip(f"""
            link add eth0 type veth peer name wire0
            link set eth0 up
            link set wire0 up
            addr add {self.local}/24 dev eth0""")
        self.configure()
        self.write(LOGIN)
        return self

    def __exit__(self, *_):
        if self.far:
            self.far.remove()
        self.namespace.remove()
        shutil.rmtree(self.state, ignore_errors=True)
        shutil.rmtree(self.folder)

    @property
    def state(self):
        return f"/run/zt6-bpf-tunnel-update/{self.name}"

    def configure(self, local="auto"):
        self.conf.write_text(f"""
uplink eth0
tunnel he-ipv6 {{
    local   {local}
    remote  72.52.104.74
    address 2001:470:1f04:57::2/64
    gateway 2001:470:1f04:57::1
    routed  2001:470:811d::/48
}}
""")

    def write(self, text, mode=0o600):
        self.credentials.write_text(text)
        self.credentials.chmod(mode)

    def move(self, address):
        """Another lease on the uplink."""
        self.namespace.ip(f"""
            addr flush dev eth0 scope global
            addr add {address}/24 dev eth0""")

    def tunnel(self, answers):
        """The tunnel's interface, whose far end answers pings or does not."""
        self.namespace.ip("""
            link add he-ipv6 type veth peer name far0
            link set he-ipv6 up
            addr add 2001:470:1f04:57::2/64 dev he-ipv6 nodad""")
        self.far = Namespace(f"{self.name}-far")
        self.namespace.ip(f"link set far0 netns {self.far.name}")
        self.far.ip("""
            link set far0 up
            addr add 2001:470:1f04:57::1/64 dev far0 nodad""")
        self.answer_pings(answers)

    def answer_pings(self, answers):
        self.far.sysctl("ipv6/icmp/echo_ignore_all", 0 if answers else 1)

    def unprivileged(self):
        """Arguments for a run by a user without any right."""
        state = self.folder / "state"
        if not state.exists():
            state.mkdir()
            shutil.copy(BINARY, self.folder)
            for path in (self.folder, state, self.conf, self.credentials):
                os.chown(path, 65534, 65534)
        return {"prefix": ("setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups",
                           "--bounding-set", "-all", "--no-new-privs"),
                "binary": self.folder / "zt6-bpf", "RUNTIME_DIRECTORY": str(state)}

    def later(self, seconds):
        """As if the last request had been that long ago."""
        path = f"{self.state}/he-ipv6"
        with open(path, encoding="ascii") as file:
            memory = json.load(file)
        memory["asked"] = max(0, memory["asked"] - seconds)
        with open(path, "w", encoding="ascii") as file:
            json.dump(memory, file)

    def __call__(self, broker, *arguments, prefix=(), binary=BINARY, **environment):
        url = broker if isinstance(broker, str) else broker.url
        done = self.namespace.run(
            *prefix, binary, "-v", "-c", self.conf, "--instance", self.name, *arguments,
            check=False, timeout=60,
            env={**os.environ, "ZT6_BROKER_URL": url, "https_proxy": "http://127.0.0.1:1",
                 "ALL_PROXY": "http://127.0.0.1:1", **environment})
        output = done.stdout + done.stderr
        for secret in (KEY, USER, base64.b64encode(f"{USER}:{KEY}".encode()).decode()):
            assert secret not in output
        if os.path.exists(f"{self.state}/he-ipv6"):
            with open(f"{self.state}/he-ipv6", encoding="ascii") as file:
                assert not re.search(f"{KEY}|{USER}", file.read())
            assert os.stat(f"{self.state}/he-ipv6").st_mode & 0o777 == 0o600
        return done

    def update(self, broker, *arguments, **environment):
        return self(broker, "tunnel-update", *arguments, **environment)
