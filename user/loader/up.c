// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <libgen.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "apply.h"
#include "datapath.h"
#include "netlink.h"
#include "plan.h"
#include "programs.h"
#include "rundir.h"
#include "up.h"
#include "work.h"
#include "../log.h"

static bool is_interrupted(void)
{
	sigset_t pending;

	if (sigpending(&pending) ||
	    (!sigismember(&pending, SIGINT) && !sigismember(&pending, SIGTERM)))
		return false;
	log_error("interrupted: going back to the state before");
	return true;
}

/* Slots of the ports: those that an instance which is up has given out are kept. */
static int assign_slots(const struct instance *instance, const struct conf *conf,
			struct model *model)
{
	int err = programs_read_ports(instance->pin_dir, model);

	if (err && err != -ENOENT) {
		log_error("%s: cannot read the ports of the instance: %s; run \"zt6-bpf down\" "
			  "first",
			  instance->pin_dir,
			  err == -EPROTO ? "pinned by another version" : strerror(-err));
		return err;
	}
	err = model_slots(model, conf);
	return err ? err : datapath_choose(model, instance->pin_dir, false);
}

/* The BPF side, on the interfaces as they are by now. */
static int run_programs(const struct instance *instance, const struct conf *conf,
			struct nl_sock *nl, struct model *model, struct programs **programs)
{
	const struct programs_options options = {0};
	int err = model_fill(model, conf, nl);

	if (!err)
		err = programs_load(instance->pin_dir, model, &options, programs);
	if (!err && is_interrupted())
		err = -EINTR;
	if (!err)
		err = programs_fill(*programs, model);
	return err ? err : programs_attach(*programs, model);
}

/* The folder of all instances' pins goes with the last of them, and with it the reason to leave
 * bpffs mounted. */
static void remove_pin_parent(const struct instance *instance)
{
	char path[sizeof(instance->pin_dir)];

	memcpy(path, instance->pin_dir, sizeof(path));
	rmdir(dirname(path));
}

static int change(struct work *work, const struct conf *conf, struct model *model,
		  const struct objects *desired, struct programs **programs)
{
	bool pruned = apply_prunes_first(work->journal, desired);
	int err = pruned ? apply_prune(work->journal, work->nl, desired) : 0;

	if (!err)
		err = apply_make(work->journal, work->nl, desired, is_interrupted);
	if (!err)
		err = run_programs(work->instance, conf, work->nl, model, programs);
	if (!err && !pruned)
		err = apply_prune(work->journal, work->nl, desired);
	return err;
}

int loader_up(struct work *work, const struct conf *conf)
{
	const struct instance *instance = work->instance;
	struct programs *programs = NULL;
	struct objects previous = {0};
	struct model model = {0};
	struct plan plan = {0};
	int err = assign_slots(instance, conf, &model);

	if (!err)
		err = plan_make(instance->name, conf, work->journal, work->nl, &model, false,
				&plan);
	if (!err)
		err = objects_copy(&work->journal->objects, &previous);
	if (err)
		goto out;
	err = change(work, conf, &model, &plan.objects, &programs);
	if (err) {
		if (programs)
			programs_rollback(programs);
		if (!previous.count)
			remove_pin_parent(instance);
		apply_restore(work->journal, work->nl, &previous);
	}
out:
	if (journal_finish(work->journal) && !err)
		err = -EIO;
	programs_free(programs);
	model_free(&model);
	objects_free(&previous);
	plan_free(&plan);
	return err;
}

static const char *preview_path(const struct zt6_port *port)
{
	if (port->role == ZT6_ROLE_TUNNEL)
		return "tc";
	if (!(port->paths & ZT6_PATH_XDP))
		return "tc";
	return port->paths & ZT6_PATH_TC ? "xdp, tc for what XDP cannot send" : "xdp";
}

static void preview_programs(const struct model *model)
{
	char room[DATAPATH_REASON_MAX];

	for (unsigned int slot = 0; slot < ZT6_MAX_PORTS; slot++) {
		const struct zt6_port *port = &model->ports[slot];
		const char *reason = datapath_reason(port, room);

		if (port->role != ZT6_ROLE_NONE)
			printf("attach  program dev %s (%s%s%s)\n", port->name, preview_path(port),
			       reason ? ": " : "", reason ? reason : "");
	}
}

/* Plans, and has @tell say what it has come to where that can be. */
static int foresee(const struct instance *instance, const struct conf *conf, struct model *model,
		   int (*tell)(const struct journal *journal, struct nl_sock *nl,
			       const struct plan *plan))
{
	struct journal *journal = NULL;
	struct nl_sock *nl = NULL;
	struct plan plan = {0};
	int err = work_netlink(&nl);

	if (!err)
		err = journal_load(instance->run_dir, &journal);
	if (!err)
		err = work_relation(instance, journal);
	if (!err && journal->relation == NETNS_GONE)
		err = journal_abandon(journal);
	if (!err)
		err = model_slots(model, conf);
	if (!err)
		err = datapath_choose(model, NULL, true);
	if (!err)
		err = plan_make(instance->name, conf, journal, nl, model, true, &plan);
	if (!err && tell)
		err = tell(journal, nl, &plan);
	plan_free(&plan);
	journal_free(journal);
	nl_socket_free(nl);
	return err;
}

static int preview_plan(const struct journal *journal, struct nl_sock *nl, const struct plan *plan)
{
	if (plan->device_unknown)
		printf("# device auto: a TUN device instead of sit where the kernel has no sit\n");
	return apply_preview(journal, nl, &plan->objects);
}

int loader_preview(const struct instance *instance, const struct conf *conf)
{
	struct model model = {0};
	int err = foresee(instance, conf, &model, preview_plan);

	if (!err)
		preview_programs(&model);
	model_free(&model);
	return err;
}

int loader_foresee(const struct instance *instance, const struct conf *conf, struct model *model)
{
	return foresee(instance, conf, model, NULL);
}

int loader_down(struct work *work)
{
	const struct instance *instance = work->instance;
	const struct objects nothing = {0};
	int err, unmade;

	if (!work->journal->found)
		log_warning("there are pins in %s but no journal in %s: programs and maps go, what "
			    "else `up` had made stays",
			    instance->pin_dir, instance->run_dir);
	err = programs_unpin(instance->pin_dir);
	remove_pin_parent(instance);
	unmade = apply_prune(work->journal, work->nl, &nothing);
	if (!err)
		err = unmade;
	if (journal_finish(work->journal) && !err)
		err = -EIO;
	return err;
}
