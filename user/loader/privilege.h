/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ZT6_PRIVILEGE_H
#define ZT6_PRIVILEGE_H

/* Whether this process has the capabilities that `up` and `down` need. 0, or -EPERM with a message
 * that names those that are missing. */
int privilege_check(const char *command);

#endif
