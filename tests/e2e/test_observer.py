# SPDX-License-Identifier: GPL-2.0-or-later
"""The agent beside the ZeroTier service: what the service says is in `status` and `members`, and whatever
it does, packets flow and the agent's heart beats."""

import contextlib
import json
import os
import threading
import time

import pytest

import waiting
from lab import GATEWAY, INET, M1, M2, M2_MANUAL, NETWORK, OVERLAY, TUNNEL, Lab, conf
from traffic import ping, ping_sizes
from zerotier_double import (TOKEN, ZeroTier, body, no_http, redirect, silence, status,
                             truncated_body)

pytestmark = pytest.mark.first

NETWORK_TEXT = f"{NETWORK:016x}"
JUNK = "[" + "1," * (1 << 20) + "1]"  # 2 MB of JSON


@pytest.fixture(scope="module")
def lab():
    with Lab() as made:
        yield made


@contextlib.contextmanager
def running(lab, overlay="", **options):
    """The gateway is up with its agent, beside a service that knows the lab's overlay."""
    options = {"node": GATEWAY.id, "device": OVERLAY, **options}
    with ZeroTier(lab.gw, NETWORK, **options) as service:
        os.environ["ZEROTIER_HOME"] = service.home
        try:
            lab.gateway.up(conf(onlink=False, overlay=overlay))
            lab.gateway.start_agent()
            yield service
        finally:
            lab.gateway.stop_agent()
            lab.gateway("down", check=False)
            del os.environ["ZEROTIER_HOME"]


@pytest.fixture
def service(lab):
    with running(lab) as double:
        wait_for(lambda: zerotier(lab)["known"])
        yield double


def wait_for(condition, seconds=12.0):
    """Until the observer has gone round a few times."""
    return waiting.wait_for(condition, seconds)


def state(lab):
    """`status --json`, free of the token."""
    done = lab.gateway("status", "--json", check=False)
    assert TOKEN not in done.stdout + done.stderr
    return json.loads(done.stdout)


def zerotier(lab):
    return state(lab)["zerotier"][0]


def members(lab):
    done = lab.gateway("members", "--json")
    assert TOKEN not in done.stdout + done.stderr
    return {member["address"]: member for member in json.loads(done.stdout)["members"]}


def told(lab, service):
    """Until the agent has asked twice more: what it knows is of now."""
    for _ in range(2):
        before = len(service.requests)
        assert wait_for(lambda: len(service.requests) > before)
    time.sleep(0.5)


def test_status_tells_what_the_service_says(lab, service):
    service.assigned.append("2001:470:811d::1:2345:6789/48")
    told(lab, service)
    network = zerotier(lab)
    assert network["network"] == NETWORK_TEXT and network["port"] == OVERLAY
    assert network["node"] == f"{GATEWAY.id:010x}" and network["online"] is True
    assert network["joined"]["status"] == "OK" and network["joined"]["mtu"] == 2800
    assert network["joined"]["bridge"] is False
    assert "2001:470:811d::1:2345:6789/48" in network["joined"]["addresses"]
    assert network["age_ms"] < 12000
    shown = lab.gateway("status")
    assert f"{NETWORK_TEXT}  OK, node {GATEWAY.id:010x}, interface {OVERLAY}, mtu 2800" in \
        shown.stdout
    assert TOKEN not in shown.stdout


def test_status_says_what_is_missing_and_who_must_do_it(lab, service):
    service.status = "ACCESS_DENIED"
    words = f"authorise node {GATEWAY.id:010x} for network {NETWORK_TEXT} on the controller"
    assert wait_for(lambda: words in lab.gateway("status", check=False).stdout)
    shown = lab.gateway("status", check=False)
    assert shown.returncode == 1 and words in shown.stderr
    service.status = "OK"
    assert wait_for(lambda: lab.gateway("status", check=False).returncode == 0)


