# SPDX-License-Identifier: GPL-2.0-or-later
"""Network namespaces from Python: make, enter, run things in, remove.

Commands are entered with `nsenter --net=`: `ip netns exec` would mount a fresh /sys without bpffs
over the one where the pins are.
"""

import contextlib
import ctypes
import os
import re
import shutil
import signal
import socket
import subprocess
import time

CLONE_NEWNET = 0x40000000
ETH_P_ALL = 3
SOL_PACKET, PACKET_IGNORE_OUTGOING = 263, 23
RUN = "/run/netns"

_libc = ctypes.CDLL(None, use_errno=True)


def _setns(fd):
    if _libc.setns(fd, CLONE_NEWNET):
        err = ctypes.get_errno()
        raise OSError(err, f"setns: {os.strerror(err)}")


def run(*command, check=True, **options):
    """A command to its end, with its output as text; an error shows what it said on stderr."""
    done = subprocess.run([str(word) for word in command], text=True, capture_output=True,
                          **options)
    if check and done.returncode:
        raise RuntimeError(f"{' '.join(map(str, command))}: exit status {done.returncode}: "
                           f"{done.stderr.strip() or done.stdout.strip()}")
    return done


def remove_stale(pattern):
    """Remove the namespaces whose name matches `pattern` and whose maker (its first group: a
    process id) is gone, as after a kill -9; with what still runs there, and an instance's state."""
    for name in os.listdir(RUN) if os.path.isdir(RUN) else []:
        match = re.fullmatch(pattern, name)
        if not match or os.path.exists(f"/proc/{match[1]}"):
            continue
        for pid in run("ip", "netns", "pids", name, check=False).stdout.split():
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(pid), signal.SIGKILL)
        run("ip", "netns", "del", name, check=False)
        for folder in ("/sys/fs/bpf/zt6-bpf", "/run/zt6-bpf"):
            shutil.rmtree(f"{folder}/{name.rpartition('-')[0]}", ignore_errors=True)


class Namespace:
    def __init__(self, name):
        self.name = name
        self.path = f"{RUN}/{name}"
        run("ip", "netns", "add", name)
        self.ip("link set lo up")
        # Addresses work at once: Duplicate Address Detection is tested where it is the subject.
        for device in ("all", "default"):
            self.sysctl(f"ipv6/conf/{device}/accept_dad", 0)
            self.sysctl(f"ipv6/conf/{device}/accept_ra", 0)

    def remove(self):
        run("ip", "netns", "del", self.name, check=False)

    @contextlib.contextmanager
    def enter(self):
        """The calling thread is in the namespace; sockets made here stay there."""
        home = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        try:
            there = os.open(self.path, os.O_RDONLY)
            try:
                _setns(there)
            finally:
                os.close(there)
            try:
                yield self
            finally:
                _setns(home)
        finally:
            os.close(home)

    def ip(self, commands):
        """Run `ip` on each line of `commands`."""
        lines = "\n".join(line.strip() for line in commands.strip().splitlines())
        run("ip", "-n", self.name, "-batch", "-", input=lines + "\n")

    def show(self, command):
        """What `ip COMMAND` prints."""
        return run("ip", "-n", self.name, *command.split()).stdout

    def command(self, *command):
        return ["nsenter", f"--net={self.path}", "--", *[str(word) for word in command]]

    def run(self, *command, **options):
        return run(*self.command(*command), **options)

    def popen(self, *command, **options):
        """A process in the background that dies with this one. Call it from the main thread: the
        kernel counts the death of the thread that forked. And it forgets that when the process
        becomes another user, as the agent does: such a one is left to remove_stale()."""
        return subprocess.Popen(["setpriv", "--pdeathsig", "KILL", *self.command(*command)],
                                text=True, **options)

    @contextlib.contextmanager
    def daemon(self, *command, ready=None, **options):
        """A background process, ended on leaving; with `ready`, once it has printed that line."""
        if ready:
            options["stdout"] = subprocess.PIPE
        process = self.popen(*command, **options)
        try:
            if ready and process.stdout.readline().strip() != ready:
                raise RuntimeError(f"{command[0]} did not get ready: exit status {process.wait(5)}")
            yield process
        finally:
            stop(process)

    def sysctl(self, key, value=None):
        """Read net/KEY or, with a value, write it."""
        with self.enter(), open(f"/proc/sys/net/{key}", "r" if value is None else "w") as file:
            return file.read().strip() if value is None else file.write(str(value))

    def attach_xdp(self, device, object_file, section):
        """Attach a program. `ip` makes folders in bpffs: here in one that goes with it."""
        run("unshare", "--mount", "sh", "-ec", 'mount -t bpf none /sys/fs/bpf; exec "$@"', "sh",
            *self.command("ip", "link", "set", "dev", device, "xdp", "obj", object_file, "sec",
                          section))

    def mac(self, device):
        return re.search(r"link/ether (\S+)", self.show(f"link show {device}"))[1]

    def link_local(self, device):
        return re.search(r"inet6 (fe80:\S+)/", self.show(f"-6 addr show dev {device}"))[1]

    def link_index(self, device):
        return int(self.show(f"-o link show {device}").split(":")[0])

    def wire(self, device):
        return Wire(self, device)

    def socket(self, *arguments):
        with self.enter():
            return socket.socket(*arguments)


class Wire:
    """A packet socket on a device: raw frames out and in."""

    def __init__(self, namespace, device):
        self.socket = namespace.socket(socket.AF_PACKET, socket.SOCK_RAW)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        self.socket.setsockopt(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)
        self.socket.bind((device, ETH_P_ALL))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def send(self, frame):
        self.socket.send(bytes(frame))

    def frames(self, timeout):
        """The frames that arrive within `timeout` seconds, as bytes; what leaves is left out."""
        deadline = time.monotonic() + timeout
        while (left := deadline - time.monotonic()) > 0:
            self.socket.settimeout(left)
            try:
                yield self.socket.recv(65536)
            except TimeoutError:
                return

    def wait(self, accept, timeout=2):
        """The first frame for which `accept(bytes)` is true (or its true result), or None."""
        for frame in self.frames(timeout):
            if accept(frame):
                return frame
        return None


def stop(process, seconds=5):
    """End a process that was started here: politely first."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    if process.stdout:
        process.stdout.close()
