// SPDX-License-Identifier: GPL-2.0-or-later
/* `zt6-bpf exposure`: what the Internet can open now, member by member. */
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <jansson.h>
#include <netlink/netlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exposure.h"
#include "instance.h"
#include "loader/netlink.h"
#include "log.h"
#include "members.h"
#include "running.h"

struct view {
	const struct instance *instance;
	struct model model;
	struct firewall firewall;
	bool policy_off;
	struct in6_addr *members; /* to be shown */
	size_t member_count;
};

static int add_member(struct view *view, const struct in6_addr *member)
{
	struct in6_addr *grown;

	for (size_t i = 0; i < view->member_count; i++)
		if (IN6_ARE_ADDR_EQUAL(&view->members[i], member))
			return 0;
	grown = reallocarray(view->members, view->member_count + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	grown[view->member_count++] = *member;
	view->members = grown;
	return 0;
}

/* Addresses that are not the Internet's, as ZeroTier's own, are in none of the members' prefixes. */
static int add_known(struct view *view)
{
	struct members members = {0};
	struct nl_sock *nl = NULL;
	int err = netlink_open(&nl);

	if (!err)
		err = members_read(view->instance, &view->model, nl, &members);
	for (size_t i = 0; i < members.count && !err; i++) {
		struct in6_addr addr;

		memcpy(&addr, &members.list[i].addr, sizeof(addr));
		if (member_gave_sign(&members.list[i]) &&
		    exposure_port(&view->model, &addr) != ZT6_NO_PORT)
			err = add_member(view, &addr);
	}
	members_free(&members);
	nl_socket_free(nl);
	return err;
}

/* Whom the configuration names is open whether he has been seen or not. */
static int add_listed(struct view *view)
{
	const json_t *allow;
	struct prefix to;
	size_t i;
	int err = 0;

	json_array_foreach (view->firewall.allows, i, allow) {
		const char *text = json_string_value(json_object_get(allow, "to"));

		if (!err && text && prefix_parse(text, &to) && to.len == 128 &&
		    exposure_port(&view->model, &to.addr) != ZT6_NO_PORT)
			err = add_member(view, &to.addr);
	}
	return err;
}

static const char *port_name(const struct view *view, const struct in6_addr *member)
{
	return view->model.ports[exposure_port(&view->model, member)].name;
}

static const char *const extents[] = {
	[EXPOSURE_LISTED] = "listed",
	[EXPOSURE_OTHERS] = "others",
	[EXPOSURE_EVERYTHING] = "everything",
};

static json_t *openings_json(const struct exposure_openings *openings)
{
	json_t *list = json_array();
	char from[PREFIX_STRLEN];

	for (size_t i = 0; i < openings->count; i++) {
		const struct exposure_opening *opening = &openings->list[i];

		json_array_append_new(
			list, json_pack("{s:s, s:i, s:i, s:s}", "protocol", opening->protocol,
					"first", (int)opening->first, "last", (int)opening->last,
					"from", prefix_format(&opening->from, from)));
	}
	return list;
}

static int print_json(const struct view *view)
{
	enum exposure_extent extent = exposure_extent(&view->firewall, view->policy_off);
	char remark[EXPOSURE_REMARK], address[INET6_ADDRSTRLEN];
	json_t *members = json_array(), *root;
	int err = 0;

	for (size_t i = 0; i < view->member_count && !err; i++) {
		struct exposure_openings openings = {0};

		if (extent == EXPOSURE_LISTED)
			err = exposure_openings(&view->firewall, &view->members[i], &openings);
		json_array_append_new(members, json_pack("{s:s, s:s, s:o}", "address",
							 inet_ntop(AF_INET6, &view->members[i],
								   address, sizeof(address)),
							 "port", port_name(view, &view->members[i]),
							 "open", openings_json(&openings)));
		exposure_free(&openings);
	}
	root = json_pack("{s:i, s:s, s:s, s:s, s:s, s:s, s:o}", "schema", 1, "instance",
			 view->instance->name, "version", ZT6_VERSION, "policy",
			 view->policy_off ? "off" : "kernel", "extent", extents[extent], "remark",
			 exposure_remark(&view->firewall, view->policy_off, remark), "members",
			 members);
	if (!err && (!root || (json_dumpf(root, stdout, JSON_INDENT(2)) && !ferror(stdout))))
		err = -ENOMEM;
	putchar('\n');
	json_decref(root);
	return err;
}

static const char *opening_text(const struct exposure_opening *opening, char text[48])
{
	if (!strcmp(opening->protocol, "icmpv6") && opening->first == 128 && opening->last == 128)
		snprintf(text, 48, "icmpv6 128 (echo request)");
	else if (opening->first == opening->last)
		snprintf(text, 48, "%s %u", opening->protocol, opening->first);
	else
		snprintf(text, 48, "%s %u-%u", opening->protocol, opening->first, opening->last);
	return text;
}

static int print_listed(const struct view *view, const struct in6_addr *member)
{
	char address[INET6_ADDRSTRLEN], what[48], from[PREFIX_STRLEN];
	struct exposure_openings openings;
	int err = exposure_openings(&view->firewall, member, &openings);

	for (size_t i = 0; i < openings.count && !err; i++)
		printf("%-39s  %-28s  %s\n",
		       i ? "" : inet_ntop(AF_INET6, member, address, sizeof(address)),
		       opening_text(&openings.list[i], what),
		       openings.list[i].from.len ? prefix_format(&openings.list[i].from, from)
						 : "anywhere");
	exposure_free(&openings);
	return err;
}

static int print_table(const struct view *view)
{
	enum exposure_extent extent = exposure_extent(&view->firewall, view->policy_off);
	char remark[EXPOSURE_REMARK], address[INET6_ADDRSTRLEN];
	int err = 0;

	exposure_remark(&view->firewall, view->policy_off, remark);
	if (*remark)
		printf("%s\n\n", remark);
	printf("%-39s  %-28s  %s\n", "MEMBER", "OPEN", "FROM");
	for (size_t i = 0; i < view->member_count && !err; i++) {
		if (extent == EXPOSURE_LISTED) {
			err = print_listed(view, &view->members[i]);
			continue;
		}
		printf("%-39s  %-28s  %s\n",
		       inet_ntop(AF_INET6, &view->members[i], address, sizeof(address)),
		       extent == EXPOSURE_OTHERS ? "what your own rules let in" : "everything",
		       "anywhere");
	}
	if (!view->member_count)
		puts("nobody is known yet; give an address to see what would hold for it");
	return err;
}

static int usage(void)
{
	log_error("usage: zt6-bpf exposure [--json] [MEMBER]");
	return EXIT_USAGE;
}

static int choose_members(struct view *view, const char *address)
{
	struct in6_addr addr;
	int err;

	if (!address) {
		err = add_known(view);
		if (!err)
			err = add_listed(view);
		if (err)
			log_error("instance \"%s\": cannot read its members: %s",
				  view->instance->name, netlink_reason(err));
		return err ? EXIT_FAILED : EXIT_DONE;
	}
	if (inet_pton(AF_INET6, address, &addr) != 1) {
		log_error("exposure: \"%s\" is not an IPv6 address", address);
		return EXIT_USAGE;
	}
	if (exposure_port(&view->model, &addr) == ZT6_NO_PORT) {
		log_error("exposure: %s is in no prefix of members", address);
		return EXIT_FAILED;
	}
	return add_member(view, &addr) ? EXIT_FAILED : EXIT_DONE;
}

int cmd_exposure(const struct instance *instance, int argc, char **argv)
{
	static const struct option options[] = {{"json", no_argument, NULL, 'j'}, {0}};
	struct view view = {.instance = instance};
	bool json = false;
	int option, status;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option != 'j')
			return usage();
		json = true;
	}
	if (argc - optind > 1)
		return usage();
	status = running_read(instance, &view.model);
	if (status)
		return status;
	view.policy_off = view.model.settings.policy == ZT6_POLICY_OFF;
	status = firewall_read(instance, &view.firewall) ? EXIT_FAILED : EXIT_DONE;
	if (!status)
		status = choose_members(&view, argv[optind]);
	if (!status && (json ? print_json(&view) : print_table(&view)))
		status = EXIT_FAILED;
	free(view.members);
	firewall_free(&view.firewall);
	model_free(&view.model);
	return status;
}
