/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The folders of an instance: each lies in one that all instances share. */
#ifndef ZT6_FOLDER_H
#define ZT6_FOLDER_H

#include <sys/types.h>

/**
 * folder_make - make a folder and, where need be, the one that it is in; the agent's user gets it.
 * @mode: of both
 *
 * The last instance that goes down takes the shared one away, maybe at this very moment: then it is
 * made again. Returns 0, also when the folder was there before, or -errno.
 */
int folder_make(const char *dir, mode_t mode);

#endif
