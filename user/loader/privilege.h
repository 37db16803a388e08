/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ZT6_PRIVILEGE_H
#define ZT6_PRIVILEGE_H

#define PRIVILEGE_NAMES_MAX 128

/* Whether this process has the capabilities that `up` and `down` need. 0, or -EPERM with a message
 * that names those that are missing. */
int privilege_check(const char *command);

/* Writes the names of those that it lacks, separated by commas, into @missing: "" for none. 0 or
 * -errno. */
int privilege_missing(char missing[PRIVILEGE_NAMES_MAX]);

#endif
