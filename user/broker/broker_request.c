/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "broker_request.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../log.h"

int broker_request(const char *host, const char *path, const struct broker_login *login,
		   const char *source, http_done_fn *done, void *arg)
{
	const char *base = getenv(BROKER_URL_VARIABLE);
	char url[512];
	struct http_request request = {
		.url = url,
		.reach = HTTP_TLS,
		.user = login->user,
		.password = login->key,
		.source = source,
		.connect_ms = BROKER_CONNECT_MS,
		.whole_ms = BROKER_WHOLE_MS,
	};
	int err;

	if (base && *base) {
		snprintf(url, sizeof(url), "%s%s", base, path);
		if (!strncmp(base, "http://", 7))
			request.reach = HTTP_LOOPBACK;
	} else {
		snprintf(url, sizeof(url), "https://%s%s", host, path);
	}
	err = http_perform(&request, done, arg);
	if (err == -EINVAL)
		log_error(BROKER_URL_VARIABLE
			  " must begin with https://, or http:// and an address "
			  "of the loopback interface");
	else if (err)
		log_error("%s: cannot ask the broker: %s", login->name, strerror(-err));
	return err;
}

void broker_explain(const char *tunnel, const struct http_answer *answer)
{
	const char *remedy;

	switch (answer->err) {
	case -EHOSTUNREACH:
		remedy = "see whether this machine can resolve names";
		break;
	case -ECONNREFUSED:
	case -ETIMEDOUT:
		remedy = "see whether this machine reaches the IPv4 Internet; it is tried again "
			 "later";
		break;
	case -EKEYREJECTED:
		remedy = "the credentials were not sent; see the machine's clock, the package "
			 "ca-certificates, and who answers in the broker's place";
		break;
	case -EREMOTE:
	case -EFBIG:
	case -EPROTO:
		remedy = "see whether something between here and the broker answers in its place";
		break;
	case -EADDRNOTAVAIL:
		remedy =
			"\"local\" of the tunnel must be an address of this machine, never a NAT's "
			"public one";
		break;
	default:
		remedy = "it is tried again later";
	}
	log_error("%s: cannot ask the broker: %s: %s", tunnel, answer->reason, remedy);
}
