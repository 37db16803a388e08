/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Walking the tree of a file along the table of keys. */
#include "conf_keys.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "suggest.h"

/* One block while it is read. */
struct block {
	struct conf_faults *faults;
	const struct conf_section *section;
	const struct conf_statement *statement;
	void *target;
	unsigned int seen[CONF_SECTION_KEYS_MAX]; /* line of each key; 0: not written */
	bool unsure; /* a statement was not understood: it may be the one that seems missing */
};

static void *field(void *section, size_t offset)
{
	return (char *)section + offset;
}

static const struct conf_key *find_key(const struct conf_section *section, const char *name)
{
	for (size_t i = 0; i < section->key_count; i++)
		if (!strcmp(section->keys[i].name, name))
			return &section->keys[i];
	return NULL;
}

/* The key of the section that @name belongs in, when it is a key of another one. */
static const char *home_of(const struct conf_section *section, const char *name)
{
	for (size_t i = 0; i < section->key_count; i++) {
		const struct conf_section *below = section->keys[i].section;
		const char *deeper = below ? home_of(below, name) : NULL;

		if (below && find_key(below, name))
			return section->keys[i].name;
		if (deeper)
			return deeper;
	}
	return NULL;
}

static void unknown_key(struct block *block, const struct conf_statement *statement)
{
	struct suggestion near = {.word = statement->key};
	bool top = block->section == &conf_top;
	const char *home;

	if (block->faults->overflow)
		return;
	for (size_t i = 0; i < block->section->key_count; i++)
		suggestion_offer(&near, block->section->keys[i].name);
	home = find_key(&conf_top, statement->key) ? "file" : home_of(&conf_top, statement->key);

	if (home && !strcmp(home, "file"))
		faults_add(block->faults, statement->line,
			   "%s is a section of its own, not a key of \"%s\": is a \"}\" missing "
			   "before it?",
			   QUOTED(statement->key), block->statement->key);
	else if (home)
		faults_add(block->faults, statement->line, "%s belongs in a \"%s\" section",
			   QUOTED(statement->key), home);
	else if (near.best)
		faults_add(block->faults, statement->line, "%s: unknown %s; did you mean \"%s\"?",
			   QUOTED(statement->key), top ? "section" : "key", near.best);
	else if (top)
		faults_add(block->faults, statement->line,
			   "%s: unknown section; there are uplink, tunnel, zerotier, lan, proxy, "
			   "firewall and limits",
			   QUOTED(statement->key));
	else
		faults_add(block->faults, statement->line, "%s: unknown key of \"%s\"",
			   QUOTED(statement->key), block->statement->key);
}

/* Whether the key may be written here, after what was written before. */
static bool is_first(struct block *block, const struct conf_key *key,
		     const struct conf_statement *statement)
{
	const struct conf_key *keys = block->section->keys;
	unsigned int *seen = block->seen;
	size_t index = key - keys;

	if (seen[index] && !(key->flags & KEY_REPEATS)) {
		faults_add(block->faults, statement->line, "\"%s\" is already on line %u: %s",
			   key->name, seen[index],
			   key->flags & KEY_LIST ? "write all of the list on one line"
						 : "remove one of them");
		return false;
	}
	for (size_t i = 0; i < block->section->key_count && key->flags & KEY_CHOICE; i++) {
		if (seen[i] && keys[i].flags & KEY_CHOICE) {
			faults_add(block->faults, statement->line,
				   "\"%s\" and \"%s\" (line %u) exclude each other: keep one",
				   key->name, keys[i].name, seen[i]);
			return false;
		}
	}
	if (!seen[index])
		seen[index] = statement->line;
	return true;
}

/* Whether the statement has as many words, and a block where one belongs. */
static bool has_its_shape(struct conf_faults *faults, const struct conf_key *key,
			  const struct conf_statement *statement)
{
	char expects[CONF_EXPECTS_MAX];

	if (key->flags & KEY_ALONE && statement->word_count) {
		faults_add(faults, statement->line, "%s %s: \"%s\" takes no value", key->name,
			   QUOTED(statement->words[0]), key->name);
	} else if (!(key->flags & KEY_ALONE) && !statement->word_count) {
		faults_add(faults, statement->line, "\"%s\" needs a value: %s", key->name,
			   conf_expects(key, expects));
	} else if (!(key->flags & (KEY_LIST | KEY_ALONE)) && statement->word_count > 1) {
		faults_add(faults, statement->line, "%s %s: %s is one too many: it takes %s",
			   key->name, QUOTED(statement->words[0]), QUOTED(statement->words[1]),
			   conf_expects(key, expects));
	} else if (statement->has_block && !key->section) {
		faults_add(faults, statement->line, "\"%s\" takes no block { }", key->name);
	} else {
		return true;
	}
	return false;
}

/* The words of a well-shaped statement into @target. */
static int read_words(struct conf_faults *faults, const struct conf_key *key,
		      const struct conf_statement *statement, void *target)
{
	bool is_keyword = key->keyword && !strcmp(statement->words[0], key->keyword);

	if (key->keyword_flag)
		*(bool *)field(target, key->keyword_flag) = is_keyword;
	return is_keyword ? 0 : key->read(faults, key, statement, target);
}

