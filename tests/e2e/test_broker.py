# SPDX-License-Identifier: GPL-2.0-or-later
"""The tunnel broker: what it is told, when, and what its answers come to. Neither the account's name
nor a key is ever on a command line or in an output, and what was refused for good is not asked
again."""

import base64
import itertools
import json
import os
import pathlib
import re
import shutil
import tempfile

import pytest

from broker_double import INFO, KEY, TUNNEL_ID, USER, Broker, certificate
from gateway import BINARY
from netns import Namespace, remove_stale
from zerotier_double import no_http, redirect, silence, status, truncated_body

DONE, FAILED, USAGE, CONFIG = 0, 1, 2, 78

PUBLIC = "198.41.0.4"  # global, and on no network but the namespace's
PRIVATE = "192.168.7.80"

LOGIN = f"[he-ipv6]\nuser={USER}\nkey={KEY}\ntunnel={TUNNEL_ID}\n"

_serial = itertools.count()


class Machine:
    """A gateway's namespace, its configuration, its credentials, and a broker on its loopback."""

    def __init__(self, local):
        self.name = f"zt6br-{os.getpid()}-{next(_serial)}"
        self.local = local

    def __enter__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="zt6br-"))
        self.folder.chmod(0o755)  # pytest's own are closed to other users
        self.conf = self.folder / "zt6.conf"
        self.credentials = self.folder / "zt6.broker"
        remove_stale(r"zt6br-(\d+)-\d+(?:-far)?")
        self.namespace = Namespace(self.name)
        self.namespace.ip(f"""
            link add eth0 type veth peer name wire0
            link set eth0 up
            link set wire0 up
            addr add {self.local}/24 dev eth0""")
        self.configure()
        self.write(LOGIN)
        return self

    def __exit__(self, *_):
        self.namespace.remove()
        shutil.rmtree(self.state, ignore_errors=True)
        shutil.rmtree(self.folder)

    @property
    def state(self):
        return f"/run/zt6-bpf-tunnel-update/{self.name}"

    def configure(self, local="auto"):
        self.conf.write_text(f"""
uplink eth0
tunnel he-ipv6 {{
    local   {local}
    remote  72.52.104.74
    address 2001:470:1f04:57::2/64
    gateway 2001:470:1f04:57::1
    routed  2001:470:811d::/48
}}
""")

    def write(self, text, mode=0o600):
        self.credentials.write_text(text)
        self.credentials.chmod(mode)

    def move(self, address):
        """Another lease on the uplink."""
        self.namespace.ip(f"""
            addr flush dev eth0 scope global
            addr add {address}/24 dev eth0""")

    def tunnel(self, answers):
        """The tunnel's interface, whose far end answers pings or does not."""
        self.namespace.ip("""
            link add he-ipv6 type veth peer name far0
            link set he-ipv6 up
            addr add 2001:470:1f04:57::2/64 dev he-ipv6 nodad""")
        self.far = Namespace(f"{self.name}-far")
        self.namespace.ip(f"link set far0 netns {self.far.name}")
        self.far.ip("""
            link set far0 up
            addr add 2001:470:1f04:57::1/64 dev far0 nodad""")
        self.answer_pings(answers)

    def answer_pings(self, answers):
        self.far.sysctl("ipv6/icmp/echo_ignore_all", 0 if answers else 1)

    def unprivileged(self):
        """Arguments for a run by a user without any right."""
        state = self.folder / "state"
        if not state.exists():
            state.mkdir()
            shutil.copy(BINARY, self.folder)
            for path in (self.folder, state, self.conf, self.credentials):
                os.chown(path, 65534, 65534)
        return {"prefix": ("setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups",
                           "--bounding-set", "-all", "--no-new-privs"),
                "binary": self.folder / "zt6-bpf", "RUNTIME_DIRECTORY": str(state)}

    def later(self, seconds):
        """As if the last request had been that long ago."""
        path = f"{self.state}/he-ipv6"
        with open(path, encoding="ascii") as file:
            memory = json.load(file)
        memory["asked"] = max(0, memory["asked"] - seconds)
        with open(path, "w", encoding="ascii") as file:
            json.dump(memory, file)

    def __call__(self, broker, *arguments, prefix=(), binary=BINARY, **environment):
        url = broker if isinstance(broker, str) else broker.url
        done = self.namespace.run(
            *prefix, binary, "-v", "-c", self.conf, "--instance", self.name, *arguments,
            check=False, timeout=60,
            env={**os.environ, "ZT6_BROKER_URL": url, "https_proxy": "http://127.0.0.1:1",
                 "ALL_PROXY": "http://127.0.0.1:1", **environment})
        output = done.stdout + done.stderr
        for secret in (KEY, USER, base64.b64encode(f"{USER}:{KEY}".encode()).decode()):
            assert secret not in output
        if os.path.exists(f"{self.state}/he-ipv6"):
            with open(f"{self.state}/he-ipv6", encoding="ascii") as file:
                assert not re.search(f"{KEY}|{USER}", file.read())
            assert os.stat(f"{self.state}/he-ipv6").st_mode & 0o777 == 0o600
        return done

    def update(self, broker, *arguments, **environment):
        return self(broker, "tunnel-update", *arguments, **environment)


