// SPDX-License-Identifier: GPL-2.0-or-later
/* Loading: a copy of the pipeline, in XDP or TC or both, for each port, one of the TC program per end
 * of a BPF tunnel, all on the same maps. */
#include "conntrack.h"
#include "programs_internal.h"
#include "witness.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../log.h"
#include "../pins.h"
#include "zt6_tc.skel.h"
#include "zt6_tc_port.skel.h"
#include "zt6_xdp.skel.h"

/* The oldest kernel on which every program loads; older ones lack what is named. */
#define OLDEST_KERNEL "Linux 6.1"

/* libbpf explains a failed load in many lines: they are shown with -v only. */
static int print_libbpf(enum libbpf_print_level level, const char *format, va_list args)
{
	if (!log_verbose || level == LIBBPF_DEBUG)
		return 0;
	return vfprintf(stderr, format, args);
}

/* Whether a BPF tunnel needs a TC program on the port: its TUN's egress, its uplink's ingress. */
static bool has_tc(const struct model *model, unsigned int slot)
{
	if (model->tunnel_bpf[slot])
		return true;
	for (unsigned int i = 0; i < model->settings.tunnel_count; i++)
		if (model->settings.tunnels[i].uplink == slot &&
		    (model->settings.tunnels[i].flags & ZT6_TUNNEL_BPF))
			return true;
	return false;
}

void programs_hush_libbpf(void)
{
	libbpf_set_print(print_libbpf);
}

static struct shared_map *find_map(struct programs *programs, const char *name)
{
	for (size_t i = 0; i < programs->map_count; i++)
		if (!strcmp(programs->maps[i].name, name))
			return &programs->maps[i];
	return NULL;
}

static void add_map(struct programs *programs, const struct bpf_map *map, int fd, bool reused)
{
	struct shared_map *shared = &programs->maps[programs->map_count++];

	*shared = (struct shared_map){.fd = fd, .reused = reused};
	snprintf(shared->name, sizeof(shared->name), "%s", bpf_map__name(map));
}

int programs_reuse_maps(struct programs *programs, struct bpf_object *object)
{
	struct shared_map *shared;
	struct bpf_map *map;
	int err;

	bpf_object__for_each_map(map, object)
	{
		shared = bpf_map__is_internal(map) ? NULL : find_map(programs, bpf_map__name(map));
		if (!shared)
			continue;
		err = bpf_map__reuse_fd(map, shared->fd);
		if (err)
			return err;
	}
	return 0;
}

/* Takes note of the maps that the object has created. */
static int share_maps(struct programs *programs, struct bpf_object *object)
{
	struct bpf_map *map;

	bpf_object__for_each_map(map, object)
	{
		if (bpf_map__is_internal(map) || find_map(programs, bpf_map__name(map)))
			continue;
		if (programs->map_count == MAX_MAPS)
			return -E2BIG;
		add_map(programs, map, bpf_map__fd(map), false);
	}
	return 0;
}

/* Refuses an instance whose maps this program cannot read. */
static int check_schema(const char *pin_dir)
{
	struct zt6_settings settings;
	__u32 zero = 0;
	int fd = pin_open_map(pin_dir, "settings", sizeof(settings));
	int err = fd < 0 ? fd : 0;

	if (fd >= 0 && bpf_map_lookup_elem(fd, &zero, &settings))
		err = -errno;
	/* 0: an `up` that died before it had written anything. */
	if (!err && settings.schema && settings.schema != ZT6_SCHEMA)
		err = -EPROTO;
	if (err == -EPROTO)
		log_error("%s: pinned by another version of zt6-bpf; run \"zt6-bpf down\" first",
			  pin_dir);
	if (err == -ELOOP)
		log_error("%s: \"settings\" is a link and no pin; run \"zt6-bpf down\" first",
			  pin_dir);
	if (fd >= 0)
		close(fd);
	return err;
}

/* Maps that a running instance has pinned and that are as large as the model wants them. */
static int open_pinned_maps(struct programs *programs, struct bpf_object *object)
{
	struct bpf_map_info info;
	struct bpf_map *map;
	__u32 length;
	int err, fd;

	err = check_schema(programs->pin_dir);
	if (err == -ENOENT)
		return 0;
	if (err)
		return err;
	programs->was_up = true;
	bpf_object__for_each_map(map, object)
	{
		if (bpf_map__is_internal(map))
			continue;
		fd = pin_open(programs->pin_dir, bpf_map__name(map));
		if (fd < 0)
			continue;
		memset(&info, 0, sizeof(info));
		length = sizeof(info);
		if (bpf_obj_get_info_by_fd(fd, &info, &length) ||
		    info.max_entries != bpf_map__max_entries(map) ||
		    info.value_size != bpf_map__value_size(map)) {
			close(fd);
			continue;
		}
		add_map(programs, map, fd, true);
	}
	return 0;
}

