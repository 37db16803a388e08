// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The tables of nftables that hold the rules of an instance: one name, in the families that it needs.
 * They are replaced in one transaction, so that at no time there is none.
 *
 * What the kernel has cannot be compared with the text that it was made from. So their listing is
 * noted after the making: another one later means that somebody has changed them.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kinds.h"
#include "nft.h"
#include "../log.h"

/* FNV-1a, 64 bits: to notice changes, not to withstand an attacker, who is root. */
#define FNV_BASIS 0xcbf29ce484222325ULL
#define FNV_PRIME 0x100000001b3ULL

static void fingerprint(const char *text, char out[17])
{
	uint64_t hash = FNV_BASIS;

	for (; *text; text++)
		hash = (hash ^ (uint8_t)*text) * FNV_PRIME;
	snprintf(out, 17, "%016llx", (unsigned long long)hash);
}

static void describe(const struct object *object, char text[OBJECT_TEXT_MAX])
{
	snprintf(text, OBJECT_TEXT_MAX, "nftables table %s (rules %s)",
		 object_string(object, "table"), object_string(object, "rules"));
}

static int probe(struct nl_sock *nl, const struct object *object, json_t **before)
{
	const char *made = json_string_value(json_object_get(object->made, "listing"));
	char *listing = NULL, print[17];
	int err = nft_listing(object_string(object, "table"), &listing);
	bool same;

	(void)nl;
	(void)before;
	/* Without CAP_NET_ADMIN nobody but `up --dry-run` comes here. */
	if (err == -EPERM)
		return made ? OBJECT_PRESENT : OBJECT_ABSENT;
	if (err || !listing)
		return err ? err : OBJECT_ABSENT;
	fingerprint(listing, print);
	same = made && !strcmp(made, print);
	free(listing);
	return same ? OBJECT_PRESENT : OBJECT_OTHER;
}

static int taken(struct nl_sock *nl, const struct object *object)
{
	const char *table = object_string(object, "table");

	(void)nl;
	log_error("there is a table %s of nftables already, and this instance did not make it: "
		  "`nft delete table ip6 %s` and `nft delete table ip %s` remove it",
		  table, table, table);
	return -EEXIST;
}

/* "add" does nothing where it is there already, and "delete" fails where it is not. */
static int write_replacing(FILE *out, const char *table, const char *definitions)
{
	static const char *const families[] = {"ip6", "ip"};

	for (size_t i = 0; i < 2; i++)
		fprintf(out, "add table %s %s\ndelete table %s %s\n", families[i], table,
			families[i], table);
	fputs(definitions, out);
	return ferror(out) | fclose(out) ? -ENOMEM : 0;
}

/* Replaces all tables of the name by @definitions. */
static int replace(const char *table, const char *definitions, char **errors)
{
	char *commands = NULL;
	size_t size;
	FILE *out = open_memstream(&commands, &size);
	int err = out ? write_replacing(out, table, definitions) : -ENOMEM;

	if (!err)
		err = nft_run(commands, NULL, errors);
	free(commands);
	return err;
}

static int note_listing(struct object *object)
{
	char *listing = NULL, print[17];
	int err = nft_listing(object_string(object, "table"), &listing);

	if (!err && !listing)
		err = -ENOENT;
	if (!err) {
		fingerprint(listing, print);
		json_decref(object->made);
		object->made = json_pack("{s:s}", "listing", print);
		err = object->made ? 0 : -ENOMEM;
	}
	free(listing);
	return err;
}

static int make(struct nl_sock *nl, struct object *object)
{
	const char *table = object_string(object, "table");
	char *errors = NULL;
	int err = replace(table, object_string(object, "text"), &errors);

	(void)nl;
	if (err)
		log_error("cannot load the rules into table %s of nftables: %s", table,
			  errors ? errors : strerror(-err));
	free(errors);
	if (err)
		return err;
	/* They are in force all the same: at worst `status` takes them for changed. */
	err = note_listing(object);
	if (err)
		log_warning("cannot read table %s of nftables back: %s", table, strerror(-err));
	return 0;
}

static int unmake(struct nl_sock *nl, const struct object *object)
{
	const char *table = object_string(object, "table");
	char *errors = NULL;
	int supported = nft_supported(), err;

	(void)nl;
	err = supported > 0 ? replace(table, "", &errors) : supported;
	if (err)
		log_error("cannot remove table %s of nftables: %s", table,
			  errors ? errors : strerror(-err));
	free(errors);
	return err;
}

const struct object_kind kind_nft = {
	.name = "nft",
	.identity = (const char *const[]){"table", NULL},
	.taken = taken,
	.protects = true,
	.in_netns = true,
	.describe = describe,
	.probe = probe,
	.make = make,
	.unmake = unmake,
};

struct object *nft_object(const char *table, const char *rules, const char *text, json_t *allows)
{
	return object_new(&kind_nft, json_pack("{s:s, s:s, s:s, s:o}", "table", table, "rules",
					       rules, "text", text, "allow", allows));
}