@pytest.fixture
def machine():
    with Machine(PUBLIC) as machine:
        yield machine
        if hasattr(machine, "far"):
            machine.far.remove()


@pytest.fixture
def broker(machine):
    with Broker(machine.namespace) as broker:
        yield broker


def test_the_first_run_tells_the_broker_where_we_are(machine, broker):
    broker.update = f"good {PUBLIC}"
    done = machine.update(broker)
    assert done.returncode == DONE, done.stderr
    assert done.stdout == f"he-ipv6: good {PUBLIC} (first run since boot)\n"
    assert broker.requests == [("/nic/update", {"hostname": TUNNEL_ID, "myip": PUBLIC}, PUBLIC)]
    assert broker.logins == [f"{USER}:{KEY}"]


@pytest.mark.parametrize("address", [
    PRIVATE, "10.1.2.3", "172.31.0.1", "100.64.0.1", "169.254.1.1", "192.0.2.80", "198.18.0.1",
    "203.0.113.9", "192.0.0.9"])
def test_a_private_address_is_never_sent(address):
    with Machine(address) as machine, Broker(machine.namespace) as broker:
        assert machine.update(broker).returncode == DONE
        (_, query, source), = broker.requests
        assert query == {"hostname": TUNNEL_ID}
        assert source == address  # the request leaves by the tunnel's uplink


def test_behind_a_nat_it_is_the_broker_who_sees_the_address():
    with Machine(PRIVATE) as machine, Broker(machine.namespace) as broker:
        broker.update = "good 203.0.113.80"
        done = machine.update(broker)
        assert done.returncode == DONE
        assert "warning" not in done.stderr


@pytest.mark.parametrize("address", ["172.32.0.1", "100.128.0.1", "11.0.0.1", "192.0.3.1"])
def test_a_public_address_is_sent(address):
    with Machine(address) as machine, Broker(machine.namespace) as broker:
        broker.update = f"nochg {address}"
        assert machine.update(broker).returncode == DONE
        assert broker.requests[0][1]["myip"] == address


def test_without_a_reason_the_broker_is_not_asked_again(machine, broker):
    machine.update(broker)
    for _ in range(3):
        done = machine.update(broker)
        assert done.returncode == DONE
        assert done.stdout == ""
    assert len(broker.requests) == 1


def test_another_address_of_the_uplink_is_told_at_once(machine, broker):
    machine.update(broker)
    machine.move("198.41.0.5")
    broker.update = "good 198.41.0.5"
    done = machine.update(broker)
    assert "the uplink's address has changed" in done.stdout
    assert broker.requests[-1][1]["myip"] == "198.41.0.5"
    machine.update(broker)
    assert len(broker.requests) == 2


