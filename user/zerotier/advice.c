/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "advice.h"

#include <inttypes.h>

#define NETWORK "%016" PRIx64
#define NODE    "%010" PRIx64

static void advise_authorise(uint64_t network, uint64_t node, struct findings *out)
{
	findings_add(out, FINDING_ERROR,
		     "network " NETWORK
		     ": this gateway is not an authorised member (ACCESS_DENIED)",
		     network);
	if (node)
		findings_remedy(out,
				"authorise node " NODE " for network " NETWORK " on the controller",
				node, network);
	else
		findings_remedy(out,
				"authorise this node (zerotier-cli info shows its id) for "
				"network " NETWORK " on the controller",
				network);
}

void zerotier_advise(const struct zerotier_network *network, uint64_t node, struct findings *out)
{
	uint64_t id = network->id;

	switch (network->status) {
	case ZEROTIER_OK:
		findings_add(out, FINDING_OK, "network " NETWORK ": joined and authorised", id);
		break;
	case ZEROTIER_ACCESS_DENIED:
		advise_authorise(id, node, out);
		break;
	case ZEROTIER_REQUESTING_CONFIGURATION:
		findings_add(out, FINDING_ERROR,
			     "network " NETWORK ": its controller has not answered yet "
			     "(REQUESTING_CONFIGURATION)",
			     id);
		findings_remedy(out,
				"let UDP port 9993 out of this machine, and see whether the "
				"controller, node " NODE ", is online (zerotier-cli peers)",
				zerotier_controller_node(id));
		break;
	case ZEROTIER_NOT_FOUND:
		findings_add(out, FINDING_ERROR,
			     "network " NETWORK
			     ": its controller knows no such network (NOT_FOUND)",
			     id);
		findings_remedy(out,
				"correct the id in the configuration, and leave this one "
				"(zerotier-cli leave " NETWORK ")",
				id);
		break;
	case ZEROTIER_PORT_ERROR:
		findings_add(out, FINDING_ERROR,
			     "network " NETWORK ": zerotier-one cannot make its interface "
			     "(PORT_ERROR)",
			     id);
		findings_remedy(out, "look into its log (journalctl -u zerotier-one): /dev/net/tun "
				     "must be there, and the interface's name free");
		break;
	case ZEROTIER_CLIENT_TOO_OLD:
		findings_add(out, FINDING_ERROR,
			     "network " NETWORK ": this zerotier-one is too old for its controller "
			     "(CLIENT_TOO_OLD)",
			     id);
		findings_remedy(out, "install a newer zerotier-one");
		break;
	case ZEROTIER_AUTHENTICATION_REQUIRED:
		findings_add(out, FINDING_ERROR,
			     "network " NETWORK ": it wants a person to sign in "
			     "(AUTHENTICATION_REQUIRED)",
			     id);
		findings_remedy(out, "exempt this gateway from single sign-on on the controller");
		break;
	case ZEROTIER_STATUS_OTHER:
		findings_add(out, FINDING_ERROR,
			     "network " NETWORK ": it is in a state that is not known here", id);
		findings_remedy(out, "see what \"zerotier-cli listnetworks\" says");
		break;
	}
}

void zerotier_advise_join(uint64_t network, struct findings *out)
{
	findings_add(out, FINDING_ERROR, "network " NETWORK ": this machine has not joined it",
		     network);
	findings_remedy(out,
			"run \"zerotier-cli join " NETWORK "\", or write \"join yes\" in the "
			"section zerotier " NETWORK " of the configuration",
			network, network);
}