static int load_error(const char *what, int err)
{
	if (err == -EPERM || err == -EACCES)
		log_error("cannot load the %s program: %s; CAP_BPF, CAP_NET_ADMIN and "
			  "CAP_PERFMON are needed",
			  what, strerror(-err));
	else if (err == -ENOMEM)
		log_error("cannot load the %s program: not enough memory for the maps; lower "
			  "\"cache-entries\" in \"limits\"",
			  what);
	else
		log_error("cannot load the %s program: %s; zt6-bpf needs " OLDEST_KERNEL
			  " or later (-v shows what the kernel said)",
			  what, strerror(-err));
	return err;
}

static int size_map(struct bpf_object *object, const char *name, __u32 entries)
{
	struct bpf_map *map = bpf_object__find_map_by_name(object, name);

	return map ? bpf_map__set_max_entries(map, entries) : -ENOENT;
}

/* The bounds that the configuration sets (section limits). */
static int size_maps(struct bpf_object *object, const struct model *model)
{
	int cpus = libbpf_num_possible_cpus();
	int err = cpus < 0 ? cpus : size_map(object, "routes", model->settings.cache_sets);

	if (!err)
		err = size_map(object, "route_tags", model->settings.cache_sets * (__u32)cpus);
	if (!err)
		err = size_map(object, "verified", model->members);
	if (!err)
		err = size_map(object, "members", model->members);
	if (!err)
		err = size_map(object, "traffic", model->members);
	if (!err)
		err = size_map(object, "negative", model->negative);
	if (!err)
		err = size_map(object, "member_limits", model->members);
	if (!err)
		err = size_map(object, "flows", model->settings.flow_sets);
	if (!err)
		err = size_map(object, "witnessed", model->settings.flow_sets * ZT6_WAYS);
	return err;
}

/* Makes a pipeline's object ready to be loaded. The first one creates the maps, unless they are pinned
 * already; the others share them. */
static int prepare_pipeline(struct programs *programs, struct bpf_object *object,
			    const struct model *model)
{
	int err = size_maps(object, model);

	if (!err && !programs->map_count && programs->pin_dir[0])
		err = open_pinned_maps(programs, object);
	return err ? err : programs_reuse_maps(programs, object);
}

static int load_xdp(struct programs *programs, unsigned int slot, const struct model *model,
		    const struct programs_options *options)
{
	struct zt6_xdp_bpf *skeleton = zt6_xdp_bpf__open();
	int err;

	if (!skeleton)
		return load_error("XDP", -errno);
	programs->xdp[slot] = skeleton;
	skeleton->rodata->port_slot = slot;
	skeleton->rodata->poison_headroom = options && options->poison_headroom;
	err = prepare_pipeline(programs, skeleton->obj, model);
	if (err)
		return err;
	err = zt6_xdp_bpf__load(skeleton);
	return err ? load_error("XDP", err) : share_maps(programs, skeleton->obj);
}

static int load_tc_port(struct programs *programs, unsigned int slot, const struct model *model)
{
	struct zt6_tc_port_bpf *skeleton = zt6_tc_port_bpf__open();
	int err;

	if (!skeleton)
		return load_error("TC", -errno);
	programs->tc_port[slot] = skeleton;
	skeleton->rodata->port_slot = slot;
	err = prepare_pipeline(programs, skeleton->obj, model);
	if (err)
		return err;
	err = zt6_tc_port_bpf__load(skeleton);
	return err ? load_error("TC", err) : share_maps(programs, skeleton->obj);
}

static int load_tc(struct programs *programs, unsigned int slot, const struct model *model)
{
	struct zt6_tc_bpf *skeleton = zt6_tc_bpf__open();
	bool egress = model->ports[slot].role == ZT6_ROLE_TUNNEL;
	int err;

	if (!skeleton)
		return load_error("TC", -errno);
	programs->tc[slot] = skeleton;
	skeleton->rodata->port_slot = slot;
	bpf_program__set_autoload(skeleton->progs.zt6_tunnel_egress, egress);
	bpf_program__set_autoload(skeleton->progs.zt6_uplink_ingress, !egress);
	err = programs_reuse_maps(programs, skeleton->obj);
	if (!err)
		err = zt6_tc_bpf__load(skeleton);
	return err ? load_error("TC", err) : 0;
}

struct map_fds programs_map_fds(const struct programs *programs)
{
	return (struct map_fds){
		.settings = programs_map_fd(programs, "settings"),
		.agent = programs_map_fd(programs, "agent"),
		.ports = programs_map_fd(programs, "ports"),
		.counters = programs_map_fd(programs, "counters"),
		.devices = programs_map_fd(programs, "devices"),
		.prefixes = programs_map_fd(programs, "prefixes"),
		.rules = programs_map_fd(programs, "rules"),
		.bindings = programs_map_fd(programs, "bindings"),
	};
}

