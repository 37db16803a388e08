// SPDX-License-Identifier: GPL-2.0-or-later
#include "firewall.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "loader/ip6tables.h"
#include "loader/journal.h"
#include "loader/kinds.h"
#include "log.h"

static enum firewall_state state_of(const struct object *object)
{
	json_t *before = NULL;
	int state = object->kind->probe(NULL, object, &before);

	json_decref(before);
	if (state < 0 || nft_supported() < 0)
		return FIREWALL_UNKNOWN;
	if (state == OBJECT_PRESENT)
		return FIREWALL_LOADED;
	return state == OBJECT_OTHER ? FIREWALL_CHANGED : FIREWALL_GONE;
}

int firewall_read(const struct instance *instance, struct firewall *out)
{
	struct journal *journal;
	int err;

	*out = (struct firewall){.state = FIREWALL_NONE};
	ruleset_table(instance->name, out->table);
	err = journal_load(instance->run_dir, &journal);
	if (err)
		return err;
	for (size_t i = 0; i < journal->objects.count; i++) {
		const struct object *object = journal->objects.list[i];

		if (object->kind != &kind_nft)
			continue;
		out->own_rules = !strcmp(object_string(object, "rules"), "none");
		out->state = state_of(object);
		out->allows = json_incref(json_object_get(object->spec, "allow"));
	}
	journal_free(journal);
	out->chains_err = nft_forward_chains(out->table, &out->chains, &out->chain_count);
	err = ip6tables_forward_chains(&out->chains, &out->chain_count);
	if (!out->chains_err)
		out->chains_err = err;
	return 0;
}

static bool filters(const struct nft_chain *chain)
{
	return chain->has_rules || chain->drops;
}

bool firewall_others_filter(const struct firewall *firewall)
{
	for (size_t i = 0; i < firewall->chain_count; i++)
		if (filters(&firewall->chains[i]))
			return true;
	return false;
}

const char *firewall_chain_names(const struct firewall *firewall, char *text, size_t size)
{
	size_t used = 0;

	*text = '\0';
	for (size_t i = 0; i < firewall->chain_count && used < size; i++)
		if (filters(&firewall->chains[i]))
			used += (size_t)snprintf(text + used, size - used, "%s%s", used ? ", " : "",
						 firewall->chains[i].name);
	return text;
}

void firewall_warn(const struct instance *instance, bool policy_off)
{
	struct firewall firewall;
	char names[256];

	if (firewall_read(instance, &firewall))
		return;
	firewall_chain_names(&firewall, names, sizeof(names));
	if (policy_off && *names)
		log_warning("policy off: the fast path forwards past the rules in %s: "
			    "what they would drop comes through; \"policy kernel\" obeys them",
			    names);
	else if (!policy_off && firewall.own_rules && !*names && !firewall.chains_err)
		log_warning("rules none, and there are none for what is forwarded: "
			    "everything comes in");
	firewall_free(&firewall);
}

void firewall_free(struct firewall *firewall)
{
	json_decref(firewall->allows);
	free(firewall->chains);
	*firewall = (struct firewall){0};
}

const char *firewall_state_name(enum firewall_state state)
{
	static const char *const names[] = {
		[FIREWALL_NONE] = "none",       [FIREWALL_LOADED] = "loaded",
		[FIREWALL_CHANGED] = "changed", [FIREWALL_GONE] = "gone",
		[FIREWALL_UNKNOWN] = "unknown",
	};

	return names[state];
}
