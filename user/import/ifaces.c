/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ifaces.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../conf_faults.h"
#include "../suggest.h"
#include "ifaces_lines.h"

/* What refers to more files than these goes round in circles. */
#define FILES_MAX 256

/* With inheritance a small file can ask for any number. */
#define OPTIONS_MAX 65536

struct reader {
	struct draft *draft;
	const char *path;
	struct ifaces_lines lines;
	struct ifaces *out;
	struct ifaces_stanza *stanza; /* whose options follow; NULL: those of something else do */
	bool mapping;                 /* they are a mapping's */
};

static struct origin here(const struct reader *reader)
{
	return (struct origin){reader->path, reader->lines.line};
}

static void *allocated(struct draft *draft, void *memory)
{
	if (!memory)
		draft->err = -ENOMEM;
	return memory;
}

/* Options */

static void free_option(struct ifaces_option *option)
{
	free(option->name);
	free(option->value);
	free(option);
}

static void add_option(struct draft *draft, struct ifaces *out, struct ifaces_stanza *stanza,
		       const struct origin *origin, const char *name, const char *value)
{
	struct ifaces_option *option;

	if (++out->option_count > OPTIONS_MAX) {
		if (out->option_count == OPTIONS_MAX + 1)
			draft_fault(draft, origin, "too many options, with those inherited: %d",
				    OPTIONS_MAX);
		return;
	}
	option = allocated(draft, calloc(1, sizeof(*option)));
	if (!option)
		return;
	option->origin = *origin;
	option->name = allocated(draft, strdup(name));
	option->value = allocated(draft, strdup(value));
	if (!option->name || !option->value) {
		free_option(option);
		return;
	}
	if (stanza->last_option)
		stanza->last_option->next = option;
	else
		stanza->options = option;
	stanza->last_option = option;
}

static void read_option(struct reader *reader, const char *name, const char *value)
{
	struct origin origin = here(reader);

	if (reader->mapping)
		return;
	if (!reader->stanza)
		draft_fault(reader->draft, &origin,
			    "%s: misplaced option: no \"iface\" is before it", QUOTED(name));
	else if (!*value)
		draft_fault(reader->draft, &origin, "%s: option with empty value", QUOTED(name));
	else
		add_option(reader->draft, reader->out, reader->stanza, &origin,
			   !strcmp(name, "post-up") ? "up" : name, value);
}

const struct ifaces_option *ifaces_option(const struct ifaces_stanza *stanza, const char *name)
{
	for (const struct ifaces_option *at = stanza->options; at; at = at->next)
		if (!strcmp(at->name, name))
			return at;
	return NULL;
}

/* Stanzas */

static void free_stanza(struct ifaces_stanza *stanza)
{
	while (stanza->options) {
		struct ifaces_option *next = stanza->options->next;

		free_option(stanza->options);
		stanza->options = next;
	}
	free(stanza->name);
	free(stanza->family);
	free(stanza->method);
	free(stanza);
}

static struct ifaces_stanza *add_stanza(struct reader *reader, const char *name, const char *family,
					const char *method)
{
	struct draft *draft = reader->draft;
	struct ifaces_stanza *stanza = allocated(draft, calloc(1, sizeof(*stanza)));

	if (!stanza)
		return NULL;
	stanza->origin = here(reader);
	stanza->name = allocated(draft, strdup(name));
	stanza->family = allocated(draft, strdup(family));
	stanza->method = allocated(draft, strdup(method));
	if (!stanza->name || !stanza->family || !stanza->method) {
		free_stanza(stanza);
		return NULL;
	}
	if (reader->out->last_stanza)
		reader->out->last_stanza->next = stanza;
	else
		reader->out->stanzas = stanza;
	reader->out->last_stanza = stanza;
	return stanza;
}

