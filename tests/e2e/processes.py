# SPDX-License-Identifier: GPL-2.0-or-later
"""What processes cost, as the kernel accounts for it."""

import os
import re

_TICKS = os.sysconf("SC_CLK_TCK")


def _kilobytes(pid, which):
    """0 where a sanitizer keeps what is free: its memory tells nothing of the program's."""
    if "ASAN_OPTIONS" in os.environ:
        return 0
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        return int(re.search(which + r":\s+(\d+)", file.read())[1])


def resident_kilobytes(pid):
    """All of the memory that it takes."""
    return _kilobytes(pid, "VmRSS")


def own_kilobytes(pid):
    """What it has allocated, without the code of programs and libraries that is read as it is used."""
    return _kilobytes(pid, "RssAnon")


def cpu_seconds(pid):
    """User and system time so far."""
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def wake_ups(pid):
    """How often the process has gone to sleep of its own accord so far."""
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        return int(re.search(r"\nvoluntary_ctxt_switches:\s+(\d+)", file.read())[1])


def percentile(values, share):
    """The smallest of the values that is not below `share` (0..1) of them."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
