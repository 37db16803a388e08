# SPDX-License-Identifier: GPL-2.0-or-later
"""Patience with what other processes do in their own time."""

import time


def wait_for(condition, seconds=5.0):
    """Whether `condition` comes true within that time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.02)
    return False
