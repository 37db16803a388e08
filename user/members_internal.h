/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What members.c and the readers of its sources share. */
#ifndef ZT6_MEMBERS_INTERNAL_H
#define ZT6_MEMBERS_INTERNAL_H

#include "members.h"

/* Where the sources put what they know: one element per source and address, in any order. */
struct collection {
	const struct model *model;
	struct members found;
	size_t room; /* elements of found.list */
	uint64_t now_ns;
};

/* Adds a copy. 0 or -ENOMEM. */
int collection_add(struct collection *collection, const struct member *member);

/* members_binding.c: by what each is bound. 0 or a negative error. */
int members_bind(struct members *members, const struct model *model, const char *pin_dir);

/* members_maps.c and members_kernel.c: 0 or a negative error. */
int members_from_maps(struct collection *collection, const char *pin_dir);
int members_from_kernel(struct collection *collection, struct nl_sock *nl);

#endif
