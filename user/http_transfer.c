/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "http_transfer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

static size_t take_body(char *data, size_t size, size_t count, void *arg)
{
	struct transfer *transfer = arg;
	size_t length = size * count;
	char *body;

	if (length > HTTP_BODY_MAX - transfer->length) {
		transfer->too_long = true;
		return 0;
	}
	body = realloc(transfer->body, transfer->length + length + 1);
	if (!body)
		return 0;
	memcpy(body + transfer->length, data, length);
	transfer->body = body;
	transfer->length += length;
	body[transfer->length] = '\0';
	return length;
}

static bool is_loopback(const struct sockaddr *addr)
{
	if (addr->sa_family == AF_INET) {
		const struct sockaddr_in *in = (const struct sockaddr_in *)addr;

		return ntohl(in->sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
	}
	if (addr->sa_family == AF_INET6) {
		const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)addr;

		return IN6_IS_ADDR_LOOPBACK(&in6->sin6_addr);
	}
	return false;
}

/* The last place where a token could be kept from leaving the machine. */
static curl_socket_t open_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *address)
{
	struct transfer *transfer = arg;

	(void)purpose;
	if (transfer->reach == HTTP_LOOPBACK && !is_loopback(&address->addr)) {
		transfer->foreign = true;
		return CURL_SOCKET_BAD;
	}
	return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

static int set_headers(struct transfer *transfer, const struct http_request *request)
{
	struct curl_slist *list;

	if (!request->header)
		return 0;
	list = curl_slist_append(NULL, request->header);
	if (!list)
		return -ENOMEM;
	transfer->headers = list;
	return curl_easy_setopt(transfer->easy, CURLOPT_HTTPHEADER, list) ? -ENOMEM : 0;
}

static int set_source(CURL *easy, const char *source)
{
	char interface[sizeof("host!") + INET6_ADDRSTRLEN];

	if (!source)
		return 0;
	snprintf(interface, sizeof(interface), "host!%s", source);
	return curl_easy_setopt(easy, CURLOPT_INTERFACE, interface) ||
			       curl_easy_setopt(easy, CURLOPT_IPRESOLVE, CURL_IPRESOLVE_V4)
		       ? -ENOMEM
		       : 0;
}

static int set_login(CURL *easy, const struct http_request *request)
{
	if (!request->user)
		return 0;
	return curl_easy_setopt(easy, CURLOPT_HTTPAUTH, CURLAUTH_BASIC) ||
			       curl_easy_setopt(easy, CURLOPT_USERNAME, request->user) ||
			       curl_easy_setopt(easy, CURLOPT_PASSWORD, request->password)
		       ? -ENOMEM
		       : 0;
}

/* 0, or -ENOMEM: nothing else can be wrong with options that are fixed. */
static int set_options(struct transfer *transfer, const struct http_request *request)
{
	CURL *easy = transfer->easy;
	const char *scheme = request->reach == HTTP_TLS ? "https" : "http";
	int err = 0;

	err |= curl_easy_setopt(easy, CURLOPT_URL, request->url);
	err |= curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, scheme);
	/* A proxy from the environment would see the token, or be taken for the tunnel's end. */
	err |= curl_easy_setopt(easy, CURLOPT_PROXY, "");
	err |= curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	err |= curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
	err |= curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L);
	err |= curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
	err |= curl_easy_setopt(easy, CURLOPT_USERAGENT, "zt6-bpf/" ZT6_VERSION);
	err |= curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)request->connect_ms);
	err |= curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)request->whole_ms);
	err |= curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer->detail);
	err |= curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
	err |= curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, transfer);
	err |= curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_body);
	err |= curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer);
	err |= curl_easy_setopt(easy, CURLOPT_PRIVATE, transfer);
	if (request->post)
		err |= curl_easy_setopt(easy, CURLOPT_COPYPOSTFIELDS, request->post);
	return err ? -ENOMEM : 0;
}

