// SPDX-License-Identifier: GPL-2.0-or-later
/* Attaching, pinning, and the way back: XDP, and both hooks of a port together. */
#include "programs_internal.h"
#include "witness.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/if_link.h>
#include <string.h>
#include <unistd.h>

#include "../log.h"
#include "../pins.h"

static int open_or_minus_one(const char *dir, const char *name)
{
	int fd = pin_open(dir, name);

	return fd < 0 ? -1 : fd;
}

/* Looks up what an earlier `up` left on the slot. */
static void remember(struct programs *programs, unsigned int slot)
{
	struct attached *was = &programs->attached[slot];
	char name[PIN_NAME_MAX];

	if (was->link < 0)
		was->link =
			open_or_minus_one(programs->pin_dir, pin_slot_name(name, "xdp_link", slot));
	if (was->xdp_program < 0)
		was->xdp_program = open_or_minus_one(programs->pin_dir,
						     pin_slot_name(name, "xdp_program", slot));
}

static __u32 xdp_mode(enum conf_datapath datapath)
{
	return datapath == DATAPATH_XDP_GENERIC ? XDP_FLAGS_SKB_MODE : XDP_FLAGS_DRV_MODE;
}

/* Mode and owner of the program on an interface's XDP hook. False when the hook is free. */
static bool xdp_occupant(int ifindex, __u32 *id, __u32 *mode, struct bpf_prog_info *info)
{
	LIBBPF_OPTS(bpf_xdp_query_opts, query);
	__u32 length = sizeof(*info);
	int fd;

	memset(info, 0, sizeof(*info));
	if (bpf_xdp_query(ifindex, 0, &query) || !query.prog_id)
		return false;
	*id = query.prog_id;
	*mode = query.attach_mode == XDP_ATTACHED_SKB ? XDP_FLAGS_SKB_MODE : XDP_FLAGS_DRV_MODE;
	fd = bpf_prog_get_fd_by_id(query.prog_id);
	if (fd >= 0) {
		bpf_obj_get_info_by_fd(fd, info, &length);
		close(fd);
	}
	return true;
}

/* What the link of an earlier `up` holds still. */
static void remember_xdp(struct attached *was)
{
	struct bpf_link_info info = {0};
	struct bpf_prog_info program;
	__u32 length = sizeof(info), id;

	if (was->link < 0 || bpf_obj_get_info_by_fd(was->link, &info, &length) || !info.xdp.ifindex)
		return;
	if (xdp_occupant(info.xdp.ifindex, &id, &was->mode, &program) && id == info.prog_id)
		was->ifindex = info.xdp.ifindex;
}

static int explain_xdp_error(const struct zt6_port *port, __u32 mode, int err)
{
	struct bpf_prog_info program;
	__u32 id, current;

	if (xdp_occupant(port->ifindex, &id, &current, &program)) {
		log_error("%s: cannot attach XDP: another program (id %u, \"%s\") is on the port; "
			  "detach it, or set \"datapath tc\"",
			  port->name, id, program.name);
		return -EBUSY;
	}
	if (err == -EOPNOTSUPP && mode == XDP_FLAGS_DRV_MODE)
		log_error("%s: cannot attach XDP: the driver has no native XDP; set \"datapath "
			  "auto\" or \"tc\" for this port, or \"xdp-generic\"",
			  port->name);
	else if (err == -ERANGE || err == -EINVAL)
		log_error("%s: cannot attach XDP: %s; the driver may not take XDP with this MTU "
			  "(%u) or with these offloads",
			  port->name, strerror(-err), port->mtu);
	else
		log_error("%s: cannot attach XDP: %s", port->name, strerror(-err));
	return err;
}

