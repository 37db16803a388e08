/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Requests to Hurricane Electric's tunnelbroker.net. */
#ifndef ZT6_BROKER_REQUEST_H
#define ZT6_BROKER_REQUEST_H

#include "../http.h"
#include "credentials.h"

/* For tests: takes the place of the broker's "https://HOST". https, or http to the loopback. */
#define BROKER_URL_VARIABLE "ZT6_BROKER_URL"

/* The broker pings the endpoint before it answers. */
#define BROKER_CONNECT_MS 5000
#define BROKER_WHOLE_MS   15000

/**
 * broker_request - a request to its end.
 * @host: of the broker's several
 * @path: with its query; no secrets
 * @login: by which to authenticate
 * @source: IPv4 address to ask from, or NULL
 *
 * Returns 0 once @done has been called, or a negative error with a message.
 */
int broker_request(const char *host, const char *path, const struct broker_login *login,
		   const char *source, http_done_fn *done, void *arg);

/* What an answer that did not come means: prints it for @tunnel, with what to do. */
void broker_explain(const char *tunnel, const struct http_answer *answer);

#endif
