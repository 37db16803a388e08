# SPDX-License-Identifier: GPL-2.0-or-later
"""The demonstration that tools/demo runs: the Lab of the end-to-end tests, told as a story."""

import contextlib
import os
import signal
import socket
import sys
import tempfile
import time

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(TOP, "tests", "e2e"))

from gateway import BINARY  # noqa: E402
from lab import (BROKER_V4, GATEWAY_V4, INET, M1, M2, OVERLAY, ONLINK, ROUTED,  # noqa: E402
                 TUNNEL, Lab, conf)
from netns import stop  # noqa: E402
from snapshot import difference, snapshot  # noqa: E402
from traffic import ping, transfer  # noqa: E402

MEGABYTES = 32

PICTURE = f"""
    inet {INET} ----- router ----- broker {BROKER_V4}, speaks 6in4
                                   |
                                   | eth0 {GATEWAY_V4}
                                gateway
                                   | {OVERLAY}
                          m1 ------+------ m2     ZeroTier members

  on-link  {ONLINK}: the router solicits every address of it on eth0
           m1 is {M1.onlink}
  routed   {ROUTED}: through the tunnel {TUNNEL}
           m1 is {M1.routed} (as ZeroTier derives it, in the first /64)
"""


class Story:
    """Prints steps, commands with their output, and whether what was to be shown is so."""

    def __init__(self):
        self.step_number = 0
        self.failures = 0
        self.colour = sys.stdout.isatty()

    def _paint(self, code, text):
        return f"\x1b[{code}m{text}\x1b[0m" if self.colour else text

    def step(self, title, about):
        self.step_number += 1
        print(f"\n{self._paint(1, f'{self.step_number}. {title}')}\n   {about}", flush=True)

    def output(self, where, command, text):
        print(f"\n   {where}# {command}")
        for line in text.strip("\n").splitlines():
            print(f"     {line}".rstrip())
        sys.stdout.flush()

    def check(self, good, claim):
        mark = self._paint(32, "ok  ") if good else self._paint(31, "FAIL")
        print(f"   {mark} {claim}", flush=True)
        self.failures += not good
        return good


@contextlib.contextmanager
def sniffed(namespace, device, expression):
    """What tcpdump sees on a device while the body runs: a list that is filled at the end."""
    lines = []
    process = namespace.popen("tcpdump", "-l", "-n", "-t", "-i", device, expression, stdout=-1,
                              stderr=-1)
    try:
        while "listening on" not in (line := process.stderr.readline()):
            if not line:
                raise RuntimeError("tcpdump did not start")
        yield lines
        time.sleep(0.2)  # it hands out what the kernel has gathered in batches
        process.terminate()
        lines += process.communicate(timeout=5)[0].splitlines()
    finally:
        stop(process)
        process.stderr.close()


def packets(difference_of_counters, port, verdict):
    return difference_of_counters.verdicts[port][verdict]


def bring_up(story, lab):
    story.step("Configure and start the gateway",
               "One file; `up` makes the tunnel, routes and sysctls, and attaches the programs. "
               "`policy off` lets everything\n   in, at first; the default, `policy kernel`, "
               "comes in the last step but one.")
    lab.gateway.configure(conf())
    story.output("gateway", "cat zt6.conf", conf())
    done = lab.gateway("up", check=False)
    story.output("gateway", "zt6-bpf up", done.stdout + done.stderr)
    if not story.check(done.returncode == 0, "up ended with exit status 0"):
        raise RuntimeError("the gateway is not up: nothing more to show")
    lab.gateway.start_agent()
    done = lab.gateway("status", check=False)
    story.output("gateway", "zt6-bpf status", done.stdout + done.stderr)
    story.check(done.returncode == 0, "status calls it healthy")


def resolve(story, lab):
    story.step("The upstream router resolves a member",
               "It asks on eth0 who has m1's address (NS), and the gateway answers with its own MAC "
               "(NA): at first\n   contact the agent, which asks inside whether m1 is there; then "
               "XDP alone. The router forgets in between.")
    before = lab.gateway.counters()
    with sniffed(lab.router, "to-gw", "icmp6 and (ip6[40] == 135 or ip6[40] == 136)") as lines:
        first = ping(lab.inet, M1.onlink, count=1, wait=4)
        lab.router.run("ip", "-6", "neigh", "flush", "dev", "to-gw")
        second = ping(lab.inet, M1.onlink, count=1, wait=4)
    story.output("router", "tcpdump -n -i to-gw icmp6",
                 "\n".join(line for line in lines if M1.onlink in line))
    entry = lab.router.show(f"-6 neigh show {M1.onlink}").strip()
    story.output("router", f"ip -6 neigh show {M1.onlink}", entry)
    happened = lab.gateway.counters() - before
    deferred, answered = (packets(happened, "eth0", verdict)
                          for verdict in ("ndp_deferred", "ndp_answered"))
    story.check(first == second == 1 and lab.gw.mac("eth0") in entry,
                "the router reaches m1 by the gateway's MAC")
    story.check(deferred + answered >= 2 and answered,
                f"both solicitations were dealt with in XDP: {deferred} as ndp_deferred, {answered} "
                "as ndp_answered")


