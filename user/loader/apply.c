// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "apply.h"
#include "facts.h"
#include "others.h"
#include "../log.h"

/* As object_kind.probe(), with a message. */
static int probe(struct nl_sock *nl, const struct object *object, json_t **before)
{
	int state = object->kind->probe(nl, object, before);
	char text[OBJECT_TEXT_MAX];

	if (state >= 0)
		return state;
	object->kind->describe(object, text);
	log_error("cannot look for %s: %s", text, strerror(-state));
	return state;
}

static void say(const char *what, const struct object *object)
{
	char text[OBJECT_TEXT_MAX];

	if (!log_verbose)
		return;
	object->kind->describe(object, text);
	log_info("%s %s", what, text);
}

/* Whether what it is on is not there, or not up, yet. 1, 0, or -errno with a message. */
static int is_waiting(struct nl_sock *nl, const struct object *object)
{
	char name[IF_NAMESIZE];
	unsigned int flags;
	int err;

	if (!object_device(object, name))
		return 0;
	err = facts_flags(nl, name, &flags);
	if (err && err != -ENODEV)
		log_error("%s: cannot look for the interface: %s", name, strerror(-err));
	else
		err = err || (object->kind->needs_up && !(flags & IFF_UP));
	if (err > 0)
		say("wait for its interface:", object);
	return err;
}

/* Makes @object, which is in the journal. *@failed: it was not made. */
static int make(struct journal *journal, struct nl_sock *nl, struct object *object, bool *failed)
{
	json_t *known = json_incref(object->made);
	int err = object->kind->make(nl, object);

	*failed = err;
	if (!err && object->made && !json_equal(object->made, known))
		err = journal_made(journal, object);
	json_decref(known);
	return err;
}

/* Into the journal all the same: whoever repairs makes it when its interface comes. */
static int add_waiting(struct journal *journal, const struct object *wanted)
{
	struct object *object = object_copy(wanted);

	return object ? journal_making(journal, object) : -ENOMEM;
}

/* What is there may be another instance's: then it is ours as well, and *@before is what was there
 * before that one. @theirs: what others have. */
static bool join(const struct objects *theirs, const struct object *wanted, json_t **before)
{
	const struct object *other = objects_find(theirs, wanted);

	if (other && other->before) {
		json_decref(*before);
		*before = json_incref(other->before);
	}
	return other;
}

/* @theirs: what other instances have in common with this one. */
static int add_beside(struct journal *journal, struct nl_sock *nl, const struct object *wanted,
		      const struct objects *theirs)
{
	int state, err;
	json_t *before = NULL;
	struct object *object;
	bool failed, joined;

	state = probe(nl, wanted, &before);
	if (state < 0)
		return state;
	joined = join(theirs, wanted, &before);
	if (state != OBJECT_ABSENT && wanted->kind->taken) {
		err = wanted->kind->taken(nl, wanted);
		if (err) {
			json_decref(before);
			return err;
		}
	}
	if (state == OBJECT_PRESENT && !wanted->kind->shared && !joined) {
		say("there already, and not ours:", wanted);
		json_decref(before);
		return 0;
	}
	object = object_copy(wanted);
	if (!object) {
		json_decref(before);
		return -ENOMEM;
	}
	object->before = before;
	say(joined ? "another instance has it, too:" : "make", object);
	err = journal_making(journal, object);
	if (err || (joined && state == OBJECT_PRESENT))
		return err;
	err = make(journal, nl, object, &failed);
	if (failed)
		journal_gone(journal, object);
	return err;
}

static int add(struct journal *journal, struct nl_sock *nl, const struct object *wanted)
{
	int waiting = is_waiting(nl, wanted), lock, err;
	struct objects theirs = {0};

	if (waiting)
		return waiting < 0 ? waiting : add_waiting(journal, wanted);
	if (!wanted->kind->common)
		return add_beside(journal, nl, wanted, &theirs);
	lock = others_lock(journal);
	if (lock < 0)
		return lock;
	err = others_load(journal, &theirs);
	if (!err)
		err = add_beside(journal, nl, wanted, &theirs);
	objects_free(&theirs);
	close(lock);
	return err;
}

/* Makes it again if it is not there as it was made, or for the first time if it had to wait. */
static int repair(struct journal *journal, struct nl_sock *nl, struct object *ours)
{
	json_t *before = NULL;
	int state = probe(nl, ours, &before), err = 0;
	bool failed;

	if (state >= 0 && state != OBJECT_PRESENT && ours->kind->puts_back && !ours->before) {
		ours->before = json_incref(before);
		err = journal_made(journal, ours);
	}
	json_decref(before);
	if (err || state < 0 || state == OBJECT_PRESENT)
		return state < 0 ? state : err;
	say("repair", ours);
	return make(journal, nl, ours, &failed);
}

