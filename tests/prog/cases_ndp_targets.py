# SPDX-License-Identifier: GPL-2.0-or-later
"""Neighbour Discovery, the targets: rules, what the kernel and the agent know, DAD (RFC 4862)."""

from scapy.utils import mac2str

from nd import (CONFIGURATION, NONCE, SOLICITOR, TARGET, UNSPECIFIED, advertisement, answered,
                asked, deferred, kernel, sllao, solicitation, tagged)
from net import (LAN_HOST, MEMBER, ON_LINK_LAN_HOST, RULES, STALE, STALE_MEMBER, case, change,
                 configuration, flood, knows, scenario, sequence, step)


def targets():
    """Which targets are answered: rules, and where the kernel says that the target lives."""
    def ask(target, **more):
        return solicitation(target=target, **more)

    return [
        answered("static target that the kernel knows nothing of is answered",
                 ask("2001:db8:49::dead"), target="2001:db8:49::dead"),
        answered("target under a static rule within an auto one is answered",
                 ask("2001:db8:48:57:a::1"), target="2001:db8:48:57:a::1"),
        deferred("target under an auto rule within a static one is not known to be alive",
                 ask("2001:db8:49:a::1"), asked("2001:db8:49:a::1")),
        answered("first address of a rule is answered", ask("2001:db8:49::"),
                 target="2001:db8:49::"),
        answered("last address of a rule is answered",
                 ask("2001:db8:49:ffff:ffff:ffff:ffff:ffff"),
                 target="2001:db8:49:ffff:ffff:ffff:ffff:ffff"),
        answered("auto target with a neighbour on the overlay is answered", ask(TARGET)),
        sequence("auto target with a STALE neighbour is answered", change(STALE),
                 step("eth0", ask(STALE_MEMBER.address), "ndp_answered",
                      advertisement(target=STALE_MEMBER.address))),
        answered("auto target with a neighbour on a lan is answered",
                 ask(ON_LINK_LAN_HOST.address), target=ON_LINK_LAN_HOST.address),
        answered("auto target in a prefix behind a live member is answered",
                 ask("2001:db8:48:b7::1234"), target="2001:db8:48:b7::1234"),
        deferred("auto target in a prefix behind an unknown member goes to the agent",
                 ask("2001:db8:48:c0::1"), asked("2001:db8:48:c0::1")),
        deferred("auto target that is not known goes to the agent", ask("2001:db8:48::dead"),
                 asked("2001:db8:48::dead")),
        deferred("auto target on a lan that is not known goes to the agent",
                 ask("2001:db8:48:20::dead"), asked("2001:db8:48:20::dead")),
        sequence("auto target whose neighbour has FAILED goes to the agent",
                 change("ip neighbour replace 2001:db8:48::fa11 dev zttest nud failed"),
                 step("eth0", ask("2001:db8:48::fa11"), "ndp_deferred"),
                 cleanup=["ip neighbour del 2001:db8:48::fa11 dev zttest || true"]),
        deferred("agent learns the SLLAO's address to answer to",
                 ask("2001:db8:48::dead", options=[NONCE, sllao("02:00:00:00:e0:99")]),
                 asked("2001:db8:48::dead", mac="02:00:00:00:e0:99")),
        deferred("agent learns the frame's source where there is no SLLAO",
                 ask("2001:db8:48::dead", options=[]), asked("2001:db8:48::dead")),
        sequence("retransmitted NS is consumed, but not handed over again",
                 step("eth0", ask("2001:db8:48::dead"), "ndp_deferred",
                      events=[asked("2001:db8:48::dead")]),
                 step("eth0", [ask("2001:db8:48::dead")] * 3, "ndp_deferred", events=[]),
                 step("eth0", ask("2001:db8:48::dead", source="fe80::e0:2"), "ndp_deferred",
                      events=[asked("2001:db8:48::dead", source="fe80::e0:2")]),
                 step("eth0", ask("2001:db8:48::beef"), "ndp_deferred",
                      events=[asked("2001:db8:48::beef")]), once=True),
        sequence("target is answered as soon as the kernel knows its neighbour",
                 step("eth0", ask("2001:db8:48::77"), "ndp_deferred"),
                 change("ip neighbour replace 2001:db8:48::77 lladdr 32:00:00:00:00:77 dev zttest"
                        " nud reachable"),
                 step("eth0", ask("2001:db8:48::77"), "ndp_answered",
                      advertisement(target="2001:db8:48::77")), once=True,
                 cleanup=["ip neighbour del 2001:db8:48::77 dev zttest || true"]),
        kernel("auto target on the port that asks is the kernel's", ask("2001:db8:48:ff::1")),
        kernel("auto target that the route leaves by the port that asks is the kernel's",
               ask("2001:db8:b:ff::1")),
        kernel("auto target that the route leaves by the tunnel is the kernel's",
               ask("2001:db8:a:ff::1")),
    ] + [
        case(f"auto target under an {kind} route is not answered", "eth0",
             ask(f"2001:db8:48:{net}::1"), "drop_ndp_unverified")
        for kind, net in (("unreachable", "a1"), ("blackhole", "a2"), ("prohibit", "a3"))
    ] + [
        sequence("auto target without any route is the kernel's",
                 change("ip -6 route del default"),
                 step("eth0", ask("2001:db8:a:ff::1"), "pass_ndp"), once=True,
                 cleanup=["ip -6 route replace default via 2001:470:811d::1 dev he-ipv6"]),
    ]