def test_force_asks_without_a_reason(machine, broker):
    machine.update(broker)
    assert machine.update(broker, "--force").returncode == DONE
    assert len(broker.requests) == 2


def test_a_silent_tunnel_is_a_reason_and_a_lively_one_is_none(machine, broker):
    machine.tunnel(answers=True)
    machine.update(broker)
    machine.update(broker)
    assert len(broker.requests) == 1
    machine.answer_pings(False)
    done = machine.update(broker)
    assert "the broker's end does not answer" in done.stdout
    assert len(broker.requests) == 2


def test_a_tunnel_that_stays_silent_is_told_less_and_less_often(machine, broker):
    machine.tunnel(answers=False)
    machine.update(broker)
    asked = []
    for pause in (0, 0, 300, 300, 300, 0):
        machine.later(pause)
        machine.update(broker)
        asked.append(len(broker.requests))
    assert asked == [2, 2, 3, 3, 4, 4]
    machine.later(3600)
    machine.answer_pings(True)
    machine.update(broker)
    machine.answer_pings(False)
    machine.update(broker)
    assert len(broker.requests) == 5  # it had come back in between


def test_who_may_not_ping_does_not_ask_for_silence(machine, broker):
    machine.tunnel(answers=False)
    for _ in range(2):
        done = machine.update(broker, **machine.unprivileged())
        assert done.returncode == DONE, done.stderr
    assert "cannot see whether the broker's end answers" in done.stderr
    assert len(broker.requests) == 1


def test_the_whole_process_needs_no_privilege(machine, broker):
    machine.tunnel(answers=False)
    machine.namespace.sysctl("ipv4/ping_group_range", "0\t2147483647")
    for expected in (1, 2):
        done = machine.update(broker, **machine.unprivileged())
        assert done.returncode == DONE, done.stderr
        assert len(broker.requests) == expected
    assert "does not answer" in done.stdout


@pytest.mark.parametrize("answer, remedy", [
    ("badauth", "Update Key"), ("nohost", "no tunnel of this id"), ("abuse", "support"),
])
def test_a_permanent_refusal_is_never_asked_again(machine, broker, answer, remedy):
    broker.update = answer
    done = machine.update(broker)
    assert done.returncode == FAILED
    assert f'"{answer}"' in done.stderr and remedy in done.stderr
    for seconds in (0, 86400, 10 ** 7):
        machine.later(seconds)
        machine.move("198.41.0.5")
        done = machine.update(broker)
        assert done.returncode == FAILED
        assert f'refused for good: "{answer}"' in done.stderr
    assert len(broker.requests) == 1


@pytest.mark.parametrize("code", [401, 403])
def test_a_refusal_by_http_is_permanent_too(machine, broker, code):
    broker.special = status(code, "no")
    assert machine.update(broker).returncode == FAILED
    assert machine.update(broker).returncode == FAILED
    assert len(broker.requests) == 1


def test_other_credentials_are_tried_after_a_permanent_refusal(machine, broker):
    machine.write(LOGIN.replace(f"user={USER}", "user=somebody"))
    assert machine.update(broker).returncode == FAILED
    machine.write(LOGIN)
    done = machine.update(broker)
    assert done.returncode == DONE and "other credentials" in done.stdout
    assert len(broker.requests) == 2


def test_force_asks_again_after_a_permanent_refusal(machine, broker):
    broker.update = "abuse"
    machine.update(broker)
    broker.update = f"good {PUBLIC}"
    assert machine.update(broker, "--force").returncode == DONE
    assert machine.update(broker).returncode == DONE


PINGABLE = "-ERROR: IP is not ICMP pingable. Please make sure ICMP is not blocked."


