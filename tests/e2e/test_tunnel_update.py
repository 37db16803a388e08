# SPDX-License-Identifier: GPL-2.0-or-later
"""When the tunnel broker is told where we are, and what of it. What is not needed is not asked."""

import pytest

from broker_client import CONFIG, DONE, FAILED, PRIVATE, PUBLIC, USAGE, Client
from broker_double import KEY, TUNNEL_ID, USER, Broker


def test_the_first_run_tells_the_broker_where_we_are(client, broker):
    broker.update = f"good {PUBLIC}"
    done = client.update(broker)
    assert done.returncode == DONE, done.stderr
    assert done.stdout == f"he-ipv6: good {PUBLIC} (first run since boot)\n"
    assert broker.requests == [("/nic/update", {"hostname": TUNNEL_ID, "myip": PUBLIC}, PUBLIC)]
    assert broker.logins == [f"{USER}:{KEY}"]


@pytest.mark.parametrize("address", [
    PRIVATE, "10.1.2.3", "172.31.0.1", "100.64.0.1", "169.254.1.1", "192.0.2.80", "198.18.0.1",
    "203.0.113.9", "192.0.0.9"])
def test_a_private_address_is_never_sent(address):
    with Client(address) as client, Broker(client.namespace) as broker:
        assert client.update(broker).returncode == DONE
        (_, query, source), = broker.requests
        assert query == {"hostname": TUNNEL_ID}
        assert source == address  # the request leaves by the tunnel's uplink


def test_behind_a_nat_it_is_the_broker_who_sees_the_address():
    with Client(PRIVATE) as client, Broker(client.namespace) as broker:
        broker.update = "good 203.0.113.80"
        done = client.update(broker)
        assert done.returncode == DONE
        assert "warning" not in done.stderr


@pytest.mark.parametrize("address", ["172.32.0.1", "100.128.0.1", "11.0.0.1", "192.0.3.1"])
def test_a_public_address_is_sent(address):
    with Client(address) as client, Broker(client.namespace) as broker:
        broker.update = f"nochg {address}"
        assert client.update(broker).returncode == DONE
        assert broker.requests[0][1]["myip"] == address


def test_without_a_reason_the_broker_is_not_asked_again(client, broker):
    client.update(broker)
    for _ in range(3):
        done = client.update(broker)
        assert done.returncode == DONE
        assert done.stdout == ""
    assert len(broker.requests) == 1


def test_another_address_of_the_uplink_is_told_at_once(client, broker):
    client.update(broker)
    client.move("198.41.0.5")
    broker.update = "good 198.41.0.5"
    done = client.update(broker)
    assert "the uplink's address has changed" in done.stdout
    assert broker.requests[-1][1]["myip"] == "198.41.0.5"
    client.update(broker)
    assert len(broker.requests) == 2


def test_force_asks_without_a_reason(client, broker):
    client.update(broker)
    assert client.update(broker, "--force").returncode == DONE
    assert len(broker.requests) == 2


def test_a_silent_tunnel_is_a_reason_and_a_lively_one_is_none(client, broker):
    client.tunnel(answers=True)
    client.update(broker)
    client.update(broker)
    assert len(broker.requests) == 1
    client.answer_pings(False)
    done = client.update(broker)
    assert "the broker's end does not answer" in done.stdout
    assert len(broker.requests) == 2


def test_a_tunnel_that_stays_silent_is_told_less_and_less_often(client, broker):
    client.tunnel(answers=False)
    client.update(broker)
    asked = []
    for pause in (0, 0, 300, 300, 300, 0):
        client.later(pause)
        client.update(broker)
        asked.append(len(broker.requests))
    assert asked == [2, 2, 3, 3, 4, 4]
    client.later(3600)
    client.answer_pings(True)
    client.update(broker)
    client.answer_pings(False)
    client.update(broker)
    assert len(broker.requests) == 5  # it had come back in between


def test_who_may_not_ping_does_not_ask_for_silence(client, broker):
    client.tunnel(answers=False)
    for _ in range(2):
        done = client.update(broker, **client.unprivileged())
        assert done.returncode == DONE, done.stderr
    assert "cannot see whether the broker's end answers" in done.stderr
    assert len(broker.requests) == 1


def test_the_whole_process_needs_no_privilege(client, broker):
    client.tunnel(answers=False)
    client.namespace.sysctl("ipv4/ping_group_range", "0\t2147483647")
    for expected in (1, 2):
        done = client.update(broker, **client.unprivileged())
        assert done.returncode == DONE, done.stderr
        assert len(broker.requests) == expected
    assert "does not answer" in done.stdout


def test_an_uplink_without_an_address_is_waited_for(client, broker):
    client.namespace.ip("addr flush dev eth0 scope global")
    done = client.update(broker)
    assert done.returncode == FAILED
    assert "uplink eth0 has no IPv4 address yet" in done.stderr
    assert not broker.requests


def test_a_local_address_that_is_a_nats_is_named(client, broker):
    client.configure(local="203.0.113.80")
    done = client.update(broker)
    assert done.returncode == FAILED
    assert "203.0.113.80 is on no interface" in done.stderr
    assert not broker.requests


def test_a_broker_that_sends_elsewhere_is_warned_of(client, broker):
    broker.update = "good 203.0.113.7"
    assert "the broker sends to 203.0.113.7" in client.update(broker).stderr


@pytest.mark.parametrize("arguments, code, text", [
    (["--frobnicate"], USAGE, "usage: zt6-bpf tunnel-update"),
    (["nope"], CONFIG, '"nope" is no tunnel of'),
    (["he-ipv6"], DONE, ""),
])
def test_tunnels_are_named_by_their_interfaces(client, broker, arguments, code, text):
    done = client.update(broker, *arguments)
    assert done.returncode == code
    assert text in done.stderr
