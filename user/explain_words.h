/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An explained packet in words: one sentence for each stage of the pipeline. */
#ifndef ZT6_EXPLAIN_WORDS_H
#define ZT6_EXPLAIN_WORDS_H

#include "explain.h"

#define EXPLAIN_SENTENCE 320

struct explain_words {
	char port[EXPLAIN_SENTENCE];
	char rule[EXPLAIN_SENTENCE];   /* of a solicitation */
	char target[EXPLAIN_SENTENCE]; /* the same: what is known of it */
	char guard[EXPLAIN_SENTENCE];  /* of a packet */
	char route[EXPLAIN_SENTENCE];
	char neighbour[EXPLAIN_SENTENCE];
	char policy[EXPLAIN_SENTENCE]; /* of a packet */
	char verdict[EXPLAIN_SENTENCE];
};

/**
 * explain_in_words - write the sentences of one case; empty where a stage does not concern it.
 * @datapath: what runs on the port that sees the packet, as `stats` names it
 */
void explain_in_words(const struct model *model, const struct explanation *explanation,
		      const struct explain_case *c, const char *datapath,
		      struct explain_words *out);

/* "auto", "static" or "iface NAME" into @text (EXPLAIN_SENTENCE bytes), which is returned. */
const char *explain_rule_method(const struct model *model, const struct model_rule *rule,
				char *text);

/* The prefix of a rule, or of an owner, into @text (PREFIX_STRLEN bytes), which is returned. */
const char *explain_rule_prefix(const struct model_rule *rule, char *text);
const char *explain_owner_prefix(const struct model_prefix *owner, char *text);

/* "redirect", "reply", "pass" or "drop". */
const char *explain_action(enum zt6_verdict verdict);

#endif