/* What a transfer that failed means: an error number, and words for people. */
static int explain(const struct transfer *transfer, CURLcode code, char reason[HTTP_REASON_MAX])
{
	const char *detail = *transfer->detail ? transfer->detail : curl_easy_strerror(code);
	long os_errno = 0;

	curl_easy_getinfo(transfer->easy, CURLINFO_OS_ERRNO, &os_errno);
	switch (code) {
	case CURLE_COULDNT_RESOLVE_HOST:
		snprintf(reason, HTTP_REASON_MAX, "its name cannot be resolved");
		return -EHOSTUNREACH;
	case CURLE_COULDNT_CONNECT:
		if (transfer->foreign) {
			snprintf(reason, HTTP_REASON_MAX, "its address is not on this machine");
			return -EINVAL;
		}
		snprintf(reason, HTTP_REASON_MAX, "%s",
			 os_errno ? strerror((int)os_errno) : "cannot connect");
		return -ECONNREFUSED;
	case CURLE_OPERATION_TIMEDOUT:
		snprintf(reason, HTTP_REASON_MAX, "no complete answer within %.0f s",
			 transfer->whole_ms / 1000.0);
		return -ETIMEDOUT;
	case CURLE_WRITE_ERROR:
		if (!transfer->too_long)
			return -ENOMEM;
		snprintf(reason, HTTP_REASON_MAX, "an answer of more than %d bytes", HTTP_BODY_MAX);
		return -EFBIG;
	case CURLE_INTERFACE_FAILED:
		snprintf(reason, HTTP_REASON_MAX, "the address to connect from is on no interface");
		return -EADDRNOTAVAIL;
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_PEER_FAILED_VERIFICATION:
		snprintf(reason, HTTP_REASON_MAX, "TLS: %.200s", detail);
		return -EKEYREJECTED;
	case CURLE_GOT_NOTHING:
	case CURLE_PARTIAL_FILE:
	case CURLE_RECV_ERROR:
	case CURLE_UNSUPPORTED_PROTOCOL:
	case CURLE_WEIRD_SERVER_REPLY:
		snprintf(reason, HTTP_REASON_MAX, "no HTTP answer: %s", curl_easy_strerror(code));
		return -EPROTO;
	case CURLE_OUT_OF_MEMORY:
		return -ENOMEM;
	default:
		snprintf(reason, HTTP_REASON_MAX, "%s", curl_easy_strerror(code));
		return -EIO;
	}
}

int transfer_new(const struct http_request *request, struct transfer **out)
{
	struct transfer *transfer = calloc(1, sizeof(*transfer));
	int err;

	if (!transfer)
		return -ENOMEM;
	transfer->easy = curl_easy_init();
	transfer->reach = request->reach;
	transfer->whole_ms = request->whole_ms;
	err = transfer->easy ? set_options(transfer, request) : -ENOMEM;
	if (!err)
		err = set_headers(transfer, request);
	if (!err)
		err = set_login(transfer->easy, request);
	if (!err)
		err = set_source(transfer->easy, request->source);
	if (err)
		transfer_free(transfer);
	else
		*out = transfer;
	return err;
}

void transfer_answer(const struct transfer *transfer, CURLcode code, char reason[HTTP_REASON_MAX],
		     struct http_answer *answer)
{
	*reason = '\0';
	*answer = (struct http_answer){
		.reason = reason,
		.body = transfer->body ? transfer->body : "",
		.length = transfer->length,
	};
	curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &answer->status);
	if (code) {
		answer->err = explain(transfer, code, reason);
	} else if (answer->status / 100 == 3) {
		answer->err = -EREMOTE;
		snprintf(reason, HTTP_REASON_MAX, "a redirect (HTTP %ld), which is not followed",
			 answer->status);
	}
}

void transfer_free(struct transfer *transfer)
{
	if (transfer->easy)
		curl_easy_cleanup(transfer->easy);
	for (struct curl_slist *header = transfer->headers; header; header = header->next)
		explicit_bzero(header->data, strlen(header->data));
	curl_slist_free_all(transfer->headers);
	if (transfer->body)
		explicit_bzero(transfer->body, transfer->length);
	free(transfer->body);
	free(transfer);
}

bool http_url_is_loopback(const char *url)
{
	CURLU *parsed = curl_url();
	char *host = NULL;
	struct in6_addr in6;
	struct in_addr in;
	bool loopback = false;

	if (parsed && !curl_url_set(parsed, CURLUPART_URL, url, 0) &&
	    !curl_url_get(parsed, CURLUPART_HOST, &host, 0)) {
		size_t length = strlen(host);

		if (host[0] == '[' && host[length - 1] == ']') {
			host[length - 1] = '\0';
			loopback = inet_pton(AF_INET6, host + 1, &in6) == 1 &&
				   IN6_IS_ADDR_LOOPBACK(&in6);
		} else {
			loopback = inet_pton(AF_INET, host, &in) == 1 &&
				   ntohl(in.s_addr) >> 24 == IN_LOOPBACKNET;
		}
	}
	curl_free(host);
	curl_url_cleanup(parsed);
	return loopback;
}
