// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "netlink.h"

#define DUMP_ATTEMPTS 8

struct transaction {
	netlink_each_fn *each;
	void *arg;
	int err;
	bool done;
};

static struct {
	int err;
	char text[256];
} last_error;

int netlink_open(struct nl_sock **out)
{
	struct nl_sock *nl = nl_socket_alloc();
	int one = 1, err;

	if (!nl)
		return -ENOMEM;
	err = nl_connect(nl, NETLINK_ROUTE);
	if (err) {
		nl_socket_free(nl);
		return -EPROTONOSUPPORT;
	}
	nl_socket_enable_msg_peek(nl);
	/* Kernels without it answer with the number alone. */
	setsockopt(nl_socket_get_fd(nl), SOL_NETLINK, NETLINK_EXT_ACK, &one, sizeof(one));
	setsockopt(nl_socket_get_fd(nl), SOL_NETLINK, NETLINK_CAP_ACK, &one, sizeof(one));
	*out = nl;
	return 0;
}

struct nl_msg *netlink_message(int type, int flags, const void *header, size_t size)
{
	struct nl_msg *msg = nlmsg_alloc_simple(type, flags);

	if (msg && nlmsg_append(msg, (void *)header, size, NLMSG_ALIGNTO)) {
		nlmsg_free(msg);
		return NULL;
	}
	return msg;
}

const char *netlink_reason(int err)
{
	return last_error.err == err && last_error.text[0] ? last_error.text : strerror(-err);
}

/* The attributes of an error stand behind the request that it echoes, or its header alone. */
static void keep_reason(const struct nlmsgerr *error)
{
	const struct nlmsghdr *hdr = (const void *)((const char *)error - NLMSG_HDRLEN);
	size_t skip = sizeof(*error);
	struct nlattr *text;

	last_error.err = error->error;
	last_error.text[0] = '\0';
	if (!(hdr->nlmsg_flags & NLM_F_ACK_TLVS))
		return;
	if (!(hdr->nlmsg_flags & NLM_F_CAPPED))
		skip += NLMSG_ALIGN(error->msg.nlmsg_len) - NLMSG_HDRLEN;
	if (NLMSG_HDRLEN + skip > hdr->nlmsg_len)
		return;
	text = nla_find((const struct nlattr *)((const char *)error + skip),
			(int)(hdr->nlmsg_len - NLMSG_HDRLEN - skip), NLMSGERR_ATTR_MSG);
	if (text)
		nla_strlcpy(last_error.text, text, sizeof(last_error.text));
}

static int on_message(struct nl_msg *msg, void *arg)
{
	struct transaction *t = arg;
	int err = t->each && !t->err ? t->each(nlmsg_hdr(msg), t->arg) : 0;

	if (err)
		t->err = err;
	return NL_OK;
}

static int on_acknowledgement(struct nl_msg *msg, void *arg)
{
	struct transaction *t = arg;

	(void)msg;
	t->done = true;
	return NL_STOP;
}

/* A dump that fails after its first message says so in its last one. */
static int on_finish(struct nl_msg *msg, void *arg)
{
	struct transaction *t = arg;
	const int *err = nlmsg_data(nlmsg_hdr(msg));

	if (nlmsg_datalen(nlmsg_hdr(msg)) >= (int)sizeof(*err) && *err < 0 && !t->err)
		t->err = *err;
	t->done = true;
	return NL_STOP;
}

static int on_error(struct sockaddr_nl *from, struct nlmsgerr *error, void *arg)
{
	struct transaction *t = arg;

	(void)from;
	keep_reason(error);
	t->err = error->error;
	t->done = true;
	return NL_STOP;
}

/* As netlink_request(), or 1 when a dump was interrupted by a change. @msg stays the caller's. */
static int transact(struct nl_sock *nl, struct nl_msg *msg, netlink_each_fn *each, void *arg)
{
	struct transaction t = {.each = each, .arg = arg};
	struct nl_cb *cb = nl_cb_alloc(NL_CB_DEFAULT);
	bool interrupted = false;
	int err;

	if (!cb)
		return -ENOMEM;
	nl_cb_set(cb, NL_CB_VALID, NL_CB_CUSTOM, on_message, &t);
	nl_cb_set(cb, NL_CB_ACK, NL_CB_CUSTOM, on_acknowledgement, &t);
	nl_cb_set(cb, NL_CB_FINISH, NL_CB_CUSTOM, on_finish, &t);
	nl_cb_err(cb, NL_CB_CUSTOM, on_error, &t);

	err = nl_send_auto(nl, msg);
	while (err >= 0 && !t.done) {
		err = nl_recvmsgs(nl, cb);
		if (err == -NLE_DUMP_INTR) {
			interrupted = true;
			err = 0;
		}
	}
	nl_cb_put(cb);
	if (!t.done)
		return err == -NLE_NOMEM ? -ENOMEM : -EIO;
	return !t.err && interrupted ? 1 : t.err;
}

int netlink_request(struct nl_sock *nl, struct nl_msg *msg, netlink_each_fn *each, void *arg)
{
	int err;

	if (!msg)
		return -ENOMEM;
	err = transact(nl, msg, each, arg);
	nlmsg_free(msg);
	return err;
}

int netlink_dump(struct nl_sock *nl, int type, const void *header, size_t size,
		 netlink_each_fn *each, void *arg)
{
	int err = 1;

	/* Where something changes all the time the last attempt has to do. */
	for (int i = 0; i < DUMP_ATTEMPTS && err == 1; i++) {
		struct nl_msg *msg = netlink_message(type, NLM_F_DUMP, header, size);

		if (!msg)
			return -ENOMEM;
		err = transact(nl, msg, each, arg);
		nlmsg_free(msg);
	}
	return err == 1 ? 0 : err;
}
