// SPDX-License-Identifier: GPL-2.0-or-later
#include "datapath.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "programs.h"
#include "vlan.h"
#include "xdp_features.h"
#include "../log.h"
#include "../pins.h"

/* The interface that our pinned XDP link is on, or 0. */
static int linked_ifindex(const char *pin_dir, unsigned int slot)
{
	struct bpf_link_info info = {0};
	__u32 length = sizeof(info);
	char name[PIN_NAME_MAX];
	int link = pin_dir ? pin_open(pin_dir, pin_slot_name(name, "xdp_link", slot)) : -ENOENT;

	if (link < 0)
		return 0;
	if (bpf_obj_get_info_by_fd(link, &info, &length))
		info.xdp.ifindex = 0;
	close(link);
	return (int)info.xdp.ifindex;
}

/* A program that does nothing, but can do what ours can. */
static int load_nothing(void)
{
	LIBBPF_OPTS(bpf_prog_load_opts, options, .prog_flags = BPF_F_XDP_HAS_FRAGS);
	const struct bpf_insn pass[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = XDP_PASS},
		{.code = BPF_JMP | BPF_EXIT},
	};

	return bpf_prog_load(BPF_PROG_TYPE_XDP, "zt6_probe", "GPL", pass,
			     sizeof(pass) / sizeof(*pass), &options);
}

/* Whether the driver takes an XDP program with the device's MTU, queues and offloads as they are:
 * 0, or what it says. It is taken off at once. */
static int try_native(int ifindex)
{
	LIBBPF_OPTS(bpf_link_create_opts, options, .flags = XDP_FLAGS_DRV_MODE);
	int program = load_nothing(), link, err;

	if (program < 0)
		return program;
	link = bpf_link_create(program, ifindex, BPF_XDP, &options);
	err = link < 0 ? -errno : 0;
	if (link >= 0)
		close(link);
	close(program);
	return err;
}

static bool is_occupied(int ifindex)
{
	LIBBPF_OPTS(bpf_xdp_query_opts, query);

	return !bpf_xdp_query(ifindex, 0, &query) && query.prog_id;
}

static void use_xdp(struct zt6_port *port, bool can_xmit)
{
	port->paths = ZT6_PATH_XDP | (can_xmit ? ZT6_PATH_XDP_XMIT : 0);
}

static void use_tc(struct zt6_port *port, enum zt6_why why, int err)
{
	port->paths = ZT6_PATH_TC;
	port->why = why;
	port->why_errno = -err;
}

/* `auto`, for an interface that is there. */
static int choose_port(struct zt6_port *port, const struct zt6_port *before, int ifindex,
		       bool has_link, bool dry_run)
{
	uint64_t features;
	int err = xdp_features(ifindex, &features);
	/* Who does not say what he can do is taken at his word when he takes a program. */
	bool can_xmit = err || (features & XDP_FEATURE_XMIT);

	port->why = ZT6_WHY_NATIVE;
	if (vlan_is_hidden(port->name) > 0) {
		use_tc(port, ZT6_WHY_TAGS, 0);
	} else if (has_link) {
		use_xdp(port, can_xmit);
	} else if (is_occupied(ifindex)) {
		use_tc(port, ZT6_WHY_OCCUPIED, 0);
	} else if (!err && !(features & XDP_FEATURE_BASIC)) {
		use_tc(port, ZT6_WHY_NO_XDP, 0);
	} else if (before->why == ZT6_WHY_REFUSED && (int)before->ifindex == ifindex) {
		/* Not tried again: some drivers lose packets over it. */
		use_tc(port, ZT6_WHY_REFUSED, -(int)before->why_errno);
	} else {
		err = dry_run ? 0 : try_native(ifindex);
		if (err == -EPERM || err == -EACCES) {
			log_error("%s: cannot try whether the driver takes an XDP program: %s",
				  port->name, strerror(-err));
			return err;
		}
		if (err)
			use_tc(port, err == -EOPNOTSUPP ? ZT6_WHY_NO_XDP : ZT6_WHY_REFUSED, err);
		else
			use_xdp(port, can_xmit);
	}
	return 0;
}

