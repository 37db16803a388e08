/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The program on every port's egress that sees what the kernel forwards (bpf/witness.h). */
#ifndef ZT6_WITNESS_H
#define ZT6_WITNESS_H

#include <stdbool.h>

#include "model.h"

struct programs;

/* Our filter on the egress of clsact: before the one that may redirect. */
#define ZT6_WITNESS_PRIORITY 5

/**
 * witness_load - load the program where the model's policy needs it and the kernel can.
 *
 * A kernel that cannot is no error: a warning says so, and everything stays with the kernel. Returns
 * 0 or -ENOMEM.
 */
int witness_load(struct programs *programs, const struct model *model);

/* Whether it is loaded. */
bool witness_loaded(const struct programs *programs);

/* Its file descriptor, for tests; or -1. */
int witness_fd(const struct programs *programs);

/* Attaches it to the ports of the model, pins it, and takes it off where it is not wanted any more.
 * 0, or -errno with a message. */
int witness_attach(struct programs *programs, const struct model *model);

/* Puts back what witness_attach() found. */
void witness_rollback(struct programs *programs, const struct model *before);

/* Takes it off an interface that is no port any more. */
void witness_detach(unsigned int ifindex);

/* For the agent: brings the pinned program to the interface that a port has now. 0 or -errno. */
int witness_follow(const char *pin_dir, const struct zt6_port *port);

void witness_free(struct programs *programs);

#endif
