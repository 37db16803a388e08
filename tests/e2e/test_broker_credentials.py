# SPDX-License-Identifier: GPL-2.0-or-later
"""The credentials for the tunnel broker: where they are read, from whom they are kept, and what a file
is told that holds none."""

import os

import pytest

from broker_client import CONFIG, DONE, LOGIN, PUBLIC
from broker_double import KEY, TUNNEL_ID, USER


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o660, 0o610, 0o601])
def test_credentials_that_others_can_read_are_refused(client, broker, mode):
    client.write(LOGIN, mode)
    done = client.update(broker)
    assert done.returncode == CONFIG
    assert f"mode {mode:04o}" in done.stderr and "chmod 600" in done.stderr
    assert not broker.requests


def test_credentials_of_somebody_else_are_refused(client, broker):
    os.chown(client.credentials, 12345, 0)
    assert client.update(broker).returncode == CONFIG
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
def test_credentials_that_are_none_are_told_by_line_and_never_shown(client, broker, text, message):
    client.write(text)
    done = client.update(broker)
    assert done.returncode == CONFIG
    assert message in done.stderr
    assert not broker.requests


def test_credentials_that_are_missing_are_asked_for(client, broker):
    client.credentials.unlink()
    done = client.update(broker)
    assert done.returncode == CONFIG
    assert "zt6.broker: No such file or directory" in done.stderr and "mode 0600" in done.stderr


def test_spaces_and_line_ends_of_other_systems_do_not_matter(client, broker):
    client.write("\r\n# tunnel\r\n  [he-ipv6]  \r\n" +
                  "".join(f"\t{line} \r\n" for line in LOGIN.splitlines()[1:]))
    assert client.update(broker).returncode == DONE
    assert broker.logins == [f"{USER}:{KEY}"]


def test_systemds_credential_takes_the_files_place(client, broker, tmp_path):
    folder = tmp_path / "credentials"
    folder.mkdir()
    (folder / "broker").write_text(LOGIN)
    (folder / "broker").chmod(0o440)  # as systemd shows it to a user with an access list
    client.credentials.unlink()
    assert client.update(broker, CREDENTIALS_DIRECTORY=str(folder)).returncode == DONE
    (folder / "broker").chmod(0o444)
    assert client.update(broker, CREDENTIALS_DIRECTORY=str(folder)).returncode == CONFIG


def test_credentials_of_a_tunnel_that_is_not_configured_are_an_error(client, broker):
    client.write(LOGIN + LOGIN.replace("he-ipv6", "other"))
    done = client.update(broker)
    assert done.returncode == CONFIG
    assert "[other] is no tunnel of" in done.stderr
    assert len(broker.requests) == 1


def test_nothing_secret_is_on_the_command_line_of_a_run(client, broker):
    seen = []

    def look(handler):
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/cmdline", "rb") as file:
                    line = file.read()
            except OSError:
                continue
            if b"tunnel-update" in line and client.name.encode() in line:
                seen.append(line)
        handler.reply(200, f"nochg {PUBLIC}")

    broker.special = look
    client.update(broker)
    assert seen and all(KEY.encode() not in line and USER.encode() not in line for line in seen)
