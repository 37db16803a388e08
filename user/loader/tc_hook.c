// SPDX-License-Identifier: GPL-2.0-or-later
#include "tc_hook.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <unistd.h>

#include "../pins.h"

/* enum bpf_attach_type of Linux 6.6; libbpf 1.1 hands on what it does not know. */
#define TCX_INGRESS ((enum bpf_attach_type)46)
#define TCX_EGRESS  ((enum bpf_attach_type)47)

#define LOOPBACK 1 /* its index, in every network namespace */

/* struct bpf_link_info of Linux 6.6 has there what an XDP link has. */
#define LINK_IFINDEX(info) ((int)(info)->xdp.ifindex)

bool tc_hook_has_tcx(void)
{
	__u32 flags = 0, count = 0;

	/* Older kernels do not know the attach type: EINVAL. */
	return !bpf_prog_query(LOOPBACK, TCX_INGRESS, 0, &flags, NULL, &count);
}

/* The interface that a link is on, or 0. */
static int link_ifindex(int link)
{
	struct bpf_link_info info = {0};
	__u32 length = sizeof(info);

	return bpf_obj_get_info_by_fd(link, &info, &length) ? 0 : LINK_IFINDEX(&info);
}

/* The pinned link, or a negative error; *@ifindex: where it is. */
static int open_link(const struct tc_hook *hook, int *ifindex)
{
	char name[PIN_NAME_MAX];
	int link = pin_open(hook->pin_dir, pin_slot_name(name, hook->what, hook->slot));

	*ifindex = link < 0 ? 0 : link_ifindex(link);
	return link;
}

static int set_link(const struct tc_hook *hook, int program)
{
	char name[PIN_NAME_MAX];
	int ifindex, err = 0, link = open_link(hook, &ifindex);

	if (link >= 0 && ifindex == hook->ifindex) {
		err = bpf_link_update(link, program, NULL) ? -errno : 0;
	} else {
		if (link >= 0)
			close(link);
		link = bpf_link_create(program, hook->ifindex,
				       hook->egress ? TCX_EGRESS : TCX_INGRESS, NULL);
		if (link < 0)
			return -errno;
		err = pin_replace(hook->pin_dir, pin_slot_name(name, hook->what, hook->slot), link);
	}
	close(link); /* the pin holds it */
	return err;
}

static struct bpf_tc_hook place_of(const struct tc_hook *hook)
{
	return (struct bpf_tc_hook){
		.sz = sizeof(struct bpf_tc_hook),
		.ifindex = hook->ifindex,
		.attach_point = hook->egress ? BPF_TC_EGRESS : BPF_TC_INGRESS,
	};
}

static int set_filter(const struct tc_hook *hook, int program)
{
	struct bpf_tc_hook place = place_of(hook);
	LIBBPF_OPTS(bpf_tc_opts, options, .handle = ZT6_TC_HANDLE, .priority = hook->priority,
		    .prog_fd = program, .flags = BPF_TC_F_REPLACE);

	return bpf_tc_attach(&place, &options);
}

static bool has_link(const struct tc_hook *hook)
{
	return !hook->is_filter && tc_hook_has_tcx();
}

int tc_hook_set(const struct tc_hook *hook, int program)
{
	return has_link(hook) ? set_link(hook, program) : set_filter(hook, program);
}

bool tc_hook_is_set(const struct tc_hook *hook)
{
	struct bpf_tc_hook place = place_of(hook);
	LIBBPF_OPTS(bpf_tc_opts, options, .handle = ZT6_TC_HANDLE, .priority = hook->priority);
	int ifindex, link;

	if (!has_link(hook))
		return !bpf_tc_query(&place, &options);
	link = open_link(hook, &ifindex);
	if (link >= 0)
		close(link);
	return link >= 0 && ifindex == hook->ifindex;
}

int tc_hook_clear(const struct tc_hook *hook)
{
	struct bpf_tc_hook place = place_of(hook);
	LIBBPF_OPTS(bpf_tc_opts, options, .handle = ZT6_TC_HANDLE, .priority = hook->priority);
	char name[PIN_NAME_MAX];
	int err;

	if (has_link(hook))
		return pin_remove(hook->pin_dir, pin_slot_name(name, hook->what, hook->slot));
	if (!hook->ifindex)
		return 0;
	err = bpf_tc_detach(&place, &options);
	return err == -ENOENT || err == -EINVAL || err == -ENODEV ? 0 : err;
}
