/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ZT6_NOTIFY_H
#define ZT6_NOTIFY_H

/* Tells the service manager (sd_notify(3)): "READY=1" and the like. Nobody listening is no error. */
void notify(const char *state);

/* "RELOADING=1", with the time that goes with it; "READY=1" tells that it is done. */
void notify_reloading(void);

#endif