static int attach_xdp(struct programs *programs, unsigned int slot, const struct model *model)
{
	const struct zt6_port *port = &model->ports[slot];
	struct attached *was = &programs->attached[slot];
	int program = programs_xdp_fd(programs, slot), link, err;
	__u32 mode = xdp_mode(model->datapaths[slot]);
	LIBBPF_OPTS(bpf_link_create_opts, options, .flags = mode);
	char name[PIN_NAME_MAX];

	remember(programs, slot);
	remember_xdp(was);
	was->touched = true;
	if (was->ifindex == (int)port->ifindex && was->mode == mode) {
		if (bpf_link_update(was->link, program, NULL))
			return explain_xdp_error(port, mode, -errno);
	} else {
		was->replaced = true;
		if (was->ifindex)
			bpf_link_detach(was->link);
		link = bpf_link_create(program, port->ifindex, BPF_XDP, &options);
		if (link < 0)
			return explain_xdp_error(port, mode, -errno);
		err = pin_replace(programs->pin_dir, pin_slot_name(name, "xdp_link", slot), link);
		close(link); /* the pin holds it */
		if (err) {
			log_error("%s: cannot pin the link: %s", port->name, strerror(-err));
			return err;
		}
	}
	err = pin_replace(programs->pin_dir, pin_slot_name(name, "xdp_program", slot), program);
	if (err)
		log_error("%s: cannot pin the program: %s", port->name, strerror(-err));
	return err;
}

/* For a port whose interface is away: whoever brings it in finds the program. A link of before is
 * given up; rollback_xdp() pins it again. */
static int leave_xdp(struct programs *programs, unsigned int slot, const struct model *model)
{
	struct attached *was = &programs->attached[slot];
	char name[PIN_NAME_MAX];
	int err;

	remember(programs, slot);
	remember_xdp(was);
	was->touched = true;
	err = pin_remove(programs->pin_dir, pin_slot_name(name, "xdp_link", slot));
	if (!err)
		err = pin_replace(programs->pin_dir, pin_slot_name(name, "xdp_program", slot),
				  programs_xdp_fd(programs, slot));
	if (err)
		log_error("%s: cannot pin the program: %s", model->ports[slot].name,
			  strerror(-err));
	return err;
}

/* Whether the pinned link of the slot is on that interface. */
static bool link_is_on(const char *pin_dir, unsigned int slot, __u32 ifindex)
{
	struct bpf_link_info info = {0};
	__u32 length = sizeof(info);
	char name[PIN_NAME_MAX];
	int link = pin_open(pin_dir, pin_slot_name(name, "xdp_link", slot));

	if (link < 0)
		return !ifindex;
	if (bpf_obj_get_info_by_fd(link, &info, &length))
		info.xdp.ifindex = 0;
	close(link);
	return ifindex && info.xdp.ifindex == ifindex;
}

static int follow_xdp(const char *pin_dir, unsigned int slot, const struct zt6_port *port)
{
	__u32 mode = port->flags & ZT6_PORT_XDP_GENERIC ? XDP_FLAGS_SKB_MODE : XDP_FLAGS_DRV_MODE;
	LIBBPF_OPTS(bpf_link_create_opts, options, .flags = mode);
	char name[PIN_NAME_MAX];
	int program, link, err;

	if (link_is_on(pin_dir, slot, port->ifindex))
		return 0;
	/* An interface that has another name by now loses the program with the link. */
	err = pin_remove(pin_dir, pin_slot_name(name, "xdp_link", slot));
	if (err || !port->ifindex)
		return err;
	program = pin_open(pin_dir, pin_slot_name(name, "xdp_program", slot));
	if (program < 0)
		return program;
	link = bpf_link_create(program, (int)port->ifindex, BPF_XDP, &options);
	err = link < 0 ? explain_xdp_error(port, mode, -errno)
		       : pin_replace(pin_dir, pin_slot_name(name, "xdp_link", slot), link);
	if (link >= 0)
		close(link);
	close(program);
	return err;
}

int programs_follow(const char *pin_dir, unsigned int slot, __u32 before,
		    const struct zt6_port *port)
{
	int err;

	programs_hush_libbpf();
	/* What XDP leaves to TC shall find it there. */
	err = follow_tc(pin_dir, slot, before, port);
	if (!err && (port->paths & ZT6_PATH_XDP))
		err = follow_xdp(pin_dir, slot, port);
	return err ? err : witness_follow(pin_dir, port);
}

