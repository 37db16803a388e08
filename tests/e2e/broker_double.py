# SPDX-License-Identifier: GPL-2.0-or-later
"""A stand-in for the tunnel broker: its two pages over HTTP or HTTPS, on a namespace's loopback
interface, with the answers that Hurricane Electric gives."""

import base64
import http.server
import os
import ssl
import threading
import urllib.parse

from netns import run

USER = "administrator"
KEY = "Zk4pQ8sUpd8teK3y"
TUNNEL_ID = "123456"

INFO = """<?xml version="1.0" encoding="ISO-8859-1" ?>
<tunnels>
 <tunnel id="123456">
  <description>caf\xe9 &amp; lab</description>
  <serverv4>72.52.104.74</serverv4>
  <clientv4>203.0.113.80</clientv4>
  <serverv6>2001:470:1f04:57::1/64</serverv6>
  <clientv6>2001:470:1f04:57::2/64</clientv6>
  <routed64>2001:470:1f05:57::/64</routed64>
  <routed48>2001:470:811d::/48</routed48>
  <rdns1>ns1.example</rdns1>
 </tunnel>
</tunnels>
"""


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def reply(self, status, body, **headers):
        data = body if isinstance(body, bytes) else body.encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(data)))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def do_GET(self):
        double = self.server.double
        url = urllib.parse.urlsplit(self.path)
        query = {key: values[0] for key, values in urllib.parse.parse_qs(url.query).items()}
        double.requests.append((url.path, query, self.client_address[0]))
        scheme, _, login = (self.headers.get("Authorization") or "").partition(" ")
        double.logins.append(base64.b64decode(login).decode() if scheme == "Basic" else None)
        if double.special:
            try:
                double.special(self)
            except OSError:
                pass
            self.close_connection = True
        elif double.logins[-1] != f"{USER}:{KEY}":
            self.reply(200, "badauth")
        elif url.path == "/tunnelInfo.php":
            self.reply(200, INFO.encode("latin-1"))
        elif url.path == "/nic/update":
            self.reply(200, double.update)
        else:
            self.reply(404, "")


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, *arguments):
        self.closing = threading.Event()
        super().__init__(*arguments)

    def handle_error(self, *_):
        pass  # a peer that has gone away, or that trusts us not


def certificate(folder, name, *options):
    """A self-signed certificate for the loopback address, and its key: two paths."""
    paths = os.path.join(folder, f"{name}.pem"), os.path.join(folder, f"{name}.key")
    run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
        "-nodes", "-days", "2", "-subj", "/CN=broker", "-out", paths[0], "-keyout", paths[1],
        *(options or ("-addext", "subjectAltName=IP:127.0.0.1")))
    return paths


class Broker:
    """Use as a context manager. With `tls`, two paths of certificate() are used."""

    def __init__(self, namespace, tls=None):
        self.requests = []  # (path, query, address of the client)
        self.logins = []    # "USER:KEY", or None
        self.special = None
        self.update = "nochg 203.0.113.80"
        with namespace.enter():
            self.server = Server(("127.0.0.1", 0), Handler)
        self.server.double = self
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*tls)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True,
                                                     do_handshake_on_connect=False)
        self.url = f"http{'s' if tls else ''}://127.0.0.1:{self.server.server_port}"

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.closing.set()
        self.server.shutdown()
        self.server.server_close()
