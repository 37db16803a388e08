# SPDX-License-Identifier: GPL-2.0-or-later
"""The older rules of netfilter, by the kernel's own interface (linux/netfilter_ipv6/ip6_tables.h): the
tool for them, ip6tables-legacy, need not be there."""

import ctypes
import socket
import struct

IP6T_SO_SET_REPLACE = IP6T_SO_GET_INFO = 64
FORWARD = 2  # of the hooks, NF_INET_*
HOOKS = (1, FORWARD, 3)  # of the table filter: LOCAL_IN, FORWARD, LOCAL_OUT
VERDICTS = {"DROP": -1, "ACCEPT": -2}

IP6T_ENTRY, STANDARD_TARGET, ERROR_TARGET, TCP_MATCH = 168, 40, 64, 48
IP6T_F_PROTO = 1

_libc = ctypes.CDLL(None, use_errno=True)  # Python's getsockopt() passes no name


def _entry(target, match=b"", protocol=0):
    """struct ip6t_entry, its match and its target."""
    offset = IP6T_ENTRY + len(match)
    # struct ip6t_ip6 ends with: proto, tos, flags, invflags.
    ip = bytes(128) + struct.pack("=HBBBxxx", protocol, 0, IP6T_F_PROTO if protocol else 0, 0)
    rest = struct.pack("=IHHI", 0, offset, offset + len(target), 0)
    return (ip + rest).ljust(IP6T_ENTRY, b"\0") + match + target


def _standard(verdict):
    return struct.pack("=H29sBi4x", STANDARD_TARGET, b"", 0, VERDICTS[verdict])


def _tcp(port):
    """struct xt_entry_match with struct xt_tcp: source ports, destination ports, and no more."""
    return struct.pack("=H29sB", TCP_MATCH, b"tcp", 0) + struct.pack(
        "=HHHHBBBB4x", 0, 0xffff, port, port, 0, 0, 0, 0)


def replace_filter(namespace, policy="ACCEPT", dropped_port=None):
    """The table `filter`: a policy of FORWARD and, if asked for, a rule that drops a TCP port."""
    table, entries, begins, policies = b"", 0, {}, {}
    for hook in HOOKS:
        begins[hook] = len(table)
        if hook == FORWARD and dropped_port:
            table += _entry(_standard("DROP"), _tcp(dropped_port), socket.IPPROTO_TCP)
            entries += 1
        policies[hook] = len(table)
        table += _entry(_standard(policy if hook == FORWARD else "ACCEPT"))
        entries += 1
    table += _entry(struct.pack("=H29sB30s2x", ERROR_TARGET, b"ERROR", 0, b"ERROR"))
    entries += 1
    old = _entries_before(namespace)
    counters = bytearray(16 * max(old, 1))
    room = (ctypes.c_char * len(counters)).from_buffer(counters)
    head = struct.pack("=32sIII5I5IIQ", b"filter", sum(1 << hook for hook in HOOKS), entries,
                       len(table), *(begins.get(hook, 0) for hook in range(5)),
                       *(policies.get(hook, 0) for hook in range(5)), old, ctypes.addressof(room))
    with namespace.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_RAW) as sock:
        sock.setsockopt(socket.IPPROTO_IPV6, IP6T_SO_SET_REPLACE, head + table)


def _info(namespace):
    """struct ip6t_getinfo of the table `filter`, which this makes where it is not there."""
    with namespace.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_RAW) as sock:
        size = 32 + 4 + 20 + 20 + 4 + 4
        info = ctypes.create_string_buffer(b"filter", size)
        length = ctypes.c_uint32(size)
        if _libc.getsockopt(sock.fileno(), socket.IPPROTO_IPV6, IP6T_SO_GET_INFO, info,
                           ctypes.byref(length)):
            return None
        return info.raw


def _entries_before(namespace):
    return struct.unpack_from("=I", _info(namespace), 32 + 4 + 20 + 20)[0]


def is_supported(namespace):
    return _info(namespace) is not None


def tables(namespace):
    """The names of those that somebody has used here."""
    return namespace.run("sh", "-c", "cat /proc/thread-self/net/ip6_tables_names || true").stdout.split()
