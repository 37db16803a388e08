// SPDX-License-Identifier: GPL-2.0-or-later
#include "xdp_features.h"

#include <errno.h>
#include <linux/genetlink.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>

#include "netlink.h"

/* include/uapi/linux/netdev.h, which the headers of Linux 6.1 lack. */
#define FAMILY            "netdev"
#define CMD_DEV_GET       1
#define ATTR_IFINDEX      1
#define ATTR_XDP_FEATURES 3

static int on_family(struct nlmsghdr *message, void *arg)
{
	struct nlattr *id =
		nlmsg_find_attr(message, sizeof(struct genlmsghdr), CTRL_ATTR_FAMILY_ID);

	if (id)
		*(uint16_t *)arg = nla_get_u16(id);
	return 0;
}

static int find_family(struct nl_sock *nl, uint16_t *family)
{
	const struct genlmsghdr header = {.cmd = CTRL_CMD_GETFAMILY, .version = 1};
	struct nl_msg *msg = netlink_message(GENL_ID_CTRL, 0, &header, sizeof(header));

	if (!msg || nla_put_string(msg, CTRL_ATTR_FAMILY_NAME, FAMILY)) {
		nlmsg_free(msg);
		return -ENOMEM;
	}
	return netlink_request(nl, msg, on_family, family);
}

static int on_device(struct nlmsghdr *message, void *arg)
{
	struct nlattr *features =
		nlmsg_find_attr(message, sizeof(struct genlmsghdr), ATTR_XDP_FEATURES);

	if (features)
		*(uint64_t *)arg = nla_get_u64(features);
	return 0;
}

static int ask(struct nl_sock *nl, uint16_t family, int ifindex, uint64_t *features)
{
	const struct genlmsghdr header = {.cmd = CMD_DEV_GET, .version = 1};
	struct nl_msg *msg = netlink_message(family, 0, &header, sizeof(header));

	if (!msg || nla_put_u32(msg, ATTR_IFINDEX, (uint32_t)ifindex)) {
		nlmsg_free(msg);
		return -ENOMEM;
	}
	return netlink_request(nl, msg, on_device, features);
}

int xdp_features(int ifindex, uint64_t *features)
{
	struct nl_sock *nl = nl_socket_alloc();
	uint16_t family = 0;
	int err;

	*features = 0;
	if (!nl)
		return -ENOMEM;
	err = nl_connect(nl, NETLINK_GENERIC) ? -EIO : find_family(nl, &family);
	if (!err || err == -ENOENT)
		err = family ? ask(nl, family, ifindex, features) : -EOPNOTSUPP;
	nl_socket_free(nl);
	return err;
}