int conf_defaults(const struct conf_section *section, void *target)
{
	struct conf_faults faults = {0};
	int err = 0;

	for (size_t i = 0; i < section->key_count && !err; i++) {
		const struct conf_key *key = &section->keys[i];
		const char *words[] = {key->fallback};
		struct conf_statement statement = {
			.key = key->name,
			.words = words,
			.word_count = 1,
		};

		if (key->fallback)
			err = read_words(&faults, key, &statement, target);
		else if (key->section && !key->section->repeats)
			err = conf_defaults(key->section, target);
	}
	return err;
}

/* The arrays of elements have a type each; memcpy() copies the pointer whatever its type is. */
static char *get_list(const struct conf_section *section, void *parent)
{
	char *list;

	memcpy(&list, field(parent, section->list), sizeof(list));
	return list;
}

static size_t *list_count(const struct conf_section *section, void *parent)
{
	return field(parent, section->count);
}

/* A new element with its defaults at the end of the parent's list; NULL without memory. */
static void *append(const struct conf_section *section, void *parent, unsigned int line)
{
	size_t *count = list_count(section, parent);
	char *list = reallocarray(get_list(section, parent), *count + 1, section->size);
	void *element;

	if (!list)
		return NULL;
	memcpy(field(parent, section->list), &list, sizeof(list));
	element = list + *count * section->size;
	memset(element, 0, section->size);
	*(unsigned int *)element = line;
	(*count)++;
	return conf_defaults(section, element) ? NULL : element;
}

/* A section whose title is a fault has no place in the configuration. */
static void drop_last(const struct conf_section *section, void *parent)
{
	size_t *count = list_count(section, parent);

	(*count)--;
	conf_release(section, get_list(section, parent) + *count * section->size);
}

static int read_subsection(struct block *parent, const struct conf_key *key,
			   const struct conf_statement *statement)
{
	const struct conf_section *section = key->section;
	bool titled = !statement->bad && has_its_shape(parent->faults, key, statement);
	void *target = parent->target;
	int err;

	if (section->repeats) {
		target = append(section, parent->target, statement->line);
		if (!target)
			return -ENOMEM;
		if (titled) {
			err = read_words(parent->faults, key, statement, target);
			if (err == -ENOMEM)
				return err;
			titled = !err;
		}
	}
	err = conf_read_section(parent->faults, section, statement, target);
	if (!titled && section->repeats)
		drop_last(section, parent->target);
	return err;
}

static int read_statement(struct block *block, const struct conf_statement *statement)
{
	const struct conf_key *key = find_key(block->section, statement->key);
	int err;

	if (!key) {
		if (*statement->key)
			unknown_key(block, statement);
		block->unsure = true;
		return 0;
	}
	if (!is_first(block, key, statement))
		return 0;
	if (key->section)
		return read_subsection(block, key, statement);
	if (key->given)
		*(bool *)field(block->target, key->given) = true;
	if (statement->bad || !has_its_shape(block->faults, key, statement))
		return 0;
	err = read_words(block->faults, key, statement, block->target);
	return err == -ENOMEM ? err : 0;
}

static void find_missing(struct block *block)
{
	const struct conf_section *section = block->section;
	const char *title = block->statement->word_count ? block->statement->words[0] : "";
	bool needs_choice = false, has_choice = false;
	char expects[CONF_EXPECTS_MAX];

	if (block->unsure)
		return;
	for (size_t i = 0; i < section->key_count; i++) {
		const struct conf_key *key = &section->keys[i];

		if (key->flags & KEY_CHOICE) {
			needs_choice = true;
			has_choice |= block->seen[i] != 0;
		}
		if (key->flags & KEY_REQUIRED && !block->seen[i])
			faults_add(block->faults, block->statement->line, "%s %s needs \"%s\": %s",
				   block->statement->key, QUOTED(title), key->name,
				   conf_expects(key, expects));
	}
	if (needs_choice && !has_choice)
		faults_add(block->faults, block->statement->line,
			   "%s %s needs a method: auto, static or iface NAME",
			   block->statement->key, QUOTED(title));
}

int conf_read_section(struct conf_faults *faults, const struct conf_section *section,
		      const struct conf_statement *block, void *target)
{
	struct block state = {
		.faults = faults,
		.section = section,
		.statement = block,
		.target = target,
	};
	int err;

	for (size_t i = 0; i < block->child_count && !faults->overflow; i++) {
		err = read_statement(&state, &block->children[i]);
		if (err)
			return err;
	}
	find_missing(&state);
	if (section->check)
		section->check(faults, block, target);
	return 0;
}

void conf_release(const struct conf_section *section, void *target)
{
	for (size_t i = 0; i < section->key_count; i++) {
		const struct conf_section *below = section->keys[i].section;

		char *list;

		if (!below)
			continue;
		if (!below->repeats) {
			conf_release(below, target);
			continue;
		}
		list = get_list(below, target);
		for (size_t n = 0; n < *list_count(below, target); n++)
			conf_release(below, list + n * below->size);
		free(list);
	}
	if (section->release)
		section->release(target);
}
