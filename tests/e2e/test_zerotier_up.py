# SPDX-License-Identifier: GPL-2.0-or-later
"""`up` and `reload` with `interface auto`: found, joined and configured over the service's API."""

import itertools
import json
import os

import pytest

from gateway import BINARY
from lab import M1, NETWORK, OVERLAY, Lab, conf
from netns import Namespace, remove_stale
from zerotier_double import ZeroTier, body, silence, status

DONE, FAILED, CONFIG = 0, 1, 78
NETWORK_TEXT = f"{NETWORK:016x}"
NETWORK_PATH = f"/network/{NETWORK_TEXT}"

_serial = itertools.count()


class Machine:
    """A gateway with an uplink, and what runs beside it."""

    def __init__(self):
        self.name = f"zt6zu-{os.getpid()}-{next(_serial)}"

    def __enter__(self):
        remove_stale(r"zt6zu-(\d+)-\d+")
        self.namespace = Namespace(self.name)
        self.namespace.ip("""
            link add eth0 type veth peer name wire0
            link set eth0 up
            link set wire0 up""")
        self.conf = f"/tmp/{self.name}.conf"
        return self

    def __exit__(self, *_):
        self("down", service=None)
        self.namespace.remove()
        if os.path.exists(self.conf):
            os.unlink(self.conf)

    def __call__(self, *arguments, service, settings=None):
        if settings is not None:
            with open(self.conf, "w", encoding="ascii") as file:
                file.write("uplink eth0\nfirewall {\npolicy off\n}\n"
                           f"zerotier {NETWORK_TEXT} {{\nprefix 2001:db8:48::/48\n{settings}\n}}\n"
                           "proxy eth0 {\nrule 2001:db8:48::/48 {\nstatic\n}\n}\n")
        done = self.namespace.run(BINARY, "-c", self.conf, "--instance", self.name, *arguments,
                                  check=False, timeout=60,
                                  env=service.environment if service else os.environ)
        assert not service or service.token not in done.stdout + done.stderr
        return done

    def ports(self):
        stats = json.loads(self("stats", "--json", service=None).stdout)
        return {port["role"]: port["name"] for port in stats["ports"]}


@pytest.fixture
def machine():
    with Machine() as machine:
        yield machine


def posts(service):
    return [(path, json.loads(text)) for method, path, text, _ in service.requests
            if method == "POST"]


def test_the_gateway_forwards_by_an_interface_that_it_was_not_told():
    with Lab() as lab, ZeroTier(lab.gw, NETWORK, device=OVERLAY) as service:
        text = conf().replace(f"interface {OVERLAY}", "interface auto")
        assert "interface auto" in text
        lab.gateway.configure(text)
        done = lab.gw.run(BINARY, "-c", lab.gateway.conf_path, "--instance", lab.gateway.instance,
                          "up", env=service.environment)
        assert service.token not in done.stdout + done.stderr
        assert done.stderr == ""
        assert not posts(service)
        before = lab.gateway.counters()
        lab.inet.run("ping", "-6", "-c", "3", "-i", "0.2", M1.routed)
        assert (lab.gateway.counters() - before)[OVERLAY].get("encapsulated", 0) >= 2


def test_another_name_than_the_usual_one_is_taken_from_the_service(machine):
    machine.namespace.ip("""
        link add myzt type veth peer name far0
        link set myzt up
        link set far0 up""")
    with ZeroTier(machine.namespace, NETWORK, device="myzt") as service:
        done = machine("up", "--dry-run", service=service, settings="interface auto")
        assert done.returncode == DONE, done.stderr
        assert "dev myzt" in done.stdout and done.stderr == ""


def test_join_yes_joins_and_sets_only_what_is_configured(machine):
    with ZeroTier(machine.namespace, NETWORK, joined=False) as service:
        done = machine("up", service=service,
                       settings="interface auto\njoin yes\nallow-global yes\nallow-default no")
        assert done.returncode == DONE, done.stderr
        assert posts(service) == [(NETWORK_PATH, {"allowGlobal": True, "allowDefault": False})]
        assert machine.ports() == {"uplink": "eth0", "overlay": OVERLAY}


def test_join_yes_leaves_a_network_alone_that_is_joined(machine):
    with ZeroTier(machine.namespace, NETWORK) as service:
        done = machine("up", service=service, settings="interface auto\njoin yes")
        assert done.returncode == DONE, done.stderr
        assert not posts(service)