def carry(story, lab, name, address, inward, outward):
    """Pings and downloads both ways between m1 and the Internet host; every packet by XDP."""
    before = lab.gateway.counters()
    for what, here, where, there in (("Internet -> member", lab.inet, INET, address),
                                     ("member -> Internet", lab.m1, address, INET)):
        answered = ping(here, there, source=where, count=5)
        story.check(answered == 5, f"ping {what}: {answered} of 5 answered")
    for what, server, serving, client, own in (
            ("member downloads from the Internet", lab.inet, INET, lab.m1, address),
            ("Internet downloads from the member", lab.m1, address, lab.inet, INET)):
        done = transfer(server, serving, client, own, MEGABYTES)
        story.check(done.intact and done.bytes == MEGABYTES << 20,
                    f"{what}: {MEGABYTES} MiB, {done.megabits:.0f} Mbit/s, "
                    f"SHA-256 {done.received[:16]}... {'equal' if done.intact else 'DIFFERENT'}")
    happened = lab.gateway.counters() - before
    carried = (packets(happened, "eth0", inward), packets(happened, OVERLAY, outward))
    passed = sum(happened.verdicts[port][verdict] for port in ("eth0", OVERLAY)
                 for verdict in ("pass_policy", "pass_unresolved", "pass_no_route"))
    story.check(min(carried) > 10000,
                f"XDP carried it {name}: {carried[0]} packets {inward} on eth0, {carried[1]} "
                f"{outward} on\n        {OVERLAY}, {passed} left to the kernel")


def onlink(story, lab):
    story.step("On-link: pings and downloads, both ways",
               f"m1 as {M1.onlink}: plain forwarding between eth0 and {OVERLAY}.")
    carry(story, lab, "on-link", M1.onlink, "forwarded", "forwarded")


def tunnelled(story, lab):
    story.step("Through the 6in4 tunnel: pings and downloads, both ways",
               f"m1 as {M1.routed}. The broker is an independent program in user space.")
    with sniffed(lab.router, "to-gw", "ip proto 41") as lines:
        ping(lab.m1, INET, source=M1.routed, count=1)
    story.output("router", "tcpdump -n -i to-gw ip proto 41", "\n".join(lines[:2]))
    story.check(any(f"{GATEWAY_V4} > {BROKER_V4}" in line for line in lines),
                "the member's packets travel in IPv4 protocol 41 between gateway and broker")
    carry(story, lab, "through the tunnel", M1.routed, "decapsulated", "encapsulated")
    answered = ping(lab.m2, INET, source=M2.routed)
    story.check(answered == 3, f"and so does m2, {M2.routed}: {answered} of 3 pings answered")


def guarded(story, lab):
    story.step("An address that is not the member's own",
               "m1 sends from an address of the Internet host's network: the guard (BCP 38) drops "
               "it.")
    before = lab.gateway.counters()
    lab.m1.ip(f"addr add 2001:db8:1::66/128 dev {OVERLAY}")
    answered = ping(lab.m1, INET, source="2001:db8:1::66", count=2, wait=0.3)
    dropped = packets(lab.gateway.counters() - before, OVERLAY, "drop_spoofed")
    story.check(answered == 0 and dropped == 2, f"{dropped} of 2 dropped as drop_spoofed")


def count(story, lab):
    story.step("The counters explain every packet",
               "Each port counts what it receives, and each packet once more under the reason for "
               "its verdict.")
    story.output("gateway", "zt6-bpf stats", lab.gateway("stats").stdout)
    time.sleep(0.3)
    counters = lab.gateway.counters()
    for port, verdicts in counters.verdicts.items():
        total = sum(verdicts.values())
        story.check(counters.rx[port] == total,
                    f"{port}: received {counters.rx[port]} = sum of its verdicts {total}")


def connects(lab, address, port):
    """Whether a TCP connection from the Internet to m1, which listens, comes about."""
    with lab.m1.socket(socket.AF_INET6, socket.SOCK_STREAM) as listener, \
            lab.inet.socket(socket.AF_INET6, socket.SOCK_STREAM) as client:
        listener.bind((address, port))
        listener.listen()
        client.settimeout(1)
        with contextlib.suppress(TimeoutError):
            client.connect((address, port))
            return True
    return False


