// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "device.h"
#include "kinds.h"
#include "netlink.h"
#include "../log.h"

int device_find(struct nl_sock *nl, const struct object *object, const char *kind, uint16_t type,
		struct iface_facts *out)
{
	json_int_t ifindex = json_integer_value(json_object_get(object->made, "ifindex"));
	int err = facts_iface(nl, object_string(object, "name"), out);

	if (err == -ENODEV)
		return OBJECT_ABSENT;
	if (err)
		return err;
	if (strcmp(out->kind, kind) != 0 || out->type != type ||
	    (ifindex && ifindex != out->ifindex))
		return OBJECT_OTHER;
	return OBJECT_PRESENT;
}

int device_taken(struct nl_sock *nl, const struct object *object)
{
	const char *name = object_string(object, "name");

	(void)nl;
	log_error("%s: cannot make the tunnel: an interface of this name is there that is not "
		  "ours; delete it (ip link delete %s) or give the tunnel another name",
		  name, name);
	return -EEXIST;
}

bool device_is(const struct object *object)
{
	return object->kind == &kind_sit || object->kind == &kind_tun;
}

bool device_excludes(const struct object *object, const struct object *wanted)
{
	if (!device_is(object) || !device_is(wanted))
		return false;
	if (!strcmp(object_string(object, "name"), object_string(wanted, "name")))
		return true;
	return object->kind == &kind_sit && wanted->kind == &kind_sit &&
	       !strcmp(object_string(object, "local"), object_string(wanted, "local")) &&
	       !strcmp(object_string(object, "remote"), object_string(wanted, "remote"));
}

int device_remember(struct nl_sock *nl, struct object *object)
{
	struct iface_facts facts;
	int err = facts_iface(nl, object_string(object, "name"), &facts);

	if (err)
		return err;
	json_decref(object->made);
	object->made = json_pack("{s:i}", "ifindex", facts.ifindex);
	return object->made ? 0 : -ENOMEM;
}

int device_delete(struct nl_sock *nl, const char *name, int ifindex)
{
	const struct ifinfomsg ifi = {.ifi_index = ifindex};
	struct nl_msg *msg = netlink_message(RTM_DELLINK, 0, &ifi, sizeof(ifi));
	int err = netlink_request(nl, msg, NULL, NULL);

	if (!err || err == -ENODEV)
		return 0;
	log_error("cannot delete interface %s: %s", name, netlink_reason(err));
	return err;
}

int device_unmake(struct nl_sock *nl, const struct object *object, const char *kind, uint16_t type)
{
	const char *name = object_string(object, "name");
	struct iface_facts facts;
	int state = device_find(nl, object, kind, type, &facts);

	if (state == OBJECT_OTHER)
		log_info("interface %s is not the one that we made any more: left alone", name);
	if (state != OBJECT_PRESENT)
		return state < 0 ? state : 0;
	return device_delete(nl, name, facts.ifindex);
}