static bool takes_from_xdp(const struct zt6_port *port)
{
	return port->paths & ZT6_PATH_XDP_XMIT;
}

/* Nothing that comes in by the port could be sent by XDP: then there is no use in it, but for
 * answers. */
static bool is_lonely(const struct model *model, unsigned int slot)
{
	for (unsigned int other = 0; other < ZT6_MAX_PORTS; other++)
		if (other != slot && takes_from_xdp(&model->ports[other]))
			return false;
	return true;
}

/* What XDP cannot send out of another port, TC does. */
static bool needs_tc(const struct model *model, unsigned int slot)
{
	for (unsigned int other = 0; other < ZT6_MAX_PORTS; other++)
		if (other != slot && model->ports[other].paths &&
		    !takes_from_xdp(&model->ports[other]))
			return true;
	return false;
}

static void combine(struct model *model)
{
	for (unsigned int slot = 0; slot < ZT6_MAX_PORTS; slot++) {
		struct zt6_port *port = &model->ports[slot];

		if (model->datapaths[slot] == DATAPATH_AUTO && (port->paths & ZT6_PATH_XDP) &&
		    port->role == ZT6_ROLE_OVERLAY && is_lonely(model, slot))
			use_tc(port, ZT6_WHY_LONELY, 0);
	}
	for (unsigned int slot = 0; slot < ZT6_MAX_PORTS; slot++)
		if ((model->ports[slot].paths & ZT6_PATH_XDP) && needs_tc(model, slot))
			model->ports[slot].paths |= ZT6_PATH_TC;
}

/* Whether a port that must run in XDP takes frames from other ports. */
static bool may_xmit(int ifindex)
{
	uint64_t features;

	return !ifindex || xdp_features(ifindex, &features) || (features & XDP_FEATURE_XMIT);
}

int datapath_choose(struct model *model, const char *pin_dir, bool dry_run)
{
	struct model before = {0};
	int err = pin_dir ? programs_read_ports(pin_dir, &before) : 0;

	if (err && err != -ENOENT)
		return err;
	err = 0;
	for (unsigned int slot = 0; slot < ZT6_MAX_PORTS && !err; slot++) {
		struct zt6_port *port = &model->ports[slot];
		int ifindex = (int)if_nametoindex(port->name);

		if (port->role == ZT6_ROLE_NONE || port->role == ZT6_ROLE_TUNNEL)
			continue;
		port->why = ZT6_WHY_CONFIGURED;
		switch (model->datapaths[slot]) {
		case DATAPATH_TC:
			use_tc(port, ZT6_WHY_CONFIGURED, 0);
			break;
		case DATAPATH_XDP_GENERIC:
			use_xdp(port, false);
			break;
		case DATAPATH_XDP:
			if (ifindex && vlan_is_hidden(port->name) > 0)
				log_warning("%s: the device hides the tags of its VLANs from XDP, "
					    "which then takes their frames for its own: ethtool -K "
					    "%s rxvlan off, or \"datapath auto\"",
					    port->name, port->name);
			use_xdp(port, may_xmit(ifindex));
			break;
		default:
			port->why = ZT6_WHY_NATIVE;
			if (!ifindex)
				use_xdp(port, true);
			else
				err = choose_port(port, &before.ports[slot], ifindex,
						  linked_ifindex(pin_dir, slot) == ifindex,
						  dry_run);
		}
	}
	if (!err)
		combine(model);
	return err;
}

const char *datapath_reason(const struct zt6_port *port, char room[DATAPATH_REASON_MAX])
{
	switch (port->why) {
	case ZT6_WHY_NO_XDP:
		return "the driver has no native XDP";
	case ZT6_WHY_OCCUPIED:
		return "another program is on the XDP hook";
	case ZT6_WHY_TAGS:
		return "the device hides the tags of its VLANs from XDP (ethtool -K rxvlan off)";
	case ZT6_WHY_LONELY:
		return "no other port takes frames from XDP";
	case ZT6_WHY_REFUSED:
		snprintf(room, DATAPATH_REASON_MAX, "the driver refused an XDP program: %s",
			 strerror(port->why_errno));
		return room;
	default:
		return NULL;
	}
}