def test_what_the_controller_lacks_is_in_status(lab, service):
    del service.routes[1]
    assert wait_for(lambda: "add the managed route ::/0" in
                    lab.gateway("status", check=False).stderr)


def test_a_route_that_swallows_members_is_in_status(lab, service):
    """The reference case: the tunnel's address with a connected /64, in which every member lies."""
    assert not zerotier(lab)["findings"] or lab.gateway("status").returncode == 0
    lab.gw.ip(f"route add 2001:470:811d::/64 dev {TUNNEL} proto kernel metric 256")
    try:
        shown = lab.gateway("status", check=False)
        assert shown.returncode == 1
        assert 'the whole 2001:470:811d::/48 does not work, a part of it does' in shown.stderr
    finally:
        lab.gw.ip(f"route del 2001:470:811d::/64 dev {TUNNEL} proto kernel metric 256")
    assert lab.gateway("status").returncode == 0


def test_members_shows_the_paths_to_them(lab, service):
    service.add_peer(M1.id, "203.0.113.7/9993", latency=12)
    service.add_peer(M2.id, latency=80)
    assert ping(lab.m1, INET, source=M1.routed) == 3
    assert ping(lab.m2, INET, source=M2.routed) == 3
    assert wait_for(lambda: members(lab)[M2.routed]["path"])
    assert members(lab)[M1.routed]["path"] == {"direct": True, "address": "203.0.113.7",
                                               "port": 9993, "latency_ms": 12}
    assert members(lab)[M2.routed]["path"] == {"direct": False, "address": None, "port": None,
                                               "latency_ms": 80}
    table = lab.gateway("members").stdout
    assert "direct 12ms" in table and "relayed 80ms" in table


SIZES = range(20)


class Flow:
    """Pings without a pause, from a member to the Internet; how many were lost. (Not those of
    ping(8), which waits for the last ones no longer than twice as long as others took.)"""

    def __init__(self, lab):
        self.lab = lab
        self.sent = self.lost = 0
        self.stopping = False

    def _run(self):
        while not self.stopping:
            self.sent += len(SIZES)
            self.lost += len(ping_sizes(self.lab.m1, INET, M1.routed, SIZES, window=4))
            time.sleep(0.02)

    def __enter__(self):
        self.thread = threading.Thread(target=self._run)
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stopping = True
        self.thread.join()


NONSENSE = {
    "nothing": silence, "401": status(401), "500": status(500, "oops"),
    "half an answer": body('{"address": "33'), "less than promised": truncated_body("{}"),
    "2 MB of junk": body(JUNK), "JSON of another kind": body("[1, 2]"), "no HTTP": no_http,
    "a redirect": redirect("http://192.0.2.1/"),
    "another network": body(json.dumps({"address": "0123456789", "id": "0123456789abcdef",
                                        "status": "OK"})),
}


def test_nonsense_disturbs_neither_forwarding_nor_the_agent(lab, service):
    with Flow(lab) as flow:
        for name, special in NONSENSE.items():
            service.answer_with(special)
            oldest, end = 0, time.monotonic() + 12
            while time.monotonic() < end:
                now = state(lab)
                oldest = max(oldest, now["agent"]["heartbeat_age_ms"])
                if now["zerotier"][0]["error"]:
                    break
                time.sleep(0.1)
            network = zerotier(lab)
            assert network["error"] and network["known"], name  # what was known is kept
            assert oldest < 2500, name
            service.special = {}
            assert wait_for(lambda: not zerotier(lab)["error"]), name
    assert flow.sent >= 100 and flow.lost == 0


def test_a_service_that_stops_and_comes_back_is_told_in_words(lab):
    with running(lab, overlay="allow-managed yes") as service, Flow(lab) as flow:
        assert wait_for(lambda: zerotier(lab)["known"])
        service.stop()
        assert wait_for(lambda: "is it running?" in lab.gateway("status", check=False).stderr)
        service.start()  # on another port
        assert wait_for(lambda: lab.gateway("status", check=False).returncode == 0)
    assert flow.lost == 0