static int keep(struct journal *journal, struct nl_sock *nl, struct object *ours,
		const struct object *wanted)
{
	int waiting = is_waiting(nl, wanted), err;
	json_t *spec;
	bool failed;

	if (waiting < 0)
		return waiting;
	if (object_equal(ours, wanted))
		return waiting ? 0 : repair(journal, nl, ours);
	say("change", wanted);
	spec = json_incref(ours->spec);
	err = journal_changing(journal, ours, wanted->spec);
	if (!err && !waiting) {
		err = make(journal, nl, ours, &failed);
		if (failed)
			journal_changing(journal, ours, spec);
	}
	json_decref(spec);
	return err;
}

int apply_make(struct journal *journal, struct nl_sock *nl, const struct objects *desired,
	       bool (*stop)(void))
{
	int err = 0;

	for (size_t i = 0; i < desired->count && !err; i++) {
		const struct object *wanted = desired->list[i];
		struct object *ours = objects_find(&journal->objects, wanted);

		if (stop && stop())
			return -EINTR;
		err = ours ? keep(journal, nl, ours, wanted) : add(journal, nl, wanted);
	}
	return err;
}

/* What another instance has, too, stays, in the shape in which that one wants it. */
static int unmake_beside(struct nl_sock *nl, const struct object *object,
			 const struct objects *theirs)
{
	struct object *other = objects_find(theirs, object);

	if (!other) {
		say("remove", object);
		return object->kind->unmake(nl, object);
	}
	say("leave to another instance:", object);
	return object_equal(other, object) ? 0 : other->kind->make(nl, other);
}

/* Takes it out of the kernel and of the journal. */
static int take_away(struct journal *journal, struct nl_sock *nl, struct object *object)
{
	bool common = object->kind->common;
	int lock = common ? others_lock(journal) : -1, err = 0;
	struct objects theirs = {0};

	if (common && lock < 0)
		return lock;
	if (common)
		err = others_load(journal, &theirs);
	if (!err)
		err = unmake_beside(nl, object, &theirs);
	if (!err)
		journal_gone(journal, object);
	objects_free(&theirs);
	if (common)
		close(lock);
	return err;
}

/* Those that protect, or the others. */
static int prune(struct journal *journal, struct nl_sock *nl, const struct objects *keep,
		 bool protects)
{
	int first = 0;

	for (size_t i = journal->objects.count; i-- > 0;) {
		struct object *object = journal->objects.list[i];
		int err;

		if (object->kind->protects != protects || objects_find(keep, object))
			continue;
		err = take_away(journal, nl, object);
		if (err && !first)
			first = err;
	}
	return first;
}

int apply_prune(struct journal *journal, struct nl_sock *nl, const struct objects *keep)
{
	int others = prune(journal, nl, keep, false);
	int protecting = prune(journal, nl, keep, true);

	return others ? others : protecting;
}

bool apply_prunes_first(const struct journal *journal, const struct objects *desired)
{
	for (size_t i = 0; i < journal->objects.count; i++) {
		const struct object *object = journal->objects.list[i];

		if (!object->kind->excludes || objects_find(desired, object))
			continue;
		for (size_t k = 0; k < desired->count; k++)
			if (object->kind->excludes(object, desired->list[k]))
				return true;
	}
	return false;
}

void apply_restore(struct journal *journal, struct nl_sock *nl, const struct objects *previous)
{
	int pruned = apply_prune(journal, nl, previous);
	int made = apply_make(journal, nl, previous, NULL);

	if (pruned || made)
		log_error("not everything could be put back: \"zt6-bpf down\" takes away what is "
			  "left");
}

int apply_preview(const struct journal *journal, struct nl_sock *nl, const struct objects *desired)
{
	char text[OBJECT_TEXT_MAX];

	for (size_t i = 0; i < desired->count; i++) {
		const struct object *wanted = desired->list[i];
		const struct object *ours = objects_find(&journal->objects, wanted);
		json_t *before = NULL;
		int state = probe(nl, ours ? ours : wanted, &before);

		json_decref(before);
		if (state < 0)
			return state;
		wanted->kind->describe(wanted, text);
		if (ours && !object_equal(ours, wanted))
			printf("change  %s\n", text);
		else if (state != OBJECT_PRESENT || (wanted->kind->shared && !ours))
			printf("%s  %s\n", ours ? "repair" : "make  ", text);
	}
	for (size_t i = journal->objects.count; i-- > 0;) {
		const struct object *object = journal->objects.list[i];

		if (objects_find(desired, object))
			continue;
		object->kind->describe(object, text);
		printf("remove  %s\n", text);
	}
	return 0;
}
