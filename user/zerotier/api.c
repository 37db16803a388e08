/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Questions to the local service, and what an answer that is none means. */
#include "api.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../http.h"

#define AUTH_HEADER "X-ZT1-Auth: "

struct question {
	const struct zerotier_service *service;
	zerotier_parse_fn *parse;
	void *out;
	char *why;
	int err;
};

void zerotier_request(const struct zerotier_service *service, const char *path,
		      struct zerotier_request *request, struct http_request *http)
{
	snprintf(request->url, sizeof(request->url), "http://127.0.0.1:%u%s", service->port, path);
	snprintf(request->header, sizeof(request->header), AUTH_HEADER "%s", service->token);
	*http = (struct http_request){
		.url = request->url,
		.reach = HTTP_LOOPBACK,
		.header = request->header,
		.connect_ms = ZEROTIER_CONNECT_MS,
		.whole_ms = ZEROTIER_WHOLE_MS,
	};
}

void zerotier_request_clear(struct zerotier_request *request)
{
	explicit_bzero(request, sizeof(*request));
}

int zerotier_judge(const struct zerotier_service *service, const struct http_answer *answer,
		   char *why)
{
	switch (answer->err) {
	case 0:
		break;
	case -ECONNREFUSED:
		zerotier_explain(why,
				 "zerotier-one does not answer on 127.0.0.1:%u: %s: is it running? "
				 "(systemctl status zerotier-one)",
				 service->port, answer->reason);
		return answer->err;
	case -ETIMEDOUT:
		zerotier_explain(why,
				 "zerotier-one hangs: %s on 127.0.0.1:%u (systemctl restart "
				 "zerotier-one)",
				 answer->reason, service->port);
		return answer->err;
	default:
		zerotier_explain(why,
				 "cannot use what answers on 127.0.0.1:%u: %s: is it zerotier-one? "
				 "(its port is in %s/zerotier-one.port)",
				 service->port, answer->reason, service->home);
		return answer->err;
	}
	switch (answer->status) {
	case 200:
		return 0;
	case 401:
		zerotier_explain(why,
				 "zerotier-one on 127.0.0.1:%u refuses the token of "
				 "%s/authtoken.secret (HTTP 401): restart it, or name the home "
				 "folder that it really uses in " ZEROTIER_HOME_VARIABLE,
				 service->port, service->home);
		return -EACCES;
	case 404:
		zerotier_explain(why, "zerotier-one does not know it (HTTP 404)");
		return -ENOENT;
	default:
		zerotier_explain(why,
				 "zerotier-one on 127.0.0.1:%u answers with HTTP %ld: restart it "
				 "if this goes on",
				 service->port, answer->status);
		return -EPROTO;
	}
}

static void take_answer(const struct http_answer *answer, void *arg)
{
	struct question *question = arg;

	question->err = zerotier_judge(question->service, answer, question->why);
	if (!question->err)
		question->err =
			question->parse(answer->body, answer->length, question->out, question->why);
}

int zerotier_ask(const struct zerotier_service *service, const char *path, const char *post,
		 zerotier_parse_fn *parse, void *out, char *why)
{
	struct question question = {.service = service, .parse = parse, .out = out, .why = why};
	struct zerotier_request request = {0};
	struct http_request http;
	int err;

	*why = '\0';
	zerotier_request(service, path, &request, &http);
	http.post = post;
	err = http_perform(&http, take_answer, &question);
	zerotier_request_clear(&request);
	if (!err)
		err = question.err;
	if (err && !*why)
		zerotier_explain(why, "cannot ask zerotier-one: %s", strerror(-err));
	return err;
}

static int parse_node(const char *body, size_t length, void *out, char *why)
{
	return zerotier_parse_node(body, length, out, why);
}

/* The id that is asked for comes in with the struct. */
static int parse_network(const char *body, size_t length, void *out, char *why)
{
	const struct zerotier_network *asked = out;

	return zerotier_parse_network(body, length, asked->id, out, why);
}

static int parse_peers(const char *body, size_t length, void *out, char *why)
{
	return zerotier_parse_peers(body, length, out, why);
}

int zerotier_get_node(const struct zerotier_service *service, struct zerotier_node *out, char *why)
{
	*out = (struct zerotier_node){0};
	return zerotier_ask(service, "/status", NULL, parse_node, out, why);
}

int zerotier_get_peers(const struct zerotier_service *service, struct zerotier_peers *out,
		       char *why)
{
	*out = (struct zerotier_peers){0};
	return zerotier_ask(service, "/peer", NULL, parse_peers, out, why);
}

int zerotier_get_network(const struct zerotier_service *service, uint64_t network,
			 struct zerotier_network *out, char *why)
{
	char path[40];

	*out = (struct zerotier_network){.id = network};
	snprintf(path, sizeof(path), "/network/%016" PRIx64, network);
	return zerotier_ask(service, path, NULL, parse_network, out, why);
}

char *zerotier_flags_body(const struct zerotier_flags *flags)
{
	const struct {
		const char *key;
		const bool *value;
	} settings[] = {
		{"allowManaged", flags->allow_managed},
		{"allowGlobal", flags->allow_global},
		{"allowDefault", flags->allow_default},
	};
	json_t *body = json_object();
	char *text;

	for (size_t i = 0; i < sizeof(settings) / sizeof(*settings); i++)
		if (settings[i].value)
			json_object_set_new(body, settings[i].key,
					    json_boolean(*settings[i].value));
	text = body ? json_dumps(body, JSON_COMPACT) : NULL;
	json_decref(body);
	return text;
}

int zerotier_set_network(const struct zerotier_service *service, uint64_t network,
			 const struct zerotier_flags *flags, struct zerotier_network *out,
			 char *why)
{
	char path[40], *text = zerotier_flags_body(flags);
	int err = -ENOMEM;

	*out = (struct zerotier_network){.id = network};
	snprintf(path, sizeof(path), "/network/%016" PRIx64, network);
	if (text)
		err = zerotier_ask(service, path, text, parse_network, out, why);
	else
		zerotier_explain(why, "out of memory");
	free(text);
	return err;
}
