/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ZT6_CONFINE_H
#define ZT6_CONFINE_H

/* The agent's own user, made by the package. */
#define AGENT_USER "zt6-bpf"

/**
 * confine - give up every privilege but CAP_NET_ADMIN and CAP_NET_RAW, for good.
 *
 * Where AGENT_USER exists and we are root, we become it: the loader has given it the pins and the
 * journal. Without it we stay who we are, with these two capabilities. 0, or -errno with a message.
 */
int confine(void);

#endif
