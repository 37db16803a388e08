# SPDX-License-Identifier: GPL-2.0-or-later
"""TCP segments that open connections."""

from scapy.compat import raw
from scapy.layers.inet import TCP
from scapy.layers.inet6 import IPv6
from scapy.packet import Raw


def segment(source, destination, options, flags="S", payload=b"", **fields):
    fields = {"seq": 0x01020304, "window": 0xFEDC, **fields}
    ip = IPv6(src=source, dst=destination, hlim=64, fl=0x12345) / TCP(
        sport=4096, dport=443, flags=flags, options=options, **fields) / Raw(payload)
    return IPv6(raw(ip))


def lowered(ip, mss):
    """The same segment with another MSS; scapy sums it anew, where the programs update the sum."""
    changed = ip.copy()
    changed[TCP].options = [(name, mss if name == "MSS" else value)
                            for name, value in ip[TCP].options]
    del changed[TCP].chksum
    return IPv6(raw(changed))
