/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One request of http.c: what it asks of libcurl, and what became of it. */
#ifndef ZT6_HTTP_TRANSFER_H
#define ZT6_HTTP_TRANSFER_H

#include <curl/curl.h>

#include "http.h"

struct transfer {
	struct transfer *next;
	CURL *easy;
	struct curl_slist *headers;
	enum http_reach reach;
	unsigned int whole_ms;
	char *body;
	size_t length;
	bool too_long;
	bool foreign; /* the address was out of reach */
	char detail[CURL_ERROR_SIZE];
	http_done_fn *done;
	void *arg;
};

/* A handle of curl with the request's options. 0 or -ENOMEM. */
int transfer_new(const struct http_request *request, struct transfer **out);

/**
 * transfer_answer - say what came of it.
 * @code: with which curl ended it
 * @reason: where answer->reason goes
 */
void transfer_answer(const struct transfer *transfer, CURLcode code, char reason[HTTP_REASON_MAX],
		     struct http_answer *answer);

void transfer_free(struct transfer *transfer);

#endif