int programs_load(const char *pin_dir, const struct model *model,
		  const struct programs_options *options, struct programs **out)
{
	struct programs *programs = calloc(1, sizeof(*programs));
	int err = 0;

	if (!programs)
		return -ENOMEM;
	programs_hush_libbpf();
	for (unsigned int slot = 0; slot < ZT6_MAX_PORTS; slot++)
		programs->attached[slot] = (struct attached){
			.link = -1,
			.xdp_program = -1,
			.tc = {[TC_PORT].program = -1, [TC_TUNNEL].program = -1},
		};
	memcpy(programs->now, model->ports, sizeof(programs->now));
	programs->witness_before = -1;
	if (pin_dir)
		snprintf(programs->pin_dir, sizeof(programs->pin_dir), "%s", pin_dir);
	for (unsigned int slot = 0; slot < ZT6_MAX_PORTS && !err; slot++)
		if (model->ports[slot].paths & ZT6_PATH_XDP)
			err = load_xdp(programs, slot, model, options);
	for (unsigned int slot = 0; slot < ZT6_MAX_PORTS && !err; slot++)
		if (model->ports[slot].paths & ZT6_PATH_TC)
			err = load_tc_port(programs, slot, model);
	for (unsigned int slot = 0; slot < ZT6_MAX_PORTS && !err; slot++)
		if (has_tc(model, slot))
			err = load_tc(programs, slot, model);
	if (!err)
		err = witness_load(programs, model);
	if (!err && programs->was_up) {
		struct map_fds fds = programs_map_fds(programs);

		err = maps_read(&fds, &programs->before);
	}
	if (err) {
		programs_free(programs);
		return err;
	}
	*out = programs;
	return 0;
}

int programs_fill(struct programs *programs, const struct model *model)
{
	struct map_fds fds = programs_map_fds(programs);
	struct model actual = *model;
	int err;

	programs->filled = true;
	if (witness_loaded(programs)) {
		actual.settings.flags |= ZT6_SETTINGS_WITNESS;
		actual.settings.established_ms = conntrack_established_ms();
	}
	err = maps_write(&fds, &actual);
	if (err)
		log_error("cannot write the maps: %s", strerror(-err));
	return err;
}

int programs_xdp_fd(const struct programs *programs, unsigned int slot)
{
	if (slot >= ZT6_MAX_PORTS || !programs->xdp[slot])
		return -1;
	return bpf_program__fd(programs->xdp[slot]->progs.zt6_xdp);
}

static int tunnel_fd(const struct zt6_tc_bpf *skeleton)
{
	if (!skeleton)
		return -1;
	return bpf_program__fd(bpf_program__autoload(skeleton->progs.zt6_tunnel_egress)
				       ? skeleton->progs.zt6_tunnel_egress
				       : skeleton->progs.zt6_uplink_ingress);
}

int programs_tc_fd(const struct programs *programs, unsigned int slot, enum tc_kind kind)
{
	if (kind == TC_TUNNEL)
		return tunnel_fd(programs->tc[slot]);
	return programs_tc_port_fd(programs, slot);
}

int programs_tc_port_fd(const struct programs *programs, unsigned int slot)
{
	if (slot >= ZT6_MAX_PORTS || !programs->tc_port[slot])
		return -1;
	return bpf_program__fd(programs->tc_port[slot]->progs.zt6_tc);
}

int programs_map_fd(const struct programs *programs, const char *name)
{
	for (size_t i = 0; i < programs->map_count; i++)
		if (!strcmp(programs->maps[i].name, name))
			return programs->maps[i].fd;
	return -1;
}

static void close_fd(int fd)
{
	if (fd >= 0)
		close(fd);
}

void programs_free(struct programs *programs)
{
	if (!programs)
		return;
	for (size_t i = 0; i < programs->map_count; i++)
		if (programs->maps[i].reused)
			close(programs->maps[i].fd);
	for (unsigned int slot = 0; slot < ZT6_MAX_PORTS; slot++) {
		close_fd(programs->attached[slot].link);
		close_fd(programs->attached[slot].xdp_program);
		for (enum tc_kind kind = 0; kind < TC_KINDS; kind++)
			close_fd(programs->attached[slot].tc[kind].program);
		zt6_xdp_bpf__destroy(programs->xdp[slot]);
		zt6_tc_port_bpf__destroy(programs->tc_port[slot]);
		zt6_tc_bpf__destroy(programs->tc[slot]);
	}
	witness_free(programs);
	model_free(&programs->before);
	free(programs);
}

int programs_unpin(const char *pin_dir)
{
	int err = pins_remove_all(pin_dir);

	if (err)
		log_error("%s: cannot take the pins away: %s", pin_dir, strerror(-err));
	return err;
}

int programs_read_ports(const char *pin_dir, struct model *model)
{
	int fd = pin_open_map(pin_dir, "ports", sizeof(struct zt6_port));
	int err = fd < 0 ? fd : 0;

	for (__u32 slot = 0; slot < ZT6_MAX_PORTS && !err; slot++)
		if (bpf_map_lookup_elem(fd, &slot, &model->ports[slot]))
			err = -errno;
	close_fd(fd);
	return err;
}
