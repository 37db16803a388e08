/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Keys of the configuration language whose capability this version does not have. */
#include "conf_keys.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Delete a row when its capability is there. */
static const struct unbuilt {
	const char *section, *key;
	const char *value;  /* that is not built; NULL: all but the default */
	const char *remedy; /* NULL: leave it at its default */
} unbuilt[] = {
	{"uplink", "datapath", "tc", "use auto, xdp or xdp-generic"},
	{"uplink", "vlan", NULL, NULL},
	{"zerotier", "datapath", "tc", "use auto, xdp or xdp-generic"},
	{"lan", "datapath", "tc", "use auto, xdp or xdp-generic"},
	{"lan", "vlan", NULL, NULL},
};

struct visit {
	const struct conf *conf;
	struct conf_faults faults;
	int err;
};

/* Whether a section holds the value that the row is about. */
static int is_unbuilt(const struct unbuilt *row, const struct conf_section *section,
		      const struct conf_key *key, const void *target, bool *result)
{
	const char *words[] = {row->value};
	const struct conf_statement statement = {.key = key->name, .words = words, .word_count = 1};
	struct conf_faults faults = {0};
	char *reference = calloc(1, section->size);
	int err = reference ? 0 : -ENOMEM;

	if (!err)
		err = conf_defaults(section, reference);
	if (!err && row->value)
		err = key->read(&faults, key, &statement, reference);
	if (!err)
		*result = (memcmp(reference + key->offset, (const char *)target + key->offset,
				  key->size) == 0) == (row->value != NULL);
	free(reference);
	return err;
}

static void add_row(struct visit *visit, const struct unbuilt *row, const struct conf_key *key,
		    unsigned int section_line)
{
	const struct conf_statement *statement =
		visit->conf->tree
			? conf_tree_find(visit->conf->tree, row->section, section_line, row->key)
			: NULL;
	const char *value = key->fallback ? key->fallback : "";
	char remedy[FAULT_TEXT_MAX / 2];

	if (statement)
		value = statement->word_count ? statement->words[0] : "";
	if (row->remedy)
		snprintf(remedy, sizeof(remedy), "%s", row->remedy);
	else if (key->fallback)
		snprintf(remedy, sizeof(remedy), "leave it at its default, %s", key->fallback);
	else
		snprintf(remedy, sizeof(remedy), "remove it");
	faults_add(&visit->faults, statement ? statement->line : section_line,
		   "%s: \"%s%s%s\" is not built in this version: %s", row->section, row->key,
		   *value ? " " : "", value, remedy);
}

static void check_key(struct visit *visit, const char *name, const struct conf_section *section,
		      const struct conf_key *key, const void *target, unsigned int line)
{
	for (size_t i = 0; i < sizeof(unbuilt) / sizeof(unbuilt[0]) && !visit->err; i++) {
		bool matches = false;

		if (strcmp(unbuilt[i].section, name) != 0 || strcmp(unbuilt[i].key, key->name) != 0)
			continue;
		visit->err = is_unbuilt(&unbuilt[i], section, key, target, &matches);
		if (matches)
			add_row(visit, &unbuilt[i], key, line);
	}
}

static void visit_section(struct visit *visit, const char *name, const struct conf_section *section,
			  const void *target, unsigned int line)
{
	for (size_t i = 0; i < section->key_count && !visit->err; i++) {
		const struct conf_key *key = &section->keys[i];
		const struct conf_section *below = key->section;
		const char *list;
		size_t count;

		if (!below) {
			check_key(visit, name, section, key, target, line);
			continue;
		}
		if (!below->repeats) {
			visit_section(visit, key->name, below, target,
				      conf_line(visit->conf, key->name, 0, NULL));
			continue;
		}
		memcpy(&list, (const char *)target + below->list, sizeof(list));
		memcpy(&count, (const char *)target + below->count, sizeof(count));
		for (size_t n = 0; n < count && !visit->faults.overflow; n++, list += below->size)
			visit_section(visit, key->name, below, list, *(const unsigned int *)list);
	}
}

int conf_unbuilt(const struct conf *conf, FILE *errors)
{
	struct visit visit = {.conf = conf};

	visit_section(&visit, "", &conf_top, conf, 0);
	faults_print(&visit.faults, conf->path, errors);
	if (visit.err)
		return visit.err;
	return visit.faults.count ? -EOPNOTSUPP : 0;
}
