/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * HTTP requests for small texts, over libcurl: bounded in time and size, no redirects, no proxies,
 * no cookies. What they carry is secret: no header, password or body is ever printed.
 */
#ifndef ZT6_HTTP_H
#define ZT6_HTTP_H

#include <stdbool.h>
#include <stddef.h>

#define HTTP_BODY_MAX   (1 << 20) /* bytes */
#define HTTP_REASON_MAX 256

/* Whom a request may reach: everything else is refused before a byte leaves. */
enum http_reach {
	HTTP_LOOPBACK, /* http to an address of the loopback interface */
	HTTP_TLS,      /* https to whoever has a certificate for the name that the system trusts */
};

struct http_request {
	const char *url; /* without user and password; it appears in messages */
	enum http_reach reach;
	const char *post;            /* body of a POST; NULL: GET */
	const char *header;          /* "NAME: VALUE", or NULL */
	const char *user, *password; /* of basic authentication, or NULL */
	const char *source;          /* local IPv4 address to connect from, or NULL; forces IPv4 */
	unsigned int connect_ms, whole_ms;
};

struct http_answer {
	/*
	 * 0, and then status and body are what came back; or why nothing usable did:
	 * -ECONNREFUSED, -EHOSTUNREACH (the name is unknown), -ETIMEDOUT, -EFBIG, -EREMOTE (a
	 * redirect), -EKEYREJECTED (TLS), -EADDRNOTAVAIL (source is not ours), -EPROTO, -EIO.
	 */
	int err;
	const char *reason; /* of err, as half a sentence; "" */
	long status;        /* of HTTP, such as 200 */
	const char *body;   /* NUL-terminated; may hold NULs before its end */
	size_t length;
};

typedef void http_done_fn(const struct http_answer *answer, void *arg);

struct http;

/* Requests that run beside an event loop: one file descriptor stands for all of them. NULL when
 * memory or descriptors are out. */
struct http *http_new(void);

/* Readable when http_run() has something to do. */
int http_fd(const struct http *http);

/**
 * http_start - begin a request.
 * @request: its strings need not outlive the call
 * @done: called once, from http_run(), when the request has ended; may start others, must not
 *	free @http. The answer is gone after it.
 *
 * Never blocks for the network, as long as the URL has an address instead of a name. Returns 0,
 * -EINVAL for a URL that is out of the reach, or -ENOMEM.
 */
int http_start(struct http *http, const struct http_request *request, http_done_fn *done,
	       void *arg);

/* Does what can be done without waiting. */
void http_run(struct http *http);

/* Ends requests that are under way; their done functions are not called. */
void http_free(struct http *http);

/* http_start() and http_run() until it is done. Returns like http_start(). */
int http_perform(const struct http_request *request, http_done_fn *done, void *arg);

/* Whether the host of a URL is an address of the loopback interface, and not a name. */
bool http_url_is_loopback(const char *url);

#endif