/* One of @known, NULL at their end; else a fault. */
static bool is_known(struct reader *reader, const char *what, const char *word,
		     const char *const *known)
{
	struct suggestion near = {.word = word};
	struct origin origin = here(reader);

	for (size_t i = 0; known[i]; i++) {
		if (!strcmp(word, known[i]))
			return true;
		suggestion_offer(&near, known[i]);
	}
	draft_fault(reader->draft, &origin,
		    near.best ? "%s: unknown %s; did you mean \"%s\"?" : "%s: unknown %s",
		    QUOTED(word), what, near.best);
	return false;
}

/* The last stanza of a name, and of a family unless that is empty, as ifupdown inherits. */
static struct ifaces_stanza *find_template(struct reader *reader, const char *name,
					   const char *family)
{
	struct ifaces_stanza *found = NULL;

	for (struct ifaces_stanza *at = reader->out->stanzas; at; at = at->next)
		if (!strcmp(at->name, name) && (!*family || !strcmp(at->family, family)))
			found = at;
	return found;
}

static void inherit(struct reader *reader, struct ifaces_stanza *template)
{
	template->inherited = true;
	for (const struct ifaces_option *at = template->options; at; at = at->next)
		add_option(reader->draft, reader->out, reader->stanza, &at->origin, at->name,
			   at->value);
}

/* The words of an "iface" line; those that are not there are empty. */
struct iface_line {
	const char *name, *family, *method, *template;
};

/* "iface NAME [FAMILY [METHOD]] [inherits TEMPLATE]" */
static void split_iface(struct reader *reader, char *rest, struct iface_line *out)
{
	const char **const words[] = {&out->family, &out->method};
	struct origin origin = here(reader);
	size_t count = 0;

	*out = (struct iface_line){ifaces_word(&rest), "", "", ""};
	while (*rest) {
		const char *word = ifaces_word(&rest);

		if (!strcmp(word, "inherits") && *rest)
			out->template = ifaces_word(&rest);
		else if (count < 2)
			*words[count++] = word;
		else
			draft_remark(reader->draft, &reader->draft->head, &origin,
				     "iface %s: %s is not understood, and ifupdown ignores it",
				     QUOTED(out->name), QUOTED(word));
	}
}

static bool is_understood(struct reader *reader, const struct iface_line *line)
{
	static const char *const families[] = {"inet", "inet6", "ipx", "can", "link", NULL};
	static const char *const methods4[] = {"loopback", "static", "manual", "dhcp",   "bootp",
					       "tunnel",   "ppp",    "wvdial", "ipv4ll", NULL};
	static const char *const methods6[] = {"auto",     "loopback", "static", "manual", "dhcp",
					       "v4tunnel", "6to4",     "tunnel", NULL};
	struct origin origin = here(reader);

	if (!*line->name || !*line->family || !*line->method) {
		draft_fault(reader->draft, &origin,
			    "iface %s needs an address family and a method, or a template to "
			    "inherit them from",
			    QUOTED(line->name));
		return false;
	}
	if (!is_known(reader, "address family", line->family, families))
		return false;
	if (!strcmp(line->family, "inet"))
		return is_known(reader, "method of inet", line->method, methods4);
	return strcmp(line->family, "inet6") != 0 ||
	       is_known(reader, "method of inet6", line->method, methods6);
}

static void read_iface(struct reader *reader, char *rest)
{
	struct ifaces_stanza *template = NULL;
	struct origin origin = here(reader);
	struct iface_line line;

	split_iface(reader, rest, &line);
	reader->stanza = NULL;
	reader->mapping = true; /* what follows a line that is a fault is none */
	if (*line.template) {
		template = find_template(reader, line.template, line.family);
		if (!template) {
			draft_fault(reader->draft, &origin,
				    "iface %s: there is no %s before it to inherit from",
				    QUOTED(line.name), QUOTED(line.template));
			return;
		}
		line.family = *line.family ? line.family : template->family;
		line.method = *line.method ? line.method : template->method;
	}
	if (!is_understood(reader, &line))
		return;
	reader->stanza = add_stanza(reader, line.name, line.family, line.method);
	reader->mapping = !reader->stanza;
	if (reader->stanza && template)
		inherit(reader, template);
}

