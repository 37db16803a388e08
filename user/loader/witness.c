// SPDX-License-Identifier: GPL-2.0-or-later
#include "witness.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "conntrack.h"
#include "programs_internal.h"
#include "tc_hook.h"
#include "../log.h"
#include "../pins.h"
#include "zt6_witness.skel.h"

#define PIN "witness_program"

int witness_load(struct programs *programs, const struct model *model)
{
	struct zt6_witness_bpf *skeleton;
	int err;

	if (model->settings.policy != ZT6_POLICY_KERNEL)
		return 0;
	if (!conntrack_has_kfuncs()) {
		log_warning(
			"this kernel lets no program ask its connection tracking (Linux 6.1 and "
			"later do, with CONFIG_NF_CONNTRACK and CONFIG_DEBUG_INFO_BTF): under "
			"\"policy kernel\" it forwards everything itself");
		return 0;
	}
	skeleton = zt6_witness_bpf__open();
	if (!skeleton)
		return -ENOMEM;
	err = programs_reuse_maps(programs, skeleton->obj);
	if (!err)
		err = zt6_witness_bpf__load(skeleton);
	if (!err) {
		programs->witness = skeleton;
		return 0;
	}
	zt6_witness_bpf__destroy(skeleton);
	if (err == -ENOMEM)
		return err;
	log_warning("cannot load the program that asks connection tracking: %s%s; under \"policy "
		    "kernel\" the kernel forwards everything itself",
		    strerror(-err),
		    err == -EPERM ? " (CAP_SYS_ADMIN is needed where that is a module)" : "");
	return 0;
}

bool witness_loaded(const struct programs *programs)
{
	return programs->witness != NULL;
}

int witness_fd(const struct programs *programs)
{
	return programs->witness ? bpf_program__fd(programs->witness->progs.zt6_witness) : -1;
}

static int set_filter(unsigned int ifindex, int program)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)ifindex, .attach_point = BPF_TC_EGRESS);
	LIBBPF_OPTS(bpf_tc_opts, options, .handle = ZT6_TC_HANDLE, .priority = ZT6_WITNESS_PRIORITY,
		    .prog_fd = program, .flags = BPF_TC_F_REPLACE);

	return bpf_tc_attach(&hook, &options);
}

void witness_detach(unsigned int ifindex)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)ifindex, .attach_point = BPF_TC_EGRESS);
	LIBBPF_OPTS(bpf_tc_opts, options, .handle = ZT6_TC_HANDLE,
		    .priority = ZT6_WITNESS_PRIORITY);

	bpf_tc_detach(&hook, &options);
}

/* On every port of the model that is there, or off them. */
static int set_all(const struct model *model, int program)
{
	int err = 0;

	for (unsigned int slot = 0; slot < ZT6_MAX_PORTS && !err; slot++) {
		const struct zt6_port *port = &model->ports[slot];

		if (port->role == ZT6_ROLE_NONE || !port->ifindex)
			continue;
		if (program >= 0)
			err = set_filter(port->ifindex, program);
		else
			witness_detach(port->ifindex);
		if (err)
			log_error("%s: cannot attach the TC egress program: %s", port->name,
				  strerror(-err));
	}
	return err;
}

int witness_attach(struct programs *programs, const struct model *model)
{
	int before = pin_open(programs->pin_dir, PIN), program, err;

	programs->witness_before = before < 0 ? -1 : before;
	programs->witness_touched = true;
	if (!programs->witness) {
		if (before < 0)
			return 0;
		err = set_all(model, -1);
		return err ? err : pin_remove(programs->pin_dir, PIN);
	}
	program = bpf_program__fd(programs->witness->progs.zt6_witness);
	err = set_all(model, program);
	if (err)
		return err;
	err = pin_replace(programs->pin_dir, PIN, program);
	if (err)
		log_error("%s: cannot pin the program: %s", programs->pin_dir, strerror(-err));
	return err;
}

void witness_rollback(struct programs *programs, const struct model *before)
{
	if (!programs->witness_touched)
		return;
	programs->witness_touched = false;
	set_all(before, programs->witness_before);
	if (programs->witness_before >= 0)
		pin_replace(programs->pin_dir, PIN, programs->witness_before);
	else
		pin_remove(programs->pin_dir, PIN);
}

int witness_follow(const char *pin_dir, const struct zt6_port *port)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)port->ifindex,
		    .attach_point = BPF_TC_EGRESS);
	int program, err;

	if (!port->ifindex)
		return 0;
	program = pin_open(pin_dir, PIN);
	if (program < 0)
		return program == -ENOENT ? 0 : program;
	err = bpf_tc_hook_create(&hook);
	if (!err || err == -EEXIST)
		err = set_filter(port->ifindex, program);
	close(program);
	return err;
}

void witness_free(struct programs *programs)
{
	if (programs->witness_before >= 0)
		close(programs->witness_before);
	zt6_witness_bpf__destroy(programs->witness);
}
