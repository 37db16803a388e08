# SPDX-License-Identifier: GPL-2.0-or-later
"""The kernel's connection tracking, read and changed without its userspace tools."""

import socket
import struct

NETLINK_NETFILTER = 12
NLM_F_REQUEST, NLM_F_ACK = 1, 4
IPCTNL_MSG_CT_DELETE = 1 << 8 | 2  # of NFNL_SUBSYS_CTNETLINK
NESTED = 0x8000
CTA_TUPLE_ORIG, CTA_TUPLE_IP, CTA_TUPLE_PROTO = 1, 1, 2
CTA_IP_V6_SRC, CTA_IP_V6_DST = 3, 4
CTA_PROTO_NUM, CTA_PROTO_SRC_PORT, CTA_PROTO_DST_PORT = 1, 2, 3


def _attribute(kind, payload):
    return struct.pack("=HH", 4 + len(payload), kind) + payload + bytes(-len(payload) % 4)


def entries(namespace):
    """/proc/net/nf_conntrack: a list of lines."""
    return namespace.run("cat", "/proc/net/nf_conntrack").stdout.splitlines()


def states(namespace, port):
    """The states of the TCP entries with that destination port."""
    return [line.split()[5] for line in entries(namespace)
            if " tcp " in line and line.split(" src=", 2)[1].endswith(f"dport={port}")]


def delete(namespace, protocol, source, source_port, destination, destination_port):
    """`conntrack -D` of one entry, by the packets of its first direction."""
    addresses = b"".join(_attribute(kind, socket.inet_pton(socket.AF_INET6, address))
                         for kind, address in ((CTA_IP_V6_SRC, source),
                                               (CTA_IP_V6_DST, destination)))
    ports = (_attribute(CTA_PROTO_NUM, struct.pack("B", protocol)) +
             _attribute(CTA_PROTO_SRC_PORT, struct.pack("!H", source_port)) +
             _attribute(CTA_PROTO_DST_PORT, struct.pack("!H", destination_port)))
    _delete(namespace, _attribute(
        CTA_TUPLE_ORIG | NESTED, _attribute(CTA_TUPLE_IP | NESTED, addresses) +
        _attribute(CTA_TUPLE_PROTO | NESTED, ports)))


def flush(namespace):
    """`conntrack -F`"""
    _delete(namespace, b"")


def _delete(namespace, attributes):
    body = struct.pack("=BBH", socket.AF_INET6, 0, 0) + attributes
    header = struct.pack("=IHHII", 16 + len(body), IPCTNL_MSG_CT_DELETE,
                         NLM_F_REQUEST | NLM_F_ACK, 1, 0)
    with namespace.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_NETFILTER) as sock:
        sock.send(header + body)
        error = struct.unpack_from("=i", sock.recv(4096), 16)[0]
    if error:
        raise OSError(-error, "cannot delete the conntrack entry")
