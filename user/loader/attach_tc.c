// SPDX-License-Identifier: GPL-2.0-or-later
/* The programs on the ports' TC hooks. */
#include "programs_internal.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "tc_hook.h"
#include "../log.h"
#include "../pins.h"

/* Names of the pins, with the slot behind them (a filter has no link), and where the program is. */
static const struct tc_kind_info {
	const char *program, *link;
	uint32_t priority;
} kinds[TC_KINDS] = {
	[TC_PORT] = {"tc_program", TC_PORT_LINK, ZT6_TC_PRIORITY_PORT},
	[TC_TUNNEL] = {"tunnel_program", NULL, ZT6_TC_PRIORITY_TUNNEL},
};

static struct tc_hook hook_of(const char *pin_dir, unsigned int slot, enum tc_kind kind,
			      const struct zt6_port *port)
{
	return (struct tc_hook){
		.pin_dir = pin_dir,
		.what = kinds[kind].link,
		.slot = slot,
		.ifindex = (int)port->ifindex,
		.egress = kind == TC_TUNNEL && port->role == ZT6_ROLE_TUNNEL,
		.priority = kinds[kind].priority,
		.is_filter = kind == TC_TUNNEL,
	};
}

/* Looks up what an earlier `up` left there. */
static void remember(struct programs *programs, unsigned int slot, enum tc_kind kind)
{
	struct attached_tc *was = &programs->attached[slot].tc[kind];
	char name[PIN_NAME_MAX];

	was->touched = true;
	if (was->program < 0)
		was->program =
			pin_open(programs->pin_dir, pin_slot_name(name, kinds[kind].program, slot));
}

static int set(struct programs *programs, unsigned int slot, enum tc_kind kind,
	       const struct zt6_port *port, int program)
{
	const struct tc_hook hook = hook_of(programs->pin_dir, slot, kind, port);
	char name[PIN_NAME_MAX];
	int err = tc_hook_set(&hook, program);

	if (err) {
		log_error("%s: cannot attach the TC %s program: %s", port->name,
			  hook.egress ? "egress" : "ingress", strerror(-err));
		return err;
	}
	err = pin_replace(programs->pin_dir, pin_slot_name(name, kinds[kind].program, slot),
			  program);
	if (err)
		log_error("%s: cannot pin the program: %s", port->name, strerror(-err));
	return err;
}

static void clear(struct programs *programs, unsigned int slot, enum tc_kind kind,
		  const struct zt6_port *port)
{
	const struct tc_hook hook = hook_of(programs->pin_dir, slot, kind, port);
	char name[PIN_NAME_MAX];

	tc_hook_clear(&hook);
	pin_remove(programs->pin_dir, pin_slot_name(name, kinds[kind].program, slot));
}

/* For a port whose interface is away: whoever brings it in finds the program. */
static int leave(struct programs *programs, unsigned int slot, enum tc_kind kind, int program)
{
	char name[PIN_NAME_MAX];
	int err = kinds[kind].link ? pin_remove(programs->pin_dir,
						pin_slot_name(name, kinds[kind].link, slot))
				   : 0;

	return err ? err
		   : pin_replace(programs->pin_dir, pin_slot_name(name, kinds[kind].program, slot),
				 program);
}

int attach_tc(struct programs *programs, unsigned int slot, const struct zt6_port *port)
{
	int err = 0;

	for (enum tc_kind kind = 0; kind < TC_KINDS && !err; kind++) {
		int program = programs_tc_fd(programs, slot, kind);

		if (program < 0)
			continue;
		remember(programs, slot, kind);
		err = port->ifindex ? set(programs, slot, kind, port, program)
				    : leave(programs, slot, kind, program);
	}
	return err;
}

void detach_tc(struct programs *programs, unsigned int slot)
{
	for (enum tc_kind kind = 0; kind < TC_KINDS; kind++) {
		if (programs_tc_fd(programs, slot, kind) >= 0)
			continue;
		remember(programs, slot, kind);
		if (programs->attached[slot].tc[kind].program >= 0)
			clear(programs, slot, kind, &programs->before.ports[slot]);
	}
}

void rollback_tc(struct programs *programs, unsigned int slot)
{
	for (enum tc_kind kind = 0; kind < TC_KINDS; kind++) {
		struct attached_tc *was = &programs->attached[slot].tc[kind];
		const struct zt6_port *before = &programs->before.ports[slot];

		if (!was->touched)
			continue;
		was->touched = false;
		if (was->program >= 0 && before->ifindex)
			set(programs, slot, kind, before, was->program);
		else
			clear(programs, slot, kind, &programs->now[slot]);
	}
}

/* Where the interface is gone, so is the program; one that has another name by now loses it. */
static int follow(const char *pin_dir, unsigned int slot, enum tc_kind kind, __u32 before,
		  const struct zt6_port *port, int program)
{
	struct tc_hook hook = hook_of(pin_dir, slot, kind, port);

	if (before && before != port->ifindex) {
		hook.ifindex = (int)before;
		if (tc_hook_is_set(&hook))
			tc_hook_clear(&hook);
		hook.ifindex = (int)port->ifindex;
	}
	return !port->ifindex || tc_hook_is_set(&hook) ? 0 : tc_hook_set(&hook, program);
}

int follow_tc(const char *pin_dir, unsigned int slot, __u32 before, const struct zt6_port *port)
{
	char name[PIN_NAME_MAX];
	int err = 0;

	for (enum tc_kind kind = 0; kind < TC_KINDS && !err; kind++) {
		int program = pin_open(pin_dir, pin_slot_name(name, kinds[kind].program, slot));

		if (program < 0)
			continue;
		err = follow(pin_dir, slot, kind, before, port, program);
		close(program);
	}
	return err;
}
