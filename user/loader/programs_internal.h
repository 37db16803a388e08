/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What programs.c (loading) and attach.c (attaching, pinning, undoing) share. */
#ifndef ZT6_PROGRAMS_INTERNAL_H
#define ZT6_PROGRAMS_INTERNAL_H

#include <limits.h>
#include <linux/bpf.h>

#include "maps.h"
#include "programs.h"

struct bpf_object;

struct zt6_xdp_bpf;
struct zt6_tc_bpf;
struct zt6_tc_port_bpf;
struct zt6_witness_bpf;

#define MAX_MAPS 32

struct shared_map {
	char name[BPF_OBJ_NAME_LEN]; /* a copy: bpf_map__reuse_fd() frees libbpf's own */
	int fd;
	bool reused; /* it was pinned already */
};

/* What can be on a TC hook of a port. */
enum tc_kind {
	TC_PORT,   /* the pipeline, at ingress */
	TC_TUNNEL, /* `device bpf`: of a TUN at egress, of its uplink at ingress */
	TC_KINDS
};

struct attached_tc {
	bool touched;
	int program; /* that was there before, or negative */
};

/* What was attached before, to go back to. Every file descriptor is -1 where there is none. */
struct attached {
	bool touched;    /* programs_attach() has changed this slot */
	int link;        /* of XDP */
	int xdp_program; /* that the link ran */
	int ifindex;     /* that the link held; 0: the link was replaced by none */
	__u32 mode;      /* XDP_FLAGS_* of the link */
	bool replaced;   /* by a link of ours, because it held another interface or mode */
	struct attached_tc tc[TC_KINDS];
};

struct programs {
	char pin_dir[PATH_MAX]; /* empty: nothing is pinned */
	struct zt6_xdp_bpf *xdp[ZT6_MAX_PORTS];
	struct zt6_tc_port_bpf *tc_port[ZT6_MAX_PORTS];
	struct zt6_tc_bpf *tc[ZT6_MAX_PORTS];
	struct shared_map maps[MAX_MAPS];
	size_t map_count;
	bool was_up;         /* maps of an earlier `up` were found */
	struct model before; /* their contents */
	bool filled;
	struct zt6_port now[ZT6_MAX_PORTS]; /* as the model has them */
	struct attached attached[ZT6_MAX_PORTS];
	struct zt6_witness_bpf *witness; /* NULL: not wanted, or the kernel cannot */
	int witness_before;              /* the program that an earlier `up` has attached, or -1 */
	bool witness_touched;
};

/* What libbpf has to say is shown with -v only: what it means is in our own messages. */
void programs_hush_libbpf(void);

/* Descriptors of the maps that are written to; they stay the programs' own. */
struct map_fds programs_map_fds(const struct programs *programs);

/* Gives the object's maps the file descriptors of those that exist already. 0 or -errno. */
int programs_reuse_maps(struct programs *programs, struct bpf_object *object);

/* File descriptor of the slot's TC program, or -1. */
int programs_tc_fd(const struct programs *programs, unsigned int slot, enum tc_kind kind);

/* attach_tc.c: puts all TC programs of a slot on the port. 0, or -errno with a message. */
int attach_tc(struct programs *programs, unsigned int slot, const struct zt6_port *port);

/* Takes away what was there and has no program any more. */
void detach_tc(struct programs *programs, unsigned int slot);

/* Undoes both. */
void rollback_tc(struct programs *programs, unsigned int slot);

/* Brings the pinned programs to the interface that the port has now. 0 or -errno. */
int follow_tc(const char *pin_dir, unsigned int slot, __u32 before, const struct zt6_port *port);

#endif
