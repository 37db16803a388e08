/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What Hurricane Electric says to an update of a tunnel's endpoint. */
#ifndef ZT6_BROKER_UPDATE_ANSWER_H
#define ZT6_BROKER_UPDATE_ANSWER_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>

enum broker_result {
	BROKER_GOOD,      /* the endpoint was changed */
	BROKER_UNCHANGED, /* it was that already */
	BROKER_PERMANENT, /* asking again will not help, and may get the account blocked */
	BROKER_REFUSED,   /* not now, or not like this */
	BROKER_NONSENSE,  /* nothing that a broker says */
};

#define BROKER_TEXT_MAX 100

struct broker_answer {
	enum broker_result result;
	struct in_addr endpoint;    /* that the broker has; 0.0.0.0: it does not say */
	char text[BROKER_TEXT_MAX]; /* its words: one line of printable characters */
	const char *remedy;         /* NULL: nothing is to be done */
};

/**
 * broker_answer_parse - understand an answer.
 * @status: of HTTP
 * @secret: a text that must not appear in the words, whatever the broker says
 */
void broker_answer_parse(long status, const char *body, size_t length, const char *secret,
			 struct broker_answer *out);

/* Whether an address means the same machine on the Internet as here: then it may be sent. */
bool broker_address_is_public(struct in_addr address);

#endif