def dad():
    """Duplicate Address Detection is answered for what is known to be in use."""
    def ask(target, **more):
        return solicitation(target=target, source=UNSPECIFIED, **more)

    return [
        answered("DAD for a live auto target is answered to all nodes, S = 0", ask(TARGET),
                 to=UNSPECIFIED),
        answered("DAD with a nonce (RFC 7527) is answered", ask(TARGET, options=[NONCE]),
                 to=UNSPECIFIED),
        answered("DAD for a live static target is answered", ask("2001:db8:49::5"),
                 target="2001:db8:49::5", to=UNSPECIFIED),
        answered("DAD for a live target on a lan is answered", ask(ON_LINK_LAN_HOST.address),
                 target=ON_LINK_LAN_HOST.address, to=UNSPECIFIED),
        deferred("DAD for an auto target not known to be in use is not answered",
                 ask("2001:db8:48::dead"),
                 asked("2001:db8:48::dead", source=UNSPECIFIED)),
        deferred("DAD for a static target not known to be in use is not answered",
                 ask("2001:db8:49::dead"),
                 asked("2001:db8:49::dead", source=UNSPECIFIED)),
        kernel("DAD under a rule with `dad no` is the kernel's", ask("2001:db8:48:dd::5")),
        kernel("DAD for an unknown target under a rule with `dad no` is the kernel's",
               ask("2001:db8:48:dd::6")),
        answered("NS with a source under a rule with `dad no` is answered",
                 solicitation(target="2001:db8:48:dd::5"), target="2001:db8:48:dd::5"),
    ]


