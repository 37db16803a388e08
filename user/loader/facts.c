// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <stdlib.h>
#include <string.h>

#include "facts.h"
#include "netlink.h"

static int read_link(struct nlmsghdr *message, void *arg)
{
	const struct ifinfomsg *ifi = nlmsg_data(message);
	struct nlattr *tb[IFLA_MAX + 1], *info[IFLA_INFO_MAX + 1];
	struct iface_facts *out = arg;

	if (nlmsg_parse(message, sizeof(*ifi), tb, IFLA_MAX, NULL))
		return -EBADMSG;
	out->ifindex = ifi->ifi_index;
	out->flags = ifi->ifi_flags;
	out->type = ifi->ifi_type;
	if (tb[IFLA_IFNAME])
		nla_strlcpy(out->name, tb[IFLA_IFNAME], sizeof(out->name));
	if (tb[IFLA_MTU])
		out->mtu = nla_get_u32(tb[IFLA_MTU]);
	if (tb[IFLA_ADDRESS] && nla_len(tb[IFLA_ADDRESS]) == sizeof(out->mac))
		memcpy(out->mac, nla_data(tb[IFLA_ADDRESS]), sizeof(out->mac));
	if (tb[IFLA_LINKINFO] && !nla_parse_nested(info, IFLA_INFO_MAX, tb[IFLA_LINKINFO], NULL) &&
	    info[IFLA_INFO_KIND])
		nla_strlcpy(out->kind, info[IFLA_INFO_KIND], sizeof(out->kind));
	return 0;
}

struct link_local_search {
	struct iface_facts *iface;
	bool settled; /* the one found is not tentative */
};

static int find_link_local(struct nlmsghdr *message, void *arg)
{
	const struct ifaddrmsg *ifa = nlmsg_data(message);
	struct link_local_search *search = arg;
	struct nlattr *tb[IFA_MAX + 1];
	bool settled;

	if ((int)ifa->ifa_index != search->iface->ifindex || ifa->ifa_family != AF_INET6 ||
	    ifa->ifa_scope != RT_SCOPE_LINK || search->settled)
		return 0;
	if (nlmsg_parse(message, sizeof(*ifa), tb, IFA_MAX, NULL))
		return -EBADMSG;
	/* A failed duplicate keeps the flag "tentative" as well. */
	settled = !(ifa->ifa_flags & IFA_F_TENTATIVE);
	if (!tb[IFA_ADDRESS] || nla_len(tb[IFA_ADDRESS]) != sizeof(struct in6_addr) ||
	    (!settled && search->iface->has_link_local))
		return 0;
	memcpy(&search->iface->link_local, nla_data(tb[IFA_ADDRESS]), sizeof(struct in6_addr));
	search->iface->has_link_local = true;
	search->settled = settled;
	return 0;
}

/* All but the link-local address. */
static int look_link(struct nl_sock *nl, const char *name, struct iface_facts *out)
{
	const struct ifinfomsg any = {.ifi_family = AF_UNSPEC};
	struct nl_msg *msg = netlink_message(RTM_GETLINK, 0, &any, sizeof(any));
	int err;

	memset(out, 0, sizeof(*out));
	if (!msg || nla_put_string(msg, IFLA_IFNAME, name)) {
		nlmsg_free(msg);
		return -ENOMEM;
	}
	err = netlink_request(nl, msg, read_link, out);
	/* A name that is too long or has a slash names no interface either. */
	return err == -EINVAL || err == -ERANGE ? -ENODEV : err;
}

int facts_iface(struct nl_sock *nl, const char *name, struct iface_facts *out)
{
	const struct ifaddrmsg inet6 = {.ifa_family = AF_INET6};
	struct link_local_search search = {.iface = out};
	int err = look_link(nl, name, out);

	return err ? err
		   : netlink_dump(nl, RTM_GETADDR, &inet6, sizeof(inet6), find_link_local, &search);
}

int facts_flags(struct nl_sock *nl, const char *name, unsigned int *flags)
{
	struct iface_facts facts;
	int err = look_link(nl, name, &facts);

	*flags = facts.flags;
	return err;
}

struct address_list {
	struct own_address *list;
	size_t count;
};

