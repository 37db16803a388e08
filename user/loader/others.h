/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Several instances in one network namespace: what they have in common, such as the switch for
 * forwarding, is in the journal of each that needs it, and the last one puts back what was there
 * before the first.
 */
#ifndef ZT6_OTHERS_H
#define ZT6_OTHERS_H

#include "journal.h"

/**
 * others_lock - have no other instance make or take away what is common, until close().
 * @journal: of an instance whose lock is held; this one is taken after it and let go of before it
 *
 * Returns a file descriptor, or -errno with a message.
 */
int others_lock(const struct journal *journal);

/**
 * others_load - what is common (object_kind.common) in the journals of the other instances of this
 * network namespace.
 * @out: for objects_free(), also after an error
 *
 * A journal that cannot be read, which is said, holds nothing. Returns 0 or -ENOMEM.
 */
int others_load(const struct journal *journal, struct objects *out);

#endif
