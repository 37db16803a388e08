# SPDX-License-Identifier: GPL-2.0-or-later
"""A kernel without nftables: what `up` cannot have enforced it does not begin. Only where nf_tables is a
module that nobody has loaded yet, as in the virtual machine, whose first test this is."""

import os

import pytest

from machine import NOT_UP, minimal_conf

MODPROBE = "/proc/sys/kernel/modprobe"  # what the kernel calls for a module
NAMES = "nf_tables nft-* nfnetlink-subsys-10"  # NFNL_SUBSYS_NFTABLES


@pytest.fixture
def no_nftables(machine, tmp_path):
    """The kernel finds all of its modules but that one."""
    if not os.path.exists(MODPROBE):
        pytest.skip("this kernel has no modules")
    with open(MODPROBE, encoding="ascii") as file:
        before = file.read()
    script = tmp_path / "modprobe"
    script.write_text('#!/bin/sh\nfor last; do :; done\ncase "$last" in\n'
                      f'{"|".join(NAMES.split())}) exit 1 ;;\nesac\nexec {before.strip()} "$@"\n')
    script.chmod(0o755)
    with open(MODPROBE, "w", encoding="ascii") as file:
        file.write(str(script))
    try:
        if machine.gw.run("nft", "list", "tables", check=False).returncode == 0:
            pytest.skip("this kernel has nftables already")
        yield
    finally:
        with open(MODPROBE, "w", encoding="ascii") as file:
            file.write(before)


def shape(machine):
    return [machine.gw.show(what) for what in ("-d link", "addr", "-6 route show table all",
                                               "-6 rule")]


def test_up_names_what_is_missing_and_leaves_all_as_it_was(machine, no_nftables):
    before = shape(machine)
    machine.gateway.configure(minimal_conf())
    told = machine.fails("up")
    assert "this kernel has no nftables (CONFIG_NF_TABLES)" in told
    assert "load its module nf_tables" in told and '"rules none"' in told
    assert shape(machine) == before
    assert machine.gateway("status", check=False).returncode == NOT_UP


def test_with_rules_none_it_goes_up_and_says_what_that_means(machine, no_nftables):
    before = shape(machine)
    told = machine.gateway.up(minimal_conf() + "firewall {\n    rules none\n}\n").stderr
    assert "this kernel has no nftables (CONFIG_NF_TABLES)" in told
    assert "the kernel forwards every packet" in told
    assert machine.gateway("stats", check=False).returncode == 0
    machine.gateway("down")
    assert shape(machine) == before
