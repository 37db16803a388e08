# SPDX-License-Identifier: GPL-2.0-or-later
"""What a network namespace looks like, to compare before `up` with after `down`."""

import difflib
import os

TABLES = ("-d link", "addr", "-4 route show table all", "-6 route show table all", "-4 rule",
          "-6 rule", "-6 neigh show proxy")


def _sysctls(namespace):
    lines = []
    with namespace.enter():
        for top in ("/proc/sys/net/ipv4", "/proc/sys/net/ipv6"):
            for folder, folders, files in os.walk(top):
                folders.sort()
                for name in sorted(files):
                    path = os.path.join(folder, name)
                    try:
                        with open(path, encoding="ascii", errors="replace") as file:
                            lines.append(f"{path}: {file.read().strip()}")
                    except OSError:  # write-only ones, and those without a value
                        continue
    return lines


def snapshot(namespace, instance):
    """Links, addresses, routes of all tables, rules, qdiscs and filters, the tables of nftables,
    sysctls, and the pins and the state of an instance: as lines, each headed by where it is from."""
    lines = []
    for command in TABLES:
        shown = namespace.show(command).splitlines()
        # The kernel lists routes in the order in which they came.
        lines += [f"ip {command}: {line}"
                  for line in (sorted(shown) if "route" in command else shown)]
    # A filter needs a clsact qdisc, which shows here.
    lines += [f"tc: {line}" for line in namespace.run("tc", "qdisc", "show").stdout.splitlines()]
    lines += [f"nft: {line}" for line in
              namespace.run("nft", "--stateless", "list", "ruleset").stdout.splitlines()]
    lines += _sysctls(namespace)
    lines += [path for path in (f"/sys/fs/bpf/zt6-bpf/{instance}", f"/run/zt6-bpf/{instance}")
              if os.path.exists(path)]
    return lines


def difference(before, after):
    """The lines that came and went, marked + and -."""
    return [line for line in difflib.unified_diff(before, after, n=0, lineterm="")
            if not line.startswith(("---", "+++", "@@"))]
