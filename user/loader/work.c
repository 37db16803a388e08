// SPDX-License-Identifier: GPL-2.0-or-later
#include "work.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "netlink.h"
#include "programs.h"
#include "rundir.h"
#include "../log.h"

/* Signals wait until nothing is half done; `up` looks for them between its steps. */
static void hold_signals(sigset_t *before)
{
	sigset_t held;

	sigemptyset(&held);
	sigaddset(&held, SIGINT);
	sigaddset(&held, SIGTERM);
	sigaddset(&held, SIGHUP);
	sigaddset(&held, SIGPIPE);
	sigprocmask(SIG_BLOCK, &held, before);
}

int work_netlink(struct nl_sock **nl)
{
	int err = netlink_open(nl);

	if (err)
		log_error("cannot open a netlink socket: %s", strerror(-err));
	return err;
}

int work_relation(const struct instance *instance, const struct journal *journal)
{
	if (!journal->found || journal->relation != NETNS_OTHER)
		return 0;
	log_error("instance \"%s\" is up in another network namespace (net:[%" PRIu64 "]): enter "
		  "it first (lsns -t net finds it; nsenter --net=FILE), or choose another "
		  "--instance. If that namespace is gone, remove %s and %s",
		  instance->name, journal->netns.inode, instance->run_dir, instance->pin_dir);
	return -EXDEV;
}

/* What is pinned belongs to interfaces that went with their namespace. */
static int drop_gone_namespace(const struct instance *instance, struct journal *journal)
{
	int err;

	if (!journal->found || journal->relation != NETNS_GONE)
		return 0;
	log_info("instance \"%s\" was up in a network namespace that is gone", instance->name);
	err = programs_unpin(instance->pin_dir);
	return err ? err : journal_abandon(journal);
}

void work_end(struct work *work)
{
	journal_free(work->journal);
	nl_socket_free(work->nl);
	if (work->lock >= 0)
		rundir_unlock(work->instance->run_dir, work->lock);
	sigprocmask(SIG_SETMASK, &work->signals, NULL);
}

int work_begin(struct work *work, const struct instance *instance, int lock)
{
	int err;

	*work = (struct work){.instance = instance, .lock = lock};
	hold_signals(&work->signals);
	err = work->lock < 0 ? work->lock : work_netlink(&work->nl);
	if (!err)
		err = journal_load(instance->run_dir, &work->journal);
	if (!err)
		err = work_relation(instance, work->journal);
	if (!err)
		err = drop_gone_namespace(instance, work->journal);
	if (!err)
		err = journal_begin(work->journal);
	if (err)
		work_end(work);
	return err;
}
