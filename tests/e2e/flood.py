# SPDX-License-Identifier: GPL-2.0-or-later
"""A frame sent again and again, as fast as a process can, while something else happens."""

import contextlib
import signal
import socket
import sys

from netns import stop


class Flood:
    """What a generator has sent, once it has ended."""
    sent = 0


@contextlib.contextmanager
def flooding(namespace, device, frame):
    """Send `frame` out of `device` while the body runs. Yields a Flood."""
    flood = Flood()
    process = namespace.popen(sys.executable, __file__, device, bytes(frame).hex(), stdout=-1)
    try:
        if process.stdout.readline() != "READY\n":
            raise RuntimeError(f"the generator did not start: exit status {process.wait(5)}")
        yield flood
        process.terminate()
        flood.sent = int(process.communicate(timeout=5)[0])
    finally:
        stop(process)


class _Ended(Exception):
    pass


def _end(*_):
    raise _Ended


def _send(device, frame):
    sent = 0
    signal.signal(signal.SIGTERM, _end)
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as sock:
        sock.bind((device, 0))
        print("READY", flush=True)
        try:
            while True:
                with contextlib.suppress(OSError):  # a full queue
                    sock.send(frame)
                    sent += 1
        except _Ended:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            print(sent)


if __name__ == "__main__":
    _send(sys.argv[1], bytes.fromhex(sys.argv[2]))