static int pin_maps(struct programs *programs)
{
	for (size_t i = 0; i < programs->map_count; i++) {
		const struct shared_map *map = &programs->maps[i];
		int err = map->reused ? pin_give(programs->pin_dir, map->name)
				      : pin_replace(programs->pin_dir, map->name, map->fd);

		if (err) {
			log_error("%s: cannot pin the map \"%s\": %s", programs->pin_dir,
				  programs->maps[i].name, strerror(-err));
			return err;
		}
	}
	return 0;
}

/* Detaches what no longer is on a slot. The link's descriptor is kept open until programs_free(), so
 * that a rollback can pin it again. */
static void detach_xdp(struct programs *programs, unsigned int slot)
{
	struct attached *was = &programs->attached[slot];
	char name[PIN_NAME_MAX];

	remember(programs, slot);
	remember_xdp(was);
	was->touched = true;
	pin_remove(programs->pin_dir, pin_slot_name(name, "xdp_link", slot));
	pin_remove(programs->pin_dir, pin_slot_name(name, "xdp_program", slot));
}

static void detach_unused(struct programs *programs)
{
	for (unsigned int slot = 0; slot < ZT6_MAX_PORTS; slot++) {
		if (programs->before.ports[slot].role == ZT6_ROLE_NONE)
			continue;
		if (programs_xdp_fd(programs, slot) < 0)
			detach_xdp(programs, slot);
		detach_tc(programs, slot);
		if (programs->now[slot].role == ZT6_ROLE_NONE &&
		    programs->before.ports[slot].ifindex)
			witness_detach(programs->before.ports[slot].ifindex);
	}
}

int programs_attach(struct programs *programs, const struct model *model)
{
	int err = pin_maps(programs);

	/* What XDP leaves to TC shall find it there. */
	for (unsigned int slot = 0; slot < ZT6_MAX_PORTS && !err; slot++)
		err = attach_tc(programs, slot, &model->ports[slot]);
	for (unsigned int slot = 0; slot < ZT6_MAX_PORTS && !err; slot++)
		if (programs_xdp_fd(programs, slot) >= 0)
			err = model->ports[slot].ifindex ? attach_xdp(programs, slot, model)
							 : leave_xdp(programs, slot, model);
	if (!err)
		err = witness_attach(programs, model);
	if (err) {
		programs_rollback(programs);
		return err;
	}
	detach_unused(programs);
	return 0;
}

/* The link of before, or a new one where programs_attach() had to detach it. */
static void rollback_xdp(struct programs *programs, unsigned int slot)
{
	struct attached *was = &programs->attached[slot];
	LIBBPF_OPTS(bpf_link_create_opts, options, .flags = was->mode);
	char name[PIN_NAME_MAX];

	pin_remove(programs->pin_dir, pin_slot_name(name, "xdp_link", slot));
	pin_remove(programs->pin_dir, pin_slot_name(name, "xdp_program", slot));
	if (was->xdp_program < 0)
		return;
	pin_replace(programs->pin_dir, pin_slot_name(name, "xdp_program", slot), was->xdp_program);
	if (!was->ifindex)
		return;
	if (was->replaced) {
		close(was->link);
		was->link = bpf_link_create(was->xdp_program, was->ifindex, BPF_XDP, &options);
	} else {
		bpf_link_update(was->link, was->xdp_program, NULL);
	}
	pin_replace(programs->pin_dir, pin_slot_name(name, "xdp_link", slot), was->link);
}

void programs_rollback(struct programs *programs)
{
	struct map_fds fds = programs_map_fds(programs);

	for (unsigned int slot = 0; slot < ZT6_MAX_PORTS; slot++) {
		if (programs->attached[slot].touched)
			rollback_xdp(programs, slot);
		programs->attached[slot].touched = false;
		rollback_tc(programs, slot);
	}
	witness_rollback(programs, &programs->before);
	if (!programs->was_up) {
		if (programs->pin_dir[0])
			pins_remove_all(programs->pin_dir);
		return;
	}
	if (programs->filled)
		maps_write(&fds, &programs->before);
}