def agent():
    """With an agent, its word counts; without, what the kernel holds valid."""
    def ask(target, **more):
        return solicitation(target=target, **more)

    known, unknown, static = TARGET, "2001:db8:48::dead", "2001:db8:49::dead"
    other = "2001:db8:48::beef"
    dead = {"agent": 10500}  # it counts as dead after 10 s

    def verified(name, target, frame=None, to=SOLICITOR, **more):
        return case(name, "eth0", frame or ask(target), "ndp_answered",
                    advertisement(target=target, to=to), **more)

    def dad_for(target):
        return ask(target, source=UNSPECIFIED)

    return [
        case("auto target that the kernel knows is verified first while there is an agent", "eth0",
             ask(known), "ndp_deferred", agent=0, events=[asked(known)]),
        verified("auto target that the kernel knows is answered when the agent is stale", known,
                 **dead),
        verified("target that the agent has verified is answered", unknown,
                 told=[knows(unknown)], agent=0),
        verified("target that a dead agent has verified is answered while that is fresh", unknown,
                 told=[knows(unknown)], **dead),
        case("target whose verification has expired goes to the agent again", "eth0", ask(unknown),
             "ndp_deferred", told=[knows(unknown, for_ms=-100)], agent=0, events=[asked(unknown)]),
        case("target whose verification has expired is not answered without agent", "eth0",
             ask(unknown), "ndp_deferred", told=[knows(unknown, for_ms=-100)], **dead),
        case("target that is verified for another port is not answered", "eth0", ask(unknown),
             "ndp_deferred", told=[knows(unknown, port="eth1")], agent=0),
        case("target that the agent knows to be absent is not answered", "eth0", ask(known),
             "drop_ndp_unverified", told=[knows(known, verified=False)], agent=0, events=[]),
        case("unknown target that the agent knows to be absent is not handed over again", "eth0",
             ask(unknown), "drop_ndp_unverified", told=[knows(unknown, verified=False)], agent=0,
             events=[]),
        case("target whose absence has expired goes to the agent again", "eth0", ask(unknown),
             "ndp_deferred", told=[knows(unknown, verified=False, for_ms=-100)], agent=0,
             events=[asked(unknown)]),
        verified("verification outweighs an absence from before", unknown,
                 told=[knows(unknown, verified=False), knows(unknown)], agent=0),
        verified("static target needs no verification", static, agent=0),
        verified("static target is answered whatever the agent knows", static,
                 told=[knows(static, verified=False)], agent=0),
        verified("DAD for a verified auto target is answered", unknown, dad_for(unknown),
                 UNSPECIFIED, told=[knows(unknown)], agent=0),
        verified("DAD for a verified static target is answered", static, dad_for(static),
                 UNSPECIFIED, told=[knows(static)], agent=0),
        case("DAD for an absent static target is not answered", "eth0", dad_for(static),
             "drop_ndp_unverified", told=[knows(static, verified=False)], agent=0),
        sequence("absence is remembered until the agent tells that it is over, or for a second",
                 step("eth0", ask(unknown), "drop_ndp_unverified", agent=0,
                      told=[knows(unknown, verified=False)]),
                 step("eth0", ask(unknown), "drop_ndp_unverified", agent=0, told=[knows(unknown)]),
                 change(),
                 step("eth0", ask(unknown), "ndp_answered", advertisement(target=unknown), agent=0,
                      told=[knows(unknown)]), once=True),
        sequence("absence is remembered of that target and that port alone",
                 step("eth0", ask(unknown), "drop_ndp_unverified", agent=0,
                      told=[knows(unknown, verified=False)]),
                 step("eth0", ask(other), "ndp_answered", advertisement(target=other), agent=0,
                      told=[knows(other)]), once=True),
        sequence("DAD for an absent static target keeps nobody from being answered",
                 step("eth0", dad_for(static), "drop_ndp_unverified", agent=0,
                      told=[knows(static, verified=False)]),
                 step("eth0", ask(static), "ndp_answered", advertisement(target=static), agent=0),
                 once=True),
        sequence("DAD is judged by what is known now, not by what others were refused",
                 step("eth0", ask(unknown), "drop_ndp_unverified", agent=0,
                      told=[knows(unknown, verified=False)]),
                 step("eth0", dad_for(unknown), "ndp_answered",
                      advertisement(target=unknown, to=UNSPECIFIED), agent=0,
                      told=[knows(unknown)]), once=True),
        case("own address is the kernel's even if somebody verified it", "eth0",
             ask("2001:db8:48::1"), "pass_ndp", told=[knows("2001:db8:48::1")], agent=0),
        case("target without a rule is the kernel's even if somebody verified it", "eth0",
             ask("2001:db8:77::1"), "pass_ndp", told=[knows("2001:db8:77::1")], agent=0),
    ]


