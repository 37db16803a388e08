// SPDX-License-Identifier: GPL-2.0-or-later
/* `doctor`: what `up` has made and somebody has taken away or changed since. */
#include <string.h>

#include "../loader/drift.h"
#include "../loader/kinds.h"
#include "doctor.h"

static void on_drift(void *arg, const struct drift *drift)
{
	struct findings *out = arg;

	/* Of the rules of nftables `status` tells; of bpffs the pins. */
	if (drift->object->kind == &kind_nft || drift->object->kind == &kind_bpffs)
		return;
	/* Its MTU follows the path's, and whether it is up `status` tells. */
	if (drift->object->kind == &kind_tun && drift->state == OBJECT_OTHER)
		return;
	findings_add(out, FINDING_ERROR, "%s: up made it, and it has %s since", drift->text,
		     drift->state == OBJECT_ABSENT ? "been taken away" : "been changed");
	findings_remedy(out, "\"zt6-bpf reload\" puts it back; see who does that: a DHCP client, "
			     "ifupdown, sysctl.d, systemd-networkd or NetworkManager");
}

static void examine(struct doctor *doctor)
{
	if (doctor->status && doctor->journal && doctor->journal->found)
		drift_each(doctor->journal, doctor->nl, on_drift, &doctor->findings);
}

const struct doctor_area doctor_drift = {
	.name = "drift",
	.matters = "the gateway works with what it has made",
	.examine = examine,
};
