# SPDX-License-Identifier: GPL-2.0-or-later
"""`policy kernel` where the kernel lets no program ask its connection tracking: it forwards everything
itself, and `up` and `status` say so.

Such a kernel tells nothing of bpf_skb_ct_lookup() in its type information. Here the gateway's commands
see what the running kernel tells but for that name, in a mount namespace of their own."""

import json
import os

import pytest
from scapy.layers.inet import TCP, UDP

from gateway import BINARY
from lab import INET, M1, OVERLAY, conf
from netns import run
from test_firewall import MARKER, Internet
from traffic import FEW_MEGABYTES, ping, transfer

LOOKUP = b"\0bpf_skb_ct_lookup\0"
BTF = "/sys/kernel/btf"


@pytest.fixture
def blinded(fresh, tmp_path):
    """Call it with a command of the gateway's."""
    def command(*arguments):
        # Of the kernel, or of a module that the first `up` has loaded.
        for name in ("vmlinux", "nf_conntrack"):
            if not os.path.exists(f"{BTF}/{name}"):
                continue
            with open(f"{BTF}/{name}", "rb") as file:
                types = file.read()
            if LOOKUP in types:
                break
        else:
            pytest.skip("this kernel lets no program ask its connection tracking anyway")
        less = tmp_path / name
        less.write_bytes(types.replace(LOOKUP, LOOKUP.replace(b"lookup", b"absent")))
        return run("unshare", "--mount", "sh", "-ec",
                   'mount --bind "$1" "$2"; shift 2; exec "$@"', "sh", less, f"{BTF}/{name}",
                   *fresh.gw.command(BINARY, "-c", fresh.gateway.conf_path, "--instance",
                                     fresh.gateway.instance, *arguments))

    fresh.gateway.configure(conf(onlink=False, policy="kernel", firewall=f"allow udp 60000, {MARKER}"))
    return command


def forwarding(lab):
    return json.loads(lab.gateway("status", "--json", check=False).stdout)["forwarding"]


def download(lab):
    """What the gateway counts while a member downloads."""
    assert ping(lab.m1, INET, source=M1.routed, count=5) >= 3
    before = lab.gateway.counters()
    assert transfer(lab.inet, INET, lab.m1, M1.routed, FEW_MEGABYTES).intact
    return lab.gateway.counters() - before


def fast(counted):
    return (counted["eth0"].get("decapsulated", 0), counted[OVERLAY].get("encapsulated", 0))


def test_without_the_kfuncs_the_kernel_forwards_everything_and_holds_the_same_back(fresh, blinded):
    fresh.gateway("up")
    assert forwarding(fresh) == "established-flows" and min(fast(download(fresh))) > 0

    told = blinded("reload").stderr
    assert "lets no program ask its connection tracking" in told
    assert "forwards everything itself" in told
    assert forwarding(fresh) == "kernel"
    assert "the kernel, everything" in fresh.gateway("status", check=False).stdout
    told = fresh.gateway("doctor").stdout
    assert "warning  kernel     the kernel lets no program ask its connection tracking" in told
    counted = download(fresh)
    assert fast(counted) == (0, 0)
    assert counted["eth0"]["pass_policy"] >= (FEW_MEGABYTES << 20) // 1440
    internet = Internet(fresh, M1.routed)
    assert not internet.passes(TCP(sport=41000, dport=22, flags="S"))
    assert not internet.passes(UDP(sport=41000, dport=53) / b"unsolicited")
    assert internet.passes(UDP(sport=41000, dport=60000) / b"listed")
    assert "zt6_witness" not in fresh.gw.run("tc", "filter", "show", "dev", "eth0", "egress").stdout

    assert not fresh.gateway("reload").stderr
    assert forwarding(fresh) == "established-flows" and min(fast(download(fresh))) > 0


def test_it_goes_up_and_down_there_as_elsewhere(fresh, blinded):
    fresh.gateway("up")
    fresh.gateway("down")
    blinded("up")
    assert forwarding(fresh) == "kernel" and fast(download(fresh)) == (0, 0)
    fresh.gateway("down")
    assert "zt6" not in fresh.gw.run("nft", "list", "ruleset").stdout
