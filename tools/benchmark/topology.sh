#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The network namespaces of the benchmark: the gateway, a machine that answers with the kernel's own
# proxy_ndp, and the outside, from which the frames come and where what leaves is counted. Addresses
# are those of frames.h. It runs where /run is private, so that the names collide with nobody's.
#
#	outside to-gateway -- eth0 gateway    outside to-rival -- eth0 rival
#	outside to-lan     -- eth1 gateway      and the TAP ztbench, which the benchmark opens
set -eu

ROUTER_MAC=02:00:00:00:e0:01
HOSTS="1 2 3 4 5 6 7 8 9 a b c d e f 10"

namespace() {
	ip netns add "$1"
	nsenter --net="/run/netns/$1" sh -s <<-END
		cd /proc/sys/net/ipv6/conf
		echo 0 >all/accept_dad; echo 0 >default/accept_dad
		echo 0 >all/accept_ra; echo 0 >default/accept_ra
		echo 1 >$2/disable_ipv6
		ip link set lo up
	END
}

# veth NAMESPACE NAME OUTSIDE: its far end is OUTSIDE.
veth() {
	ip -n "$1" link add "$2" type veth peer name "$3" netns outside
	ip -n outside link set "$3" up
	# Without it, or a program at the far end, a veth takes no XDP frames: it would be the kernel's.
	nsenter --net=/run/netns/outside ethtool -K "$3" gro on
	ip -n "$1" link set "$2" up
}

# answer_from_kernel: the tuned proxy_ndp: no delay, and each target announced.
answer_from_kernel() {
	nsenter --net=/run/netns/rival sh -s <<-END
		echo 1 >/proc/sys/net/ipv6/conf/all/forwarding
		echo 1 >/proc/sys/net/ipv6/conf/eth0/proxy_ndp
		echo 0 >/proc/sys/net/ipv6/neigh/eth0/proxy_delay
		for i in $HOSTS; do ip -6 neighbour add proxy 2001:db8:48::\$i dev eth0; done
	END
	ip -n rival address add 2001:db8:ffff:2::2/64 dev eth0
	# Without it an XDP frame never reaches a veth that has no XDP program.
	nsenter --net=/run/netns/rival ethtool -K eth0 gro on
}

namespace outside default # the frames come from programs, its stack has no say
namespace gateway lo
namespace rival lo
veth gateway eth0 to-gateway
veth gateway eth1 to-lan
# So that they take what XDP sends, and `up` sees that they do.
for end in to-gateway to-lan; do
	nsenter --net=/run/netns/outside ethtool -K "$end" gro on
done
veth rival eth0 to-rival
answer_from_kernel

gateway="ip -n gateway"
# hosts NET MAC DEVICE: sixteen neighbours, resolved for good.
hosts() {
	for i in $HOSTS; do
		$gateway neighbour add "$1$i" lladdr "$2" dev "$3" nud permanent
	done
}

$gateway address add 192.0.2.10/24 dev eth0
$gateway route add default via 192.0.2.1
$gateway neighbour add 192.0.2.1 lladdr $ROUTER_MAC dev eth0 nud permanent
$gateway address add 2001:db8:ffff:1::ff/64 dev eth0
$gateway neighbour add 2001:db8:ffff:1::1 lladdr $ROUTER_MAC dev eth0 nud permanent
$gateway -6 route add default via 2001:db8:ffff:1::1 dev eth0
$gateway -6 route add 2001:db8:78::/48 via 2001:db8:ffff:1::1 dev eth0 mtu lock 1400

$gateway address add 2001:db8:50::ff/64 dev eth1
hosts 2001:db8:50:: 02:00:00:00:10:05 eth1
$gateway -6 route add 2001:db8:50:bb::/64 via 2001:db8:50::1 dev eth1

$gateway tuntap add ztbench mode tap
$gateway link set ztbench up mtu 2800 txqueuelen 4096
for net in 2001:db8:48:: 2001:db8:49:: 2001:db8:4a:: 2001:470:811d::; do
	$gateway -6 route add $net/48 dev ztbench proto static metric 5000
	hosts $net 32:00:00:00:00:05 ztbench
done
