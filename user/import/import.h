/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ZT6_IMPORT_IMPORT_H
#define ZT6_IMPORT_IMPORT_H

#include <stdio.h>

#include "sources.h"

/**
 * import_source - the import of a name.
 *
 * Returns NULL when there is no such import from files.
 */
import_fn *import_source(const char *name);

/**
 * import_write - print a draft to which all files have been added.
 * @out: for the configuration: all of it, or nothing when there are faults
 * @errors: for the faults, or else the remarks, and what is left to be filled in
 *
 * Returns 0, -EINVAL when there are faults, -ENODATA when there is nothing to print, or -ENOMEM.
 */
int import_write(struct draft *draft, FILE *out, FILE *errors);

/* `import ndppd|interfaces|zerotier FILE...`, from the first FILE on, which @run is for. @arguments end
 * with a NULL. Behind the first file of a name, another name says what the files behind that are.
 * Returns an exit status. */
int import_files(import_fn *run, char **arguments);

#endif
