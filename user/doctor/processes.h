/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ZT6_DOCTOR_PROCESSES_H
#define ZT6_DOCTOR_PROCESSES_H

#include <stdbool.h>
#include <sys/types.h>

/**
 * process_find - a process of that program in this network namespace.
 * @name: of the program; the kernel keeps 15 characters of it
 *
 * Returns its id, or 0: none, or none that this process may look at.
 */
pid_t process_find(const char *name);

#endif
