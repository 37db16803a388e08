# SPDX-License-Identifier: GPL-2.0-or-later
"""What the tunnel broker's answers come to, those that are none as well. What was refused for good is
not asked again, and whoever only seems to be the broker gets no credentials."""

import base64

import pytest

from broker_client import DONE, FAILED, LOGIN, PUBLIC
from broker_double import KEY, USER, Broker, certificate
from zerotier_double import no_http, redirect, silence, status, truncated_body


@pytest.mark.parametrize("answer, remedy", [
    ("badauth", "Update Key"), ("nohost", "no tunnel of this id"), ("abuse", "support"),
])
def test_a_permanent_refusal_is_never_asked_again(client, broker, answer, remedy):
    broker.update = answer
    done = client.update(broker)
    assert done.returncode == FAILED
    assert f'"{answer}"' in done.stderr and remedy in done.stderr
    for seconds in (0, 86400, 10 ** 7):
        client.later(seconds)
        client.move("198.41.0.5")
        done = client.update(broker)
        assert done.returncode == FAILED
        assert f'refused for good: "{answer}"' in done.stderr
    assert len(broker.requests) == 1


@pytest.mark.parametrize("code", [401, 403])
def test_a_refusal_by_http_is_permanent_too(client, broker, code):
    broker.special = status(code, "no")
    assert client.update(broker).returncode == FAILED
    assert client.update(broker).returncode == FAILED
    assert len(broker.requests) == 1


def test_other_credentials_are_tried_after_a_permanent_refusal(client, broker):
    client.write(LOGIN.replace(f"user={USER}", "user=somebody"))
    assert client.update(broker).returncode == FAILED
    client.write(LOGIN)
    done = client.update(broker)
    assert done.returncode == DONE and "other credentials" in done.stdout
    assert len(broker.requests) == 2


def test_force_asks_again_after_a_permanent_refusal(client, broker):
    broker.update = "abuse"
    client.update(broker)
    broker.update = f"good {PUBLIC}"
    assert client.update(broker, "--force").returncode == DONE
    assert client.update(broker).returncode == DONE


PINGABLE = "-ERROR: IP is not ICMP pingable. Please make sure ICMP is not blocked."


@pytest.mark.parametrize("answer, text", [
    (PINGABLE, "let the broker's ICMP echo requests in"),
    ("-ERROR: Try again later", "Try again later"),
    ("", "answers in its place"),
    ("<html>Sign in to this hotel's network</html>", "answers in its place"),
    ("goodbye", "answers in its place"),
])
def test_a_passing_refusal_is_asked_again_after_a_while(client, broker, answer, text):
    broker.update = answer
    done = client.update(broker)
    assert done.returncode == FAILED
    assert text in done.stderr
    done = client.update(broker)
    assert done.returncode == FAILED and "asked again later" in done.stderr
    assert len(broker.requests) == 1
    broker.update = f"good {PUBLIC}"
    client.later(300)
    done = client.update(broker)
    assert done.returncode == DONE and "the last attempt failed" in done.stdout
    assert client.update(broker).returncode == DONE
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
def test_an_answer_that_is_none_is_explained(client, broker, special, text):
    broker.special = special
    done = client.update(broker)
    assert text in done.stdout + done.stderr
    assert "\x1b" not in done.stdout + done.stderr
    assert len(broker.requests) == 1


@pytest.mark.parametrize("words", [
    KEY, f"-ERROR: {KEY} is wrong", f"good {KEY}",
    "-ERROR: Basic " + base64.b64encode(f"{USER}:{KEY}".encode()).decode(),
])
def test_a_broker_that_repeats_the_key_does_not_get_it_into_a_log(client, broker, words):
    broker.update = words
    client.update(broker)  # which looks for it in all that comes out
    client.update(broker)


def test_a_broker_that_does_not_answer_is_explained(client):
    done = client.update("http://127.0.0.1:9")
    assert done.returncode == FAILED
    assert "Connection refused" in done.stderr


@pytest.mark.parametrize("url", [
    "http://192.0.2.1", "http://broker.example", "http://localhost:1", "ftp://127.0.0.1",
    "127.0.0.1:1", "http://127.0.0.1@192.0.2.1", "http://127.0.0.1.example",
])
def test_only_the_loopback_is_asked_without_tls(client, url):
    done = client.update(url)
    assert done.returncode == FAILED
    assert "must begin with https://" in done.stderr


def trusting(path):
    """A command whose machine trusts one certificate only."""
    return ("unshare", "--mount", "sh", "-ec",
            f"mount --bind {path} /etc/ssl/certs/ca-certificates.crt; exec \"$@\"", "sh")


def test_tls_with_a_certificate_that_is_trusted_works(client, tmp_path):
    paths = certificate(tmp_path, "good")
    with Broker(client.namespace, tls=paths) as broker:
        broker.update = f"good {PUBLIC}"
        done = client.update(broker, prefix=trusting(paths[0]))
        assert done.returncode == DONE, done.stderr
        assert broker.logins == [f"{USER}:{KEY}"]


@pytest.mark.parametrize("options, trusted", [
    ((), False),
    (("-addext", "subjectAltName=DNS:other.example"), True),
    (("-addext", "subjectAltName=IP:127.0.0.2"), True),
], ids=["unknown issuer", "another name", "another address"])
def test_tls_that_fails_sends_no_credentials(client, tmp_path, options, trusted):
    paths = certificate(tmp_path, "bad", *options)
    with Broker(client.namespace, tls=paths) as broker:
        done = client.update(broker, prefix=trusting(paths[0]) if trusted else ())
        assert done.returncode == FAILED
        assert "TLS" in done.stderr and "the credentials were not sent" in done.stderr
        assert not broker.requests
