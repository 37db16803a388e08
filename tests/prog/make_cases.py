#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Writes all cases as JSON to stdout, for run.c and the fuzzer."""

import json
import sys

import cases_aggregates
import cases_binding
import cases_forgery
import cases_forward
import cases_limits
import cases_lookups
import cases_mss
import cases_mtu
import cases_ndp
import cases_ndp_targets
import cases_nested
import cases_newcomers
import cases_policy
import cases_rates
import cases_sixinfour
import cases_tc
import cases_unparsed

MODULES = (cases_ndp, cases_ndp_targets, cases_sixinfour, cases_forgery, cases_forward,
           cases_aggregates, cases_binding, cases_limits, cases_lookups, cases_mss, cases_mtu,
           cases_nested, cases_newcomers, cases_policy, cases_rates, cases_tc, cases_unparsed)


def main():
    scenarios = [scenario for module in MODULES for scenario in module.scenarios()]
    names = [(scenario["name"], case["name"]) for scenario in scenarios
             for case in scenario["cases"]]
    for name in names:
        if names.count(name) > 1:
            sys.exit(f"two cases of this name: {name}")
    scenarios.sort(key=lambda scenario: scenario["last"])
    json.dump({"scenarios": scenarios}, sys.stdout, indent=1)


if __name__ == "__main__":
    main()
