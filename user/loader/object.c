// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kinds.h"
#include "object.h"

static const struct object_kind *const kinds[] = {
	&kind_bpffs,    &kind_sysctl, &kind_forwarding, &kind_sit,       &kind_tun,
	&kind_address,  &kind_route,  &kind_rule,       &kind_neighbour, &kind_proxy,
	&kind_allmulti, &kind_clsact, &kind_nft,
};

const struct object_kind *object_kind_find(const char *name)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (!strcmp(kinds[i]->name, name))
			return kinds[i];
	return NULL;
}

struct object *object_new(const struct object_kind *kind, json_t *spec)
{
	struct object *object = spec ? calloc(1, sizeof(*object)) : NULL;

	if (!object) {
		json_decref(spec);
		return NULL;
	}
	object->kind = kind;
	object->spec = spec;
	return object;
}

struct object *object_copy(const struct object *object)
{
	struct object *copy = object_new(object->kind, json_incref(object->spec));

	if (copy) {
		copy->before = json_incref(object->before);
		copy->made = json_incref(object->made);
	}
	return copy;
}

void object_free(struct object *object)
{
	if (!object)
		return;
	json_decref(object->spec);
	json_decref(object->before);
	json_decref(object->made);
	free(object);
}

bool object_same(const struct object *a, const struct object *b)
{
	if (a->kind != b->kind)
		return false;
	for (const char *const *field = a->kind->identity; *field; field++)
		if (!json_equal(json_object_get(a->spec, *field), json_object_get(b->spec, *field)))
			return false;
	return true;
}

bool object_equal(const struct object *a, const struct object *b)
{
	return a->kind == b->kind && json_equal(a->spec, b->spec);
}

const char *object_string(const struct object *object, const char *field)
{
	const char *value = json_string_value(json_object_get(object->spec, field));

	return value ? value : "";
}

uint32_t object_number(const struct object *object, const char *field)
{
	return (uint32_t)json_integer_value(json_object_get(object->spec, field));
}

bool object_device(const struct object *object, char name[IF_NAMESIZE])
{
	if (object->kind->device)
		return object->kind->device(object, name);
	snprintf(name, IF_NAMESIZE, "%s", object_string(object, "device"));
	return *name;
}

struct object *objects_find(const struct objects *set, const struct object *like)
{
	for (size_t i = 0; i < set->count; i++)
		if (object_same(set->list[i], like))
			return set->list[i];
	return NULL;
}

static int append(struct objects *set, struct object *object)
{
	struct object **grown;

	if (!object)
		return -ENOMEM;
	grown = reallocarray(set->list, set->count + 1, sizeof(struct object *));
	if (!grown) {
		object_free(object);
		return -ENOMEM;
	}
	grown[set->count++] = object;
	set->list = grown;
	return 0;
}

int objects_add(struct objects *set, struct object *object)
{
	if (object && objects_find(set, object)) {
		object_free(object);
		return 0;
	}
	return append(set, object);
}

int objects_copy(const struct objects *set, struct objects *out)
{
	struct objects copy = {0};

	for (size_t i = 0; i < set->count; i++) {
		if (append(&copy, object_copy(set->list[i]))) {
			objects_free(&copy);
			return -ENOMEM;
		}
	}
	*out = copy;
	return 0;
}

void objects_free(struct objects *set)
{
	for (size_t i = 0; i < set->count; i++)
		object_free(set->list[i]);
	free(set->list);
	*set = (struct objects){0};
}
