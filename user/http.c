/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libcurl's multi interface on an epoll of its own: curl says which sockets and which time it waits
 * for, and one file descriptor shows when something of that has come. The form that blocks is the
 * same one, polled.
 */
#include "http.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "http_transfer.h"

#define EVENTS_AT_ONCE 16

struct http {
	CURLM *multi;
	int epoll, timer;
	struct transfer *transfers;
};

static void finish(struct http *http, struct transfer *transfer, CURLcode code)
{
	struct transfer **at = &http->transfers;
	char reason[HTTP_REASON_MAX];
	struct http_answer answer;

	while (*at != transfer)
		at = &(*at)->next;
	*at = transfer->next;
	transfer_answer(transfer, code, reason, &answer);
	curl_multi_remove_handle(http->multi, transfer->easy);
	transfer->done(&answer, transfer->arg);
	transfer_free(transfer);
}

static int watch_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *known)
{
	struct http *http = arg;
	struct epoll_event event = {.data.fd = fd};

	(void)easy;
	if (what == CURL_POLL_REMOVE) {
		epoll_ctl(http->epoll, EPOLL_CTL_DEL, fd, NULL);
		return 0;
	}
	if (what & CURL_POLL_IN)
		event.events |= EPOLLIN;
	if (what & CURL_POLL_OUT)
		event.events |= EPOLLOUT;
	if (epoll_ctl(http->epoll, known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &event))
		return -1;
	curl_multi_assign(http->multi, fd, http);
	return 0;
}

static int set_timer(CURLM *multi, long ms, void *arg)
{
	const struct http *http = arg;
	struct itimerspec at = {0};

	(void)multi;
	if (ms > 0) {
		at.it_value.tv_sec = ms / 1000;
		at.it_value.tv_nsec = ms % 1000 * 1000000;
	} else if (!ms) {
		at.it_value.tv_nsec = 1; /* at once, and not from within this call */
	}
	return timerfd_settime(http->timer, 0, &at, NULL) ? -1 : 0;
}

struct http *http_new(void)
{
	struct epoll_event event = {.events = EPOLLIN};
	struct http *http = calloc(1, sizeof(*http));

	if (!http)
		return NULL;
	http->epoll = epoll_create1(EPOLL_CLOEXEC);
	http->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	event.data.fd = http->timer;
	if (http->epoll < 0 || http->timer < 0 ||
	    epoll_ctl(http->epoll, EPOLL_CTL_ADD, http->timer, &event) ||
	    curl_global_init(CURL_GLOBAL_DEFAULT))
		goto fail;
	http->multi = curl_multi_init();
	if (!http->multi)
		goto fail;
	curl_multi_setopt(http->multi, CURLMOPT_SOCKETFUNCTION, watch_socket);
	curl_multi_setopt(http->multi, CURLMOPT_SOCKETDATA, http);
	curl_multi_setopt(http->multi, CURLMOPT_TIMERFUNCTION, set_timer);
	curl_multi_setopt(http->multi, CURLMOPT_TIMERDATA, http);
	return http;
fail:
	http_free(http);
	return NULL;
}

int http_fd(const struct http *http)
{
	return http->epoll;
}

int http_start(struct http *http, const struct http_request *request, http_done_fn *done, void *arg)
{
	struct transfer *transfer;
	int err;

	if (request->reach == HTTP_LOOPBACK && !http_url_is_loopback(request->url))
		return -EINVAL;
	if (request->reach == HTTP_TLS && strncmp(request->url, "https://", 8) != 0)
		return -EINVAL;
	err = transfer_new(request, &transfer);
	if (err)
		return err;
	transfer->done = done;
	transfer->arg = arg;
	if (curl_multi_add_handle(http->multi, transfer->easy)) {
		transfer_free(transfer);
		return -ENOMEM;
	}
	transfer->next = http->transfers;
	http->transfers = transfer;
	return 0;
}

void http_run(struct http *http)
{
	struct epoll_event events[EVENTS_AT_ONCE];
	int count = epoll_wait(http->epoll, events, EVENTS_AT_ONCE, 0), running, left;
	CURLMsg *message;

	for (int i = 0; i < count; i++) {
		int fd = events[i].data.fd, what = 0;
		uint64_t expirations;

		if (fd == http->timer) {
			if (read(fd, &expirations, sizeof(expirations)) < 0)
				continue;
			fd = CURL_SOCKET_TIMEOUT;
		} else if (events[i].events & EPOLLOUT) {
			what |= CURL_CSELECT_OUT;
		}
		if (events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR) && fd != CURL_SOCKET_TIMEOUT)
			what |= CURL_CSELECT_IN;
		curl_multi_socket_action(http->multi, fd, what, &running);
	}
	while ((message = curl_multi_info_read(http->multi, &left))) {
		char *transfer = NULL;
		CURLcode code = message->data.result;

		if (message->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &transfer);
		finish(http, (struct transfer *)transfer, code);
	}
}

void http_free(struct http *http)
{
	if (!http)
		return;
	while (http->transfers) {
		struct transfer *transfer = http->transfers;

		http->transfers = transfer->next;
		curl_multi_remove_handle(http->multi, transfer->easy);
		transfer_free(transfer);
	}
	if (http->multi)
		curl_multi_cleanup(http->multi);
	if (http->epoll >= 0)
		close(http->epoll);
	if (http->timer >= 0)
		close(http->timer);
	free(http);
}

int http_perform(const struct http_request *request, http_done_fn *done, void *arg)
{
	struct http *http = http_new();
	int err;

	if (!http)
		return -ENOMEM;
	err = http_start(http, request, done, arg);
	while (!err && http->transfers) {
		struct pollfd wait = {.fd = http_fd(http), .events = POLLIN};

		/* Bounded by the request's own time. */
		if (poll(&wait, 1, -1) < 0 && errno != EINTR)
			err = -errno;
		http_run(http);
	}
	http_free(http);
	return err;
}
