# SPDX-License-Identifier: GPL-2.0-or-later
"""Frames sent again and again, as fast as a process can, while something else happens.

Where one CPU has to do both, that would leave little to the latter: ZT6_TEST_FLOOD_RATE is how many
frames per second there may be."""

import contextlib
import os
import signal
import socket
import sys
import time

from netns import stop

RATE = int(os.environ.get("ZT6_TEST_FLOOD_RATE", 0))


class Flood:
    """What a generator has sent, once it has ended."""
    sent = 0


@contextlib.contextmanager
def flooding(namespace, device, *frames):
    """Send `frames` in turn out of `device` while the body runs. Yields a Flood."""
    flood = Flood()
    process = namespace.popen(sys.executable, __file__, device,
                              *(bytes(frame).hex() for frame in frames), stdout=-1)
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


def _send(device, frames):
    sent = 0
    signal.signal(signal.SIGTERM, _end)
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as sock:
        sock.bind((device, 0))
        print("READY", flush=True)
        start = time.monotonic()
        try:
            while True:
                if RATE:
                    time.sleep(max(0, start + sent / RATE - time.monotonic()))
                with contextlib.suppress(OSError):  # a full queue
                    sock.send(frames[sent % len(frames)])
                    sent += 1
        except _Ended:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            print(sent)


if __name__ == "__main__":
    _send(sys.argv[1], [bytes.fromhex(frame) for frame in sys.argv[2:]])
