/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Requests over rtnetlink, with what libnl does not hand out: the kernel's own error number, and
 * the sentence it sends with it. */
#ifndef ZT6_NETLINK_H
#define ZT6_NETLINK_H

#include <netlink/netlink.h>
#include <stdint.h>

/* One message of an answer. A negative return is what the whole request returns in the end. */
typedef int netlink_each_fn(struct nlmsghdr *message, void *arg);

/* A socket for the functions below: free it with nl_socket_free(). 0 or -errno. */
int netlink_open(struct nl_sock **out);

/**
 * netlink_request - send a message and read what it leads to, up to its acknowledgement.
 * @nl: a socket without multicast groups
 * @msg: is freed in any case; NULL (out of memory) is an error like others
 * @each: for every message of the answer; NULL where there is none
 *
 * Returns 0, the kernel's -errno, or what @each returned.
 */
int netlink_request(struct nl_sock *nl, struct nl_msg *msg, netlink_each_fn *each, void *arg);

/**
 * netlink_dump - read all objects of a type.
 * @type: RTM_GET...
 * @header, @size: the fixed header that the type begins with
 * @each: must not mind to see an object twice: a dump that was interrupted by a change begins anew
 *
 * Returns like netlink_request().
 */
int netlink_dump(struct nl_sock *nl, int type, const void *header, size_t size,
		 netlink_each_fn *each, void *arg);

/* A message of @type that begins with @header; NULL when out of memory. */
struct nl_msg *netlink_message(int type, int flags, const void *header, size_t size);

/* What the kernel said with the last error @err of this process, or strerror() of it. */
const char *netlink_reason(int err);

#endif