static int collect_address(struct nlmsghdr *message, void *arg)
{
	const struct ifaddrmsg *ifa = nlmsg_data(message);
	struct address_list *set = arg;
	struct own_address address = {.ifindex = (int)ifa->ifa_index};
	struct nlattr *tb[IFA_MAX + 1], *addr;
	struct own_address *grown;
	uint32_t flags;

	if (ifa->ifa_family != AF_INET6 || ifa->ifa_scope == RT_SCOPE_LINK)
		return 0;
	if (nlmsg_parse(message, sizeof(*ifa), tb, IFA_MAX, NULL))
		return -EBADMSG;
	/* With a peer, IFA_ADDRESS is the peer's. */
	addr = tb[IFA_LOCAL] ? tb[IFA_LOCAL] : tb[IFA_ADDRESS];
	if (!addr || nla_len(addr) != sizeof(struct in6_addr))
		return -EBADMSG;
	memcpy(&address.prefix.addr, nla_data(addr), sizeof(struct in6_addr));
	address.prefix.len = ifa->ifa_prefixlen;
	address.usable = ifa->ifa_scope != RT_SCOPE_HOST &&
			 !(ifa->ifa_flags & (IFA_F_TENTATIVE | IFA_F_DEPRECATED));
	/* Some flags have no place in the header. */
	flags = tb[IFA_FLAGS] ? nla_get_u32(tb[IFA_FLAGS]) : ifa->ifa_flags;
	address.connected = !(flags & IFA_F_NOPREFIXROUTE) && address.prefix.len < 128;
	for (size_t i = 0; i < set->count; i++)
		if (set->list[i].ifindex == address.ifindex &&
		    prefix_equal(&set->list[i].prefix, &address.prefix))
			return 0;
	grown = realloc(set->list, (set->count + 1) * sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	grown[set->count++] = address;
	set->list = grown;
	return 0;
}

int facts_own_addresses(struct nl_sock *nl, struct own_address **out, size_t *count)
{
	const struct ifaddrmsg inet6 = {.ifa_family = AF_INET6};
	struct address_list set = {0};
	int err = netlink_dump(nl, RTM_GETADDR, &inet6, sizeof(inet6), collect_address, &set);

	if (err) {
		free(set.list);
		return err;
	}
	*out = set.list;
	*count = set.count;
	return 0;
}

struct ipv4_search {
	int ifindex;
	bool by_address; /* on whatever interface */
	bool found;
	struct in_addr address;
};

static int find_ipv4(struct nlmsghdr *message, void *arg)
{
	const struct ifaddrmsg *ifa = nlmsg_data(message);
	struct ipv4_search *search = arg;
	struct nlattr *tb[IFA_MAX + 1];
	struct in_addr address;

	if (ifa->ifa_family != AF_INET || search->found ||
	    (!search->by_address && (int)ifa->ifa_index != search->ifindex))
		return 0;
	if (nlmsg_parse(message, sizeof(*ifa), tb, IFA_MAX, NULL))
		return -EBADMSG;
	if (!tb[IFA_LOCAL] || nla_len(tb[IFA_LOCAL]) != sizeof(address))
		return 0;
	memcpy(&address, nla_data(tb[IFA_LOCAL]), sizeof(address));
	if (search->by_address) {
		search->found = address.s_addr == search->address.s_addr;
	} else if (ifa->ifa_scope == RT_SCOPE_UNIVERSE && !(ifa->ifa_flags & IFA_F_SECONDARY)) {
		search->address = address;
		search->found = true;
	}
	return 0;
}

static int search_ipv4(struct nl_sock *nl, struct ipv4_search *search)
{
	const struct ifaddrmsg inet = {.ifa_family = AF_INET};
	int err = netlink_dump(nl, RTM_GETADDR, &inet, sizeof(inet), find_ipv4, search);

	if (err)
		return err;
	return search->found ? 0 : -ENOENT;
}

int facts_ipv4_address(struct nl_sock *nl, int ifindex, struct in_addr *out)
{
	struct ipv4_search search = {.ifindex = ifindex};
	int err = search_ipv4(nl, &search);

	if (!err)
		*out = search.address;
	return err;
}

int facts_ipv4_is_own(struct nl_sock *nl, struct in_addr address)
{
	struct ipv4_search search = {.by_address = true, .address = address};

	return search_ipv4(nl, &search);
}

struct next_hop_search {
	bool found;
	int ifindex;
	struct in_addr next_hop;
};

static int read_next_hop(struct nlmsghdr *message, void *arg)
{
	const struct rtmsg *rtm = nlmsg_data(message);
	struct next_hop_search *search = arg;
	struct nlattr *tb[RTA_MAX + 1];

	if (message->nlmsg_type != RTM_NEWROUTE || rtm->rtm_type != RTN_UNICAST)
		return 0;
	if (nlmsg_parse(message, sizeof(*rtm), tb, RTA_MAX, NULL))
		return -EBADMSG;
	/* A next hop of another family (RTA_VIA) has no IPv4 neighbour to look for. */
	if (!tb[RTA_OIF] || tb[RTA_VIA])
		return 0;
	if (tb[RTA_GATEWAY])
		memcpy(&search->next_hop, nla_data(tb[RTA_GATEWAY]), sizeof(search->next_hop));
	search->ifindex = (int)nla_get_u32(tb[RTA_OIF]);
	search->found = true;
	return 0;
}

int facts_ipv4_next_hop(struct nl_sock *nl, struct in_addr dst, struct in_addr src, int *ifindex,
			struct in_addr *next_hop)
{
	const struct rtmsg rtm = {.rtm_family = AF_INET, .rtm_dst_len = 32, .rtm_src_len = 32};
	struct next_hop_search search = {.next_hop = dst};
	struct nl_msg *msg = netlink_message(RTM_GETROUTE, 0, &rtm, sizeof(rtm));
	int err;

	if (!msg || nla_put(msg, RTA_DST, sizeof(dst), &dst) ||
	    nla_put(msg, RTA_SRC, sizeof(src), &src)) {
		nlmsg_free(msg);
		return -ENOMEM;
	}
	err = netlink_request(nl, msg, read_next_hop, &search);
	if (err == -ENOMEM)
		return err;
	if (err || !search.found)
		return -ENETUNREACH;
	*ifindex = search.ifindex;
	*next_hop = search.next_hop;
	return 0;
}