@pytest.mark.parametrize("answer, text", [
    (PINGABLE, "let the broker's ICMP echo requests in"),
    ("-ERROR: Try again later", "Try again later"),
    ("", "answers in its place"),
    ("<html>Sign in to this hotel's network</html>", "answers in its place"),
    ("goodbye", "answers in its place"),
])
def test_a_passing_refusal_is_asked_again_after_a_while(machine, broker, answer, text):
    broker.update = answer
    done = machine.update(broker)
    assert done.returncode == FAILED
    assert text in done.stderr
    done = machine.update(broker)
    assert done.returncode == FAILED and "asked again later" in done.stderr
    assert len(broker.requests) == 1
    broker.update = f"good {PUBLIC}"
    machine.later(300)
    done = machine.update(broker)
    assert done.returncode == DONE and "the last attempt failed" in done.stdout
    assert machine.update(broker).returncode == DONE
    assert len(broker.requests) == 2


@pytest.mark.parametrize("special, text", [
    (status(500, "oops"), "HTTP 500"),
    (status(200, b"good " + b"\x1b[31m" * 20), "answers in its place"),
    (status(200, "x" * 2_000_000), "more than 1048576 bytes"),
    (truncated_body("good"), "no HTTP answer"),
    (no_http, "no HTTP answer"),
    (redirect("http://127.0.0.1:1/"), "a redirect (HTTP 302), which is not followed"),
    (redirect("https://example.net/"), "a redirect (HTTP 302), which is not followed"),
    (silence, "no complete answer within 15 s"),
], ids=["500", "escapes", "junk", "truncated", "no http", "redirect", "redirect to https", "slow"])
def test_an_answer_that_is_none_is_explained(machine, broker, special, text):
    broker.special = special
    done = machine.update(broker)
    assert text in done.stdout + done.stderr
    assert "\x1b" not in done.stdout + done.stderr
    assert len(broker.requests) == 1


@pytest.mark.parametrize("words", [
    KEY, f"-ERROR: {KEY} is wrong", f"good {KEY}",
    "-ERROR: Basic " + base64.b64encode(f"{USER}:{KEY}".encode()).decode(),
])
def test_a_broker_that_repeats_the_key_does_not_get_it_into_a_log(machine, broker, words):
    broker.update = words
    machine.update(broker)  # which looks for it in all that comes out
    machine.update(broker)


def test_a_broker_that_does_not_answer_is_explained(machine):
    done = machine.update("http://127.0.0.1:9")
    assert done.returncode == FAILED
    assert "Connection refused" in done.stderr


@pytest.mark.parametrize("url", [
    "http://192.0.2.1", "http://broker.example", "http://localhost:1", "ftp://127.0.0.1",
    "127.0.0.1:1", "http://127.0.0.1@192.0.2.1", "http://127.0.0.1.example",
])
def test_only_the_loopback_is_asked_without_tls(machine, url):
    done = machine.update(url)
    assert done.returncode == FAILED
    assert "must begin with https://" in done.stderr


def trusting(path):
    """A command whose machine trusts one certificate only."""
    return ("unshare", "--mount", "sh", "-ec",
            f"mount --bind {path} /etc/ssl/certs/ca-certificates.crt; exec \"$@\"", "sh")


def test_tls_with_a_certificate_that_is_trusted_works(machine, tmp_path):
    paths = certificate(tmp_path, "good")
    with Broker(machine.namespace, tls=paths) as broker:
        broker.update = f"good {PUBLIC}"
        done = machine.update(broker, prefix=trusting(paths[0]))
        assert done.returncode == DONE, done.stderr
        assert broker.logins == [f"{USER}:{KEY}"]


@pytest.mark.parametrize("options, trusted", [
    ((), False),
    (("-addext", "subjectAltName=DNS:other.example"), True),
    (("-addext", "subjectAltName=IP:127.0.0.2"), True),
], ids=["unknown issuer", "another name", "another address"])
def test_tls_that_fails_sends_no_credentials(machine, tmp_path, options, trusted):
    paths = certificate(tmp_path, "bad", *options)
    with Broker(machine.namespace, tls=paths) as broker:
        done = machine.update(broker, prefix=trusting(paths[0]) if trusted else ())
        assert done.returncode == FAILED
        assert "TLS" in done.stderr and "the credentials were not sent" in done.stderr
        assert not broker.requests


