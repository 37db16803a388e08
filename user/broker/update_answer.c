/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "update_answer.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define WORD_MAX 20

/* The first words of answers. */
static const struct {
	const char *word;
	enum broker_result result;
	const char *remedy;
} words[] = {
	{"good", BROKER_GOOD, NULL},
	{"nochg", BROKER_UNCHANGED, NULL},
	{"badauth", BROKER_PERMANENT,
	 "correct user= and key= (the tunnel's \"Update Key\", not the account's password)"},
	{"nohost", BROKER_PERMANENT, "correct tunnel=: this account has no tunnel of this id"},
	{"abuse", BROKER_PERMANENT,
	 "the broker has blocked the account for too many updates: ask its support, then run it "
	 "with --force"},
	{"-ERROR:", BROKER_REFUSED, NULL},
};

/* Prefixes that do not lead to this machine from elsewhere (RFC 6890 and its registry). */
static const struct {
	uint32_t network;
	unsigned int length;
} special[] = {
	{0x00000000, 8},  /* this network */
	{0x0a000000, 8},  /* RFC 1918 */
	{0x64400000, 10}, /* RFC 6598: carrier-grade NAT */
	{0x7f000000, 8},  /* loopback */
	{0xa9fe0000, 16}, /* RFC 3927: link-local */
	{0xac100000, 12}, /* RFC 1918 */
	{0xc0000000, 24}, /* RFC 6890: protocol assignments */
	{0xc0000200, 24}, /* RFC 5737: documents */
	{0xc0a80000, 16}, /* RFC 1918 */
	{0xc6120000, 15}, /* RFC 2544: benchmarks */
	{0xc6336400, 24}, /* RFC 5737 */
	{0xcb007100, 24}, /* RFC 5737 */
	{0xe0000000, 3},  /* multicast, reserved, broadcast */
};

/* The first line, without what a terminal could take for a command. */
static void copy_line(char to[BROKER_TEXT_MAX], const char *body, size_t length)
{
	size_t n = 0;

	for (size_t i = 0; i < length && n < BROKER_TEXT_MAX - 1; i++) {
		char c = body[i];

		if (c == '\n' || c == '\r') {
			if (n)
				break;
			continue;
		}
		to[n++] = '?';
		if (isprint((unsigned char)c))
			to[n - 1] = c;
	}
	to[n] = '\0';
}

static bool begins_with_word(const char *text, const char *word)
{
	size_t length = strlen(word);

	return !strncmp(text, word, length) && (!text[length] || text[length] == ' ');
}

static void understand(struct broker_answer *answer)
{
	const char *rest = strchr(answer->text, ' ');

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		if (!begins_with_word(answer->text, words[i].word))
			continue;
		answer->result = words[i].result;
		answer->remedy = words[i].remedy;
		if (words[i].result == BROKER_REFUSED && strcasestr(answer->text, "ping"))
			answer->remedy = "let the broker's ICMP echo requests in: it pings the "
					 "endpoint during an update";
		if (rest && words[i].result <= BROKER_UNCHANGED &&
		    inet_pton(AF_INET, rest + 1, &answer->endpoint) != 1)
			answer->result = BROKER_NONSENSE;
		return;
	}
}

/* The broker knows the key, and might repeat it, plain or encoded: no word of a sentence, and no
 * address, is that long. */
static bool may_be_repeated(const char *text, const char *secret)
{
	size_t length = 0;

	for (const char *at = text; *at; at++) {
		length = *at == ' ' ? 0 : length + 1;
		if (length > WORD_MAX)
			return false;
	}
	return !strstr(text, secret);
}

void broker_answer_parse(long status, const char *body, size_t length, const char *secret,
			 struct broker_answer *out)
{
	*out = (struct broker_answer){.result = BROKER_NONSENSE};
	copy_line(out->text, body, length);
	if (status == 200)
		understand(out);
	if (status == 401 || status == 403) {
		out->result = BROKER_PERMANENT;
		out->remedy = words[2].remedy;
	}
	if (out->result == BROKER_NONSENSE || !may_be_repeated(out->text, secret))
		snprintf(out->text, sizeof(out->text),
			 "HTTP %ld, and words that are not repeated "
			 "here",
			 status);
	if (out->result == BROKER_NONSENSE)
		out->remedy = "see whether something between here and the broker answers in its "
			      "place";
}

bool broker_address_is_public(struct in_addr address)
{
	uint32_t host = ntohl(address.s_addr);

	for (size_t i = 0; i < sizeof(special) / sizeof(*special); i++)
		if (host >> (32 - special[i].length) ==
		    special[i].network >> (32 - special[i].length))
			return false;
	return true;
}