def variants():
    """Scenarios of their own: what the proxy section can say."""
    plain = solicitation(target="2001:db8:49::5")
    dad_frame = solicitation(target="2001:db8:49::5", source=UNSPECIFIED)
    terse = "proxy eth0 {\n\trouter no\n\tsource target\n" + RULES + "}\n"
    lan = """proxy eth1 {
\trule 2001:470:811d::/48 {
\t\tauto
\t}
\trule 2001:db8:b::/48 {
\t\tauto
\t}
}
"""

    through = """proxy eth0 {
\trule 2001:db8:48::/48 {
\t\tiface zttest
\t}
\trule 2001:db8:a:ff::/64 {
\t\tiface zttest
\t}
}
"""

    def on_lan(target):
        frame = solicitation(target=target, options=[sllao(LAN_HOST.mac)])
        return frame[:6] + mac2str(LAN_HOST.mac) + frame[12:]

    def lan_answer(target):
        return advertisement(target=target, to_mac=LAN_HOST.mac, port="eth1")

    tag = tagged(plain, 100)
    return [
        scenario("proxy: router no, source target", configuration(proxy=terse), [
            case("NA has no R flag and comes from the target", "eth0", plain, "ndp_answered",
                 advertisement(target="2001:db8:49::5", source="2001:db8:49::5", router=0)),
            case("answer to DAD has no R flag and comes from the target", "eth0", dad_frame,
                 "ndp_answered", advertisement(target="2001:db8:49::5", source="2001:db8:49::5",
                                               router=0, to=UNSPECIFIED)),
        ]),
        scenario("no proxy", configuration(proxy=""), [
            kernel("NS is the kernel's where nothing is proxied", solicitation()),
            kernel("unicast NS for a member is the kernel's where nothing is proxied",
                   solicitation(destination=TARGET)),
            kernel("DAD is the kernel's where nothing is proxied",
                   solicitation(source=UNSPECIFIED)),
        ]),
        scenario("proxy on a lan", configuration(proxy=lan), [
            case("lan host that asks for a member is answered", "eth1", on_lan(MEMBER.address),
                 "ndp_answered", lan_answer(MEMBER.address)),
            case("lan host that asks for a host of another lan is answered", "eth1",
                 on_lan("2001:470:811d:30::5"), "ndp_answered", lan_answer("2001:470:811d:30::5")),
            kernel("lan host that asks for its neighbour is left to the kernel",
                   on_lan(LAN_HOST.address), port="eth1"),
            kernel("lan host that asks for an address upstream is left to the kernel",
                   on_lan("2001:db8:b::1"), port="eth1"),
            kernel("rules of the lan do not hold on the uplink",
                   solicitation(target=MEMBER.address)),
            case("agent learns on which port a target was asked for", "eth1",
                 on_lan("2001:470:811d::dead"), "ndp_deferred",
                 events=[asked("2001:470:811d::dead", mac=LAN_HOST.mac, port="eth1")]),
        ]),
        scenario("proxy through an interface", configuration(proxy=through), [
            answered("target that the kernel knows on the given port is answered", solicitation()),
            case("target that the kernel knows on another port is not answered", "eth0",
                 solicitation(target=ON_LINK_LAN_HOST.address), "ndp_deferred"),
            case("target that the kernel does not know goes to the agent", "eth0",
                 solicitation(target="2001:db8:48::dead"), "ndp_deferred",
                 events=[asked("2001:db8:48::dead")]),
            case("target that no route covers goes to the agent", "eth0",
                 solicitation(target="2001:db8:a:ff::1"), "ndp_deferred",
                 events=[asked("2001:db8:a:ff::1")]),
            case("target that the agent has verified is answered, whatever the routes", "eth0",
                 solicitation(target="2001:db8:a:ff::1"), "ndp_answered",
                 advertisement(target="2001:db8:a:ff::1"), told=[knows("2001:db8:a:ff::1")],
                 agent=0),
            kernel("own address is the kernel's", solicitation(target="2001:db8:48::1")),
        ]),
        scenario("proxy on a VLAN", configuration(uplink="uplink eth0 {\n\tvlan 100\n}\n"), [
            case("NS with the port's tag is answered with that tag", "eth0", tag, "ndp_answered",
                 tagged(advertisement(target="2001:db8:49::5"), 100)),
            case("NS without the port's tag is not ours", "eth0", plain, "pass_other"),
            case("NS with VID 0 is not ours where frames carry a tag", "eth0", tagged(plain, 0),
                 "pass_other"),
            case("NS with another tag is not ours", "eth0", tagged(plain, 101), "pass_other"),
        ]),
        scenario("ndp-rate", configuration(more="limits {\n\tndp-rate 20\n}\n"), [
            sequence("solicitations beyond ndp-rate are dropped, and answered again later",
                     flood("eth0", plain, 300, "ndp",
                           ("ndp_answered", advertisement(target="2001:db8:49::5")),
                           "drop_ndp_limited"),
                     step("eth0", solicitation(target="2001:db8:ffff:1::10"), "pass_ndp"),
                     step("eth0", solicitation(target="2001:db8:77::1"), "pass_ndp"),
                     change(wait_ms=200),
                     step("eth0", plain, "ndp_answered", advertisement(target="2001:db8:49::5")),
                     once=True),
        ]),
        scenario("ndp-source-rate", configuration(more="limits {\n\tndp-source-rate 2\n}\n"), [
            sequence("a solicitor beyond ndp-source-rate takes nothing from others",
                     flood("eth0", by("2001:db8:ffff:1::1"), 300, "solicitor",
                           ("ndp_answered",
                            advertisement(target="2001:db8:49::5", to="2001:db8:ffff:1::1")),
                           "drop_ndp_limited"),
                     *[step("eth0", by(other), "ndp_answered",
                            advertisement(target="2001:db8:49::5", to=other))
                       for other in ("2001:db8:ffff:2::1", "fe80::1", "fe80::2")],
                     step("eth0", by("2001:db8:ffff:1::201"), "drop_ndp_limited"),
                     once=True),
            sequence("of link-local solicitors each has a rate of its own",
                     flood("eth0", by("fe80::1"), 300, "solicitor",
                           ("ndp_answered", advertisement(target="2001:db8:49::5", to="fe80::1")),
                           "drop_ndp_limited"),
                     step("eth0", by("fe80::2"), "ndp_answered",
                          advertisement(target="2001:db8:49::5", to="fe80::2")), once=True),
        ]),
    ]


def by(source):
    """One who asks for a target that is always answered for."""
    return solicitation(target="2001:db8:49::5", source=source)


def floods():
    """Bounds that hold without being configured."""
    unknown = [solicitation(target=f"2001:db8:48::dead:{i:x}") for i in range(1500)]
    plain = solicitation(target="2001:db8:49::5")
    return [
        sequence("a scan hands the agent no more targets than its bucket holds",
                 flood("eth0", unknown, len(unknown), "deferred", ("ndp_deferred",),
                       "drop_unresolved_limited"),
                 step("eth0", plain, "ndp_answered", advertisement(target="2001:db8:49::5")),
                 step("eth0", solicitation(), "ndp_answered", advertisement()), once=True),
        sequence("every NS for a known target is answered where ndp-rate is not set",
                 step("eth0", [plain] * 2000, "ndp_answered",
                      advertisement(target="2001:db8:49::5")), once=True),
    ]


def scenarios():
    cases = targets() + dad() + agent() + floods()
    return [scenario("Neighbour Discovery: targets", CONFIGURATION, cases)] + variants()