def kernel_policy(story, lab):
    story.step("The default: policy kernel",
               "`reload` with it: members may open flows outward, inward comes only what answers and "
               "what is listed.")
    text = conf(policy="kernel", firewall=f"allow tcp 22 to {M1.routed}")
    lab.gateway.configure(text)
    story.output("gateway", "tail -4 zt6.conf", "\n".join(text.split("\n")[-6:]))
    done = lab.gateway("reload", check=False)
    story.check(done.returncode == 0, "reload ended with exit status 0")
    story.output("gateway", f"zt6-bpf exposure {M1.routed}",
                 lab.gateway("exposure", M1.routed).stdout)
    story.check(connects(lab, M1.routed, 22), "TCP 22 of m1 is open to the Internet")
    story.check(not connects(lab, M1.routed, 23), "TCP 23 is not, although m1 listens")
    story.check(not connects(lab, M1.onlink, 22), "nor is TCP 22 of m1's other address")
    answered = ping(lab.inet, M1.onlink) + ping(lab.inet, M1.routed)
    story.check(answered == 6, f"{answered} of 6 pings from the Internet answered (RFC 4890)")
    before = lab.gateway.counters()
    done = transfer(lab.inet, INET, lab.m1, M1.routed, MEGABYTES)
    carried = packets(lab.gateway.counters() - before, "eth0", "decapsulated")
    story.check(done.intact, f"m1 downloads from the Internet: {MEGABYTES} MiB, "
                             f"{done.megabits:.0f} Mbit/s")
    story.check(carried > 10000, f"XDP carried it: {carried} packets decapsulated on eth0")


def take_down(story, lab, before):
    story.step("Stop the gateway", "`down` removes what `up` made, and only that.")
    lab.gateway.stop_agent()
    done = lab.gateway("down", check=False)
    story.output("gateway", "zt6-bpf down", done.stdout + done.stderr)
    story.check(done.returncode == 0, "down ended with exit status 0")
    after = snapshot(lab.gw, lab.name)
    left = difference(before, after)
    story.check(not left, f"links, addresses, routes, rules, nftables, qdiscs, sysctls, pins: {len(after)} "
                          f"lines as before `up`, {len(left)} differ")
    if left:
        story.output("gateway", "diff before after", "\n".join(left))


def hints(lab):
    lines = [("zt6-bpf status", "ports, tunnel, health"),
             ("zt6-bpf stats", "each packet under its verdict"),
             (f"$EDITOR {lab.gateway.conf_path}", "the configuration"),
             ("zt6-bpf reload", "apply what was changed there"),
             (f"inet ping {M1.routed}", "from the Internet through the tunnel"),
             (f"inet ping {M1.onlink}", "from the Internet, on-link"),
             (f"m1 ping -I {M1.routed} {INET}", "from a member"),
             ("router ip -6 neigh", "what the router believes"),
             ("router tcpdump -ni to-gw", "what travels between router and gateway")]
    width = max(len(command) for command, _ in lines)
    return "\n".join(f"  {command:<{width}}   {about}" for command, about in lines)


def play(lab):
    """A prompt in the gateway's namespace, with the others a word away."""
    print("\nThis is a shell in the gateway's network namespace. The gateway is up; `exit` removes it "
          f"all.\n\n{hints(lab)}\n\ninet, router, broker, m1, m2 and lan in front of a command run "
          "it in that namespace.\n", flush=True)
    with tempfile.NamedTemporaryFile("w", prefix="zt6-", suffix=".bashrc") as file:
        file.write("PS1='zt6 gateway# '\n")
        file.write(f"zt6-bpf() {{ '{BINARY}' -c '{lab.gateway.conf_path}' --instance '{lab.name}' "
                   '"$@"; }\n')
        for role in ("inet", "router", "broker", "m1", "m2", "lan"):
            file.write(f'{role}() {{ nsenter --net={getattr(lab, role).path} -- "$@"; }}\n')
        file.flush()
        # Ctrl-C is for what runs in the shell. A handler, unlike SIG_IGN, is not inherited.
        handler = signal.signal(signal.SIGINT, lambda *_: None)
        try:
            lab.gw.popen("bash", "--rcfile", file.name, "-i").wait()
        finally:
            signal.signal(signal.SIGINT, handler)


def tell(story, shell):
    print("A small Internet of network namespaces:")
    print(PICTURE, end="")
    with Lab() as lab:
        before = snapshot(lab.gw, lab.name)
        bring_up(story, lab)
        if shell:
            play(lab)
        else:
            for scene in (resolve, onlink, tunnelled, guarded, count, kernel_policy):
                scene(story, lab)
        take_down(story, lab, before)


def main(arguments):
    story = Story()
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, _: sys.exit(128 + number))
    start = time.monotonic()
    try:
        tell(story, "--shell" in arguments)
    except KeyboardInterrupt:
        print("\ninterrupted: everything is removed")
        return 130
    except (RuntimeError, OSError) as error:
        story.check(False, str(error))
    print(f"\n{'FAILED' if story.failures else 'Done'}: {story.step_number} steps, "
          f"{story.failures} failed checks, {time.monotonic() - start:.0f} s")
    return 1 if story.failures else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
