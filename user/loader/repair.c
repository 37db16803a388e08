// SPDX-License-Identifier: GPL-2.0-or-later
/* From the journal alone, without the configuration: what the agent makes again. */
#include "repair.h"

#include <errno.h>
#include <net/if.h>

#include "apply.h"
#include "facts.h"
#include "kinds.h"
#include "rundir.h"
#include "work.h"
#include "../log.h"

/* Everything in the journal but the neighbours of tunnels, which follow from the routes of now. */
static int copy_lasting(const struct objects *journaled, struct objects *desired)
{
	int err = 0;

	for (size_t i = 0; i < journaled->count && !err; i++)
		if (journaled->list[i]->kind != &kind_neighbour)
			err = objects_add(desired, object_copy(journaled->list[i]));
	return err;
}

/* The neighbour through which the far end is reached now; none while there is no route. */
static int follow_next_hop(struct nl_sock *nl, const struct zt6_tunnel *tunnel,
			   struct objects *desired)
{
	const struct in_addr remote = {.s_addr = tunnel->remote}, local = {.s_addr = tunnel->local};
	struct in_addr next_hop;
	char device[IF_NAMESIZE];
	int ifindex;
	int err = facts_ipv4_next_hop(nl, remote, local, &ifindex, &next_hop);

	if (err == -ENETUNREACH || (!err && !if_indextoname((unsigned int)ifindex, device)))
		return 0;
	return err ? err : objects_add(desired, neighbour_object(device, next_hop));
}

static int follow_next_hops(struct nl_sock *nl, const struct model *model, struct objects *desired)
{
	int err = 0;

	for (__u32 i = 0; i < model->settings.tunnel_count && i < ZT6_MAX_TUNNELS && !err; i++)
		if (model->settings.tunnels[i].flags & ZT6_TUNNEL_BPF)
			err = follow_next_hop(nl, &model->settings.tunnels[i], desired);
	return err;
}

int loader_repair(const struct instance *instance, const struct model *model)
{
	struct objects desired = {0};
	struct work work;
	int err;

	/* Else the lock would make the folder of an instance that is not up. */
	if (!rundir_has_journal(instance->run_dir))
		return -ENOENT;
	err = work_begin(&work, instance, rundir_try_lock(instance->run_dir));
	if (err)
		return err;
	err = work.journal->found ? copy_lasting(&work.journal->objects, &desired) : -ENOENT;
	if (!err)
		err = follow_next_hops(work.nl, model, &desired);
	if (!err)
		err = apply_make(work.journal, work.nl, &desired, NULL);
	if (!err)
		err = apply_prune(work.journal, work.nl, &desired);
	if (journal_finish(work.journal) && !err)
		err = -EIO;
	objects_free(&desired);
	work_end(&work);
	return err;
}