def test_who_names_the_interface_needs_no_service(lab, service):
    service.stop()
    assert wait_for(lambda: zerotier(lab)["error"])
    shown = lab.gateway("status")
    assert shown.returncode == 0


def test_a_network_is_joined_and_set_when_the_service_comes_later(lab):
    with running(lab, overlay="join yes\n    allow-global yes", joined=False) as service:
        assert wait_for(lambda: service.joined and service.flags["allowGlobal"])
        service.flags["allowGlobal"] = False  # somebody sets it back
        assert wait_for(lambda: service.flags["allowGlobal"])
        assert service.flags["allowManaged"] is True  # nobody has asked for this one
        before = sum(method == "POST" for method, *_ in service.requests)
        told(lab, service)
        assert sum(method == "POST" for method, *_ in service.requests) == before


def test_a_token_that_is_not_there_yet_is_found_when_it_is(lab):
    with running(lab) as service:
        os.rename(f"{service.home}/authtoken.secret", f"{service.home}/later")
        assert wait_for(lambda: "has not run here yet" in (zerotier(lab)["error"] or ""))
        os.rename(f"{service.home}/later", f"{service.home}/authtoken.secret")
        assert wait_for(lambda: zerotier(lab)["known"] and not zerotier(lab)["error"])


def test_the_token_of_another_user_is_read_by_the_one_process_that_may(lab, service):
    os.chown(f"{service.home}/authtoken.secret", 65534, 65534)
    told(lab, service)
    assert zerotier(lab)["error"] is None
    agent = lab.gateway.agent_process.pid
    with open(f"/proc/{agent}/task/{agent}/children", encoding="ascii") as file:
        holder, = file.read().split()
    with open(f"/proc/{holder}/status", encoding="ascii") as file:
        lines = dict(line.split(":\t", 1) for line in file if ":\t" in line)
    assert int(lines["CapEff"], 16) == 1 << 2  # CAP_DAC_READ_SEARCH
    assert int(lines["CapBnd"], 16) == 0
    assert len(os.listdir(f"/proc/{holder}/fd")) == 4  # nothing of the agent's but stderr
    lab.gateway.stop_agent()
    assert wait_for(lambda: not os.path.exists(f"/proc/{holder}"))


def test_what_a_controller_has_assigned_is_bound(lab):
    """An address that was typed by hand belongs to a member because the controller says so."""
    own = NETWORK >> 24
    with running(lab, overlay="bind enforce", node=own, controller=True) as service:
        assert wait_for(lambda: zerotier(lab)["known"])
        assert ping(lab.m2, INET, source=M2_MANUAL, wait=0.3) == 0
        service.add_member(M1.id, M1.routed)
        service.add_member(M2.id, M2.routed, M2_MANUAL, "10.147.17.2")
        assert wait_for(lambda: ping(lab.m2, INET, source=M2_MANUAL, count=1, wait=0.3) == 1, 40)
        binding = members(lab)[M2_MANUAL]["binding"]
        assert binding["by"] == "controller" and binding["node"] == f"{M2.id:010x}"
        lab.gateway("reload")
        assert ping(lab.m2, INET, source=M2_MANUAL) == 3  # a reload forgets nothing
        del service.members[f"{M2.id:010x}"]
        assert wait_for(lambda: ping(lab.m2, INET, source=M2_MANUAL, count=1, wait=0.3) == 0, 40)


def test_nothing_is_left_of_what_the_agent_has_written(lab, service):
    folder = f"/run/zt6-bpf/{lab.gateway.instance}"
    assert os.path.exists(f"{folder}/zerotier")
    with open(f"{folder}/zerotier", encoding="ascii") as file:
        assert TOKEN not in file.read()
    assert os.stat(f"{folder}/zerotier").st_mode & 0o777 == 0o600
    lab.gateway("down")
    assert lab.gateway.agent_process.wait(timeout=5) == 3
    assert not os.path.exists(folder)
