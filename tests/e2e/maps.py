# SPDX-License-Identifier: GPL-2.0-or-later
"""The gateway's pinned maps, read and written as its agent does: through libbpf."""

import ctypes
import os
import socket
import struct
import time

VALUE_MAX = 65536  # bytes, for all CPUs

_libbpf = ctypes.CDLL("libbpf.so.1", use_errno=True)


class Map:
    """A pinned map of a Gateway; use as a context manager."""

    def __init__(self, gateway, name):
        self.path = f"/sys/fs/bpf/zt6-bpf/{gateway.instance}/{name}"

    def __enter__(self):
        self.fd = _libbpf.bpf_obj_get(self.path.encode())
        if self.fd < 0:
            raise OSError(ctypes.get_errno(), f"{self.path}: {os.strerror(ctypes.get_errno())}")
        return self

    def __exit__(self, *_):
        os.close(self.fd)

    def __setitem__(self, key, value):
        if _libbpf.bpf_map_update_elem(self.fd, key, value, ctypes.c_uint64(0)):
            raise OSError(ctypes.get_errno(), f"{self.path}: {os.strerror(ctypes.get_errno())}")

    def __delitem__(self, key):
        if _libbpf.bpf_map_delete_elem(self.fd, key):
            raise OSError(ctypes.get_errno(), f"{self.path}: {os.strerror(ctypes.get_errno())}")

    def get(self, key, size):
        """The first `size` bytes of the value, or None. The kernel writes all of it."""
        value = ctypes.create_string_buffer(VALUE_MAX)
        return None if _libbpf.bpf_map_lookup_elem(self.fd, key, value) else value.raw[:size]

    def clear(self):
        key = ctypes.create_string_buffer(64)
        while not _libbpf.bpf_map_get_next_key(self.fd, None, key):
            del self[key]


def port_slot(gateway, name):
    """Slot of a port: its place in the map `ports`, whose elements begin with the name."""
    with Map(gateway, "ports") as ports:
        for slot in range(16):
            value = ports.get(struct.pack("=I", slot), 16)
            if value[:16].rstrip(b"\0") == name.encode():
                return slot
    raise KeyError(name)


def address_key(address, slot):
    """struct zt6_address_key"""
    return socket.inet_pton(socket.AF_INET6, address) + struct.pack("=Q", slot)


def later(seconds):
    """A time on the programs' clock."""
    return time.clock_gettime_ns(time.CLOCK_MONOTONIC) + int(seconds * 1e9)


def set_verified(gateway, port, addresses, seconds=60):
    """As if the agent had just found the addresses in use."""
    slot = port_slot(gateway, port)
    with Map(gateway, "verified") as verified:
        for address in addresses:
            verified[address_key(address, slot)] = struct.pack("=QQ", later(seconds), 0)


def set_absent(gateway, port, addresses, seconds=60):
    slot = port_slot(gateway, port)
    with Map(gateway, "negative") as negative:
        for address in addresses:
            negative[address_key(address, slot)] = struct.pack("=Q", later(seconds))
