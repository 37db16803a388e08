/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ZT6_NOTIFY_H
#define ZT6_NOTIFY_H

/* Tells the service manager (sd_notify(3)): "READY=1" and the like. Nobody listening is no error. */
void notify(const char *state);

#endif
