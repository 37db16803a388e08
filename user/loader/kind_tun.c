// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A tunnel's interface where the kernel has no sit driver: a persistent TUN that no process holds.
 * It never has a carrier, and needs none: our TC program takes what is sent before the queue.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/if_link.h>
#include <linux/if_tun.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "device.h"
#include "kinds.h"
#include "netlink.h"
#include "../log.h"

#define TUN_PATH "/dev/net/tun"

static void describe(const struct object *object, char text[OBJECT_TEXT_MAX])
{
	snprintf(text, OBJECT_TEXT_MAX, "tuntap %s mode tun mtu %u up",
		 object_string(object, "name"), object_number(object, "mtu"));
}

static int probe(struct nl_sock *nl, const struct object *object, json_t **before)
{
	struct iface_facts facts;
	int state = device_find(nl, object, "tun", ARPHRD_NONE, &facts);

	(void)before;
	if (state != OBJECT_PRESENT)
		return state;
	return facts.mtu == object_number(object, "mtu") && facts.flags & IFF_UP ? OBJECT_PRESENT
										 : OBJECT_OTHER;
}

/* A descriptor makes one device: so many can be made by a process that may not open more. */
#define SPARES 8

static int spares[SPARES];
static size_t spare_count;

void tun_reserve(void)
{
	while (spare_count < SPARES) {
		int fd = open(TUN_PATH, O_RDWR | O_CLOEXEC);

		if (fd < 0)
			return;
		spares[spare_count++] = fd;
	}
}

static int open_tun(void)
{
	int fd = open(TUN_PATH, O_RDWR | O_CLOEXEC);

	return fd < 0 && errno == EACCES && spare_count ? spares[--spare_count] : fd;
}

static int create(const char *name)
{
	struct ifreq request = {.ifr_flags = IFF_TUN | IFF_NO_PI | IFF_TUN_EXCL};
	int fd = open_tun(), err = 0;

	if (fd < 0) {
		err = -errno;
		log_error("%s: cannot open " TUN_PATH ": %s; `device bpf` needs the kernel's tun "
			  "driver",
			  name, strerror(-err));
		return err;
	}
	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
	if (ioctl(fd, TUNSETIFF, &request) || ioctl(fd, TUNSETPERSIST, 1)) {
		err = -errno;
		log_error("%s: cannot make the TUN interface: %s", name, strerror(-err));
	}
	close(fd);
	return err;
}

/* MTU, no link-local address should it ever get a carrier, and up. */
static int set_up(struct nl_sock *nl, const char *name, uint32_t mtu)
{
	const struct ifinfomsg ifi = {.ifi_flags = IFF_UP, .ifi_change = IFF_UP};
	struct nl_msg *msg = netlink_message(RTM_NEWLINK, 0, &ifi, sizeof(ifi));
	struct nlattr *families, *inet6;

	if (!msg || nla_put_string(msg, IFLA_IFNAME, name) || nla_put_u32(msg, IFLA_MTU, mtu) ||
	    !(families = nla_nest_start(msg, IFLA_AF_SPEC)) ||
	    !(inet6 = nla_nest_start(msg, AF_INET6)) ||
	    nla_put_u8(msg, IFLA_INET6_ADDR_GEN_MODE, IN6_ADDR_GEN_MODE_NONE)) {
		nlmsg_free(msg);
		return -ENOMEM;
	}
	nla_nest_end(msg, inet6);
	nla_nest_end(msg, families);
	return netlink_request(nl, msg, NULL, NULL);
}

static int make(struct nl_sock *nl, struct object *object)
{
	const char *name = object_string(object, "name");
	struct iface_facts facts;
	int state = device_find(nl, object, "tun", ARPHRD_NONE, &facts);
	bool created = state == OBJECT_ABSENT;
	int err;

	if (state == OBJECT_OTHER)
		return device_taken(nl, object);
	err = created ? create(name) : state < 0 ? state : 0;
	if (err)
		return err;
	err = set_up(nl, name, object_number(object, "mtu"));
	if (err)
		log_error("%s: cannot set MTU %u and bring it up: %s", name,
			  object_number(object, "mtu"), netlink_reason(err));
	else
		err = device_remember(nl, object);
	if (err && created && !facts_iface(nl, name, &facts))
		device_delete(nl, name, facts.ifindex);
	return err;
}

static int unmake(struct nl_sock *nl, const struct object *object)
{
	return device_unmake(nl, object, "tun", ARPHRD_NONE);
}

const struct object_kind kind_tun = {
	.name = "tun",
	.identity = (const char *const[]){"name", NULL},
	.taken = device_taken,
	.excludes = device_excludes,
	.in_netns = true,
	.describe = describe,
	.probe = probe,
	.make = make,
	.unmake = unmake,
};

struct object *tun_object(const char *name, uint32_t mtu)
{
	return object_new(&kind_tun, json_pack("{s:s, s:I}", "name", name, "mtu", (json_int_t)mtu));
}
