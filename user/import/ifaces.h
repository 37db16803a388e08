/* SPDX-License-Identifier: GPL-2.0-or-later */
/* /etc/network/interfaces as ifupdown 0.8 reads it, with all that it refers to: stanzas of options. */
#ifndef ZT6_IMPORT_IFACES_H
#define ZT6_IMPORT_IFACES_H

#include "draft.h"

struct ifaces_option {
	struct ifaces_option *next;
	struct origin origin;
	char *name, *value;
};

struct ifaces_stanza {
	struct ifaces_stanza *next;
	struct origin origin;
	char *name, *family, *method;
	struct ifaces_option *options, *last_option; /* inherited ones first */
	bool inherited;                              /* another stanza has its options */
};

struct ifaces_word {
	struct ifaces_word *next;
	char *text;
};

struct ifaces {
	struct ifaces_stanza *stanzas, *last_stanza;
	size_t option_count, file_count;
	struct ifaces_word *started; /* names and patterns of "auto" and "allow-…" lines */
};

/**
 * ifaces_read - read a file, and the files that it refers to, into @out.
 * @text: @length bytes and a NUL; is changed
 *
 * What ifupdown refuses is a fault of the draft, what it passes over is remarked upon.
 */
void ifaces_read(struct draft *draft, const char *path, char *text, size_t length,
		 struct ifaces *out);

/**
 * ifaces_source - ifaces_read() of all files that a word of a "source" line stands for.
 * @origin: of that line; paths are beside its file unless they are absolute
 * @folder: the word stands for folders, of which files with plain names count
 */
void ifaces_source(struct draft *draft, const struct origin *origin, const char *word, bool folder,
		   struct ifaces *out);

/* The first option of this name, or NULL. */
const struct ifaces_option *ifaces_option(const struct ifaces_stanza *stanza, const char *name);

/* Whether ifupdown starts the interface by itself: at boot, or when it appears. */
bool ifaces_starts(const struct ifaces *ifaces, const char *name);

void ifaces_free(struct ifaces *ifaces);

#endif
