#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The gateway of the prog tests, built in the network namespace that this runs in. Addresses and
# link-layer addresses are those of net.py. Nothing is ever sent: frames enter by
# BPF_PROG_TEST_RUN and the kernel is only asked for routes and neighbours.
set -eu

sysctl() {
	echo "$2" > "/proc/sys/net/$1"
}

# veth NAME MAC LINK-LOCAL MTU: a port; its peer stays without addresses.
veth() {
	ip link add "$1" address "$2" mtu "$4" type veth peer name "$1-peer" mtu "$4"
	sysctl "ipv6/conf/$1-peer/disable_ipv6" 1
	ip link set "$1-peer" up
	port "$1" "$3"
}

port() {
	ip link set "$1" addrgenmode none
	ip link set "$1" up
	ip -6 address add "$2/64" dev "$1" nodad
}

address() { ip -6 address add "$1" dev "$2" nodad; }
host() { ip neighbour add "$1" lladdr "$2" dev "$3" nud permanent; }

# What `up` sets. Duplicate Address Detection is off: addresses are usable at once.
sysctl ipv6/conf/default/accept_dad 0
sysctl ipv6/conf/default/dad_transmits 0
sysctl ipv6/conf/default/router_solicitations 0
sysctl ipv6/conf/all/forwarding 1
sysctl ipv4/conf/lo/forwarding 1
ip link set lo up

# uplink: IPv4 for the tunnel, a native IPv6 prefix, and the on-link /48 of which it has a /64.
veth eth0 02:00:00:00:0e:00 fe80::e:0 1500
ip address add 192.0.2.10/24 dev eth0
ip route add default via 192.0.2.1
host 192.0.2.1 02:00:00:00:e0:01 eth0
address 2001:db8:ffff:1::10/64 eth0
address 2001:db8:48:ff::2/64 eth0
host 2001:db8:ffff:1::1 02:00:00:00:e0:01 eth0
host 2001:db8:48:ff::1 02:00:00:00:e0:01 eth0
host 2001:db8:ffff:1::77 02:00:00:00:e0:77 eth0
ip -6 route add 2001:db8:b::/48 via 2001:db8:ffff:1::1 dev eth0

# overlay: a TAP as zerotier-one makes it.
ip tuntap add zttest mode tap
ip link set zttest address 32:11:22:33:44:55 mtu 2800
port zttest fe80::32
address fd15:9924:d630:8e1d:7e99:9300::1/88 zttest
address 2001:db8:48::1/128 zttest
ip -6 route add 2001:470:811d::/48 dev zttest proto static metric 5000
ip -6 route add 2001:db8:48::/48 dev zttest proto static metric 5000
ip -6 route add 2001:db8:49::/48 dev zttest proto static metric 5000
host 2001:470:811d::33:8a13:b4bb 32:00:00:00:00:33 zttest
host 2001:470:811d::1:0:5 32:00:00:00:00:05 zttest
host 2001:db8:48::5 32:00:00:00:00:05 zttest
host 2001:db8:48:dd::5 32:00:00:00:00:05 zttest
host 2001:db8:49::5 32:00:00:00:00:05 zttest
host fd15:9924:d630:8e1d:7e99:9300::2 32:00:00:00:00:05 zttest
# Only locked MTUs bind the kernel's forwarding. Behind member :5, and behind a member that nobody has resolved.
ip -6 route add 2001:470:811d:20::/60 via 2001:470:811d::1:0:5 dev zttest
ip -6 route add 2001:db8:48:b0::/60 via 2001:db8:48::5 dev zttest
ip -6 route add 2001:db8:48:c0::/60 via 2001:db8:48::dead dev zttest
ip -6 route add 2001:470:811d:40::/64 dev zttest mtu lock 1300
host 2001:470:811d:40::5 32:00:00:00:00:05 zttest
ip -6 route add unreachable 2001:470:811d:a1::/64
ip -6 route add blackhole 2001:470:811d:a2::/64
ip -6 route add prohibit 2001:470:811d:a3::/64
ip -6 route add unreachable 2001:db8:48:a1::/64
ip -6 route add blackhole 2001:db8:48:a2::/64
ip -6 route add prohibit 2001:db8:48:a3::/64
ip -6 route add unreachable 2001:470:811d::/48 metric 4294967295
ip -6 route add unreachable 2001:db8:48::/48 metric 4294967295

# A second overlay whose network carries frames of more than a page.
ip tuntap add ztbig mode tap
ip link set ztbig address 32:11:22:33:44:66 mtu 9000
port ztbig fe80::66
ip -6 route add 2001:470:811d:60::/64 dev ztbig
host 2001:470:811d:60::5 32:00:00:00:60:05 ztbig

# lan: two segments with jumbo frames.
veth eth1 02:00:00:00:1e:00 fe80::1e:0 9000
address 2001:470:811d:10::1/64 eth1
address 2001:db8:48:20::1/64 eth1
host 2001:470:811d:10::5 02:00:00:00:10:05 eth1
host 2001:db8:48:20::5 02:00:00:00:20:05 eth1
veth eth2 02:00:00:00:2e:00 fe80::2e:0 9000
address 2001:470:811d:30::1/64 eth2
host 2001:470:811d:30::5 02:00:00:00:30:05 eth2

# The tunnels: `device bpf`, without a connected prefix.
tunnel() {
	ip tuntap add "$1" mode tun
	ip link set "$1" mtu 1480 addrgenmode none up
	ip -6 address add "$2/64" dev "$1" noprefixroute nodad
	ip -6 route add "$3/128" dev "$1"
}
tunnel he-ipv6 2001:470:811d::80 2001:470:811d::1
ip -6 route add default via 2001:470:811d::1 dev he-ipv6
tunnel he2-ipv6 2001:470:822d::80 2001:470:822d::1
ip -6 route add 2001:db8:c::/48 via 2001:470:822d::1 dev he2-ipv6