def test_flags_are_set_only_when_configured_and_different(machine):
    with ZeroTier(machine.namespace, NETWORK) as service:
        settings = f"interface {OVERLAY}\nallow-managed yes\nallow-global yes"
        done = machine("up", service=service, settings=settings)
        assert done.returncode == DONE, done.stderr
        assert posts(service) == [(NETWORK_PATH, {"allowManaged": True, "allowGlobal": True})]
        assert service.flags["allowGlobal"] and not service.flags["allowDefault"]
        service.requests.clear()
        assert machine("reload", service=service).returncode == DONE
        assert not posts(service)


def test_a_dry_run_changes_nothing_of_the_service(machine):
    with ZeroTier(machine.namespace, NETWORK, joined=False) as service:
        machine("up", "--dry-run", service=service, settings="interface auto\njoin yes")
        assert not posts(service) and not service.joined


def test_a_named_interface_needs_no_service(machine):
    with ZeroTier(machine.namespace, NETWORK) as service:
        done = machine("up", service=service, settings=f"interface {OVERLAY}")
        assert done.returncode == DONE, done.stderr
        assert not service.requests


def test_a_gateway_that_is_not_authorised_comes_up_and_says_who_must_do_what(machine):
    with ZeroTier(machine.namespace, NETWORK) as service:
        service.status = "ACCESS_DENIED"
        done = machine("up", "--dry-run", service=service, settings="interface auto")
        assert done.returncode == DONE, done.stderr
        assert (f"authorise node {service.node:010x} for network {NETWORK_TEXT} on the controller"
                in done.stderr)


@pytest.mark.parametrize("special, text", [
    (status(500), "HTTP 500"), (status(401), "refuses the token"), (silence, "within 3 s"),
    (body('{"id": "'), "no JSON"),
], ids=["500", "401", "slow", "truncated"])
def test_a_service_that_answers_nonsense_does_not_keep_the_gateway_down(machine, special, text):
    """The TAP is there, under the name that follows from the network."""
    with ZeroTier(machine.namespace, NETWORK) as service:
        service.answer_with(special)
        done = machine("up", "--dry-run", service=service, settings="interface auto")
        assert done.returncode == DONE, done.stderr
        assert text in done.stderr
        assert f"taking its interface to be {OVERLAY}" in done.stderr
        assert f"dev {OVERLAY}" in done.stdout


def test_a_reload_while_the_service_answers_nonsense_disturbs_nothing(machine):
    with ZeroTier(machine.namespace, NETWORK) as service:
        assert machine("up", service=service, settings="interface auto").returncode == DONE
        service.answer_with(status(500))
        assert machine("reload", service=service).returncode == DONE
        assert machine.ports() == {"uplink": "eth0", "overlay": OVERLAY}


def test_the_devicemap_says_the_name_while_the_service_does_not(machine):
    machine.namespace.ip("""
        link add myzt type veth peer name far0
        link set myzt up
        link set far0 up""")
    with ZeroTier(machine.namespace, NETWORK, device="myzt") as service:
        service.write("devicemap", f"0123456789abcdef=other\n{NETWORK_TEXT}=myzt\n")
        service.answer_with(status(500))
        done = machine("up", "--dry-run", service=service, settings="interface auto")
        assert done.returncode == DONE, done.stderr
        assert "dev myzt" in done.stdout


def test_without_the_service_it_is_said_what_is_missing(machine):
    with ZeroTier(machine.namespace, NETWORK, joined=False) as service:
        service.stop()
        done = machine("up", service=service, settings="interface auto")
        assert done.returncode == DONE  # the agent brings the interface in when it comes
        assert "is it running?" in done.stderr
        assert f"{OVERLAY}: no such interface yet: waiting for it" in done.stderr


def test_a_network_that_was_not_joined_is_said_with_what_to_do(machine):
    with ZeroTier(machine.namespace, NETWORK, joined=False) as service:
        done = machine("up", service=service, settings="interface auto")
        assert done.returncode == DONE
        assert f"zerotier-cli join {NETWORK_TEXT}" in done.stderr
        assert not posts(service)


def test_an_interface_has_one_role(machine):
    with ZeroTier(machine.namespace, NETWORK, device="eth0") as service:
        done = machine("up", service=service, settings="interface auto")
        assert done.returncode == FAILED
        assert "its interface eth0 is already that of a section uplink" in done.stderr

