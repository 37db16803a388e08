# SPDX-License-Identifier: GPL-2.0-or-later
"""A pytest plugin: the end-to-end tests that are worth their time in emulation, where each `up`
keeps the verifier busy for many seconds. Those that need devices which only this kernel has; of
the others those that share a gateway and do not wait for minutes to pass."""

import pytest

WHOLE = {"test_sit_device.py", "test_sit_path.py", "test_devices.py", "test_netem.py", "test_clock.py",
         "test_differential.py", "test_other_tunnels.py", "test_no_nftables.py",
         "test_intruders.py"}
PARTS = {"test_tunnel.py", "test_onlink.py", "test_ndp.py", "test_lan.py", "test_policy.py",
         "test_firewall.py", "test_path_mtu.py"}
SHARED = {"lab", "policed", "guarded"}
SIT = {"test_ways.py"}  # what of them is about sit
# Of these one gateway: in TC, this kernel takes 6in4 off by other helpers than later ones do.
IN_TC = {"test_tc.py"}
NAMED = {"test_tcp_flows_over_a_path_that_is_narrower_than_the_tunnel"}  # beside sit
FIRST = "test_no_nftables.py"  # while nobody has loaded the module
OWN_GATEWAY = {"fresh", "machine"}
KEPT = WHOLE | PARTS | SIT | IN_TC


def _is_kept(item):
    if item.path.name in WHOLE:
        return True
    if item.path.name in SIT:
        return "sit" in item.name
    if item.path.name in IN_TC:
        return "mixed" in item.fixturenames and "[all tc" in item.name
    if item.name in NAMED:
        return True
    return (item.path.name in PARTS and SHARED.intersection(item.fixturenames)
            and not OWN_GATEWAY.intersection(item.fixturenames))


def pytest_ignore_collect(collection_path):
    """Do not even import the others: that takes seconds, too."""
    if collection_path.name.startswith("test_") and collection_path.name not in KEPT:
        return True
    return None


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config, items):
    left_out = [item for item in items if not _is_kept(item)]
    items[:] = [item for item in items if _is_kept(item)]
    items.sort(key=lambda item: item.path.name != FIRST)
    config.hook.pytest_deselected(items=left_out)