def test_an_uplink_without_an_address_is_waited_for(machine, broker):
    machine.namespace.ip("addr flush dev eth0 scope global")
    done = machine.update(broker)
    assert done.returncode == FAILED
    assert "uplink eth0 has no IPv4 address yet" in done.stderr
    assert not broker.requests


def test_a_local_address_that_is_a_nats_is_named(machine, broker):
    machine.configure(local="203.0.113.80")
    done = machine.update(broker)
    assert done.returncode == FAILED
    assert "203.0.113.80 is on no interface" in done.stderr
    assert not broker.requests


def test_a_broker_that_sends_elsewhere_is_warned_of(machine, broker):
    broker.update = "good 203.0.113.7"
    assert "the broker sends to 203.0.113.7" in machine.update(broker).stderr


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o660, 0o610, 0o601])
def test_credentials_that_others_can_read_are_refused(machine, broker, mode):
    machine.write(LOGIN, mode)
    done = machine.update(broker)
    assert done.returncode == CONFIG
    assert f"mode {mode:04o}" in done.stderr and "chmod 600" in done.stderr
    assert not broker.requests


def test_credentials_of_somebody_else_are_refused(machine, broker):
    os.chown(machine.credentials, 12345, 0)
    assert machine.update(broker).returncode == CONFIG
    assert not broker.requests


@pytest.mark.parametrize("text, message", [
    ("", "no tunnel in it"),
    ("# only words\n", "no tunnel in it"),
    (f"user={USER}\n", ":1: a tunnel's name"),
    (f"[he-ipv6]\nuser={USER}\ntunnel=1\n", "has no key="),
    (f"[he-ipv6]\nkey={KEY}\ntunnel=1\n", "has no user="),
    (f"[he-ipv6]\nuser={USER}\nkey={KEY}\n", "has no tunnel="),
    (LOGIN + f"key={KEY}\n", ":5: key= is there twice"),
    (LOGIN + LOGIN, ":5: this tunnel is there already"),
    (LOGIN.replace("key=", "kex="), ":3: neither"),
    (LOGIN.replace("key=", "key "), ":3: neither"),
    (LOGIN.replace(TUNNEL_ID, "12/../34"), ":4: tunnel="),
    (LOGIN.replace(TUNNEL_ID, "1&myip=192.0.2.1"), ":4: tunnel="),
    (LOGIN.replace(KEY, KEY + "\x01"), ":3: key="),
    (LOGIN.replace(KEY, KEY * 20), ":3: key="),
    (LOGIN.replace("[he-ipv6]", "[he-ipv6"), ":1: the name"),
    (LOGIN.replace("[he-ipv6]", "[]"), ":1: the name"),
    (LOGIN.replace("[he-ipv6]", "[an-interface-name-too-long]"), ":1: the name"),
    (LOGIN + "\0", "no file of credentials"),
    ("#" * 20000, "no file of credentials"),
])
def test_credentials_that_are_none_are_told_by_line_and_never_shown(machine, broker, text, message):
    machine.write(text)
    done = machine.update(broker)
    assert done.returncode == CONFIG
    assert message in done.stderr
    assert not broker.requests


def test_credentials_that_are_missing_are_asked_for(machine, broker):
    machine.credentials.unlink()
    done = machine.update(broker)
    assert done.returncode == CONFIG
    assert "zt6.broker: No such file or directory" in done.stderr and "mode 0600" in done.stderr


