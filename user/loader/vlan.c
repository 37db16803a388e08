// SPDX-License-Identifier: GPL-2.0-or-later
#include "vlan.h"

#include <errno.h>
#include <linux/ethtool.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "netlink.h"
#include "../log.h"

struct vlan_search {
	int parent;
	int vid; /* or -1: any */
	char name[IFNAMSIZ];
	bool found;
};

static int find_vlan(struct nlmsghdr *message, void *arg)
{
	struct nlattr *tb[IFLA_MAX + 1], *info[IFLA_INFO_MAX + 1], *data[IFLA_VLAN_MAX + 1];
	struct vlan_search *search = arg;

	if (nlmsg_parse(message, sizeof(struct ifinfomsg), tb, IFLA_MAX, NULL) || !tb[IFLA_LINK] ||
	    (int)nla_get_u32(tb[IFLA_LINK]) != search->parent || tb[IFLA_LINK_NETNSID] ||
	    !tb[IFLA_LINKINFO] || nla_parse_nested(info, IFLA_INFO_MAX, tb[IFLA_LINKINFO], NULL) ||
	    !info[IFLA_INFO_KIND] || strcmp(nla_get_string(info[IFLA_INFO_KIND]), "vlan") != 0 ||
	    !info[IFLA_INFO_DATA] ||
	    nla_parse_nested(data, IFLA_VLAN_MAX, info[IFLA_INFO_DATA], NULL) ||
	    !data[IFLA_VLAN_ID] || !tb[IFLA_IFNAME] ||
	    (search->vid >= 0 && nla_get_u16(data[IFLA_VLAN_ID]) != search->vid))
		return 0;
	nla_strlcpy(search->name, tb[IFLA_IFNAME], sizeof(search->name));
	search->found = true;
	return 0;
}

static int search_vlan(struct vlan_search *search)
{
	const struct ifinfomsg any = {.ifi_family = AF_UNSPEC};
	struct nl_sock *nl = NULL;
	int err = netlink_open(&nl);

	if (!err)
		err = netlink_dump(nl, RTM_GETLINK, &any, sizeof(any), find_vlan, search);
	nl_socket_free(nl);
	return err;
}

/* Whether the device takes tags off (ethtool: rx-vlan-offload). */
static bool takes_tags_off(const char *name)
{
	struct ethtool_value flags = {.cmd = ETHTOOL_GFLAGS};
	struct ifreq request = {.ifr_data = (void *)&flags};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool known;

	if (fd < 0)
		return true;
	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
	known = !ioctl(fd, SIOCETHTOOL, &request);
	close(fd);
	return !known || (flags.data & ETH_FLAG_RXVLAN);
}

int vlan_is_hidden(const char *name)
{
	struct vlan_search search = {.parent = (int)if_nametoindex(name), .vid = -1};
	int err = search_vlan(&search);

	return err ? err : search.found && takes_tags_off(name);
}

static int find_device(const char *section, const char *parent, uint16_t vid, char name[IFNAMSIZ])
{
	struct vlan_search search = {.parent = (int)if_nametoindex(parent), .vid = vid};
	int err = search.parent ? search_vlan(&search) : -ENODEV;

	if (!err && search.found) {
		memcpy(name, search.name, IFNAMSIZ);
		return 0;
	}
	if (!search.parent)
		log_error("%s %s: no such interface in this network namespace (ip link lists them)",
			  section, parent);
	else if (err)
		log_error("%s %s: cannot look for its VLAN devices: %s", section, parent,
			  strerror(-err));
	else
		log_error("%s %s: there is no VLAN device with tag %u above it, to carry addresses "
			  "and routes: ip link add link %s name %s.%u type vlan id %u",
			  section, parent, vid, parent, parent, vid, vid);
	return err ? err : -ENODEV;
}

static void rename_port(char name[IFNAMSIZ], const char *from, const char *to)
{
	if (!strcmp(name, from))
		memcpy(name, to, IFNAMSIZ);
}

/* Everything that names the port. */
static void rename_everywhere(struct conf *conf, const char *from, const char *to)
{
	for (size_t i = 0; i < conf->tunnel_count; i++)
		rename_port(conf->tunnels[i].uplink, from, to);
	for (size_t i = 0; i < conf->proxy_count; i++) {
		struct conf_proxy *proxy = &conf->proxies[i];

		rename_port(proxy->name, from, to);
		for (size_t k = 0; k < proxy->rule_count; k++)
			if (proxy->rules[k].method == METHOD_IFACE)
				rename_port(proxy->rules[k].iface, from, to);
	}
}

static bool is_port(const struct conf *conf, const char *name)
{
	for (size_t i = 0; i < conf->uplink_count; i++)
		if (!strcmp(conf->uplinks[i].name, name))
			return true;
	for (size_t i = 0; i < conf->lan_count; i++)
		if (!strcmp(conf->lans[i].name, name))
			return true;
	for (size_t i = 0; i < conf->zerotier_count; i++)
		if (!strcmp(conf->zerotiers[i].interface, name))
			return true;
	return false;
}

static int resolve(struct conf *conf, const char *section, char name[IFNAMSIZ], uint16_t *vid)
{
	char parent[IFNAMSIZ], device[IFNAMSIZ];
	int err;

	if (!*vid)
		return 0;
	memcpy(parent, name, sizeof(parent));
	err = find_device(section, parent, *vid, device);
	if (err)
		return err;
	if (is_port(conf, device)) {
		log_error("%s %s: vlan %u is the interface %s, which is a port already: an "
			  "interface has one role and one section",
			  section, parent, *vid, device);
		return -EEXIST;
	}
	memcpy(name, device, IFNAMSIZ);
	*vid = 0;
	rename_everywhere(conf, parent, name);
	return 0;
}

int vlan_resolve(struct conf *conf)
{
	int err = 0;

	for (size_t i = 0; i < conf->uplink_count && !err; i++)
		err = resolve(conf, "uplink", conf->uplinks[i].name, &conf->uplinks[i].vlan);
	for (size_t i = 0; i < conf->lan_count && !err; i++)
		err = resolve(conf, "lan", conf->lans[i].name, &conf->lans[i].vlan);
	return err;
}
