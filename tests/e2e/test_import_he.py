# SPDX-License-Identifier: GPL-2.0-or-later
"""`import he`: a section of the configuration out of what the tunnel broker knows."""

import pytest

from broker_client import CONFIG, DONE, FAILED, USAGE
from broker_double import INFO, TUNNEL_ID
from gateway import BINARY
from zerotier_double import redirect, status, truncated_body


def test_the_facts_of_a_tunnel_become_a_section(client, broker, tmp_path):
    done = client(broker, "import", "he", TUNNEL_ID)
    assert done.returncode == DONE, done.stderr
    assert done.stdout == f"""\
# Hurricane Electric's tunnel {TUNNEL_ID}. The broker sends to 203.0.113.80.
tunnel he-ipv6 {{
    local   auto
    remote  72.52.104.74
    address 2001:470:1f04:57::2/64
    gateway 2001:470:1f04:57::1
    routed  2001:470:1f05:57::/64 2001:470:811d::/48
}}
"""
    assert broker.requests[0][:2] == ("/tunnelInfo.php", {"tid": TUNNEL_ID})
    path = tmp_path / "imported.conf"
    path.write_text("uplink eth0\n" + done.stdout)
    client.namespace.run(BINARY, "-c", path, "check")


def serve(text):
    return status(200, text if isinstance(text, bytes) else text.encode("latin-1"))


@pytest.mark.parametrize("old, new, line", [
    ("<routed48>2001:470:811d::/48</routed48>", "<routed48/>", "routed  2001:470:1f05:57::/64\n"),
    ("::2/64<", "::2<", "address 2001:470:1f04:57::2/64\n"),
    ("<serverv4>", "<serverv4>\n   ", "remote  72.52.104.74\n"),
    ('<tunnel id="123456">', '<tunnel id="1"><serverv4>192.0.2.1</serverv4></tunnel>'
     '<tunnel id="123456">', "remote  72.52.104.74\n"),
    ("72.52.104.74", "72.52.&#49;04.74", "remote  72.52.104.74\n"),
])
def test_the_brokers_xml_is_read_as_xml(client, broker, old, new, line):
    assert old in INFO
    broker.special = serve(INFO.replace(old, new))
    done = client(broker, "import", "he", TUNNEL_ID)
    assert done.returncode == DONE, done.stderr
    assert line in done.stdout


@pytest.mark.parametrize("text, message", [
    (INFO[:200], "not the XML"),
    ("", "not the XML"),
    ("badauth", "not the XML"),
    (INFO.replace("123456", "1"), "no tunnel 123456"),
    (INFO.replace("72.52.104.74", "72.52.104.74; rm -rf /"), "no serverv4 address"),
    (INFO.replace("<serverv6>2001:470:1f04:57::1/64</serverv6>", ""), "no serverv6 address"),
    (INFO.replace("57::2/64", "57::2/640"), "no clientv6 address"),
    (INFO.replace("811d::/48", "811d::1/48"), "routed prefix"),
    (INFO.replace("?>", '?><!DOCTYPE t [<!ENTITY a "72.52.104.74">]>').replace(
        ">72.52.104.74<", ">&a;<"), "not the XML"),
])
def test_facts_that_are_none_are_explained(client, broker, text, message):
    broker.special = serve(text)
    done = client(broker, "import", "he", TUNNEL_ID)
    assert done.returncode == FAILED
    assert message in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize("special, message", [
    (status(401, ""), "refuses the credentials"), (status(500, ""), "HTTP 500"),
    (redirect("http://127.0.0.1:1/"), "redirect"), (truncated_body(INFO[:50]), "no HTTP answer"),
    (status(200, "<tunnels>" + " " * 2_000_000), "more than 1048576 bytes"),
])
def test_an_import_that_fails_says_why(client, broker, special, message):
    broker.special = special
    done = client(broker, "import", "he", TUNNEL_ID)
    assert done.returncode == FAILED
    assert message in done.stderr


@pytest.mark.parametrize("arguments, code, text", [
    ([], USAGE, "usage: zt6-bpf import he TUNNELID"),
    (["he"], USAGE, "usage:"),
    (["he", "1", "2"], USAGE, "usage:"),
    (["hee", "1"], USAGE, 'did you mean "he"'),
    (["he", "99"], CONFIG, 'has no "tunnel=99"'),
])
def test_import_says_what_it_takes(client, broker, arguments, code, text):
    done = client(broker, "import", *arguments)
    assert done.returncode == code
    assert text in done.stderr
    assert not broker.requests