def test_spaces_and_line_ends_of_other_systems_do_not_matter(machine, broker):
    machine.write("\r\n# tunnel\r\n  [he-ipv6]  \r\n" +
                  "".join(f"\t{line} \r\n" for line in LOGIN.splitlines()[1:]))
    assert machine.update(broker).returncode == DONE
    assert broker.logins == [f"{USER}:{KEY}"]


def test_systemds_credential_takes_the_files_place(machine, broker, tmp_path):
    folder = tmp_path / "credentials"
    folder.mkdir()
    (folder / "broker").write_text(LOGIN)
    (folder / "broker").chmod(0o440)  # as systemd shows it to a user with an access list
    machine.credentials.unlink()
    assert machine.update(broker, CREDENTIALS_DIRECTORY=str(folder)).returncode == DONE
    (folder / "broker").chmod(0o444)
    assert machine.update(broker, CREDENTIALS_DIRECTORY=str(folder)).returncode == CONFIG


@pytest.mark.parametrize("arguments, code, text", [
    (["--frobnicate"], USAGE, "usage: zt6-bpf tunnel-update"),
    (["nope"], CONFIG, '"nope" is no tunnel of'),
    (["he-ipv6"], DONE, ""),
])
def test_tunnels_are_named_by_their_interfaces(machine, broker, arguments, code, text):
    done = machine.update(broker, *arguments)
    assert done.returncode == code
    assert text in done.stderr


def test_credentials_of_a_tunnel_that_is_not_configured_are_an_error(machine, broker):
    machine.write(LOGIN + LOGIN.replace("he-ipv6", "other"))
    done = machine.update(broker)
    assert done.returncode == CONFIG
    assert "[other] is no tunnel of" in done.stderr
    assert len(broker.requests) == 1


def test_nothing_secret_is_on_the_command_line_of_a_run(machine, broker):
    seen = []

    def look(handler):
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/cmdline", "rb") as file:
                    line = file.read()
            except OSError:
                continue
            if b"tunnel-update" in line and machine.name.encode() in line:
                seen.append(line)
        handler.reply(200, f"nochg {PUBLIC}")

    broker.special = look
    machine.update(broker)
    assert seen and all(KEY.encode() not in line and USER.encode() not in line for line in seen)


# import he

def test_the_facts_of_a_tunnel_become_a_section(machine, broker, tmp_path):
    done = machine(broker, "import", "he", TUNNEL_ID)
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
    machine.namespace.run(BINARY, "-c", path, "check")


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
def test_the_brokers_xml_is_read_as_xml(machine, broker, old, new, line):
    assert old in INFO
    broker.special = serve(INFO.replace(old, new))
    done = machine(broker, "import", "he", TUNNEL_ID)
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
def test_facts_that_are_none_are_explained(machine, broker, text, message):
    broker.special = serve(text)
    done = machine(broker, "import", "he", TUNNEL_ID)
    assert done.returncode == FAILED
    assert message in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize("special, message", [
    (status(401, ""), "refuses the credentials"), (status(500, ""), "HTTP 500"),
    (redirect("http://127.0.0.1:1/"), "redirect"), (truncated_body(INFO[:50]), "no HTTP answer"),
    (status(200, "<tunnels>" + " " * 2_000_000), "more than 1048576 bytes"),
])
def test_an_import_that_fails_says_why(machine, broker, special, message):
    broker.special = special
    done = machine(broker, "import", "he", TUNNEL_ID)
    assert done.returncode == FAILED
    assert message in done.stderr


@pytest.mark.parametrize("arguments, code, text", [
    ([], USAGE, "usage: zt6-bpf import he TUNNELID"),
    (["he"], USAGE, "usage:"),
    (["he", "1", "2"], USAGE, "usage:"),
    (["hee", "1"], USAGE, 'did you mean "he"'),
    (["he", "99"], CONFIG, 'has no "tunnel=99"'),
])
def test_import_says_what_it_takes(machine, broker, arguments, code, text):
    done = machine(broker, "import", *arguments)
    assert done.returncode == code
    assert text in done.stderr
    assert not broker.requests
