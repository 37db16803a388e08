#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Makes a conntrack entry in the network namespace that this runs in, or deletes it.

    conntrack_new.py udp|tcp SOURCE PORT DESTINATION PORT replied|unreplied|closing|gone
"""

import socket
import struct
import sys

NETLINK_NETFILTER = 12
NLM_F_REQUEST, NLM_F_ACK, NLM_F_CREATE = 1, 4, 0x400
CTNETLINK, NEW, DELETE = 1 << 8, 0, 2
NESTED = 0x8000
IPS_SEEN_REPLY, IPS_ASSURED, IPS_CONFIRMED = 2, 4, 8
CTA_TUPLE_ORIG, CTA_TUPLE_REPLY, CTA_STATUS, CTA_PROTOINFO, CTA_TIMEOUT = 1, 2, 3, 4, 7
PROTOCOLS = {"udp": 17, "tcp": 6}
TCP_STATES = {"replied": 3, "unreplied": 1, "closing": 4}  # ESTABLISHED, SYN_SENT, FIN_WAIT


def attribute(kind, payload):
    return struct.pack("=HH", 4 + len(payload), kind) + payload + bytes(-len(payload) % 4)


def flow(kind, protocol, source, source_port, destination, destination_port):
    addresses = attribute(3, socket.inet_pton(socket.AF_INET6, source)) + attribute(
        4, socket.inet_pton(socket.AF_INET6, destination))
    ports = attribute(1, struct.pack("B", protocol)) + attribute(
        2, struct.pack("!H", source_port)) + attribute(3, struct.pack("!H", destination_port))
    return attribute(kind | NESTED, attribute(1 | NESTED, addresses) + attribute(2 | NESTED, ports))


def main(name, source, source_port, destination, destination_port, state):
    protocol, ports = PROTOCOLS[name], (int(source_port), int(destination_port))
    body = struct.pack("=BBH", socket.AF_INET6, 0, 0)
    body += flow(CTA_TUPLE_ORIG, protocol, source, ports[0], destination, ports[1])
    if state != "gone":
        status = IPS_CONFIRMED | (0 if state == "unreplied" else IPS_SEEN_REPLY | IPS_ASSURED)
        body += flow(CTA_TUPLE_REPLY, protocol, destination, ports[1], source, ports[0])
        body += attribute(CTA_STATUS, struct.pack("!I", status))
        body += attribute(CTA_TIMEOUT, struct.pack("!I", 600))
        if name == "tcp":
            body += attribute(CTA_PROTOINFO | NESTED, attribute(
                1 | NESTED, attribute(1, struct.pack("B", TCP_STATES[state]))))
    message, flags = (DELETE, 0) if state == "gone" else (NEW, NLM_F_CREATE)
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_NETFILTER) as sock:
        sock.send(struct.pack("=IHHII", 16 + len(body), CTNETLINK | message,
                              NLM_F_REQUEST | NLM_F_ACK | flags, 1, 0) + body)
        error = struct.unpack_from("=i", sock.recv(4096), 16)[0]
    if error:
        sys.exit(f"conntrack_new.py: error {-error}")


if __name__ == "__main__":
    main(*sys.argv[1:])
