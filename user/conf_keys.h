/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The table of keys: for every section, its keys with type, default, range, and where the value
 * goes. conf_keys.c is the table, conf_types.c and conf_allow.c read one value each, conf_read.c
 * walks a file along the table. Private to the user/conf*.c files.
 */
#ifndef ZT6_CONF_KEYS_H
#define ZT6_CONF_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "conf.h"
#include "conf_faults.h"
#include "conf_tree.h"

struct conf_key;
struct conf_section;

/**
 * conf_read_fn - read the words of a statement into its section's struct.
 *
 * Returns 0, -EINVAL (and a fault) when the words are not what the key takes, or -ENOMEM.
 */
typedef int conf_read_fn(struct conf_faults *faults, const struct conf_key *key,
			 const struct conf_statement *statement, void *section);

enum conf_key_flags {
	KEY_REQUIRED = 1 << 0,
	KEY_REPEATS = 1 << 1, /* may be written more than once */
	KEY_LIST = 1 << 2,    /* takes more than one word */
	KEY_ALONE = 1 << 3,   /* takes no word */
	KEY_CHOICE = 1 << 4,  /* exactly one of the section's choices must be written */
};

struct conf_key {
	const char *name;
	conf_read_fn *read;   /* of the words; NULL: there are none */
	const char *expects;  /* the words, for messages; where the reader does not know itself */
	const char *fallback; /* the default, as one would write it; NULL: none */
	unsigned int flags;   /* enum conf_key_flags */
	unsigned int choice;  /* what a KEY_CHOICE without words stands for */

	size_t offset, size; /* where the value goes */
	size_t given;        /* offset of a bool: whether the key was written; 0: nobody asks */
	const char *keyword; /* a word that stands instead of a value: it leaves the value alone */
	size_t keyword_flag; /* offset of a bool: whether it stood there; 0: nobody asks */

	uint64_t min, max;         /* of numbers; of durations, in ms; min of prefixes' lengths */
	const char *unit;          /* of numbers, for messages */
	const char *const *values; /* of words: each stands for its index; NULL: nothing does */
	size_t value_count;

	const struct conf_section *section; /* the key begins a block; the words are its title */
};

struct conf_section {
	const struct conf_key *keys;
	size_t key_count;
	size_t size; /* of the struct that its keys fill */

	/* Of sections that repeat: where in the parent's struct the array and its count are. Each
	 * element begins with the line of its section. */
	bool repeats;
	size_t list, count;

	/* What is wrong with one section as a whole: faults only. */
	void (*check)(struct conf_faults *faults, const struct conf_statement *statement,
		      const void *section);
	void (*release)(void *section); /* what the struct owns */
};

#define CONF_SECTION_KEYS_MAX 16

/* The file itself: its struct is struct conf. */
extern const struct conf_section conf_top;

/* Values, conf_types.c. A reader takes statement->words[0] unless its key is a KEY_LIST. */
conf_read_fn conf_read_word, conf_read_number, conf_read_duration, conf_read_rate,
	conf_read_interface, conf_read_network, conf_read_ipv4, conf_read_ipv6, conf_read_address,
	conf_read_prefix, conf_read_prefixes, conf_read_via, conf_read_choice, conf_read_iface;
/* conf_allow.c */
conf_read_fn conf_read_allow;

/* "what the key takes", for messages: into @out of CONF_EXPECTS_MAX bytes. */
#define CONF_EXPECTS_MAX 160
const char *conf_expects(const struct conf_key *key, char *out);

/* "KEY "WORD": message" as a fault; returns -EINVAL. */
int conf_value_fault(struct conf_faults *faults, const struct conf_statement *statement,
		     const char *word, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* Decimal digits into a number, too large ones into UINT64_MAX. A message when it is none. */
const char *conf_number_parse(const char *text, size_t length, uint64_t *value);

/* "ADDR/LEN" without host bits into a prefix that unicast packets may have. @min_len: shortest
 * length. 0, or -EINVAL with a fault. */
int conf_prefix_parse(struct conf_faults *faults, const struct conf_statement *statement,
		      const char *word, unsigned int min_len, struct prefix *out);

/* Why no packet is forwarded to or from the addresses of a prefix without host bits, or NULL. */
const char *conf_prefix_fault(const struct prefix *prefix);

/* Why no interface can have this name, or NULL. */
const char *conf_interface_fault(const char *name);

/* The line of a section's key as written, or of the section where the key is not written. */
unsigned int conf_line(const struct conf *conf, const char *section, unsigned int section_line,
		       const char *key);

/* Reading, conf_read.c. */

/* Fills a section's struct with the defaults of its keys. 0 or -ENOMEM. */
int conf_defaults(const struct conf_section *section, void *target);

/* Reads a block into its section's struct. 0 (also with faults) or -ENOMEM. */
int conf_read_section(struct conf_faults *faults, const struct conf_section *section,
		      const struct conf_statement *block, void *target);

/* Releases what a section's struct owns. */
void conf_release(const struct conf_section *section, void *target);

/* Checks across sections, and defaults that follow from other sections: conf_cross.c, and
 * conf_prefixes.c for those about who owns which prefix. 0 (also with faults) or -ENOMEM. */
int conf_cross_check(struct conf *conf, struct conf_faults *faults);
int conf_prefixes_check(struct conf *conf, struct conf_faults *faults, bool sure);

/**
 * conf_parse - conf_load() of a text in memory.
 * @path: the file's name, for messages
 */
int conf_parse(const char *path, const char *text, size_t length, FILE *errors, struct conf **out);

#endif