static void read_started(struct reader *reader, char *rest)
{
	for (const char *word = ifaces_word(&rest); *word; word = ifaces_word(&rest)) {
		struct ifaces_word *name = allocated(reader->draft, calloc(1, sizeof(*name)));

		if (!name)
			return;
		name->text = allocated(reader->draft, strdup(word));
		name->next = reader->out->started;
		reader->out->started = name;
	}
}

/* A pattern is "/GLOB", perhaps with more behind it. */
bool ifaces_starts(const struct ifaces *ifaces, const char *name)
{
	for (const struct ifaces_word *at = ifaces->started; at; at = at->next) {
		char glob[64];

		if (!at->text)
			continue;
		if (!strcmp(at->text, name))
			return true;
		if (*at->text != '/')
			continue;
		snprintf(glob, sizeof(glob), "%.*s", (int)strcspn(at->text + 1, "/="),
			 at->text + 1);
		if (!fnmatch(glob, name, 0))
			return true;
	}
	return false;
}

static void read_source(struct reader *reader, char *rest, bool folder)
{
	struct origin origin = here(reader);

	reader->stanza = NULL;
	reader->mapping = false;
	if (reader->draft->alone)
		return;
	for (const char *word = ifaces_word(&rest); *word; word = ifaces_word(&rest))
		ifaces_source(reader->draft, &origin, word, folder, reader->out);
}

/* Lines */

static void read_mapping(struct reader *reader, const char *rest)
{
	struct origin origin = here(reader);

	reader->stanza = NULL;
	reader->mapping = true;
	draft_remark(reader->draft, &reader->draft->head, &origin,
		     "mapping %s is not followed: names of interfaces count as they stand",
		     QUOTED(rest));
}

static void read_line(struct reader *reader, char *rest)
{
	const char *word = ifaces_word(&rest);
	bool allows = !strncmp(word, "allow-", strlen("allow-")) || !strcmp(word, "auto");

	if (!*word)
		return; /* nothing but a backslash */
	if (!strcmp(word, "iface")) {
		read_iface(reader, rest);
	} else if (!strcmp(word, "source")) {
		read_source(reader, rest, false);
	} else if (!strcmp(word, "source-directory") || !strcmp(word, "source-dir")) {
		read_source(reader, rest, true);
	} else if (!strcmp(word, "mapping")) {
		read_mapping(reader, rest);
	} else if (allows || !strcmp(word, "no-auto-down") || !strcmp(word, "no-scripts") ||
		   !strcmp(word, "rename")) {
		reader->stanza = NULL;
		reader->mapping = false;
		if (allows)
			read_started(reader, rest);
	} else {
		read_option(reader, word, rest);
	}
}

void ifaces_read(struct draft *draft, const char *path, char *text, size_t length,
		 struct ifaces *out)
{
	struct reader reader = {.draft = draft, .path = path, .out = out};
	char *line;

	if (++out->file_count > FILES_MAX) {
		if (out->file_count == FILES_MAX + 1)
			draft_fault(draft, &(struct origin){path, 0},
				    "files refer to each other without an end, or to more than %d",
				    FILES_MAX);
		return;
	}
	ifaces_lines_init(&reader.lines, text, length);
	while ((line = ifaces_line(&reader.lines)))
		read_line(&reader, line);
}

void ifaces_free(struct ifaces *ifaces)
{
	while (ifaces->stanzas) {
		struct ifaces_stanza *next = ifaces->stanzas->next;

		free_stanza(ifaces->stanzas);
		ifaces->stanzas = next;
	}
	while (ifaces->started) {
		struct ifaces_word *next = ifaces->started->next;

		free(ifaces->started->text);
		free(ifaces->started);
		ifaces->started = next;
	}
	ifaces->last_stanza = NULL;
}
